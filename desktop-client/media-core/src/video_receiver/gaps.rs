//! Which sequence numbers after the last frame were seen, and since when the first one is missing.

use std::collections::BTreeMap;
use std::time::Instant;

/// Numbers that are remembered while no frame gets through; then the older half counts as through.
const MAX_SEEN: usize = 8_192;

/// Follows the numbers that are not through yet.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    seen: BTreeMap<i64, Instant>,
    /// All from the first seen number to this one were seen.
    contiguous_to: Option<i64>,
    /// When the number after [`Self::contiguous_to`] was first known to be missing.
    missing_since: Option<Instant>,
}

impl Gaps {
    pub(super) fn contains(&self, sequence: i64) -> bool {
        self.seen.contains_key(&sequence)
    }

    pub(super) fn insert(&mut self, sequence: i64, now: Instant) {
        self.seen.insert(sequence, now);
        if self.seen.len() > MAX_SEEN
            && let Some(middle) = self.seen.keys().nth(MAX_SEEN / 2).copied()
        {
            self.release(middle, now);
        }
        match self.contiguous_to {
            Some(to) if sequence > to => self.follow(to, now),
            // Before all others: the start of the stream came reordered.
            Some(_) | None => self.follow(sequence, now),
        }
    }

    /// Everything up to `tail` is through or given up.
    pub(super) fn release(&mut self, tail: i64, now: Instant) {
        if self.seen.first_key_value().is_some_and(|(first, _)| *first <= tail) {
            self.seen = self.seen.split_off(&(tail + 1));
        }
        if self.contiguous_to.is_none_or(|to| to < tail) {
            self.follow(tail, now);
        }
    }

    /// Since when the oldest missing number is known to be missing.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.missing_since
    }

    fn follow(&mut self, from: i64, now: Instant) {
        let mut to = from;
        while self.seen.contains_key(&(to + 1)) {
            to += 1;
        }
        let moved = self.contiguous_to != Some(to);
        self.contiguous_to = Some(to);
        let beyond = self.seen.range(to + 1..).next().map(|(_, at)| *at);
        self.missing_since = match (beyond, self.missing_since) {
            (None, _) => None,
            (Some(_), Some(since)) if !moved => Some(since),
            (Some(at), _) => Some(at.min(now)),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sim;

    fn at(ms: u64) -> Instant {
        sim::epoch() + Duration::from_millis(ms)
    }

    #[test]
    fn a_gap_is_known_since_the_packet_after_it() {
        let mut gaps = Gaps::default();
        gaps.insert(10, at(0));
        gaps.insert(12, at(5));
        gaps.insert(13, at(6));
        assert_eq!(gaps.oldest(), Some(at(5)));
        gaps.insert(11, at(9));
        assert_eq!(gaps.oldest(), None);
    }

    #[test]
    fn the_second_gap_counts_when_the_first_is_repaired() {
        let mut gaps = Gaps::default();
        for (sequence, ms) in [(1, 0), (3, 1), (5, 2), (2, 3)] {
            gaps.insert(sequence, at(ms));
        }
        assert_eq!(gaps.oldest(), Some(at(2)));
    }

    #[test]
    fn what_is_through_is_no_gap() {
        let mut gaps = Gaps::default();
        for (sequence, ms) in [(1, 0), (5, 1), (6, 2), (9, 3)] {
            gaps.insert(sequence, at(ms));
        }
        gaps.release(5, at(4));
        assert_eq!(gaps.oldest(), Some(at(3)));
        gaps.release(9, at(5));
        assert_eq!((gaps.oldest(), gaps.seen.len()), (None, 0));
    }

    #[test]
    fn memory_is_bounded_when_nothing_gets_through() {
        let mut gaps = Gaps::default();
        for sequence in 0..100_000 {
            gaps.insert(3 * sequence, at(0));
        }
        assert!(gaps.seen.len() <= MAX_SEEN);
    }

    #[test]
    fn a_packet_before_the_first_is_part_of_the_stream() {
        let mut gaps = Gaps::default();
        gaps.insert(10, at(0));
        gaps.insert(8, at(1));
        assert_eq!(gaps.oldest(), Some(at(0)));
        gaps.insert(9, at(2));
        assert_eq!(gaps.oldest(), None);
    }
}
