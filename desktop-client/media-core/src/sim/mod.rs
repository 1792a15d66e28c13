//! Networks in virtual time, and a drawn camera, for tests and benchmarks: seeded, so that a failure repeats.
//!
//! A [`Link`] is one direction. A packet passes a rate limit with a drop-tail queue, may be lost ([`Loss`]) and is delayed ([`Jitter`], [`Reordering`]); a
//! [`Profile`] names both directions and how they change over time. Nothing here looks at a clock, so the same model serves cores in virtual time and a relay
//! that holds back real packets.

mod jitter;
mod link;
mod loss;
mod profile;
mod rng;
mod scene;

use std::sync::OnceLock;
use std::time::Instant;

pub use self::jitter::Jitter;
pub use self::link::{Link, LinkConfig, LinkStats, RateLimit, Reordering};
pub use self::loss::Loss;
pub use self::profile::{Profile, Step};
pub use self::rng::Rng;
pub use self::scene::Scene;

/// The instant at which virtual time starts. It is the same for the whole process, and nothing may depend on which one it is.
pub fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(now)
}

#[expect(
    clippy::disallowed_methods,
    reason = "an `Instant` can be made in no other way; virtual time only adds to it"
)]
fn now() -> Instant {
    Instant::now()
}
