//! Codecs: VP8 by libvpx and Opus by libopus, each behind a wrapper that is safe to feed with anything.

pub mod opus;
pub mod speed;
pub mod temporal;
pub mod vp8_decoder;
pub mod vp8_encoder;
mod vpx;
