//! Figures of the media threads as the lines carry them.

use call_media::{AudioReceiveStats, Latency, VideoReceiveStats};

use crate::peer::NackCounts;

use super::{AudioStats, EncoderStats, LayerStats, Percentiles, VideoStats};

impl VideoStats {
    /// Received video, with what the network adds: the bit rate over the last second, and repairs.
    pub fn new(received: &VideoReceiveStats, bitrate_kbps: Option<f64>, nack: NackCounts) -> Self {
        Self {
            frames_decoded: received.frames_decoded,
            frames_dropped: received.frames_dropped + received.frames_late,
            frame_width: received.frame_width,
            frame_height: received.frame_height,
            frames_per_second: received.frames_per_second,
            freeze_count: received.freeze_count,
            total_freezes_duration: received.total_freezes_duration,
            bitrate_kbps,
            latency_ms: received.latency_ms.map(Percentiles::from),
            av_offset_ms: received.av_offset_ms,
            playout_delay_ms: received.playout_delay_ms,
            jitter_ms: received.jitter_ms,
            nack_count: nack.nack_count,
            recovered_packets: nack.recovered,
        }
    }
}

impl AudioStats {
    /// Received audio, with what the network adds: the bit rate over the last second.
    pub fn new(received: &AudioReceiveStats, bitrate_kbps: Option<f64>) -> Self {
        Self {
            total_samples_received: received.total_samples_received,
            concealed_samples: received.concealed_samples,
            silent_concealed_samples: received.silent_concealed_samples,
            concealment_events: received.concealment_events,
            inserted_samples_for_deceleration: received.inserted_samples_for_deceleration,
            removed_samples_for_acceleration: received.removed_samples_for_acceleration,
            packets_discarded: received.packets_discarded,
            packets_restored: received.packets_restored,
            jitter_buffer_target_delay_ms: received.jitter_buffer_target_delay_ms,
            jitter_buffer_delay_ms: received.jitter_buffer_delay_ms,
            bitrate_kbps,
            level_dbfs: received.level_dbfs.map(f64::from),
            latency_ms: received.latency_ms.map(Percentiles::from),
        }
    }
}

impl From<Latency> for Percentiles {
    fn from(latency: Latency) -> Self {
        Self { p50: latency.p50, p95: latency.p95 }
    }
}

impl From<&[call_media::LayerStats]> for EncoderStats {
    fn from(layers: &[call_media::LayerStats]) -> Self {
        let layer = |layer: &call_media::LayerStats| LayerStats {
            width: layer.width,
            height: layer.height,
            frames_encoded: layer.frames_encoded,
            key_frames: layer.key_frames,
            cpu_seconds: layer.cpu_seconds,
            target_kbps: layer.target_kbps,
            bitrate_kbps: layer.bitrate_kbps,
        };
        Self { layers: layers.iter().map(layer).collect() }
    }
}
