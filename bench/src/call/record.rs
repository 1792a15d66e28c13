//! What a side has noticed of a call, second by second.

use std::time::Duration;

use e2e::sound::Sound;

/// Counters at one moment. They only grow, except that those of a new connection begin at nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moment {
    /// Unix time in milliseconds.
    pub at: f64,
    /// Pictures decoded.
    pub frames: u64,
    /// Freezes, as webrtc-stats defines them.
    pub freezes: u64,
    /// Their length together, in seconds.
    pub frozen: f64,
    /// Samples of sound played.
    pub samples: u64,
    /// Of those, made up.
    pub concealed: u64,
    /// Mean time that a sample has waited in the jitter buffer so far, in milliseconds; none before the first.
    pub wait: Option<f64>,
    /// Video received in the last second, in kbit/s.
    pub video_kbps: f64,
    /// The size of the last picture.
    pub size: Option<(u32, u32)>,
}

/// The time from a picture's mark to its arrival, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    /// Half of the pictures were at least as fast.
    pub p50: f64,
    /// 95 % were.
    pub p95: f64,
}

/// Everything that a side tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// From the moment when both were in the room to the connection, in milliseconds.
    pub connected: Option<f64>,
    /// From the same moment to the first picture.
    pub first_frame: Option<f64>,
    /// One a second.
    pub moments: Vec<Moment>,
    /// Of the pictures received; none where it cannot be told.
    pub latency: Option<Latency>,
    /// Peak signal-to-noise ratio of a picture each second, in decibels, and when it was seen.
    pub quality: Vec<(f64, f64)>,
    /// What was heard, up to the end; empty unless it was kept.
    pub sound: Sound,
}

/// When things happened, in Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Measuring begins.
    pub from: f64,
    /// Measuring ends.
    pub to: f64,
    /// The network became worse, and became as good as before.
    pub dip: Option<(f64, f64)>,
}

/// What a side has got, over a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Received {
    /// Pictures per second.
    pub rate: f64,
    /// Freezes.
    pub freezes: f64,
    /// Their length together, in seconds.
    pub frozen: f64,
    /// Share of the sound that was made up, 0–1.
    pub concealed: f64,
    /// Mean time that a sample waited in the jitter buffer, from the start of the call on, in milliseconds.
    pub wait: Option<f64>,
    /// Mean bit rate of the pictures, in kbit/s.
    pub video_kbps: f64,
    /// The size of the last picture.
    pub size: Option<(u32, u32)>,
    /// Peak signal-to-noise ratio of the pictures, in decibels; none without pictures.
    pub psnr: Option<f64>,
    /// From the end of a dip until 80 % of the bit rate before it is back, in seconds; infinite when it does not come back.
    pub recovery: Option<f64>,
}

/// How much of the bit rate must be back after a dip.
const RECOVERED: f64 = 0.8;

/// How long before a dip the bit rate is looked at.
const BEFORE_DIP: Duration = Duration::from_secs(5);

impl Record {
    /// What it says about a window.
    pub fn received(&self, window: Window) -> Received {
        let moments = self.between(window.from, window.to);
        let sum = |count: fn(&Moment) -> f64| moments.windows(2).map(|pair| grown(count, pair)).sum::<f64>();
        let time = match (moments.first(), moments.last()) {
            (Some(first), Some(last)) => (last.at - first.at) / 1_000.0,
            _ => 0.0,
        };
        let samples = sum(|moment| moment.samples as f64);
        Received {
            rate: share(sum(|moment| moment.frames as f64), time),
            freezes: sum(|moment| moment.freezes as f64),
            frozen: sum(|moment| moment.frozen),
            // Who has heard nothing at all has heard everything made up.
            concealed: if samples > 0.0 { sum(|moment| moment.concealed as f64) / samples } else { 1.0 },
            wait: moments.last().and_then(|moment| moment.wait),
            video_kbps: mean(moments),
            size: moments.last().and_then(|moment| moment.size),
            psnr: self.psnr(window),
            recovery: window.dip.map(|(from, to)| self.recovery(from, to)),
        }
    }

