//! Which layers are encoded and who gets them, in virtual time.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod bench;
mod beside_others;
mod dips;
mod encoder_load;
mod reference;
mod serving;
mod start;
