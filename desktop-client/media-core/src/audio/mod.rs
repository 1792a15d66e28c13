//! Sound as data: Opus packets, jitter buffer, time stretching, mixing, levels. 48 kHz throughout; several channels are interleaved.

pub mod encodings;
pub mod jitter_buffer;
pub mod level;
pub mod limiter;
pub mod mixer;
pub mod opus_packet;
pub mod red;
pub mod redundancy;
pub mod speakers;
pub mod thin_path;
pub mod time_stretch;
