//! Marks for measuring latency, so that any two clients can be measured against each other.
//!
//! A test source writes the time into what it sends, the receiver reads it back: pictures carry a strip of black and white blocks ([`video`]), sound a
//! short burst at each whole second ([`audio`]). Both ends need clocks that agree, as on one machine.

pub mod audio;
pub mod video;
