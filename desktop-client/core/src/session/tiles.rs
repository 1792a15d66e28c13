//! How large the window shows the others, and what they have been told of it.
//!
//! While a window is being resized its tiles change with each frame: each peer is told at most once per [`TELL_INTERVAL`], and the last size
//! always.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use shared::PeerId;

use crate::control::{ShownTile, TILE_MAX};

/// Between two messages to one peer.
const TELL_INTERVAL: Duration = Duration::from_millis(250);

#[derive(Debug, Default)]
pub(super) struct Tiles(BTreeMap<PeerId, Told>);

#[derive(Debug)]
struct Told {
    shown: ShownTile,
    /// What the peer knows, or what could not be said because no channel is open.
    told: Option<ShownTile>,
    not_before: Option<Instant>,
}

impl Tiles {
    /// The window shows this peer's picture so.
    pub(super) fn show(&mut self, peer: PeerId, tile: ShownTile) {
        let ShownTile { width, height, visible } = tile;
        let shown = ShownTile { width: width.min(TILE_MAX), height: height.min(TILE_MAX), visible };
        self.0.entry(peer).or_insert(Told { shown, told: None, not_before: None }).shown = shown;
    }

    /// A new channel to the peer is open: it knows nothing.
    pub(super) fn channel_opened(&mut self, peer: &PeerId) {
        if let Some(told) = self.0.get_mut(peer) {
            told.told = None;
        }
    }

    pub(super) fn remove(&mut self, peer: &PeerId) {
        self.0.remove(peer);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes what a peer is to be told now.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(PeerId, ShownTile)> {
        let due = |told: &Told| told.is_news() && told.not_before.is_none_or(|at| at <= now);
        let (peer, told) = self.0.iter_mut().find(|(_, told)| due(told))?;
        told.told = Some(told.shown);
        told.not_before = Some(now + TELL_INTERVAL);
        Some((peer.clone(), told.shown))
    }

    /// When [`Self::take_due`] has something.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.0.values().filter(|told| told.is_news()).filter_map(|told| told.not_before).min()
    }
}

impl Told {
    fn is_news(&self) -> bool {
        self.told != Some(self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_is_being_resized_tells_at_most_four_times_a_second_and_the_last_size_always() {
        let start = crate::test_time::start();
        let peer = PeerId::parse("a").unwrap();
        let mut tiles = Tiles::default();
        let mut told = Vec::new();
        for ms in 0..2_000 {
            let now = start + Duration::from_millis(ms);
            if ms < 1_000 {
                tiles.show(peer.clone(), ShownTile { width: 300 + ms as u32, height: 200, visible: true });
            }
            told.extend(std::iter::from_fn(|| tiles.take_due(now)).map(|(_, tile)| (ms, tile.width)));
            assert!(tiles.poll_timeout().is_none_or(|at| at > now));
        }
        assert_eq!(told, [(0, 300), (250, 550), (500, 800), (750, 1_050), (1_000, 1_299)]);
        tiles.channel_opened(&peer);
        assert!(tiles.take_due(start + Duration::from_secs(2)).is_some());
    }
}
