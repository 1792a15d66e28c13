//! Named timers in virtual time.

use std::collections::BTreeMap;
use std::time::Instant;

/// At most one pending time for each name.
#[derive(Debug, Clone)]
pub(crate) struct Timers<Name>(BTreeMap<Name, Instant>);

impl<Name: Ord + Copy> Timers<Name> {
    pub(crate) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Sets or moves a timer.
    pub(crate) fn set(&mut self, name: Name, at: Instant) {
        self.0.insert(name, at);
    }

    pub(crate) fn clear(&mut self, name: Name) {
        self.0.remove(&name);
    }

    pub(crate) fn clear_all(&mut self) {
        self.0.clear();
    }

    /// The earliest pending time.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.values().min().copied()
    }

    /// Takes one timer that is due, earliest first.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Name> {
        let (name, _) = self.0.iter().map(|(name, at)| (*name, *at)).min_by_key(|(_, at)| *at)?;
        if self.0.get(&name).is_some_and(|at| *at <= now) {
            self.0.remove(&name);
            return Some(name);
        }
        None
    }
}
