//! When to restart ICE, and when to give a peer connection up for a new one.
//!
//! Both sides watch. The impolite side acts first; the polite one waits longer before it does the same, so that they do not act at once, and
//! a peer that does not know how to restart is helped by the other.

use std::time::{Duration, Instant};

use crate::backoff::{Backoff, Waits};
use crate::link::ConnectionState;
use crate::random::Random;

/// How long a connection may stay `Disconnected` before ICE is restarted: most such gaps heal by themselves within it.
const DISCONNECTED_FOR: Duration = Duration::from_secs(5);

/// How long connecting may take, at first and after each restart. A 50 kbit/s link was measured to need 4 s.
const CONNECTED_WITHIN: Duration = Duration::from_secs(15);

/// How much longer the polite side waits.
const POLITENESS: Duration = Duration::from_secs(6);

/// Restarts in a row before the peer connection is given up; the polite side tries more, for a new connection is the other's to begin.
const RESTARTS_MAX: u32 = 2;
const RESTARTS_MAX_POLITE: u32 = 4;

/// Between restarts.
const RESTART_WAITS: Waits =
    Waits { first: (Duration::from_millis(200), Duration::from_millis(600)), cap: Duration::from_secs(8) };

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Offer with new ICE credentials.
    RestartIce,
    /// A new peer connection.
    Relink,
}

#[derive(Debug)]
pub(super) struct Recovery {
    patience: Duration,
    state: ConnectionState,
    restarts_max: u32,
    restarts: u32,
    waits: Backoff,
    deadline: Option<Instant>,
}

impl Recovery {
    pub(super) fn new(impolite: bool) -> Self {
        Self {
            patience: if impolite { Duration::ZERO } else { POLITENESS },
            state: ConnectionState::New,
            restarts_max: if impolite { RESTARTS_MAX } else { RESTARTS_MAX_POLITE },
            restarts: 0,
            waits: Backoff::new(RESTART_WAITS),
            deadline: None,
        }
    }

    pub(super) fn state(&self) -> ConnectionState {
        self.state
    }

    /// An offer and its answer are in place: it must connect now.
    pub(super) fn exchanged(&mut self, now: Instant) {
        if self.state != ConnectionState::Connected {
            self.deadline = Some(now + CONNECTED_WITHIN + self.patience);
        }
    }

    pub(super) fn connection(&mut self, state: ConnectionState, now: Instant, random: &mut Random) {
        if state == self.state {
            return;
        }
        self.state = state;
        match state {
            ConnectionState::Connected => {
                self.restarts = 0;
                self.waits.reset();
                self.deadline = None;
            }
            ConnectionState::Disconnected => self.deadline = Some(now + DISCONNECTED_FOR + self.patience),
            ConnectionState::Failed | ConnectionState::Closed => {
                self.deadline = Some(now + self.waits.next(random) + self.patience);
            }
            // On the way to one of the others; the deadline that is set stays.
            ConnectionState::New | ConnectionState::Connecting => {}
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, random: &mut Random) -> Option<Remedy> {
        self.deadline.filter(|deadline| *deadline <= now)?;
        if self.state == ConnectionState::Closed || self.restarts >= self.restarts_max {
            self.deadline = None;
            return Some(Remedy::Relink);
        }
        self.restarts += 1;
        // A state that changes to `Failed` again sets an earlier deadline.
        self.deadline = Some(now + self.waits.next(random) + CONNECTED_WITHIN + self.patience);
        Some(Remedy::RestartIce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The remedies, with the seconds at which they were due, when nothing ever connects again.
    fn remedies(impolite: bool, first: ConnectionState) -> Vec<(u64, Remedy)> {
        let start = crate::test_time::start();
        let (mut recovery, mut random) = (Recovery::new(impolite), Random::new(7));
        recovery.connection(ConnectionState::Connected, start, &mut random);
        recovery.connection(first, start, &mut random);
        let mut seen = Vec::new();
        while let Some(at) = recovery.poll_timeout() {
            if let Some(remedy) = recovery.handle_timeout(at, &mut random) {
                seen.push(((at - start).as_secs(), remedy));
            }
        }
        seen
    }

    #[test]
    fn failed_is_restarted_at_once_then_given_up() {
        let seen = remedies(true, ConnectionState::Failed);
        assert_eq!(seen[0], (0, Remedy::RestartIce));
        let kinds: Vec<_> = seen.iter().map(|(_, remedy)| *remedy).collect();
        assert_eq!(kinds, [Remedy::RestartIce, Remedy::RestartIce, Remedy::Relink]);
    }

    #[test]
    fn disconnected_has_five_seconds_and_the_polite_side_waits_longer() {
        assert_eq!(remedies(true, ConnectionState::Disconnected)[0], (5, Remedy::RestartIce));
        assert_eq!(remedies(false, ConnectionState::Disconnected)[0], (11, Remedy::RestartIce));
    }

    #[test]
    fn a_connection_that_comes_back_is_left_alone() {
        let start = crate::test_time::start();
        let (mut recovery, mut random) = (Recovery::new(true), Random::new(7));
        recovery.connection(ConnectionState::Disconnected, start, &mut random);
        recovery.connection(ConnectionState::Connected, start, &mut random);
        assert_eq!(recovery.poll_timeout(), None);
    }
}
