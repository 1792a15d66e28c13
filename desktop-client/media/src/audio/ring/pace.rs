//! How many blocks a speaker's ring is given, so that peers are read evenly whatever the speaker's rhythm.
//!
//! One block every 10 ms by the system's clock. A speaker whose callbacks take 5 frames or 8000 at once, or whose clock drifts, shows in the
//! level that is left after its callbacks: a block more or less now and then keeps the lowest level near a target. The jitter buffers before
//! the mixer even out the rest.

use std::time::{Duration, Instant};

use super::frames;
use crate::audio::clock::{BLOCK, BlockClock};

/// Blocks that are given at once at the start: one for the device's own buffer and two to stay ahead.
const START: u32 = 3;

/// Time over which the lowest level is taken; longer than the largest callbacks last.
const WINDOW: Duration = Duration::from_millis(500);

/// Lowest levels in milliseconds: below the first a block is added, above the last some are left out to come to the middle.
const LOW_MS: u32 = 5;
const TARGET_MS: u32 = 7;
const HIGH_MS: u32 = 17;

/// Most blocks that are added at once: 400 ms.
const MOST: u32 = 40;

/// What the callbacks since the last look found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Findings {
    /// Frames that the worst of them lacked.
    pub short: u32,
    /// Frames that were left after the one that left the least; `None` without callbacks.
    pub lowest: Option<u32>,
}

/// Decides when a block is due.
pub struct Pacer {
    rate: u32,
    clock: BlockClock,
    window_end: Instant,
    lowest: Option<u32>,
    extra: u32,
    skip: u32,
}

impl Pacer {
    /// For a speaker of this rate that starts now.
    pub fn new(rate: u32, now: Instant) -> Self {
        let clock = BlockClock::new(now + BLOCK);
        Self { rate, clock, window_end: now + WINDOW, lowest: None, extra: START, skip: 0 }
    }

    /// Takes in what callbacks found since the last call.
    pub fn observe(&mut self, findings: Findings, now: Instant) {
        if findings.short > 0 {
            // What this thread is late with comes anyway.
            let missing = self.blocks(findings.short) + 1;
            let coming = u32::try_from(self.clock.lag(now).as_millis() / BLOCK.as_millis()).unwrap_or(MOST);
            self.extra = missing.saturating_sub(coming).min(MOST);
            (self.skip, self.lowest, self.window_end) = (0, None, now + WINDOW);
            return;
        }
        if let Some(lowest) = findings.lowest {
            self.lowest = Some(self.lowest.map_or(lowest, |before| before.min(lowest)));
        }
        if now >= self.window_end {
            self.steer();
            self.window_end = now + WINDOW;
        }
    }

    /// Whether a block is due now.
    pub fn due(&mut self, now: Instant) -> bool {
        if self.extra > 0 {
            self.extra -= 1;
            return true;
        }
        while self.clock.due(now) {
            if self.skip == 0 {
                return true;
            }
            self.skip -= 1;
        }
        false
    }

    fn steer(&mut self) {
        let Some(lowest) = self.lowest.take() else { return };
        let level = |ms| frames(self.rate, ms) as u32;
        if lowest < level(LOW_MS) {
            self.extra += 1;
        } else if lowest > level(HIGH_MS) {
            self.skip = (lowest - level(TARGET_MS)) / level(10).max(1);
        }
    }

    /// Blocks that hold so many frames.
    fn blocks(&self, count: u32) -> u32 {
        count.div_ceil(frames(self.rate, 10).max(1) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::super::signal::ms;
    use super::*;

    fn given(pacer: &mut Pacer, now: Instant) -> u32 {
        std::iter::from_fn(|| pacer.due(now).then_some(())).count() as u32
    }

    /// Runs a speaker of 48 kHz whose callbacks take `size` frames, with a clock that is fast by `drift`; gives for each second how many
    /// callbacks were short, and the highest level in frames.
    fn run(size: u32, drift: f64, seconds: usize) -> Vec<(u32, i64)> {
        let start = Instant::now();
        let mut pacer = Pacer::new(48_000, start);
        let (mut level, mut played) = (0_i64, 0_u64);
        let mut results = Vec::new();
        for second in 0..seconds {
            let (mut shorts, mut highest) = (0, 0);
            for turn in 0..100 {
                let turns = (second * 100 + turn) as u32;
                let now = start + ms(10) * turns;
                level += i64::from(given(&mut pacer, now)) * 480;
                highest = highest.max(level);
                let mut findings = Findings::default();
                while (played + u64::from(size)) as f64 <= f64::from(turns + 1) * 480.0 * (1.0 + drift) {
                    played += u64::from(size);
                    level -= i64::from(size);
                    findings.short = findings.short.max(u32::try_from(-level).unwrap_or(0));
                    shorts += u32::from(level < 0);
                    level = level.max(0);
                    findings.lowest = Some(findings.lowest.unwrap_or(u32::MAX).min(level as u32));
                }
                pacer.observe(findings, now);
            }
            results.push((shorts, highest));
        }
        results
    }

    #[test]
    fn any_callback_size_settles_without_running_dry_or_piling_up() {
        for size in [5, 64, 441, 480, 960, 1024, 2048, 4096, 8056] {
            let seconds = run(size, 0.0, 30);
            let early: u32 = seconds[..5].iter().map(|(shorts, _)| shorts).sum();
            assert!(early <= 4, "{size}: {seconds:?}");
            for (shorts, highest) in &seconds[5..] {
                assert_eq!(*shorts, 0, "{size}: {seconds:?}");
                assert!(*highest <= i64::from(size) + 48 * 45, "{size}: {seconds:?}");
            }
        }
    }

    #[test]
    fn a_clock_that_drifts_is_followed() {
        for drift in [-300e-6, -50e-6, 50e-6, 300e-6] {
            for size in [480, 2048] {
                let seconds = run(size, drift, 300);
                let shorts: u32 = seconds[5..].iter().map(|(shorts, _)| shorts).sum();
                assert_eq!(shorts, 0, "{size} {drift}");
                assert!(seconds[5..].iter().all(|(_, highest)| *highest <= i64::from(size) + 48 * 45));
            }
        }
    }

    #[test]
    fn a_backlog_is_left_out() {
        let start = Instant::now();
        let mut pacer = Pacer::new(48_000, start);
        given(&mut pacer, start);
        pacer.observe(Findings { short: 0, lowest: Some(48 * 115) }, start + ms(500));
        let blocks: u32 = (0..100).map(|turn| given(&mut pacer, start + ms(500) + ms(10) * turn)).sum();
        assert_eq!(blocks, 90);
        let rest: u32 = (100..200).map(|turn| given(&mut pacer, start + ms(500) + ms(10) * turn)).sum();
        assert_eq!(rest, 100);
    }
}
