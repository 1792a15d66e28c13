//! Media as data: frames, packetising and assembly, jitter buffers, mixing.
//!
//! Everything here is deterministic: no threads, sockets or clocks; time is an argument. `call-media` (threads, devices, codecs), `call-ui`
//! (views) and the peer tasks meet in these types.
//!
//! Cores that wait for something have one shape: `handle(input, now)`, then `poll_output()` until it is empty, and `poll_timeout()` for the time of the next
//! `Tick`.

pub mod audio;
pub mod bitrate;
pub mod congestion;
pub mod frame;
pub mod key_frame;
pub mod layers;
pub mod marks;
pub mod nack;
pub mod pacer;
pub mod playout;
pub mod retransmission;
pub mod round_trip;
pub mod rtp;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
pub mod slot;
pub mod stats;
pub mod transport_feedback;
pub mod video_receiver;
pub mod vp8;
