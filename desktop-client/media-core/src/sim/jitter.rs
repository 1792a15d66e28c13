//! Delay that varies, and does so smoothly: neighbouring packets fare alike.

use std::time::{Duration, Instant};

use super::Rng;

/// Extra delay between nothing and `spread`, evenly spread in the long run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Jitter {
    /// Largest extra delay.
    pub spread: Duration,
    /// Time after which the delay has mostly forgotten where it was (its autocorrelation falls to 1/e). Zero: each packet by itself.
    pub correlation: Duration,
}

/// The state of a link with jitter: an Ornstein–Uhlenbeck process, mapped to an even distribution.
#[derive(Debug, Clone, Default)]
pub(super) struct JitterState {
    level: f64,
    at: Option<Instant>,
}

impl JitterState {
    /// Extra delay of a packet that is sent now.
    pub(super) fn delay(&mut self, jitter: Jitter, now: Instant, rng: &mut Rng) -> Duration {
        if jitter.spread.is_zero() {
            return Duration::ZERO;
        }
        let elapsed = self.at.map(|at| now.saturating_duration_since(at));
        self.at = Some(now);
        let keep = match elapsed {
            Some(elapsed) if !jitter.correlation.is_zero() => {
                (-elapsed.as_secs_f64() / jitter.correlation.as_secs_f64()).exp()
            }
            Some(_) | None => 0.0,
        };
        self.level = keep * self.level + (1.0 - keep * keep).sqrt() * rng.normal();
        jitter.spread.mul_f64(normal_share(self.level))
    }
}

/// The share of a normal distribution below a level: 0–1 (logistic approximation, off by less than 0.01).
fn normal_share(level: f64) -> f64 {
    1.0 / (1.0 + (-1.702 * level).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn delays(correlation_ms: u64) -> Vec<f64> {
        let jitter =
            Jitter { spread: Duration::from_millis(100), correlation: Duration::from_millis(correlation_ms) };
        let (mut state, mut rng) = (JitterState::default(), Rng::new(5));
        (0..50_000)
            .map(|i| {
                state.delay(jitter, sim::epoch() + Duration::from_millis(10 * i), &mut rng).as_secs_f64()
                    * 1e3
            })
            .collect()
    }

    fn mean_step(delays: &[f64]) -> f64 {
        delays.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum::<f64>() / delays.len() as f64
    }

    #[test]
    fn the_spread_is_used_evenly() {
        let delays = delays(200);
        let tenth = |from: f64| delays.iter().filter(|d| (from..from + 10.0).contains(*d)).count();
        for decile in 0..10 {
            let count = tenth(f64::from(decile) * 10.0);
            assert!((3_500..6_500).contains(&count), "{decile}: {count}");
        }
    }

    #[test]
    fn correlated_delays_move_in_small_steps() {
        assert!(mean_step(&delays(0)) > 30.0);
        assert!(mean_step(&delays(500)) < 8.0);
    }
}
