//! Who speaks at the moment.

use std::collections::BTreeSet;

use shared::PeerId;

/// Whose sound is a voice, as the program hears it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Speaking {
    /// Us.
    pub own: bool,
    /// Others.
    pub peers: BTreeSet<PeerId>,
    /// Who of the others has the floor: speaks, or has spoken last.
    pub floor: Option<PeerId>,
}
