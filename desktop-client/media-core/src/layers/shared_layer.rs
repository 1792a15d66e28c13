//! One layer that peers share, and the rate that serves them.
//!
//! The peers of a layer form one cluster. Its *anchor* is the estimate of the best link that the layer follows; whoever bears less than the anchor divided by
//! the cluster ratio is an *outlier*, and must not pull the rate down: so nobody ever gets less than the cluster ratio allows because of a slow peer.
//!
//! Upwards a crowd is protected in the same way. An anchor rises over the heads of some only if more than those gain by it, or between two: one fast
//! peer (or one that says so) cannot push two others off a layer, while one slow peer that came first cannot hold a fast one down either. When the best link
//! gets worse, the anchor follows at once.

use super::ladder::Rung;
use super::temporal::TemporalShare;
use crate::bitrate::Bitrate;

/// An encoder is told of a rise from this factor on; of a fall always.
const RISE_WORTH_TELLING: f64 = 1.05;

/// The state of a layer; the default is that of one that nobody gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SharedLayer {
    anchor: Bitrate,
    rate: Bitrate,
}

/// What a layer's rate depends on, besides its peers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) rung: &'a Rung,
    /// There is no layer below, so outliers stay, with fewer temporal layers.
    pub(super) lowest: bool,
    pub(super) cluster_ratio: f64,
    pub(super) share: TemporalShare,
}

impl SharedLayer {
    /// What is spent; zero while nobody gets it.
    pub(super) fn rate(&self) -> Bitrate {
        self.rate
    }

    /// Nobody gets it; while somebody is `leaving` it, it goes on as it is.
    pub(super) fn empty(&mut self, leaving: bool) {
        self.anchor = Bitrate::ZERO;
        if !leaving {
            self.rate = Bitrate::ZERO;
        }
    }

    /// What a peer must bear to be no outlier.
    pub(super) fn need(&self, rung: &Rung, cluster_ratio: f64) -> Bitrate {
        self.anchor.scale(1.0 / cluster_ratio).max(rung.min)
    }

    /// Follows what its peers bear. `held` keeps the rate from rising: somebody for whom it would be too much is about to leave.
    pub(super) fn follow(&mut self, borne: &[Bitrate], terms: &Terms<'_>, held: bool) {
        let rung = terms.rung;
        let values: Vec<Bitrate> = borne.iter().map(|value| (*value).min(rung.max)).collect();
        self.anchor = anchor(self.anchor, &values, terms.cluster_ratio);
        let wanted = self.wanted(&values, terms);
        let wanted = if held && self.rate > Bitrate::ZERO { wanted.min(self.rate) } else { wanted };
        let wanted = wanted.clamp(rung.min, rung.max);
        let rise = wanted == rung.max || wanted >= self.rate.scale(RISE_WORTH_TELLING);
        if wanted < self.rate || rise || self.rate < rung.min {
            self.rate = wanted;
        }
    }

    fn wanted(&self, values: &[Bitrate], terms: &Terms<'_>) -> Bitrate {
        let need = self.need(terms.rung, terms.cluster_ratio);
        let (core, outliers): (Vec<Bitrate>, Vec<Bitrate>) = values.iter().partition(|value| **value >= need);
        let wanted = core.into_iter().min().unwrap_or(need);
        if !terms.lowest {
            return wanted;
        }
        // Within what the cluster bears anyway, those who stay behind get as many frames as can be.
        let thinned = terms.share.top().saturating_sub(1);
        let kept = outliers.into_iter().map(|value| terms.share.layer_for(value, thinned)).min();
        kept.map_or(wanted, |kept| wanted.min(kept).max(need))
    }
}

