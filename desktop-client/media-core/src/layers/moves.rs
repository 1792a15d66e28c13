//! Who moves down, and who may move up.

use std::cmp::Reverse;
use std::time::Instant;

use super::peer::Peer;
use super::shared_layer::Terms;
use super::{LayerChoice, tile_cap};
use crate::bitrate::Bitrate;

impl<P: Ord + Copy> LayerChoice<P> {
    /// The best layer that a peer may have, whatever its path bears.
    pub(super) fn cap(&self, peer: &Peer) -> Option<usize> {
        let limits = [self.load.top().map(|top| top.layer), peer.penalty.map(|(cap, _)| cap)];
        let tile = tile_cap(&self.ladder, peer.demand)?;
        Some(limits.into_iter().flatten().fold(tile, usize::min))
    }

    /// A peer that orders too many key frames goes where it disturbs the fewest others. One that disturbs nobody stays, and so does one that is as
    /// low as can be: its budget bounds what it costs there.
    pub(super) fn penalise(&mut self, id: P, now: Instant) {
        let Some(level) = self.peers.get(&id).and_then(|peer| peer.level) else { return };
        let others = |layer: usize| {
            self.peers.iter().filter(|(other, peer)| **other != id && peer.level == Some(layer)).count()
        };
        if others(level) == 0 {
            return;
        }
        let Some(cap) = (0..level).min_by_key(|layer| (others(*layer), Reverse(*layer))) else { return };
        let until = now + self.config.key_frame_penalty;
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.penalty = Some((cap, until));
        }
    }

    /// Takes from each peer what it may not have, or does not bear, any more.
    pub(super) fn lower(&mut self, now: Instant) {
        for id in self.peers.keys().copied().collect::<Vec<P>>() {
            let Some(peer) = self.peers.get(&id) else { continue };
            let cap = self.cap(peer);
            let too_little = cap.is_some() && peer.estimates.current() < self.config.floor;
            if too_little && !peer.suspended {
                self.suspend(id, now);
            } else if peer.level > cap {
                self.descend(id, cap, now);
            }
        }
        // From the top, so that each layer has met those who come down to it before it is asked who cannot stay.
        for layer in (0..self.ladder.len()).rev() {
            self.follow(layer, now);
            let leaving: Vec<P> = self.members(layer, |peer| self.must_leave(peer, layer, now));
            for id in &leaving {
                self.overwhelmed(*id, layer, now);
            }
            if !leaving.is_empty() {
                self.follow(layer, now);
            }
        }
    }

    /// Gives each peer what it has borne for long enough; those with the best paths first, for theirs decide who fits in beside them.
    pub(super) fn raise(&mut self, now: Instant) {
        let config = self.config;
        let lasting = |(id, peer): (&P, &Peer)| (Reverse(peer.lasting(&config, now)), *id);
        let mut order: Vec<(Reverse<Bitrate>, P)> = self.peers.iter().map(lasting).collect();
        order.sort_unstable();
        for (Reverse(borne), id) in order {
            let Some(to) = self.peers.get(&id).and_then(|peer| self.way_up(peer, borne)) else { continue };
            let Some(peer) = self.peers.get_mut(&id) else { continue };
            let from = peer.level;
            if !peer.rise(to, &config, now) {
                continue;
            }
            self.follow(to, now);
            if let Some(from) = from {
                self.follow(from, now);
            }
        }
    }

    /// The best layer above the peer's own that a path that bears this much has room for.
    fn way_up(&self, peer: &Peer, borne: Bitrate) -> Option<usize> {
        let cap = self.cap(peer).filter(|cap| peer.level < Some(*cap))?;
        let resume = if peer.suspended { self.config.resume_margin } else { 1.0 };
        if peer.level.is_none() && borne < self.config.floor.scale(resume) {
            return None;
        }
        let lowest = peer.level.map_or(0, |level| level + 1);
        let fits = |layer: &usize| borne >= self.need(*layer).scale(self.config.up_margin);
        let best = (lowest..=cap).rev().find(fits);
        best.or_else(|| peer.level.is_none().then_some(0))
    }

    /// Brings a layer's anchor and rate up to date, and notes who bears less than it asks for.
    pub(super) fn follow(&mut self, layer: usize, now: Instant) {
        let Some(rung) = self.ladder.get(layer).copied() else { return };
        let mut borne = Vec::new();
        for peer in self.peers.values().filter(|peer| peer.level == Some(layer)) {
            borne.push(peer.settled(&self.config, now));
        }
        let mut held = self.peers.values().any(|peer| peer.is_leaving(layer));
        if borne.is_empty() {
            return self.layers[layer].empty(held);
        }
        let (cluster_ratio, share) = (self.config.cluster_ratio, self.share);
        let terms = Terms { rung: &rung, lowest: layer == 0, cluster_ratio, share };
        let mut next = self.layers[layer];
        next.follow(&borne, &terms, true);
        let need = next.need(&rung, cluster_ratio);
        if layer > 0 {
            for peer in self.peers.values_mut().filter(|peer| peer.level == Some(layer)) {
                held |= peer.compare(need, &self.config, now);
            }
        }
        self.layers[layer].follow(&borne, &terms, held);
    }

    /// Not even the base of its layer fits, or it has been an outlier for too long.
    fn must_leave(&self, peer: &Peer, layer: usize, now: Instant) -> bool {
        let base = self.share.of(self.layers[layer].rate(), 0);
        base > peer.estimates.current() || peer.is_lasting_outlier(&self.config, now)
    }

    /// The path does not bear this layer: down to the next that it does.
    fn overwhelmed(&mut self, id: P, layer: usize, now: Instant) {
        let Some(below) = layer.checked_sub(1) else { return self.suspend(id, now) };
        self.descend(id, Some(below), now);
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.overreached(&self.config, now);
        }
    }

    /// The path bears sound only.
    fn suspend(&mut self, id: P, now: Instant) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.suspended = true;
            peer.fall(None, &self.config, now);
            peer.overreached(&self.config, now);
        }
    }

    /// Down to the best layer up to `cap` that the peer bears, or the lowest.
    fn descend(&mut self, id: P, cap: Option<usize>, now: Instant) {
        let Some(borne) = self.peers.get(&id).map(|peer| peer.settled(&self.config, now)) else { return };
        let fits = |layer: &usize| *layer == 0 || borne >= self.need(*layer);
        let to = cap.and_then(|cap| (0..=cap).rev().find(fits));
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.fall(to, &self.config, now);
        }
    }

    /// What a peer must bear to be no outlier on this layer.
    fn need(&self, layer: usize) -> Bitrate {
        self.ladder
            .get(layer)
            .map_or(Bitrate::ZERO, |rung| self.layers[layer].need(rung, self.config.cluster_ratio))
    }

    fn members(&self, layer: usize, chosen: impl Fn(&Peer) -> bool) -> Vec<P> {
        let members = self.peers.iter().filter(|(_, peer)| peer.level == Some(layer));
        members.filter(|(_, peer)| chosen(peer)).map(|(id, _)| *id).collect()
    }
}
