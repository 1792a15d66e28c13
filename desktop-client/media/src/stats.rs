//! Figures for statistics, named after W3C webrtc-stats where it has a name. A figure that does not apply is `None`.

/// Our own side.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MediaStats {
    /// The camera.
    pub capture: CaptureStats,
    /// The layers that have ever been encoded, smallest first.
    pub layers: Vec<LayerStats>,
    /// Share of the time between two of the camera's pictures that encoding all layers takes, averaged over about two seconds; `None` while
    /// nothing is encoded. From 1 on pictures are left out: encode less before.
    pub encode_load: Option<f64>,
    /// Sound.
    pub audio: AudioStats,
}

/// The camera.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CaptureStats {
    /// Frames that the camera gave.
    pub frames: u64,
    /// Width of its newest picture in pixels; `None` when the camera is off.
    pub width: Option<u32>,
    /// Height of its newest picture in pixels; `None` when the camera is off.
    pub height: Option<u32>,
    /// Of the last second; `None` when the camera is off.
    pub frames_per_second: Option<f64>,
    /// Frames that the encoder did not take in time.
    pub dropped: u64,
}

/// One encoded layer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LayerStats {
    /// Its number; 0 is the smallest.
    pub layer: u8,
    /// Width of the last frame in pixels.
    pub width: u32,
    /// Height of the last frame in pixels.
    pub height: u32,
    /// Frames encoded.
    pub frames_encoded: u64,
    /// Of these, key frames.
    pub key_frames: u64,
    /// Bytes that came out.
    pub bytes: u64,
    /// CPU time of scaling and encoding; `None` where the system does not tell.
    pub cpu_seconds: Option<f64>,
    /// What the encoder is told to spend, in kbit/s; `None` while the layer is not encoded.
    pub target_kbps: Option<u32>,
    /// What came out over the last second, in kbit/s; `None` while the layer is not encoded.
    pub bitrate_kbps: Option<f64>,
}

/// Our microphone and speaker.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AudioStats {
    /// Opus packets encoded.
    pub packets_encoded: u64,
    /// Times that the speaker asked for more than there was, or so late that it had been silent.
    pub underruns: u64,
    /// Times that the microphone gave more than was taken in time.
    pub overruns: u64,
    /// Level of the microphone over the last second, in dB below full scale; `None` when off or silent.
    pub microphone_level_dbfs: Option<f32>,
    /// The same over the last tenth of a second.
    pub voice_level_dbfs: Option<f32>,
    /// By how much the canceller's filter reduces the echo of our speaker, by its own estimate, in dB; `None` when unknown.
    pub erle_db: Option<f32>,
}

/// What a peer sends us.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlayerStats {
    /// Pictures.
    pub video: VideoReceiveStats,
    /// Sound.
    pub audio: AudioReceiveStats,
}

/// Pictures of a peer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct VideoReceiveStats {
    /// Frames decoded.
    pub frames_decoded: u64,
    /// Frames that arrived whole and were not decoded: too many at once, or no key frame before them.
    pub frames_dropped: u64,
    /// Width of the last picture.
    pub frame_width: Option<u32>,
    /// Height of the last picture.
    pub frame_height: Option<u32>,
    /// Decoded in the last second; `None` before the first.
    pub frames_per_second: Option<f64>,
    /// Freezes (W3C webrtc-stats `freezeCount`).
    pub freeze_count: u64,
    /// Their length in seconds.
    pub total_freezes_duration: f64,
    /// From capture to shown picture, from the marks in the pictures; `None` without marks.
    pub latency_ms: Option<Latency>,
    /// Decoded frames that were not shown, because a newer one was due.
    pub frames_late: u64,
    /// How much later than the fastest pictures all are shown, so that the motion is even; `None` before the first.
    pub playout_delay_ms: Option<f64>,
    /// Interarrival jitter (RFC 3550 §6.4.1); `None` before the second picture.
    pub jitter_ms: Option<f64>,
    /// How much later the sound is than the picture, by the peer's sender reports; negative when the picture is late. `None` without reports of both.
    pub av_offset_ms: Option<f64>,
}

/// Sound of a peer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AudioReceiveStats {
    /// Samples played, made-up ones included.
    pub total_samples_received: u64,
    /// Of these, made up because a packet was lost or late.
    pub concealed_samples: u64,
    /// Of those, plain silence, as while nothing comes.
    pub silent_concealed_samples: u64,
    /// Rows of made-up samples.
    pub concealment_events: u64,
    /// Samples added to make the delay longer.
    pub inserted_samples_for_deceleration: u64,
    /// Samples left out to make the delay shorter.
    pub removed_samples_for_acceleration: u64,
    /// Packets that were too late, doubled, malformed or too many.
    pub packets_discarded: u64,
    /// Lost packets whose sound was in later ones, as in-band FEC or as a copy.
    pub packets_restored: u64,
    /// The delay that the jitter buffer aims at; `None` before the first sample.
    pub jitter_buffer_target_delay_ms: Option<f64>,
    /// Mean time that a sample waits in the jitter buffer.
    pub jitter_buffer_delay_ms: Option<f64>,
    /// Level over the last second, in dB below full scale; `None` when silent.
    pub level_dbfs: Option<f32>,
    /// From source to mixer, from the marks in the sound; `None` without marks.
    pub latency_ms: Option<Latency>,
}

/// Median and 95th percentile, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
}
