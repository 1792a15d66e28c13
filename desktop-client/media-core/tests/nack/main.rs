//! Retransmission requests for one stream over simulated links.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod call;
mod over_a_link;
mod properties;
mod rules;
