//! What a user of [`Gcc`](super::Gcc) may choose.

use std::time::Duration;

use crate::bitrate::Bitrate;

/// Bounds and habits of one estimator. The defaults fit a video call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GccConfig {
    /// The estimate before anything is known. Default: 300 kbit/s (libwebrtc's default). A higher one floods thin links at the start of each call.
    pub start: Bitrate,
    /// The estimate before anything is known where it took longer than [`Self::slow_setup`] to connect. Default: 100 kbit/s. The checks and handshakes of a connection
    /// are a few kilobytes: a path on which they take long is thin, far or lossy, and neither voice nor anything else comes through a full queue.
    pub cautious_start: Bitrate,
    /// From the estimator's making to the first packet. Default: 600 ms, a handshake over 100 ms, or over 300 kbit/s.
    pub slow_setup: Duration,
    /// Never below. Default: 30 kbit/s, voice with its headers. A lower one may starve voice for nothing.
    pub min: Bitrate,
    /// Never above. Default: 5 Mbit/s, more than any picture of ours needs.
    pub max: Bitrate,
    /// What is kept of the received rate when a queue builds up, 0–1. Default: 0.85 (draft-ietf-rmcat-gcc-02, section 5.5). Lower ones drain queues faster and
    /// leave more of the link unused.
    pub backoff: f64,
    /// Growth per second far from congestion, 0–1. Default: 0.08 (draft-ietf-rmcat-gcc-02, section 5.5). Faster growth overshoots further; probes do the large steps.
    pub growth: f64,
    /// The estimate may grow to so many times the demand: room for the next step of whoever decides on it. Default: 1.5 (libwebrtc allows twice the allocated
    /// rate). More means larger probes.
    pub headroom: f64,
    /// A shorter queue is taken for noise. Default: 30 ms, what the packets of one picture make of a queue on a link that is just full; a lower one lets a flow
    /// starve that always finds itself behind another one's pictures. More tolerates more delay before any reaction.
    pub queue_tolerance: Duration,
    /// A longer queue that stays is drained even when it does not grow. Default: 80 ms, half of what makes talk awkward (ITU-T G.114) for one direction.
    /// Shorter ones give way sooner to flows that fill queues.
    pub standing_queue: Duration,
    /// The rate allowed at a loss that does not respond to the rate is this over the share of loss above 5 %. Default: 150 kbit/s, twice what libwebrtc's
    /// loss-based control assumes: 1 Mbit/s at 20 %, 600 kbit/s at 30 %. More keeps a larger picture of which each frame is less likely whole.
    pub loss_balance: Bitrate,
    /// Without a report for two round trips and this long, while at least eight packets leave, the estimate is halved. Default: 500 ms. Shorter ones take late reports for a
    /// dead path.
    pub silence: Duration,
    /// How often a rate above the estimate is tried while less is sent than the path carries. Default: 5 s (libwebrtc's default). More often costs padding.
    pub probe_interval: Duration,
}

impl Default for GccConfig {
    fn default() -> Self {
        Self {
            start: Bitrate::kbps(300),
            cautious_start: Bitrate::kbps(100),
            slow_setup: Duration::from_millis(600),
            min: Bitrate::kbps(30),
            max: Bitrate::kbps(5_000),
            backoff: 0.85,
            growth: 0.08,
            headroom: 1.5,
            queue_tolerance: Duration::from_millis(30),
            standing_queue: Duration::from_millis(80),
            loss_balance: Bitrate::kbps(150),
            silence: Duration::from_millis(500),
            probe_interval: Duration::from_secs(5),
        }
    }
}

impl GccConfig {
    /// The same with bounds in order and factors in range, whatever was asked for.
    pub(super) fn sound(self) -> Self {
        let min = self.min.max(Bitrate::bps(1));
        let max = self.max.max(min);
        Self {
            min,
            max,
            start: self.start.clamp(min, max),
            cautious_start: self.cautious_start.clamp(min, max).min(self.start),
            backoff: in_range(self.backoff, 0.1, 0.99),
            growth: in_range(self.growth, 0.0, 1.0),
            headroom: in_range(self.headroom, 1.0, 10.0),
            probe_interval: self.probe_interval.max(Duration::from_secs(1)),
            ..self
        }
    }
}

/// Clamped; the least for what is not a number.
fn in_range(value: f64, least: f64, most: f64) -> f64 {
    if value.is_nan() { least } else { value.clamp(least, most) }
}
