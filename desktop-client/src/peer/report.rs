//! Statistics of one link, taken once a second from the stack, the player and our own sender.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use call_core::link::ConnectionState;
use media_core::layers::{PeerOrder, VideoState};
use rtc::peer_connection::transport::RTCIceServerTransportProtocol;
use rtc::statistics::StatsSelector;
use rtc::statistics::report::{RTCStatsReport, RTCStatsReportEntry};
use tokio::sync::watch;
use webrtc::peer_connection::{PeerConnection, RTCIceCandidateType};

use super::nack::{NackCounts, NackHandle};
use super::receive::ReceiveCounters;
use super::sending::SendPath;

/// What is known of a link's transport and sending side. The receiving side's pictures and sound are the player's to report.
#[derive(Debug, Clone, Default)]
pub struct LinkReport {
    /// When the join or the peer's arrival, whichever was later, set the link off.
    pub began: Option<Instant>,
    /// The connection's state.
    pub state: Option<ConnectionState>,
    /// `host`, `srflx`, `prflx` or `relay`.
    pub local_candidate: Option<&'static str>,
    /// The same of the other side.
    pub remote_candidate: Option<&'static str>,
    /// `udp`, `tcp` or `tls`, when we relay.
    pub relay_protocol: Option<&'static str>,
    /// Round-trip time of the selected pair.
    pub rtt: Option<Duration>,
    /// From that moment to connected.
    pub connected_after: Option<Duration>,
    /// What we receive.
    pub received: ReceivedReport,
    /// What we send.
    pub send: Option<SendReport>,
}

/// What arrives: rates over the last interval, and what had to be asked for again.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ReceivedReport {
    /// Payload bits of video per second.
    pub video_bitrate: f64,
    /// Payload bits of audio per second.
    pub audio_bitrate: f64,
    /// Video packets asked for again, since the start.
    pub nack: NackCounts,
}

/// What we send to this peer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SendReport {
    /// Which encoding the peer gets; `None` while there is no video.
    pub layer: Option<u8>,
    /// What the path carries, in bit/s.
    pub estimate: f64,
    /// What we would send if the path bore it, in bit/s; `None` while there is no video.
    pub target: Option<f64>,
    /// What we send, in bit/s, over the last interval.
    pub bitrate: f64,
    /// What the peer lost of it, 0–1, by its last receiver report.
    pub fraction_lost: Option<f64>,
    /// Packets of pictures, without those sent again.
    pub video_packets: u64,
    /// Packets sent again.
    pub retransmitted_packets: u64,
    /// Their bytes on the wire.
    pub retransmitted_bytes: u64,
    /// Bytes on the wire that only filled probes.
    pub padding_bytes: u64,
    /// How long what waits for the pacer takes at the rate of the path.
    pub queue_delay: Duration,
    /// Why the peer gets no better video; `None` before that is known.
    pub video: Option<VideoState>,
}

/// What the session shows of a link's quality.
#[derive(Debug, Clone, Copy)]
pub struct Quality {
    /// Round-trip time of the selected pair.
    pub rtt: Option<Duration>,
    /// What the peer lost of our packets, 0–1.
    pub fraction_lost: Option<f32>,
}

/// What the sending tasks count.
#[derive(Debug, Default)]
pub struct SendCounters {
    /// Payload bytes.
    pub bytes: AtomicU64,
    /// Packets of pictures.
    pub video_packets: AtomicU64,
    /// One more than the layer last sent; 0 for none.
    pub layer: AtomicU64,
}

impl SendCounters {
    /// The layer last sent.
    pub fn layer(&self) -> Option<u8> {
        self.layer.load(Ordering::Relaxed).checked_sub(1).and_then(|layer| u8::try_from(layer).ok())
    }
}

/// Takes and publishes the statistics of one link.
pub struct Reporter {
    began: Instant,
    received: Arc<ReceiveCounters>,
    nack: NackHandle,
    sender: watch::Sender<LinkReport>,
    sending: Option<Sending>,
    last: Option<Sample>,
}

/// Where figures of the sending side come from.
struct Sending {
    counters: Arc<SendCounters>,
    path: SendPath,
    orders: watch::Receiver<Option<PeerOrder>>,
}

/// Counters at the last interval's end.
#[derive(Clone, Copy)]
struct Sample {
    at: Instant,
    sent: u64,
    video: u64,
    audio: u64,
}

impl Reporter {
    /// A reporter that counts from `began`.
    pub fn new(began: Instant, received: Arc<ReceiveCounters>, nack: NackHandle) -> Self {
        Self {
            began,
            received,
            nack,
            sender: watch::Sender::new(LinkReport { began: Some(began), ..LinkReport::default() }),
            sending: None,
            last: None,
        }
    }

    /// The latest report, and a way to wait for the next.
    pub fn subscribe(&self) -> watch::Receiver<LinkReport> {
        self.sender.subscribe()
    }

    /// The sending side is up.
    pub fn sending(
        &mut self,
        counters: Arc<SendCounters>,
        path: SendPath,
        orders: watch::Receiver<Option<PeerOrder>>,
    ) {
        self.sending = Some(Sending { counters, path, orders });
    }

    /// Notes a new state at once.
    pub fn state(&self, state: ConnectionState) {
        let elapsed = self.began.elapsed();
        self.sender.send_modify(|report| {
            report.state = Some(state);
            if state == ConnectionState::Connected && report.connected_after.is_none() {
                report.connected_after = Some(elapsed);
            }
        });
    }

