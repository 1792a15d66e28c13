//! The call session and everything that decides in it: signaling, mesh, negotiation, reconnect, chat and the snapshot that people see.
//!
//! Each core here is driven with three calls: `handle(input, now)`, then `poll_output()` until it is empty, and `poll_timeout()` for the next
//! time it wants to be woken. Inputs are facts, outputs are orders; nothing calls back, waits or looks at a clock.

pub mod command;
pub mod control;
pub mod floor;
pub mod layout;
pub mod link;
pub mod mesh;
pub mod refusal;
pub mod room_url;
pub mod session;
pub mod signaling;
pub mod snapshot;
pub mod text;
pub mod volume;

mod allowance;
mod backoff;
mod random;
mod timers;

/// A point to count virtual time from.
#[cfg(test)]
mod test_time {
    #[expect(
        clippy::disallowed_methods,
        reason = "an `Instant` cannot be made otherwise; only differences to it matter"
    )]
    pub(crate) fn start() -> std::time::Instant {
        std::time::Instant::now()
    }
}
