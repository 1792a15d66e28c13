//! One layer: an encoder that follows the size of its pictures and the rate that it is given.

use std::time::Instant;

use media_core::frame::{EncodedFrame, I420Frame};

use crate::codec::vp8_encoder::{EncodeError, Vp8Encoder, Vp8EncoderConfig};
use crate::config::VideoSettings;
use crate::cpu;
use crate::stats::LayerStats;

/// Encodes one layer.
pub struct LayerEncoder {
    layer: u8,
    settings: VideoSettings,
    origin: Instant,
    encoder: Option<Vp8Encoder>,
    stats: LayerStats,
}

impl LayerEncoder {
    /// A layer that has encoded nothing; media time counts from `origin`.
    pub fn new(layer: u8, settings: VideoSettings, origin: Instant) -> Self {
        Self { layer, settings, origin, encoder: None, stats: LayerStats::default() }
    }

    /// Gives the encoder's memory back; the next picture will be a key frame.
    pub fn rest(&mut self) {
        self.encoder = None;
    }

    /// Figures since the start.
    pub fn stats(&self) -> LayerStats {
        self.stats
    }

    /// Encodes a picture; `None` when the rate control leaves it out.
    pub fn encode(
        &mut self,
        frame: &I420Frame,
        kbps: u32,
        force_key: bool,
    ) -> Result<Option<EncodedFrame>, EncodeError> {
        let before = cpu::thread_seconds();
        let result = self.run(frame, kbps, force_key);
        if let (Some(before), Some(after)) = (before, cpu::thread_seconds()) {
            self.stats.cpu_seconds = Some(self.stats.cpu_seconds.unwrap_or(0.0) + after - before);
        }
        if result.is_err() {
            // A broken encoder is replaced with the next picture.
            self.encoder = None;
        }
        result
    }

    fn run(
        &mut self,
        frame: &I420Frame,
        kbps: u32,
        force_key: bool,
    ) -> Result<Option<EncodedFrame>, EncodeError> {
        // 90 kHz; the RTP timestamp is the same, wrapped to 32 bits.
        let pts = (frame.time.saturating_duration_since(self.origin).as_nanos() * 9 / 100_000) as i64;
        let duration = 90_000 / self.settings.framerate.max(1);
        let encoder = self.encoder_for(frame, kbps)?;
        let Some(picture) = encoder.encode(frame, pts, duration, force_key)? else { return Ok(None) };
        self.stats.width = frame.width();
        self.stats.height = frame.height();
        self.stats.frames_encoded += 1;
        self.stats.key_frames += u64::from(picture.key);
        self.stats.bytes += picture.data.len() as u64;
        Ok(Some(EncodedFrame {
            layer: self.layer,
            data: picture.data,
            key: picture.key,
            temporal_id: picture.temporal_id,
            layer_sync: picture.layer_sync,
            discardable: picture.discardable,
            timestamp: pts as u32,
            captured: frame.time,
            width: frame.width(),
            height: frame.height(),
        }))
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
                cpu_used: self.settings.cpu_used,
                threads: self.settings.threads,
                temporal_layers: self.settings.temporal_layers,
            })?,
        };
        encoder.set_kbps(kbps)?;
        Ok(self.encoder.insert(encoder))
    }
}
