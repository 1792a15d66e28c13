//! Receives a peer's media: reads every track that it sends, puts pictures together, and hands pictures and sound to its player.
//!
//! The stack drops packets that nobody reads, so each track is drained by a task of its own; one receiving task per link owns the player and decides
//! which track it plays: the first of each kind that is alive. A plain guest has one of each; what else it sends is drained and ignored.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use call_core::link::{LinkEvent, LinkId};
use call_media::PeerPlayer;
use media_core::audio::{level, red};
use media_core::playout::sync::{SenderReport, Stream};
use media_core::rtp::RtpPacket;
use media_core::video_receiver::{
    VideoReceiver, VideoReceiverConfig, VideoReceiverInput, VideoReceiverOutput,
};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

use super::channels::LinkEvents;
use super::nack::NackHandle;
use super::sender_reports;

/// Packets between the tracks' tasks and the receiving task. It never waits for anything but them, so this only evens out bursts; a reader that
/// finds it full waits.
const QUEUE: usize = 512;

/// Most tracks of one peer that are read: audio, camera and screen, with slack for guests that change their tracks. More are refused.
const MAX_TRACKS: usize = 16;

/// Without a picture for this long, the person is shown that none arrives.
const STALL: Duration = Duration::from_secs(2);

/// How often picture and sound are compared.
const LIP_SYNC_INTERVAL: Duration = Duration::from_millis(200);

/// What the receiving task is told.
enum Incoming {
    /// The peer sends a track.
    Added { track: u64, kind: RtpCodecKind, remote: Arc<dyn TrackRemote> },
    /// A packet of a track came, or a copy of an earlier one within it.
    Packet {
        track: u64,
        packet: RtpPacket,
        copy: bool,
        /// How loud it says that it is (RFC 6464).
        level: Option<u8>,
    },
    /// A track is over.
    Ended { track: u64 },
    /// The round-trip time was measured.
    RoundTripTime(Duration),
}

/// What a peer's packets of sound may be, beyond plain Opus.
#[derive(Debug, Clone, Copy, Default)]
pub struct SoundForms {
    /// The payload type of packets that carry copies of earlier ones (RFC 2198).
    pub red: Option<u8>,
    /// The header extension that tells how loud a packet is (RFC 6464).
    pub level: Option<u8>,
}

/// The peer task's end of the receiving side of one link.
pub struct Receiving {
    incoming: mpsc::Sender<Incoming>,
    tracks: u64,
    /// What has arrived.
    pub received: Arc<ReceiveCounters>,
    /// The connection's end.
    pub inbound: Inbound,
}

/// What the connection's interceptors share with the receiving task.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// What is known of the path and of the pictures, and what was asked for.
    pub nack: NackHandle,
    /// Where the peer's sender reports go.
    pub reports: mpsc::Sender<SenderReport>,
}

/// What the receiving task counts: payload bytes of the tracks that are played.
#[derive(Debug, Default)]
pub struct ReceiveCounters {
    /// Of pictures.
    pub video: AtomicU64,
    /// Of sound.
    pub audio: AtomicU64,
}

impl Receiving {
    /// Starts the receiving task; it ends with the link.
    pub fn spawn(tasks: &mut JoinSet<()>, player: PeerPlayer, link: LinkId, events: LinkEvents) -> Self {
        let (incoming, queue) = mpsc::channel(QUEUE);
        let (reports, report_queue) = mpsc::channel(sender_reports::CAPACITY);
        let received = Arc::new(ReceiveCounters::default());
        let nack = NackHandle::default();
        let receiver = Receiver::new(player, link, events, Arc::clone(&received), nack.clone());
        tasks.spawn(receiver.run(queue, report_queue));
        Self { incoming, tracks: 0, received, inbound: Inbound { nack, reports } }
    }

    /// Reads one more track.
    pub fn add(&mut self, tasks: &mut JoinSet<()>, remote: Arc<dyn TrackRemote>, forms: SoundForms) {
        self.tracks += 1;
        tasks.spawn(read(self.tracks, remote, forms, self.incoming.clone()));
    }

    /// Tells the time that a repair takes. Lost when the queue is full: the next one comes in a second.
    pub fn round_trip_time(&self, rtt: Duration) {
        self.inbound.nack.round_trip_time(rtt);
        let _ = self.incoming.try_send(Incoming::RoundTripTime(rtt));
    }
}

