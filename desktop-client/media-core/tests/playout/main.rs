//! When pictures are shown, over simulated links.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod call;
mod lip_sync;
mod over_a_link;
mod properties;
mod streams;
