//! Which packets are lost.

use super::Rng;

/// How a link loses packets.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Loss {
    /// None.
    #[default]
    None,
    /// Each by itself.
    Uniform {
        /// Share of packets, 0–1.
        share: f64,
    },
    /// In bursts: a Gilbert–Elliott chain of two states that change between packets, one that loses nothing and one that loses all.
    Bursts {
        /// Share of packets in the long run, 0–1 (1 excluded).
        share: f64,
        /// Packets in a burst on average, at least 1.
        mean_length: f64,
    },
}

/// The state of a lossy link.
#[derive(Debug, Clone, Default)]
pub(super) struct LossState {
    in_burst: bool,
}

impl LossState {
    /// Decides on the next packet.
    pub(super) fn loses(&mut self, loss: Loss, rng: &mut Rng) -> bool {
        match loss {
            Loss::None => false,
            Loss::Uniform { share } => rng.chance(share),
            Loss::Bursts { share, mean_length } => {
                let leave = 1.0 / mean_length.max(1.0);
                // In balance as many bursts begin as end: enter × (1 − share) = leave × share.
                let enter = leave * share / (1.0 - share).max(f64::EPSILON);
                self.in_burst = if self.in_burst { !rng.chance(leave) } else { rng.chance(enter) };
                self.in_burst
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(loss: Loss) -> Vec<bool> {
        let (mut state, mut rng) = (LossState::default(), Rng::new(11));
        (0..200_000).map(|_| state.loses(loss, &mut rng)).collect()
    }

    fn share(losses: &[bool]) -> f64 {
        losses.iter().filter(|lost| **lost).count() as f64 / losses.len() as f64
    }

    fn mean_burst(losses: &[bool]) -> f64 {
        let bursts = losses.split(|lost| !lost).filter(|burst| !burst.is_empty()).count();
        losses.iter().filter(|lost| **lost).count() as f64 / bursts as f64
    }

    #[test]
    fn uniform_loss_loses_its_share_in_short_rows() {
        let losses = run(Loss::Uniform { share: 0.2 });
        assert!((share(&losses) - 0.2).abs() < 0.01);
        assert!((mean_burst(&losses) - 1.25).abs() < 0.05, "{}", mean_burst(&losses));
    }

    #[test]
    fn bursts_lose_their_share_in_rows_of_their_length() {
        let losses = run(Loss::Bursts { share: 0.1, mean_length: 5.0 });
        assert!((share(&losses) - 0.1).abs() < 0.01, "{}", share(&losses));
        assert!((mean_burst(&losses) - 5.0).abs() < 0.2, "{}", mean_burst(&losses));
    }
}
