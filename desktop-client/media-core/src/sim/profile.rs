//! Networks that people have, by name.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{Jitter, LinkConfig, Loss, RateLimit};

/// A change of a link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// When, counted from the start of the call.
    pub after: Duration,
    /// What holds from then on.
    pub config: LinkConfig,
}

/// Both directions of one participant's access network over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// From the participant.
    pub up: Vec<Step>,
    /// To the participant.
    pub down: Vec<Step>,
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Queue of links that are only slow: what home routers hold.
const QUEUE: Duration = ms(300);

impl Profile {
    /// Names that [`Self::named`] knows.
    pub const NAMES: [&'static str; 12] = [
        "clean",
        "wifi",
        "dsl",
        "international",
        "loss-5",
        "loss-10",
        "loss-20",
        "loss-30",
        "cap-300",
        "cap-100",
        "cap-50",
        "dip",
    ];

    /// A profile by its name; `cap-N` takes any number of kbit/s.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "clean" => Self::both(LinkConfig::default()),
            "wifi" => Self::wifi(),
            "dsl" => Self::dsl(),
            "international" => Self::international(),
            "loss-5" => Self::loss(0.05),
            "loss-10" => Self::loss(0.10),
            "loss-20" => Self::loss(0.20),
            "loss-30" => Self::loss(0.30),
            "dip" => Self::dip(),
            other => {
                let rate: NonZeroU32 = other.strip_prefix("cap-")?.parse().ok()?;
                Self::cap(rate.get().into())
            }
        })
    }

    /// The same in both directions all the time.
    pub fn both(config: LinkConfig) -> Self {
        let steps = vec![Step { after: Duration::ZERO, config }];
        Self { up: steps.clone(), down: steps }
    }

    /// A busy wireless network: 2 % loss in bursts of 3, 5–60 ms that move slowly, in order.
    pub fn wifi() -> Self {
        Self::both(LinkConfig {
            delay: ms(5),
            jitter: Jitter { spread: ms(55), correlation: ms(100) },
            loss: Loss::Bursts { share: 0.02, mean_length: 3.0 },
            ..LinkConfig::default()
        })
    }

    /// 15 ms each way, 1 Mbit/s up with a queue of 300 ms.
    pub fn dsl() -> Self {
        let delay = LinkConfig { delay: ms(15), ..LinkConfig::default() };
        let up = LinkConfig { rate: Some(RateLimit { bits_per_second: 1_000_000, queue: QUEUE }), ..delay };
        Self { up: Self::both(up).up, down: Self::both(delay).down }
    }

    /// Far away over poor lines: 250 ms ± 100 that move slowly, 10 % loss in bursts of 5, 300 kbit/s.
    pub fn international() -> Self {
        Self::both(LinkConfig {
            delay: ms(150),
            jitter: Jitter { spread: ms(200), correlation: ms(500) },
            loss: Loss::Bursts { share: 0.10, mean_length: 5.0 },
            rate: Some(RateLimit { bits_per_second: 300_000, queue: QUEUE }),
            ..LinkConfig::default()
        })
    }

    /// Uniform loss at a round-trip time of 100 ms.
    pub fn loss(share: f64) -> Self {
        Self::both(LinkConfig { delay: ms(50), loss: Loss::Uniform { share }, ..LinkConfig::default() })
    }

    /// A thin link of 20 ms each way.
    pub fn cap(kilobits_per_second: u64) -> Self {
        Self::both(Self::thin(kilobits_per_second))
    }

    /// 2.5 Mbit/s that fall to 0.4 after 10 s, for 15 s.
    pub fn dip() -> Self {
        let steps = [(0, 2_500), (10, 400), (25, 2_500)];
        let steps: Vec<Step> =
            steps.map(|(s, kbps)| Step { after: Duration::from_secs(s), config: Self::thin(kbps) }).to_vec();
        Self { up: steps.clone(), down: steps }
    }

    fn thin(kilobits_per_second: u64) -> LinkConfig {
        let rate = RateLimit { bits_per_second: kilobits_per_second * 1_000, queue: QUEUE };
        LinkConfig { delay: ms(20), rate: Some(rate), ..LinkConfig::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_is_known() {
        assert!(Profile::NAMES.iter().all(|name| Profile::named(name).is_some()));
        assert_eq!(Profile::named("cap-10000"), Some(Profile::cap(10_000)));
        for unknown in ["moon", "cap-", "cap-0", "cap-x"] {
            assert_eq!(Profile::named(unknown), None, "{unknown}");
        }
    }
}
