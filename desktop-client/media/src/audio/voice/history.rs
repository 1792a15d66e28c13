//! The newest samples of a signal, in one piece.

/// Samples that are kept are moved once for so many times as many that come.
const ROOM: usize = 4;

/// The samples.
pub struct History {
    kept: usize,
    samples: Vec<f32>,
}

impl History {
    /// Of so many samples, all 0.
    pub fn new(kept: usize) -> Self {
        let mut samples = Vec::with_capacity(kept * (1 + ROOM));
        samples.resize(kept, 0.0);
        Self { kept, samples }
    }

    /// Takes the next samples, at most as many as are kept.
    pub fn push(&mut self, samples: &[f32]) {
        if self.samples.len() + samples.len() > self.samples.capacity() {
            let old = self.samples.len() - self.kept;
            self.samples.copy_within(old.., 0);
            self.samples.truncate(self.kept);
        }
        self.samples.extend_from_slice(samples);
    }

    /// As many as are kept; the newest is last.
    pub fn newest(&self) -> &[f32] {
        &self.samples[self.samples.len() - self.kept..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_without_further_memory() {
        let mut history = History::new(10);
        assert_eq!(history.newest(), [0.0; 10]);
        let (address, capacity) = (history.samples.as_ptr(), history.samples.capacity());
        for number in 0..1_000_u16 {
            history.push(&[f32::from(number); 3]);
        }
        let expected = [996, 997, 997, 997, 998, 998, 998, 999, 999, 999].map(|n: u16| f32::from(n));
        assert_eq!(history.newest(), expected);
        assert_eq!((history.samples.as_ptr(), history.samples.capacity()), (address, capacity));
    }
}
