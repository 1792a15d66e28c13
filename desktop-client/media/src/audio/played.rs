//! What was played and waits for the echo canceller.
//!
//! The canceller wants a played block and a captured one in turn, and takes anything else for a delay that has changed. But devices take and give blocks in
//! bursts, of which the two know nothing of each other. So played blocks wait here, and one goes with each captured block. When none is there the captured one
//! goes alone, after which one more waits than before: as many come to wait as the bursts ask for, and no more. The echo of a block can be no earlier than it,
//! as a captured block waits for the end of its burst as well.

use std::collections::VecDeque;

use super::block::MonoBlock;

/// Blocks that may wait: more than any device takes at once. Then the oldest goes.
const MOST: usize = 64;

/// Captured blocks over which is observed how many wait at least: 2 s.
const WINDOW: u32 = 200;

/// So many may wait at all times, for they cost nothing. What is more comes of a microphone that began late, of a burst that was an exception, or of clocks that
/// differ; it goes at once, for a block that waits longer than its echo takes is of no use.
const SPARE: usize = 2;

/// The blocks.
#[derive(Debug, Default)]
pub struct PlayedBlocks {
    waiting: VecDeque<MonoBlock>,
    /// In the present window.
    captured: u32,
    least: usize,
}

impl PlayedBlocks {
    /// A block is played.
    pub fn push(&mut self, block: &MonoBlock) {
        if self.waiting.len() == MOST {
            self.waiting.pop_front();
        }
        self.waiting.push_back(*block);
    }

    /// What goes with the next captured block: most often one.
    pub fn take(&mut self) -> impl Iterator<Item = MonoBlock> + '_ {
        let left = self.waiting.len().saturating_sub(1);
        self.least = if self.captured == 0 { left } else { self.least.min(left) };
        self.captured += 1;
        let mut count = 1;
        if self.captured == WINDOW {
            self.captured = 0;
            count += self.least.saturating_sub(SPARE);
        }
        self.waiting.drain(..count.min(self.waiting.len()))
    }
}

#[cfg(test)]
mod tests {
    use media_core::frame::SAMPLES_PER_BLOCK;

    use super::*;

    /// Plays and captures in bursts, and gives how much later than it was played each block goes with a captured one, in blocks.
    fn lags(bursts: impl IntoIterator<Item = (u32, u32)>) -> Vec<u32> {
        let mut blocks = PlayedBlocks::default();
        let (mut played, mut lags) = (0_u32, Vec::new());
        for (play, capture) in bursts {
            for _ in 0..play {
                blocks.push(&[played as f32; SAMPLES_PER_BLOCK]);
                played += 1;
            }
            for _ in 0..capture {
                lags.extend(blocks.take().map(|block| played - block[0] as u32));
            }
        }
        lags
    }

    #[test]
    fn bursts_come_to_a_steady_lag() {
        let lags = lags((0..400).map(|n| if n % 5 == 4 { (1, 5) } else { (1, 0) }));
        // Each block of a burst of five is older than the one before by one.
        let settled = &lags[lags.len() / 2..];
        let first: Vec<u32> = settled.iter().step_by(5).copied().collect();
        assert!(first.windows(2).all(|pair| pair[0] == pair[1]), "{first:?}");
    }

    #[test]
    fn after_a_rare_long_burst_the_lag_comes_down_again() {
        let lags = lags([(30, 0)].into_iter().chain((0..1_000).map(|_| (1, 1))));
        assert!(lags[0] == 31 && *lags.last().unwrap() <= 1 + SPARE as u32 + 1, "{:?}", lags.last());
    }

    #[test]
    fn a_microphone_that_begins_late_finds_its_echo_within_two_seconds() {
        let lags = lags([(60, 0)].into_iter().chain((0..300).map(|_| (1, 1))));
        assert!(lags[WINDOW as usize + 60..].iter().all(|lag| *lag <= SPARE as u32 + 1), "{:?}", lags.last());
    }

    #[test]
    fn a_microphone_that_gives_nothing_costs_bounded_memory() {
        assert_eq!(lags([(10_000, 0), (0, 200)]).len(), MOST);
    }
}
