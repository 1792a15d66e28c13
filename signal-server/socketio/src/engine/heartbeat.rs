//! The server's heartbeat: a ping after each quiet interval, and a deadline for its answer.

use std::time::{Duration, Instant};

/// What the heartbeat asks for when one of its timers has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Nothing is due yet.
    Wait,
    /// Send a ping.
    Ping,
    /// The client did not answer in time.
    Dead,
}

/// Deterministic: the caller tells the time.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    interval: Duration,
    timeout: Duration,
    timer: Timer,
}

/// The one timer that runs.
#[derive(Debug, Clone, Copy)]
enum Timer {
    /// The next ping is due. The first comes one interval after the handshake, not at once: clients and the official suites rely on it.
    Ping(Instant),
    /// The answer is due. Any other packet extends this once, because it proves the client alive while its answer may queue behind much data.
    Pong { due: Instant, extended: bool },
}

impl Heartbeat {
    pub(crate) fn new(interval: Duration, timeout: Duration, now: Instant) -> Self {
        Self { interval, timeout, timer: Timer::Ping(now + interval) }
    }

    /// A pong arrived. One that nobody asked for moves the next ping, as in Node.
    pub(crate) fn pong(&mut self, now: Instant) {
        self.timer = Timer::Ping(now + self.interval);
    }

    /// Any other packet arrived.
    pub(crate) fn packet(&mut self, now: Instant) {
        if let Timer::Pong { due, extended } = &mut self.timer
            && !*extended
        {
            *due = now + self.timeout;
            *extended = true;
        }
    }

    /// When to call [`Heartbeat::beat`] next.
    pub(crate) fn deadline(&self) -> Instant {
        match self.timer {
            Timer::Ping(due) | Timer::Pong { due, .. } => due,
        }
    }

    /// What is due at `now`. Call again until it says [`Beat::Wait`].
    pub(crate) fn beat(&mut self, now: Instant) -> Beat {
        match self.timer {
            Timer::Ping(due) if now >= due => {
                // Counted from when the ping was due, so that small delays do not add up; but a server that stalled does not blame its clients.
                let answer_due = (due + self.timeout).max(now + self.timeout / 2);
                self.timer = Timer::Pong { due: answer_due, extended: false };
                Beat::Ping
            }
            Timer::Pong { due, .. } if now >= due => Beat::Dead,
            Timer::Ping(_) | Timer::Pong { .. } => Beat::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(300);
    const TIMEOUT: Duration = Duration::from_millis(200);

    fn at(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn the_first_ping_comes_after_one_interval() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, TIMEOUT, start);
        assert_eq!(heart.deadline(), at(start, 300));
        assert_eq!(heart.beat(at(start, 299)), Beat::Wait);
        assert_eq!(heart.beat(at(start, 301)), Beat::Ping);
        assert_eq!(heart.beat(at(start, 301)), Beat::Wait);
        assert_eq!(heart.deadline(), at(start, 500));
        assert_eq!(heart.beat(at(start, 500)), Beat::Dead);
    }

    #[test]
    fn a_pong_schedules_the_next_ping() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, TIMEOUT, start);
        assert_eq!(heart.beat(at(start, 300)), Beat::Ping);
        heart.pong(at(start, 350));
        assert_eq!(heart.deadline(), at(start, 650));
    }

    #[test]
    fn other_packets_extend_the_deadline_once() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, TIMEOUT, start);
        heart.packet(at(start, 100));
        assert_eq!(heart.deadline(), at(start, 300));
        assert_eq!(heart.beat(at(start, 300)), Beat::Ping);
        heart.packet(at(start, 450));
        assert_eq!(heart.deadline(), at(start, 650));
        heart.packet(at(start, 600));
        assert_eq!(heart.beat(at(start, 650)), Beat::Dead);
    }

    #[test]
    fn a_server_that_stalled_still_waits_for_an_answer() {
        let start = Instant::now();
        let mut heart = Heartbeat::new(INTERVAL, TIMEOUT, start);
        assert_eq!(heart.beat(at(start, 900)), Beat::Ping);
        assert_eq!(heart.beat(at(start, 900)), Beat::Wait);
        assert_eq!(heart.deadline(), at(start, 1000));
    }
}
