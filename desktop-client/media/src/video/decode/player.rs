//! One peer's pictures on the decode thread: decoded in order as they come, each shown at its time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use media_core::frame::I420Frame;
use media_core::playout::{ArrivalJitter, PlayoutConfig, RenderQueue, RenderQueueLimits, VideoPlayout};
use media_core::video_receiver::ReceivedFrame;
use rtrb::Consumer;

use super::PlayerShared;
use super::figures::Figures;
use crate::codec::vp8_decoder::{DecodeError, Vp8Decoder};
use crate::repaint::Repaint;

/// A player, as the decode thread sees it.
pub(super) struct Player {
    frames: Consumer<ReceivedFrame>,
    shared: Arc<PlayerShared>,
    /// Made with the first frame: a peer that sends no pictures costs nothing.
    decoder: Option<Vp8Decoder>,
    playout: VideoPlayout,
    waiting: RenderQueue<I420Frame>,
    jitter: ArrivalJitter,
    figures: Figures,
}

impl Player {
    pub fn new(frames: Consumer<ReceivedFrame>, shared: Arc<PlayerShared>) -> Self {
        Self {
            frames,
            shared,
            decoder: None,
            playout: VideoPlayout::new(PlayoutConfig::default()),
            waiting: RenderQueue::new(RenderQueueLimits::default()),
            jitter: ArrivalJitter::default(),
            figures: Figures::new(),
        }
    }

    /// Nobody feeds it any more, and everything that came is decoded.
    pub fn ended(&self) -> bool {
        self.frames.is_abandoned() && self.frames.is_empty()
    }

    /// When the next picture is to be shown.
    pub fn next_due(&self) -> Option<Instant> {
        self.waiting.next_due()
    }

    /// Shows the picture whose time has come.
    pub fn show_due(&mut self, now: Instant, repaint: &Repaint) {
        if let Some(picture) = self.waiting.pop_due(now) {
            self.show(picture, now, repaint);
        }
    }

    /// Decodes the next frame, if there is one.
    pub fn decode_next(&mut self, repaint: &Repaint) -> bool {
        let Ok(frame) = self.frames.pop() else { return false };
        if self.shared.broken.swap(false, Ordering::AcqRel)
            && let Some(decoder) = &mut self.decoder
        {
            decoder.expect_key_frame();
        }
        self.jitter.arrived(frame.timestamp, frame.first_packet_arrival);
        match self.decode(&frame) {
            Ok(Some(picture)) => self.decoded(frame.timestamp, picture, repaint),
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "a frame was not decoded");
                self.figures.dropped();
                self.shared.decode_failed.notify_one();
            }
        }
        self.publish();
        true
    }

    fn decode(&mut self, frame: &ReceivedFrame) -> Result<Option<I420Frame>, DecodeError> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            empty => empty.insert(Vp8Decoder::new()?),
        };
        decoder.decode(&frame.data, Instant::now())
    }

    fn decoded(&mut self, timestamp: u32, mut picture: I420Frame, repaint: &Repaint) {
        let now = Instant::now();
        self.shared.first_picture.get_or_init(|| now);
        self.figures.decoded(&picture, now);
        self.playout.set_min_delay(self.shared.min_delay());
        picture.time = self.playout.picture(timestamp, now);
        if let Some(shown) = self.playout.last() {
            self.shared.shown.put((shown, self.playout.delay()));
        }
        let (bytes, due) = (picture.data().len(), picture.time);
        if let Some(early) = self.waiting.push(picture, bytes, due) {
            self.show(early, now, repaint);
        }
        self.show_due(now, repaint);
    }

    fn show(&mut self, picture: I420Frame, now: Instant, repaint: &Repaint) {
        self.figures.shown(&picture, now);
        self.shared.pictures.put(Arc::new(picture));
        repaint.call();
    }

    fn publish(&self) {
        let mut stats = self.figures.stats();
        stats.frames_late = self.waiting.dropped();
        stats.playout_delay_ms = self.playout.last().map(|_| self.playout.delay().as_secs_f64() * 1e3);
        stats.jitter_ms = self.jitter.jitter().map(|jitter| jitter.as_secs_f64() * 1e3);
        self.shared.stats.put((Instant::now(), stats));
    }
}
