//! The way of sound: microphone → 10 ms blocks → voice processing → Opus → subscriptions, and player → jitter buffer → Opus → mix → speaker.

mod block;
mod capture;
mod clock;
mod device;
pub(crate) mod engine;
mod headroom;
mod input;
mod latency;
pub(crate) mod opener;
mod output;
mod packet_start;
mod play;
mod played;
mod priority;
#[cfg(target_os = "linux")]
mod pulse;
pub(crate) mod receive;
mod recovery;
mod resample;
mod ring;
pub(crate) mod send;
mod tone;
mod turns;
mod voice;
mod wav;
