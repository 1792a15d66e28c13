//! How large a speaker's buffer is: small, so that voices are near, until the machine shows that it cannot keep up with that.

use std::time::{Duration, Instant};

/// So many times without sound
const GAPS: u64 = 3;

/// within this time are more than an accident.
const WINDOW: Duration = Duration::from_secs(10);

/// A speaker that was just opened is not judged for this long: whoever opens one is busy.
const SETTLING: Duration = Duration::from_secs(2);

/// Largest step.
pub const MOST: usize = 3;

/// Chooses among buffer sizes.
#[derive(Debug, Default)]
pub struct Headroom {
    step: usize,
    window: Option<Window>,
}

#[derive(Debug)]
struct Window {
    since: Instant,
    gaps_before: u64,
}

impl Headroom {
    /// The size to use: 0 is the smallest, [`MOST`] the largest.
    pub fn step(&self) -> usize {
        self.step
    }

    /// Another speaker was opened, or the same one again.
    pub fn opened(&mut self, now: Instant) {
        self.window = Some(Window { since: now + SETTLING, gaps_before: 0 });
    }

    /// Takes in how often the speaker has been without sound because nobody came to refill its buffer; true when it shall be opened with a larger one.
    pub fn grows(&mut self, gaps: u64, now: Instant) -> bool {
        let Some(window) = &mut self.window else { return false };
        let passed = now.checked_duration_since(window.since);
        if passed.is_none_or(|passed| passed > WINDOW) {
            window.gaps_before = gaps;
            if passed.is_some() {
                window.since = now;
            }
            return false;
        }
        if gaps < window.gaps_before + GAPS || self.step == MOST {
            return false;
        }
        self.step += 1;
        self.window = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn gaps_that_come_soon_after_each_other_make_the_buffer_grow_to_the_largest() {
        let mut now = Instant::now();
        let mut headroom = Headroom::default();
        for step in 0..MOST {
            headroom.opened(now);
            for (second, gaps, grows) in
                [(1, 9, false), (2, 9, false), (3, 10, false), (6, 11, false), (8, 12, true)]
            {
                assert_eq!(headroom.grows(gaps, now + SECOND * second), grows, "{step}, {second} s");
            }
            assert_eq!(headroom.step(), step + 1);
            assert!(!headroom.grows(50, now + SECOND * 9), "it is not open yet");
            now += SECOND * 20;
        }
        headroom.opened(now);
        assert!(!headroom.grows(0, now + SECOND * 3) && !headroom.grows(100, now + SECOND * 4));
        assert_eq!(headroom.step(), MOST);
    }

    #[test]
    fn a_gap_now_and_then_is_an_accident() {
        let start = Instant::now();
        let mut headroom = Headroom::default();
        headroom.opened(start);
        for second in 2..600 {
            assert!(!headroom.grows(u64::from(second / 6), start + SECOND * second), "{second} s");
        }
    }
}