async fn read(track: u64, remote: Arc<dyn TrackRemote>, forms: SoundForms, incoming: mpsc::Sender<Incoming>) {
    let kind = remote.kind().await;
    if incoming.send(Incoming::Added { track, kind, remote: Arc::clone(&remote) }).await.is_err() {
        return;
    }
    while let Some(event) = remote.poll().await {
        let TrackRemoteEvent::OnRtpPacket(packet) = event else {
            if matches!(event, TrackRemoteEvent::OnEnded) {
                break;
            }
            continue;
        };
        let has_copies = forms.red == Some(packet.header.payload_type);
        let told = forms.level.and_then(|id| packet.header.get_extension(id));
        let level = told.as_deref().and_then(<[u8]>::first).copied();
        let packet = RtpPacket {
            ssrc: packet.header.ssrc,
            sequence_number: packet.header.sequence_number,
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            payload: packet.payload,
            arrival: Instant::now(),
        };
        let packets = if has_copies { taken_apart(&packet) } else { vec![packet] };
        let newest = packets.len().saturating_sub(1);
        for (index, packet) in packets.into_iter().enumerate() {
            let incoming_packet = Incoming::Packet { track, packet, copy: index < newest, level };
            if incoming.send(incoming_packet).await.is_err() {
                return;
            }
        }
    }
    let _ = incoming.send(Incoming::Ended { track }).await;
}

/// A packet with copies of earlier ones as what it was made of, oldest first; nothing of one that is malformed. Senders repeat the packets just before.
fn taken_apart(packet: &RtpPacket) -> Vec<RtpPacket> {
    let Some((copies, payload)) = red::unpack(&packet.payload) else { return vec![] };
    let RtpPacket { ssrc, arrival, .. } = *packet;
    let count = u16::try_from(copies.len()).unwrap_or(u16::MAX);
    let earlier = (1..=count).rev().zip(copies).map(|(distance, copy)| RtpPacket {
        ssrc,
        sequence_number: packet.sequence_number.wrapping_sub(distance),
        timestamp: packet.timestamp.wrapping_sub(copy.age),
        marker: false,
        payload: copy.payload,
        arrival,
    });
    let newest = RtpPacket { payload, ..packet.clone() };
    earlier.chain([newest]).collect()
}

/// Owner of one peer's player.
struct Receiver {
    received: Arc<ReceiveCounters>,
    nack: NackHandle,
    link: LinkId,
    events: LinkEvents,
    player: PeerPlayer,
    /// The stream that the pictures come from.
    video_ssrc: u32,
    decode_failed: Arc<Notify>,
    tracks: BTreeMap<u64, (RtpCodecKind, Arc<dyn TrackRemote>)>,
    video: VideoReceiver,
    last_picture: Option<Instant>,
    flowing: bool,
}

impl Receiver {
    fn new(
        player: PeerPlayer,
        link: LinkId,
        events: LinkEvents,
        received: Arc<ReceiveCounters>,
        nack: NackHandle,
    ) -> Self {
        Self {
            received,
            nack,
            video_ssrc: 0,
            link,
            events,
            decode_failed: player.decode_failed(),
            player,
            tracks: BTreeMap::new(),
            video: VideoReceiver::new(VideoReceiverConfig::default()),
            last_picture: None,
            flowing: false,
        }
    }

