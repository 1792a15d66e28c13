//! What the temporal layers of a stream take of its bitrate.

use crate::bitrate::Bitrate;

/// How a stream's bitrate is split among its temporal layers. It must be the split that the encoder is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TemporalShare {
    /// Percent of the bitrate up to and including each temporal layer.
    cumulative: &'static [u64],
}

impl TemporalShare {
    /// The split for 1 to 3 temporal layers (fewer and more are taken as those): that of libvpx's `vpx_temporal_svc_encoder`.
    pub const fn of_layers(count: u8) -> Self {
        let cumulative: &'static [u64] = match count {
            0 | 1 => &[100],
            2 => &[60, 100],
            3.. => &[40, 60, 100],
        };
        Self { cumulative }
    }

    /// The highest temporal id.
    pub fn top(self) -> u8 {
        (self.cumulative.len() - 1) as u8
    }

    /// Percent of the bitrate that a peer with this temporal limit gets.
    pub fn percent(self, max_temporal_id: u8) -> u64 {
        self.cumulative[usize::from(max_temporal_id.min(self.top()))]
    }

    /// What a peer with this temporal limit gets of a layer with this bitrate.
    pub fn of(self, layer: Bitrate, max_temporal_id: u8) -> Bitrate {
        Bitrate::bps((u128::from(layer.as_bps()) * u128::from(self.percent(max_temporal_id)) / 100) as u64)
    }

    /// The largest bitrate of a layer of which this much carries the temporal layers up to this limit.
    pub fn layer_for(self, share: Bitrate, max_temporal_id: u8) -> Bitrate {
        let bps = u128::from(share.as_bps()) * 100 / u128::from(self.percent(max_temporal_id));
        Bitrate::bps(u64::try_from(bps).unwrap_or(u64::MAX))
    }

    /// The highest temporal limit that fits, if any does.
    pub fn fitting(self, layer: Bitrate, available: Bitrate) -> Option<u8> {
        (0..=self.top()).rev().find(|id| self.of(layer, *id) <= available)
    }

    /// Frames per second that a peer with this temporal limit gets of a layer with this framerate.
    pub fn framerate(self, layer: u32, max_temporal_id: u8) -> u32 {
        layer >> (self.top() - max_temporal_id.min(self.top()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_temporal_layer_fewer_halves_the_framerate_and_saves_less() {
        let share = TemporalShare::of_layers(3);
        assert_eq!([0, 1, 2, 9].map(|id| share.percent(id)), [40, 60, 100, 100]);
        assert_eq!([0, 1, 2].map(|id| share.framerate(30, id)), [7, 15, 30]);
        let layer = Bitrate::kbps(1_000);
        assert_eq!(share.of(layer, 1), Bitrate::kbps(600));
        assert_eq!(share.layer_for(Bitrate::kbps(600), 1), layer);
        let fitting = [1_000, 999, 600, 599, 400, 399].map(|kbps| share.fitting(layer, Bitrate::kbps(kbps)));
        assert_eq!(fitting, [Some(2), Some(1), Some(1), Some(0), Some(0), None]);
        assert_eq!(TemporalShare::of_layers(1).fitting(layer, Bitrate::kbps(999)), None);
        assert_eq!(share.of(Bitrate::bps(u64::MAX), 2), Bitrate::bps(u64::MAX));
    }
}
