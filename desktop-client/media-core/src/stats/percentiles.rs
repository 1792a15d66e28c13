//! Percentiles over the newest values.

use std::collections::VecDeque;

/// The newest values of something, up to a number of them.
#[derive(Debug, Clone)]
pub struct Percentiles {
    values: VecDeque<f64>,
    capacity: usize,
}

impl Percentiles {
    /// Remembers at most `capacity` values (at least one).
    pub fn new(capacity: usize) -> Self {
        Self { values: VecDeque::new(), capacity: capacity.max(1) }
    }

    /// Adds a value; the oldest makes room. What is no number is left out.
    pub fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        if self.values.len() == self.capacity {
            self.values.pop_front();
        }
        self.values.push_back(value);
    }

    /// The value below or at which a share of all lies (nearest rank), `None` when there are no values. The share is held to 0–1.
    pub fn percentile(&self, share: f64) -> Option<f64> {
        let mut sorted: Vec<f64> = self.values.iter().copied().collect();
        let rank = (share.clamp(0.0, 1.0) * sorted.len() as f64).ceil() as usize;
        let index = rank.saturating_sub(1);
        if index >= sorted.len() {
            return None;
        }
        let (_, value, _) = sorted.select_nth_unstable_by(index, f64::total_cmp);
        Some(*value)
    }

    /// The median.
    pub fn p50(&self) -> Option<f64> {
        self.percentile(0.5)
    }

    /// What one value in twenty exceeds.
    pub fn p95(&self) -> Option<f64> {
        self.percentile(0.95)
    }

    /// Values that are remembered.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Nothing was added yet.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let mut values = Percentiles::new(1_000);
        (1..=100).rev().for_each(|v| values.add(f64::from(v)));
        assert_eq!((values.p50(), values.p95()), (Some(50.0), Some(95.0)));
        assert_eq!((values.percentile(0.0), values.percentile(7.0)), (Some(1.0), Some(100.0)));
    }

    #[test]
    fn only_the_newest_values_count() {
        let mut values = Percentiles::new(3);
        [100.0, 1.0, 2.0, f64::NAN, 3.0].into_iter().for_each(|v| values.add(v));
        assert_eq!((values.p95(), values.len()), (Some(3.0), 3));
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(Percentiles::new(0).p50(), None);
        assert!(Percentiles::new(0).is_empty());
    }
}