    async fn run(mut self, mut queue: mpsc::Receiver<Incoming>, mut reports: mpsc::Receiver<SenderReport>) {
        let decode_failed = Arc::clone(&self.decode_failed);
        let mut lip_sync = tokio::time::interval(LIP_SYNC_INTERVAL);
        lip_sync.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let wake = [self.video.poll_timeout(), self.stalls_at()].into_iter().flatten().min();
            tokio::select! {
                incoming = queue.recv() => match incoming {
                    Some(incoming) => self.incoming(incoming),
                    None => return,
                },
                Some(report) = reports.recv() => self.player.sender_report(report),
                _ = lip_sync.tick() => self.player.synchronise(Instant::now()),
                () = decode_failed.notified() => self.video(VideoReceiverInput::DecodeFailed),
                () = sleep_until(wake) => self.video(VideoReceiverInput::Tick),
            }
            self.drain().await;
        }
    }

    fn incoming(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Added { track, kind, remote } => {
                if self.tracks.len() < MAX_TRACKS {
                    self.tracks.insert(track, (kind, remote));
                }
            }
            Incoming::Ended { track } => {
                self.tracks.remove(&track);
            }
            Incoming::Packet { track, packet, copy, level } => {
                if self.played(RtpCodecKind::Video) == Some(track) {
                    self.received.video.fetch_add(packet.payload.len() as u64, Ordering::Relaxed);
                    self.video_ssrc = packet.ssrc;
                    self.player.source(Stream::Video, packet.ssrc);
                    self.video(VideoReceiverInput::Packet(packet));
                } else if self.played(RtpCodecKind::Audio) == Some(track) {
                    self.received.audio.fetch_add(packet.payload.len() as u64, Ordering::Relaxed);
                    self.player.source(Stream::Audio, packet.ssrc);
                    if let Some(level) = level {
                        self.player.announce_level(level::from_header(level));
                    }
                    if copy {
                        self.player.push_audio_copy(packet);
                    } else {
                        self.player.push_audio(packet);
                    }
                }
            }
            Incoming::RoundTripTime(rtt) => self.video(VideoReceiverInput::RoundTripTime(rtt)),
        }
    }

    /// The track of this kind that is played.
    fn played(&self, kind: RtpCodecKind) -> Option<u64> {
        self.tracks.iter().find(|(_, (of, _))| *of == kind).map(|(track, _)| *track)
    }

    fn video(&mut self, input: VideoReceiverInput) {
        self.video.handle(input, Instant::now());
        if let Some(through) = self.video.through() {
            self.nack.through(self.video_ssrc, through);
        }
    }

    async fn drain(&mut self) {
        while let Some(output) = self.video.poll_output() {
            match output {
                VideoReceiverOutput::Frame(frame) => {
                    self.last_picture = Some(Instant::now());
                    self.player.push_video(frame);
                }
                VideoReceiverOutput::RequestKeyFrame => {
                    let track = self.played(RtpCodecKind::Video).and_then(|track| self.tracks.get(&track));
                    if let Some(remote) = track.map(|(_, remote)| Arc::clone(remote)) {
                        request_key_frame(remote).await;
                    }
                }
            }
        }
        let flowing = self.stalls_at().is_some_and(|stalls| stalls > Instant::now());
        if flowing != self.flowing {
            self.flowing = flowing;
            if !flowing {
                self.last_picture = None;
                self.player.frames().clear();
            }
            let events = self.events.clone();
            let event = (self.link.clone(), LinkEvent::VideoFlowing(flowing));
            let _ = events.send(event).await;
        }
    }

    fn stalls_at(&self) -> Option<Instant> {
        self.last_picture.map(|at| at + STALL)
    }
}

async fn request_key_frame(remote: Arc<dyn TrackRemote>) {
    let Some(media_ssrc) = remote.ssrcs().await.first().copied() else { return };
    let request = PictureLossIndication { sender_ssrc: 0, media_ssrc };
    if let Err(error) = remote.write_rtcp(vec![Box::new(request)]).await {
        tracing::debug!("a key frame could not be asked for: {error}");
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media_core::audio::red::Block;

    use super::*;

    fn packet(payload: Bytes) -> RtpPacket {
        let arrival = Instant::now();
        RtpPacket { ssrc: 7, sequence_number: 1, timestamp: 960, marker: true, payload, arrival }
    }

    #[test]
    fn copies_become_the_packets_that_they_are_of() {
        let copy = |age, payload| Block { age, payload: Bytes::from_static(payload) };
        let new = Bytes::from_static(b"new");
        let packed = red::pack(111, [copy(1_920, b"first"), copy(960, b"second")].iter(), &new);
        let packets = taken_apart(&packet(packed));
        let told: Vec<_> =
            packets.iter().map(|p| (p.sequence_number, p.timestamp, p.marker, &p.payload[..])).collect();
        let second_before = 960_u32.wrapping_sub(1_920);
        assert_eq!(
            told,
            [
                (65_535, second_before, false, &b"first"[..]),
                (0, 0, false, &b"second"[..]),
                (1, 960, true, &b"new"[..]),
            ]
        );
        assert!(packets.iter().all(|packet| packet.ssrc == 7));
    }

    #[test]
    fn a_malformed_packet_is_nothing() {
        assert_eq!(taken_apart(&packet(Bytes::from_static(&[0xEF, 0xFF, 0xFF, 0xFF, 111]))), []);
    }
}
