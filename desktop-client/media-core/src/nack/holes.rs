//! The missing packets of a stream, and when each is to be asked for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The requests for a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub first: Instant,
    pub last: Instant,
    pub times: u32,
}

/// One missing packet.
#[derive(Debug, Clone, Copy)]
struct Hole {
    /// When it was first known to be missing.
    since: Instant,
    /// Packets that had come by then, the one that showed the gap not counted.
    came_before: u64,
    asked: Option<Asked>,
}

/// How a hole was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filled {
    /// Before anybody asked.
    Reordered,
    /// After it was asked for.
    Repaired(Asked),
}

/// The rules by which packets are asked for at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub now: Instant,
    pub first_after: Duration,
    pub after_packets: u64,
    pub again_after: Duration,
    pub max_requests: u32,
    pub max_age: Duration,
    pub window: Duration,
}

/// What to do now.
#[derive(Debug, Default)]
pub(super) struct DueNow {
    /// Numbers to ask for, in order.
    pub numbers: Vec<u16>,
    /// Packets that were given up.
    pub given_up: u64,
    /// When to look again.
    pub next: Option<Instant>,
}

#[derive(Debug, Default)]
pub(super) struct Holes {
    holes: BTreeMap<i64, Hole>,
    /// Packets that came in sequence.
    came: u64,
}

impl Holes {
    pub(super) fn len(&self) -> usize {
        self.holes.len()
    }

    pub(super) fn clear(&mut self) {
        self.holes.clear();
    }

    pub(super) fn open(&mut self, sequence: i64, now: Instant) {
        self.holes.insert(sequence, Hole { since: now, came_before: self.came, asked: None });
    }

    /// A packet came that is newer than all before.
    pub(super) fn packet_came(&mut self) {
        self.came += 1;
    }

    pub(super) fn fill(&mut self, sequence: i64) -> Option<Filled> {
        let hole = self.holes.remove(&sequence)?;
        Some(hole.asked.map_or(Filled::Reordered, Filled::Repaired))
    }

    /// Forgets the holes up to a number, and says how many they were.
    pub(super) fn close_to(&mut self, sequence: i64) -> u64 {
        let kept = self.holes.split_off(&(sequence + 1));
        std::mem::replace(&mut self.holes, kept).len() as u64
    }

    /// Takes what is due as asked for, and forgets what is given up.
    pub(super) fn due(&mut self, rules: &Due) -> DueNow {
        let mut result = DueNow::default();
        let came = self.came;
        let before = self.holes.len();
        self.holes.retain(|_, hole| !hole.is_over(rules));
        result.given_up = (before - self.holes.len()) as u64;
        let any = self.holes.values().any(|hole| hole.due_at(rules, came) <= rules.now);
        for (sequence, hole) in &mut self.holes {
            if any && hole.goes_with_what_is_due(rules, came) {
                let (first, times) = hole.asked.map_or((rules.now, 0), |asked| (asked.first, asked.times));
                hole.asked = Some(Asked { first, last: rules.now, times: times + 1 });
                // The low 16 bits are the number on the wire.
                result.numbers.push(*sequence as u16);
            }
            let due = hole.due_at(rules, came);
            result.next = Some(result.next.map_or(due, |next: Instant| next.min(due)));
        }
        result
    }
}

impl Hole {
    fn due_at(&self, rules: &Due, came: u64) -> Instant {
        match self.asked {
            Some(asked) => asked.last + rules.again_after,
            None if came - self.came_before >= rules.after_packets => self.since,
            None => self.since + rules.first_after,
        }
    }

    /// What is asked for the first time may go a little early; asking again early would be asking twice.
    fn goes_with_what_is_due(&self, rules: &Due, came: u64) -> bool {
        let window = if self.asked.is_none() { rules.window } else { Duration::ZERO };
        self.due_at(rules, came) <= rules.now + window
    }

    /// It is of no more use, or there is no more hope.
    fn is_over(&self, rules: &Due) -> bool {
        let spent = self.asked.is_some_and(|asked| {
            asked.times >= rules.max_requests && asked.last + rules.again_after <= rules.now
        });
        spent || rules.now.saturating_duration_since(self.since) > rules.max_age
    }
}
