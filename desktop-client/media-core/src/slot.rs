//! A place for the newest value: the writer never waits, the reader never sees a stale queue.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A shared latest-wins slot. Clones share the place. A value that nobody took is replaced.
#[derive(Debug)]
pub struct Slot<T> {
    inner: Arc<Mutex<State<T>>>,
}

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    written: u64,
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { inner: Arc::new(Mutex::new(State { value: None, written: 0 })) }
    }
}

impl<T> Slot<T> {
    /// An empty slot.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // The state is whole after every statement below, so a panic elsewhere leaves nothing half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a value in, and gives back the one that it replaces.
    pub fn put(&self, value: T) -> Option<T> {
        let mut state = self.lock();
        state.written += 1;
        state.value.replace(value)
    }

    /// Takes the value out.
    pub fn take(&self) -> Option<T> {
        self.lock().value.take()
    }

    /// Empties the slot, so that an old picture is not shown for a camera that is off.
    pub fn clear(&self) {
        self.lock().value = None;
    }

    /// How many values were ever put in: a cheap way to see that there is a new one.
    pub fn written(&self) -> u64 {
        self.lock().written
    }
}

impl<T: Clone> Slot<T> {
    /// A copy of the value, which stays.
    pub fn peek(&self) -> Option<T> {
        self.lock().value.clone()
    }
}
