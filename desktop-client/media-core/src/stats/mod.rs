//! Figures for people and for tests: percentiles of a latency, freezes of a picture, rates. All are bounded in memory, and time is an argument.

mod freeze;
mod percentiles;
mod rate;

pub use self::freeze::{FreezeDetector, FreezeStats};
pub use self::percentiles::Percentiles;
pub use self::rate::RateCounter;
