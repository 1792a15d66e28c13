//! What a peer sends us, played.

use std::sync::Arc;
use std::time::{Duration, Instant};

use media_core::frame::I420Frame;
use media_core::playout::sync::{LipSync, LipSyncConfig, LipSyncInput, SenderReport, Stream};
use media_core::rtp::RtpPacket;
use media_core::slot::Slot;
use media_core::video_receiver::ReceivedFrame;
use tokio::sync::Notify;

use crate::audio::receive::{AudioInput, AudioShared, Kind};
use crate::stats::PlayerStats;
use crate::video::decode::{PlayerShared, VideoInput};

/// Without a picture for this long there is nothing to be in step with.
const STILL: Duration = Duration::from_secs(1);

/// Plays one peer's pictures and sound. Dropping it ends that.
pub struct PeerPlayer {
    video: VideoInput,
    audio: AudioInput,
    lip_sync: LipSync,
}

impl PeerPlayer {
    pub(crate) fn new(video: VideoInput, audio: AudioInput) -> Self {
        Self { video, audio, lip_sync: LipSync::new(LipSyncConfig::default()) }
    }

    /// The player's pictures, volume and figures, for those who do not feed it.
    pub fn monitor(&self) -> PlayerMonitor {
        PlayerMonitor { video: Arc::clone(self.video.shared()), audio: Arc::clone(self.audio.shared()) }
    }

    /// Notified when a frame could not be decoded: tell the video receiver ([`DecodeFailed`]), which asks the peer for a key frame. At most one
    /// notification is kept while nobody waits.
    ///
    /// [`DecodeFailed`]: media_core::video_receiver::VideoReceiverInput::DecodeFailed
    pub fn decode_failed(&self) -> Arc<Notify> {
        Arc::clone(&self.video.shared().decode_failed)
    }

    /// Decodes and shows a frame. Frames must come in decoding order.
    pub fn push_video(&mut self, frame: ReceivedFrame) {
        self.video.push(frame);
    }

    /// Plays an audio packet, in any order.
    pub fn push_audio(&mut self, packet: RtpPacket) {
        self.audio.push(packet, Kind::New);
    }

    /// Plays what an audio packet repeats of an earlier one (RFC 2198), unless that one came. Before the packet itself, the oldest first.
    pub fn push_audio_copy(&mut self, copy: RtpPacket) {
        self.audio.push(copy, Kind::Copy);
    }

    /// A packet of sound says how loud it is (RFC 6464), in dBFS; `None` for silence.
    pub fn announce_level(&self, level_dbfs: Option<f32>) {
        self.audio.shared().announce_level(level_dbfs, Instant::now());
    }

    /// From now on, this source is played as that stream: its sender reports count.
    pub fn source(&mut self, stream: Stream, ssrc: u32) {
        self.lip_sync.handle(LipSyncInput::Source(stream, ssrc), Instant::now());
    }

    /// The peer reported of one of its streams.
    pub fn sender_report(&mut self, report: SenderReport) {
        self.lip_sync.handle(LipSyncInput::Report(report), report.arrival);
    }

    /// Compares picture and sound, and delays the one that is early. To be called a few times a second.
    pub fn synchronise(&mut self, now: Instant) {
        if let Some(heard) = self.audio.shared().heard() {
            self.lip_sync.handle(LipSyncInput::Heard(heard), now);
        }
        let shown = self.video.shared().shown();
        let Some((shown, delay)) = shown.filter(|(point, _)| now.saturating_duration_since(point.at) < STILL)
        else {
            // Sound need not wait for a picture that does not come.
            return self.audio.shared().set_extra_delay(Duration::ZERO);
        };
        self.lip_sync.handle(LipSyncInput::Shown(shown, delay), now);
        self.video.shared().set_lip_sync(self.lip_sync.video_delay(), self.lip_sync.offset_ms());
        self.audio.shared().set_extra_delay(self.lip_sync.audio_delay());
    }

    /// The newest picture. Clones share the place.
    pub fn frames(&self) -> Slot<Arc<I420Frame>> {
        self.video.shared().pictures.clone()
    }

    /// Figures.
    pub fn stats(&self) -> PlayerStats {
        self.monitor().stats()
    }
}

/// What others see of a player, and its volume. Clones are of the same player; it may end before they do.
#[derive(Clone)]
pub struct PlayerMonitor {
    video: Arc<PlayerShared>,
    audio: Arc<AudioShared>,
}

impl PlayerMonitor {
    /// The newest picture. Clones share the place.
    pub fn frames(&self) -> Slot<Arc<I420Frame>> {
        self.video.pictures.clone()
    }

    /// When the first picture was decoded.
    pub fn first_picture(&self) -> Option<Instant> {
        self.video.first_picture.get().copied()
    }

    /// How loud the peer is at the moment, in dBFS; `None` for silence.
    pub fn voice_level(&self) -> Option<f32> {
        self.audio.voice_level(Instant::now())
    }

    /// 0 is silence, 1 (the default) as it came, 2 twice the amplitude.
    pub fn set_volume(&self, gain: f32) {
        self.audio.set_volume(gain);
    }

    /// Figures.
    pub fn stats(&self) -> PlayerStats {
        PlayerStats { video: self.video.stats(), audio: self.audio.stats() }
    }
}