    /// Takes the statistics, publishes them, and tells the session what it shows.
    pub async fn take(&mut self, connection: &Arc<dyn PeerConnection>) -> Quality {
        let now = Instant::now();
        let stats = connection.get_stats(now, StatsSelector::None).await;
        let (received, sent_bitrate) = self.rates(now);
        let path = Path::of(connection).await;
        let of_media = self.sending.as_ref().and_then(|sending| sending.path.report().round_trip_time);
        let rtt = round_trip_time(&stats).or(of_media);
        let fraction_lost = fraction_lost(&stats);
        let send = self.sending.as_ref().map(|sending| sending.report(sent_bitrate, fraction_lost));
        self.sender.send_modify(|report| {
            report.local_candidate = path.local;
            report.remote_candidate = path.remote;
            report.relay_protocol = path.relay_protocol;
            report.rtt = rtt;
            report.received = received;
            report.send = send;
        });
        #[expect(clippy::cast_possible_truncation, reason = "a fraction needs no more")]
        Quality { rtt, fraction_lost: fraction_lost.map(|lost| lost as f32) }
    }

    fn rates(&mut self, now: Instant) -> (ReceivedReport, f64) {
        let sent = self.sending.as_ref().map_or(0, |sending| sending.counters.bytes.load(Ordering::Relaxed));
        let video = self.received.video.load(Ordering::Relaxed);
        let audio = self.received.audio.load(Ordering::Relaxed);
        let sample = Sample { at: now, sent, video, audio };
        let Some(last) = self.last.replace(sample) else { return (ReceivedReport::default(), 0.0) };
        let seconds = now.saturating_duration_since(last.at).as_secs_f64().max(1e-3);
        #[expect(clippy::cast_precision_loss, reason = "bytes of one second are far below 2^52")]
        let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 * 8.0 / seconds;
        let received = ReceivedReport {
            video_bitrate: rate(sample.video, last.video),
            audio_bitrate: rate(sample.audio, last.audio),
            nack: self.nack.counts(),
        };
        (received, rate(sample.sent, last.sent))
    }
}

impl Sending {
    #[expect(clippy::cast_precision_loss, reason = "rates are far below 2^52")]
    fn report(&self, bitrate: f64, fraction_lost: Option<f64>) -> SendReport {
        let order = *self.orders.borrow();
        let demand = order.filter(|order| order.layer.is_some()).map(|order| order.demand.as_bps() as f64);
        let repair = self.path.repair();
        SendReport {
            layer: self.counters.layer(),
            estimate: self.path.report().estimate.as_bps() as f64,
            target: demand,
            bitrate,
            fraction_lost,
            video_packets: self.counters.video_packets.load(Ordering::Relaxed),
            retransmitted_packets: repair.packets,
            retransmitted_bytes: repair.bytes,
            padding_bytes: repair.padding_bytes,
            queue_delay: self.path.queue_delay(),
            video: order.map(|order| order.state),
        }
    }
}

fn fraction_lost(stats: &RTCStatsReport) -> Option<f64> {
    let reports = stats.iter().filter_map(|entry| match entry {
        RTCStatsReportEntry::RemoteInboundRtp(remote) => Some(remote.fraction_lost),
        _ => None,
    });
    reports.reduce(f64::max)
}

/// The selected candidate pair, in words.
#[derive(Default)]
struct Path {
    local: Option<&'static str>,
    remote: Option<&'static str>,
    relay_protocol: Option<&'static str>,
}

impl Path {
    /// The statistics of the stack name no selected pair; its ICE transport does.
    async fn of(connection: &Arc<dyn PeerConnection>) -> Self {
        let Some(sctp) = connection.sctp().await else { return Self::default() };
        let Ok(Some(pair)) = sctp.transport().ice_transport().get_selected_candidate_pair().await else {
            return Self::default();
        };
        Self {
            local: kind(pair.local().typ),
            remote: kind(pair.remote().typ),
            relay_protocol: (pair.local().typ == RTCIceCandidateType::Relay)
                .then(|| relay_protocol(pair.local().relay_protocol))
                .flatten(),
        }
    }
}

/// Of the pair that carries the media: the one with the most traffic.
fn round_trip_time(stats: &RTCStatsReport) -> Option<Duration> {
    let pair = stats.candidate_pairs().max_by_key(|pair| pair.bytes_sent + pair.bytes_received)?;
    Duration::try_from_secs_f64(pair.current_round_trip_time).ok().filter(|rtt| !rtt.is_zero())
}

fn kind(kind: RTCIceCandidateType) -> Option<&'static str> {
    match kind {
        RTCIceCandidateType::Host => Some("host"),
        RTCIceCandidateType::Srflx => Some("srflx"),
        RTCIceCandidateType::Prflx => Some("prflx"),
        RTCIceCandidateType::Relay => Some("relay"),
        _ => None,
    }
}

fn relay_protocol(protocol: RTCIceServerTransportProtocol) -> Option<&'static str> {
    match protocol {
        RTCIceServerTransportProtocol::Udp => Some("udp"),
        RTCIceServerTransportProtocol::Tcp => Some("tcp"),
        RTCIceServerTransportProtocol::Tls => Some("tls"),
        _ => None,
    }
}