/// The anchor that follows `before` for peers that bear these rates.
fn anchor(before: Bitrate, values: &[Bitrate], cluster_ratio: f64) -> Bitrate {
    let best = values.iter().copied().max().unwrap_or(Bitrate::ZERO);
    if best <= before {
        return best;
    }
    let served = |anchor: Bitrate| {
        let least = anchor.scale(1.0 / cluster_ratio);
        values.iter().filter(|value| **value >= least).count()
    };
    let now_served = served(before);
    let gaining = values.iter().filter(|value| **value > before).count();
    let bearable = |candidate: &Bitrate| {
        let losing = now_served.saturating_sub(served(*candidate));
        losing == 0 || losing < gaining || values.len() == 2
    };
    values.iter().copied().filter(|value| *value > before).filter(bearable).max().unwrap_or(before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATIO: f64 = 1.5;

    fn kbps(values: &[u64]) -> Vec<Bitrate> {
        values.iter().map(|kbps| Bitrate::kbps(*kbps)).collect()
    }

    fn rung() -> Rung {
        let (min, max) = (Bitrate::kbps(600), Bitrate::kbps(2_200));
        Rung { width: 1_280, height: 720, framerate: 30, min, max }
    }

    fn terms(rung: &Rung, lowest: bool) -> Terms<'_> {
        Terms { rung, lowest, cluster_ratio: RATIO, share: TemporalShare::of_layers(3) }
    }

    fn rate_of(values: &[u64]) -> u64 {
        let rung = rung();
        let mut layer = SharedLayer::default();
        layer.follow(&kbps(values), &terms(&rung, false), false);
        layer.rate().as_kbps()
    }

    #[test]
    fn a_layer_has_the_lowest_rate_of_its_cluster_and_no_lower() {
        assert_eq!(rate_of(&[1_500, 1_200, 1_000]), 1_000);
        assert_eq!(rate_of(&[1_501, 1_200, 1_000]), 1_200);
        assert_eq!(rate_of(&[9_000, 5_000]), 2_200);
        assert_eq!(rate_of(&[2_000, 650]), 2_000);
        assert_eq!(rate_of(&[300]), 600);
    }

    #[test]
    fn one_fast_peer_pushes_one_other_off_but_not_two() {
        let after = |before: &[u64], values: &[u64]| {
            let before = anchor(Bitrate::ZERO, &kbps(before), RATIO);
            anchor(before, &kbps(values), RATIO).as_kbps()
        };
        assert_eq!(after(&[1_000], &[1_000, 2_000]), 2_000);
        assert_eq!(after(&[1_000, 900], &[1_000, 900, 2_000]), 1_000);
        assert_eq!(after(&[1_000, 900], &[1_000, 900, 2_000, 2_100]), 1_000);
        assert_eq!(after(&[1_000, 900], &[1_000, 900, 2_000, 2_100, 2_200]), 2_200);
        assert_eq!(after(&[1_000, 900], &[1_000, 900, 1_350, 2_100]), 1_350);
        // Not one after the other either.
        assert_eq!(after(&[1_400, 1_000], &[1_400, 1_000, 1_501]), 1_400);
        // Those who were outliers before have no say.
        assert_eq!(after(&[2_000, 1_000, 900], &[2_200, 1_000, 900]), 2_200);
    }

    #[test]
    fn a_rise_waits_for_those_who_are_leaving() {
        let rung = rung();
        let mut layer = SharedLayer::default();
        layer.follow(&kbps(&[800]), &terms(&rung, false), false);
        layer.follow(&kbps(&[800, 2_000]), &terms(&rung, false), true);
        assert_eq!(layer.rate(), Bitrate::kbps(800));
        layer.follow(&kbps(&[2_000]), &terms(&rung, false), true);
        assert_eq!(layer.rate(), Bitrate::kbps(800));
        layer.follow(&kbps(&[2_000]), &terms(&rung, false), false);
        assert_eq!(layer.rate(), Bitrate::kbps(2_000));
    }

    proptest! {
        /// Whoever is served gets at least its own estimate divided by the ratio, as long as the layer follows the best.
        #[test]
        fn nobody_gets_much_less_because_of_somebody_slower(values in prop::collection::vec(10_u64..5_000, 1..8)) {
            let rung = rung();
            for lowest in [false, true] {
                let mut layer = SharedLayer::default();
                layer.follow(&kbps(&values), &terms(&rung, lowest), false);
                let best = Bitrate::kbps(*values.iter().max().unwrap()).min(rung.max);
                let anchor = layer.anchor;
                prop_assert!(layer.rate() >= anchor.scale(0.999 / RATIO));
                // All come at once: nobody is served yet, so nobody loses.
                prop_assert!(anchor == best, "{anchor} {best}");
            }
        }
    }
}
