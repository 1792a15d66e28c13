//! One layer: an encoder that follows the size of its pictures and the rate that it is given.

use std::time::Instant;

use media_core::frame::{EncodedFrame, I420Frame};
use media_core::stats::RateCounter;

use super::pace::{FrameGate, RateClock, TICKS};
use crate::codec::vp8_encoder::{EncodeError, Vp8Encoder, Vp8EncoderConfig};
use crate::config::VideoSettings;
use crate::stats::LayerStats;

/// What the next picture of a layer may cost.
#[derive(Debug, Clone, Copy)]
pub struct Spend {
    /// Rate in kbit/s.
    pub kbps: u32,
    /// Frames per second that the layer is to have.
    pub framerate: u32,
    /// Make a key frame.
    pub force_key: bool,
}

/// Encodes one layer.
pub struct LayerEncoder {
    layer: u8,
    settings: VideoSettings,
    origin: Instant,
    encoder: Option<Vp8Encoder>,
    gate: FrameGate,
    clock: RateClock,
    /// When it last encoded.
    used: Option<Instant>,
    rate: RateCounter,
    stats: LayerStats,
}

impl LayerEncoder {
    /// A layer that has encoded nothing; media time counts from `origin`.
    pub fn new(layer: u8, settings: VideoSettings, origin: Instant) -> Self {
        Self {
            layer,
            settings,
            origin,
            encoder: None,
            gate: FrameGate::default(),
            clock: RateClock::default(),
            used: None,
            rate: RateCounter::default(),
            stats: LayerStats { layer, ..LayerStats::default() },
        }
    }

    /// Whether it takes the picture of this time when it is to have so many frames per second.
    pub fn is_due(&mut self, time: Instant, framerate: u32) -> bool {
        self.gate.pass(time, framerate)
    }

    /// When it last encoded; `None` when it holds no encoder.
    pub fn used(&self) -> Option<Instant> {
        self.used.filter(|_| self.encoder.is_some())
    }

    /// Gives the encoder's memory back; the next picture will be a key frame.
    pub fn free(&mut self) {
        self.encoder = None;
    }

    /// Figures since the start, with the rate of the last second; `None` when it never encoded.
    pub fn stats(&mut self, now: Instant) -> Option<LayerStats> {
        let bitrate_kbps = self.stats.target_kbps.map(|_| self.rate.kilobits_per_second(now));
        self.used.map(|_| LayerStats { bitrate_kbps, ..self.stats })
    }

    /// Nothing is encoded at present, so that there is no rate to tell.
    pub fn pause(&mut self) {
        self.stats.target_kbps = None;
    }

    /// Counts CPU time that was spent for this layer.
    pub fn count_cpu(&mut self, before: Option<f64>, after: Option<f64>) {
        if let (Some(before), Some(after)) = (before, after) {
            self.stats.cpu_seconds = Some(self.stats.cpu_seconds.unwrap_or(0.0) + after - before);
        }
    }

    /// Encodes a picture; `None` when the rate control leaves it out.
    pub fn encode(&mut self, frame: &I420Frame, spend: Spend) -> Result<Option<EncodedFrame>, EncodeError> {
        self.used = Some(frame.time);
        let result = self.run(frame, spend);
        if result.is_err() {
            // A broken encoder is replaced with the next picture.
            self.encoder = None;
        }
        result
    }

    fn run(&mut self, frame: &I420Frame, spend: Spend) -> Result<Option<EncodedFrame>, EncodeError> {
        self.stats.target_kbps = Some(spend.kbps);
        let (pts, duration) = self.clock.advance(frame.time, spend.framerate);
        let encoder = self.encoder_for(frame, spend.kbps)?;
        let Some(picture) = encoder.encode(frame, pts, duration, spend.force_key)? else { return Ok(None) };
        self.stats.width = frame.width();
        self.stats.height = frame.height();
        self.stats.frames_encoded += 1;
        self.stats.key_frames += u64::from(picture.key);
        self.stats.bytes += picture.data.len() as u64;
        self.rate.add(picture.data.len() as u64, frame.time);
        Ok(Some(EncodedFrame {
            layer: self.layer,
            data: picture.data,
            key: picture.key,
            temporal_id: picture.temporal_id,
            layer_sync: picture.layer_sync,
            discardable: picture.discardable,
            timestamp: self.timestamp(frame.time),
            captured: frame.time,
            width: frame.width(),
            height: frame.height(),
        }))
    }

    /// The same for all layers of a picture; wrapped to 32 bits, as RTP has it.
    fn timestamp(&self, time: Instant) -> u32 {
        let since = time.saturating_duration_since(self.origin).as_nanos();
        (since * u128::from(TICKS) / 1_000_000_000) as u32
    }

    fn encoder_for(&mut self, frame: &I420Frame, kbps: u32) -> Result<&mut Vp8Encoder, EncodeError> {
        let (width, height) = (frame.width(), frame.height());
        let fitting =
            self.encoder.take().filter(|e| (e.config().width, e.config().height) == (width, height));
        let mut encoder = match fitting {
            Some(encoder) => encoder,
            None => Vp8Encoder::new(Vp8EncoderConfig {
                width,
                height,
                kbps,
                speed: self.settings.speed,
                threads: self.settings.threads,
                temporal_layers: self.settings.temporal_layers,
            })?,
        };
        encoder.set_kbps(kbps)?;
        Ok(self.encoder.insert(encoder))
    }
}
