//! The least of what was seen lately, in constant space.

/// Remembers the minimum of between one and two windows.
#[derive(Debug, Clone, Copy)]
pub(super) struct WindowedMin {
    window: f64,
    started: Option<f64>,
    current: f64,
    previous: f64,
}

impl WindowedMin {
    /// Over a window, in the unit of the times to come.
    pub(super) fn new(window: f64) -> Self {
        Self { window, started: None, current: f64::INFINITY, previous: f64::INFINITY }
    }

    /// A value at a time.
    pub(super) fn add(&mut self, at: f64, value: f64) {
        let started = *self.started.get_or_insert(at);
        if at - started >= self.window {
            self.previous = if at - started >= 2.0 * self.window { f64::INFINITY } else { self.current };
            self.current = f64::INFINITY;
            self.started = Some(at);
        }
        self.current = self.current.min(value);
    }

    /// The minimum; `None` before the first value.
    pub(super) fn get(&self) -> Option<f64> {
        let least = self.current.min(self.previous);
        least.is_finite().then_some(least)
    }

    /// Forgets all but one value.
    pub(super) fn reset_to(&mut self, at: f64, value: f64) {
        *self = Self::new(self.window);
        self.add(at, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_minima_are_forgotten() {
        let mut least = WindowedMin::new(10.0);
        assert_eq!(least.get(), None);
        least.add(0.0, 1.0);
        least.add(5.0, 3.0);
        least.add(11.0, 4.0);
        assert_eq!(least.get(), Some(1.0));
        least.add(21.0, 5.0);
        assert_eq!(least.get(), Some(4.0));
        least.add(100.0, 9.0);
        assert_eq!(least.get(), Some(9.0));
    }
}