    fn psnr(&self, window: Window) -> Option<f64> {
        let inside = self.quality.iter().filter(|(at, _)| (window.from..=window.to).contains(at));
        let (sum, count) = inside.fold((0.0, 0.0), |(sum, count), (_, psnr)| (sum + psnr, count + 1.0));
        (count > 0.0).then(|| sum / count)
    }

    fn recovery(&self, from: f64, to: f64) -> f64 {
        let before = mean(self.between(from - BEFORE_DIP.as_secs_f64() * 1_000.0, from));
        let after = self.between(to, f64::INFINITY);
        // A moment tells of the second before it.
        let back = after.iter().skip(1).find(|moment| moment.video_kbps >= RECOVERED * before);
        back.map_or(f64::INFINITY, |moment| (moment.at - to) / 1_000.0)
    }

    fn between(&self, from: f64, to: f64) -> &[Moment] {
        let start = self.moments.partition_point(|moment| moment.at < from);
        let end = self.moments.partition_point(|moment| moment.at <= to);
        self.moments.get(start..end).unwrap_or_default()
    }
}

/// How much a counter has grown from one moment to the next.
fn grown(count: fn(&Moment) -> f64, pair: &[Moment]) -> f64 {
    let [before, after] = [&pair[0], &pair[1]].map(count);
    if after >= before { after - before } else { after }
}

fn mean(moments: &[Moment]) -> f64 {
    share(moments.iter().map(|moment| moment.video_kbps).sum(), moments.len() as f64)
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// The lower one of the two in the middle, so that it is a figure that was measured; `None` of none.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().checked_sub(1)? / 2).copied()
}

impl Latency {
    /// Of single values, in milliseconds.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let at =
            |share: f64| values.get((share * values.len().checked_sub(1)? as f64).round() as usize).copied();
        Some(Self { p50: at(0.5)?, p95: at(0.95)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(second: u32, frames: u64, video_kbps: f64) -> Moment {
        let samples = u64::from(second) * 48_000;
        Moment {
            at: f64::from(second) * 1_000.0,
            frames,
            video_kbps,
            samples,
            concealed: samples / 10,
            ..Moment::default()
        }
    }

    #[test]
    fn a_new_connection_counts_from_nothing() {
        let moments = vec![moment(0, 0, 0.0), moment(1, 30, 0.0), moment(2, 60, 0.0), moment(3, 15, 0.0)];
        let record = Record { moments, ..Record::default() };
        let received = record.received(Window { from: 1_000.0, to: 3_000.0, dip: None });
        assert!(
            (received.rate - 22.5).abs() < 1e-9 && (received.concealed - 0.1).abs() < 1e-3,
            "{received:?}"
        );
        assert_eq!(received.recovery, None);
    }

    #[test]
    fn who_gets_nothing_gets_no_pictures_and_only_made_up_sound() {
        let received = Record::default().received(Window { from: 0.0, to: 9.0, dip: None });
        assert_eq!((received.rate, received.concealed, received.size), (0.0, 1.0, None));
    }

    #[test]
    fn recovery_is_counted_from_the_end_of_the_dip() {
        let rate = |second| match second {
            10..25 => 300.0,
            25..31 => 100.0 * f64::from(second - 22),
            _ => 1_000.0,
        };
        let moments = (0..60).map(|second| moment(second, 0, rate(second))).collect();
        let record = Record { moments, ..Record::default() };
        let window = |to| Window { from: 0.0, to, dip: Some((9_500.0, 25_000.0)) };
        assert_eq!(record.received(window(60_000.0)).recovery, Some(5.0));
        let short = Record { moments: record.moments[..28].to_vec(), ..Record::default() };
        assert_eq!(short.received(window(28_000.0)).recovery, Some(f64::INFINITY));
    }

    #[test]
    fn percentiles_are_of_the_sorted_values() {
        let latency = Latency::of((0..=100).rev().map(f64::from).collect());
        assert_eq!(latency, Some(Latency { p50: 50.0, p95: 95.0 }));
        assert_eq!(Latency::of(vec![]), None);
    }
}
