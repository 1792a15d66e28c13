//! VP8 over RTP (RFC 7741): payload descriptors, packets out of encoded frames, frames out of packets.
//!
//! Sending: [`selector::FrameSelector`] says for one peer which encoded frames it gets, then [`packetizer::Packetizer`] numbers and splits what
//! is left. Deciding comes before numbering, so a receiver never sees a hole that it would ask for. Receiving: [`assembler::Assembler`] joins
//! packets to frames; [`crate::video_receiver`] orders them and asks for key frames.

pub mod assembler;
pub mod header;
pub mod packetizer;
pub mod payload;
pub mod selector;
pub mod temporal;
