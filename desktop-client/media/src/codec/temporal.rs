//! Temporal layers of VP8: which references each frame of the pattern may use and update.
//!
//! Base frames (layer 0) refer only to base frames, through the *last* buffer. Layer 1 of three keeps its picture in the *golden* buffer; the
//! highest layer updates nothing, so that any of its frames can be dropped. Frames above the base leave the entropy tables alone, or a
//! receiver that lost one could not read the next. Patterns and rate split follow libvpx's `vpx_temporal_svc_encoder` and RFC 7741 §4.2.

use vpx_sys::{
    VP8_EFLAG_NO_REF_ARF, VP8_EFLAG_NO_REF_GF, VP8_EFLAG_NO_UPD_ARF, VP8_EFLAG_NO_UPD_ENTROPY,
    VP8_EFLAG_NO_UPD_GF, VP8_EFLAG_NO_UPD_LAST,
};

/// How many temporal layers a stream has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TemporalLayers {
    /// Each frame may refer to the one before.
    #[default]
    One,
    /// Half the frames can be dropped.
    Two,
    /// Half, or three quarters, of the frames can be dropped.
    Three,
}

/// One frame's place in the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Temporal layer, 0 is the base.
    pub temporal_id: u8,
    /// Refers to base frames only: a receiver may start with this layer here (the Y bit).
    pub layer_sync: bool,
    /// Nothing refers to it.
    pub discardable: bool,
    /// libvpx flags.
    pub(super) flags: u32,
}

const ONLY_LAST: u32 = VP8_EFLAG_NO_REF_GF | VP8_EFLAG_NO_REF_ARF;
const KEEP_GOLDEN_AND_ALTREF: u32 = VP8_EFLAG_NO_UPD_GF | VP8_EFLAG_NO_UPD_ARF;
const UPDATE_NOTHING: u32 = VP8_EFLAG_NO_UPD_LAST | KEEP_GOLDEN_AND_ALTREF | VP8_EFLAG_NO_UPD_ENTROPY;

const UNLAYERED: Place = Place { temporal_id: 0, layer_sync: false, discardable: false, flags: 0 };
const BASE: Place = Place {
    temporal_id: 0,
    layer_sync: false,
    discardable: false,
    flags: ONLY_LAST | KEEP_GOLDEN_AND_ALTREF,
};
const TOP_SYNC: Place =
    Place { temporal_id: 1, layer_sync: true, discardable: true, flags: ONLY_LAST | UPDATE_NOTHING };

const TWO: [Place; 2] = [BASE, TOP_SYNC];
const THREE: [Place; 4] = [
    BASE,
    Place { temporal_id: 2, ..TOP_SYNC },
    Place {
        temporal_id: 1,
        layer_sync: true,
        discardable: false,
        flags: ONLY_LAST | VP8_EFLAG_NO_UPD_LAST | VP8_EFLAG_NO_UPD_ARF | VP8_EFLAG_NO_UPD_ENTROPY,
    },
    Place {
        temporal_id: 2,
        layer_sync: false,
        discardable: true,
        flags: VP8_EFLAG_NO_REF_ARF | UPDATE_NOTHING,
    },
];

impl TemporalLayers {
    /// How many there are.
    pub fn count(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
        }
    }

    /// The place of the frame `since_key` frames after a key frame (which is 0 and always in the base).
    pub fn place(self, since_key: u32) -> Place {
        let pattern: &[Place] = match self {
            Self::One => return UNLAYERED,
            Self::Two => &TWO,
            Self::Three => &THREE,
        };
        pattern[since_key as usize % pattern.len()]
    }

    /// Share of the bitrate, in percent, of the layers up to and including each.
    pub(super) fn cumulative_percent(self) -> &'static [u32] {
        match self {
            Self::One => &[100],
            Self::Two => &[60, 100],
            Self::Three => &[40, 60, 100],
        }
    }

    /// By how much the frame rate of the layers up to and including each is divided.
    pub(super) fn rate_decimators(self) -> &'static [u32] {
        match self {
            Self::One => &[1],
            Self::Two => &[2, 1],
            Self::Three => &[4, 2, 1],
        }
    }

    /// The layer of each frame in a period, as libvpx's rate control wants it.
    pub(super) fn layer_ids(self) -> &'static [u32] {
        match self {
            Self::One => &[0],
            Self::Two => &[0, 1],
            Self::Three => &[0, 2, 1, 2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_frame_is_in_the_base_and_the_top_layer_can_always_be_dropped() {
        for layers in [TemporalLayers::One, TemporalLayers::Two, TemporalLayers::Three] {
            assert_eq!(layers.place(0).temporal_id, 0);
            for frame in 0..32 {
                let place = layers.place(frame);
                assert!(place.temporal_id < layers.count());
                let top = place.temporal_id > 0 && place.temporal_id + 1 == layers.count();
                assert_eq!(place.discardable, top, "{layers:?} {frame}");
            }
        }
    }

    #[test]
    fn the_pattern_agrees_with_what_the_rate_control_is_told() {
        for layers in [TemporalLayers::Two, TemporalLayers::Three] {
            for (frame, id) in (0..).zip(layers.layer_ids()) {
                assert_eq!(u32::from(layers.place(frame).temporal_id), *id);
            }
            assert_eq!(layers.cumulative_percent().len(), usize::from(layers.count()));
            assert_eq!(layers.rate_decimators().len(), usize::from(layers.count()));
        }
    }
}
