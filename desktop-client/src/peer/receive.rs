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

/// Packets between the tracks' tasks and the receiving task. It never waits for anything but them, so this only evens out bursts; a reader that
/// finds it full waits.
const QUEUE: usize = 512;

/// Most tracks of one peer that are read: audio, camera and screen, with slack for guests that change their tracks. More are refused.
const MAX_TRACKS: usize = 16;

/// Without a picture for this long, the person is shown that none arrives.
const STALL: Duration = Duration::from_secs(2);

/// What the receiving task is told.
enum Incoming {
    /// The peer sends a track.
    Added { track: u64, kind: RtpCodecKind, remote: Arc<dyn TrackRemote> },
    /// A packet of a track came.
    Packet { track: u64, packet: RtpPacket },
    /// A track is over.
    Ended { track: u64 },
    /// The round-trip time was measured.
    RoundTripTime(Duration),
}

/// The peer task's end of the receiving side of one link.
pub struct Receiving {
    incoming: mpsc::Sender<Incoming>,
    tracks: u64,
    /// What has arrived.
    pub received: Arc<ReceiveCounters>,
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
        let received = Arc::new(ReceiveCounters::default());
        tasks.spawn(Receiver::new(player, link, events, Arc::clone(&received)).run(queue));
        Self { incoming, tracks: 0, received }
    }

    /// Reads one more track.
    pub fn add(&mut self, tasks: &mut JoinSet<()>, remote: Arc<dyn TrackRemote>) {
        self.tracks += 1;
        tasks.spawn(read(self.tracks, remote, self.incoming.clone()));
    }

    /// Tells the time that a repair takes. Lost when the queue is full: the next one comes in a second.
    pub fn round_trip_time(&self, rtt: Duration) {
        let _ = self.incoming.try_send(Incoming::RoundTripTime(rtt));
    }
}

async fn read(track: u64, remote: Arc<dyn TrackRemote>, incoming: mpsc::Sender<Incoming>) {
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
        let packet = RtpPacket {
            ssrc: packet.header.ssrc,
            sequence_number: packet.header.sequence_number,
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            payload: packet.payload,
            arrival: Instant::now(),
        };
        if incoming.send(Incoming::Packet { track, packet }).await.is_err() {
            return;
        }
    }
    let _ = incoming.send(Incoming::Ended { track }).await;
}

/// Owner of one peer's player.
struct Receiver {
    received: Arc<ReceiveCounters>,
    link: LinkId,
    events: LinkEvents,
    player: PeerPlayer,
    decode_failed: Arc<Notify>,
    tracks: BTreeMap<u64, (RtpCodecKind, Arc<dyn TrackRemote>)>,
    video: VideoReceiver,
    last_picture: Option<Instant>,
    flowing: bool,
}

impl Receiver {
    fn new(player: PeerPlayer, link: LinkId, events: LinkEvents, received: Arc<ReceiveCounters>) -> Self {
        Self {
            received,
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

    async fn run(mut self, mut queue: mpsc::Receiver<Incoming>) {
        let decode_failed = Arc::clone(&self.decode_failed);
        loop {
            let wake = [self.video.poll_timeout(), self.stalls_at()].into_iter().flatten().min();
            tokio::select! {
                incoming = queue.recv() => match incoming {
                    Some(incoming) => self.incoming(incoming),
                    None => return,
                },
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
            Incoming::Packet { track, packet } => {
                if self.played(RtpCodecKind::Video) == Some(track) {
                    self.received.video.fetch_add(packet.payload.len() as u64, Ordering::Relaxed);
                    self.video(VideoReceiverInput::Packet(packet));
                } else if self.played(RtpCodecKind::Audio) == Some(track) {
                    self.received.audio.fetch_add(packet.payload.len() as u64, Ordering::Relaxed);
                    self.player.push_audio(packet);
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
