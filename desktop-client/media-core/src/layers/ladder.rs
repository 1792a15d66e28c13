//! The layers that a camera can be encoded in, and the bitrates at which each is of use.
//!
//! The camera's own size comes first. Below it come the sizes nearest to 640×360 and 320×180 that are the camera's divided by a whole number, so that
//! scaling averages whole blocks.

use super::config::{LAYERS_MAX, LayersConfig};
use super::seam::CameraFormat;
use super::temporal::TemporalShare;
use crate::bitrate::Bitrate;

/// A size that a camera can be encoded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rung {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) framerate: u32,
    /// Less shows more of the codec than of the person; a lower layer looks better.
    pub(super) min: Bitrate,
    /// More is not seen.
    pub(super) max: Bitrate,
}

/// Width × height of the picture that the second layer should come near to, 640×360.
const SECOND_PIXELS: f64 = 640.0 * 360.0;

/// Pixels of 160×90: a layer so small, or smaller, tells no more than a name does.
const TOO_SMALL_PIXELS: u64 = 160 * 90;

/// `(pixels, least, most)` at 30 frames per second, rates in kbit/s. Least and most of 360p and 720p follow libwebrtc's simulcast table (150–700 and
/// 600–2500), moved towards each other so that the ranges overlap less. 180p ends at that table's target (150) rather than at its most (200): see [`Ladder::of`].
const RANGES: [(f64, f64, f64); 3] =
    [(320.0 * 180.0, 60.0, 150.0), (640.0 * 360.0, 200.0, 800.0), (1_280.0 * 720.0, 600.0, 2_200.0)];

/// Rates for the same quality grow with this power of pixels per second: the rule of thumb that encoders' presets follow for sizes. It holds for
/// framerates too: by libvpx's split, half the frames take 60 % (2^−0.74).
const PIXELS_EXPONENT: f64 = 0.75;

/// The framerate of [`RANGES`].
const RANGES_FRAMERATE: f64 = 30.0;

/// The layers of a camera, smallest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ladder(Vec<Rung>);

impl Ladder {
    /// The ladder of a camera; `halved` names a layer that has half the framerate.
    ///
    /// The lowest layer's most is so low that whoever has the floor still gets the base of it, when those who share it have good links: `cluster_ratio` of the
    /// most, and of that the share of the base, is at most the floor.
    pub(super) fn of(camera: Option<CameraFormat>, config: &LayersConfig, halved: Option<usize>) -> Self {
        let Some(camera) = camera else { return Self::default() };
        let framerate = camera.framerate.clamp(1, config.max_framerate.max(1));
        let sizes = sizes(camera.width, camera.height);
        let rung = |(index, &(width, height)): (usize, &(u32, u32))| {
            let framerate = if halved == Some(index) { framerate.div_ceil(2) } else { framerate };
            let (min, max) = range(width, height, framerate);
            let max = max.min(config.max_bitrate);
            Rung { width, height, framerate, min: min.min(max), max }
        };
        let mut rungs: Vec<Rung> = sizes.iter().enumerate().map(rung).collect();
        let share = TemporalShare::of_layers(config.temporal_layers);
        if let Some(lowest) = rungs.first_mut() {
            let servable = share.layer_for(config.floor, 0).scale(config.cluster_ratio.max(1.0));
            lowest.max = lowest.max.min(servable);
            lowest.min = lowest.min.min(lowest.max).min(share.layer_for(config.floor, 0));
        }
        Self(rungs)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Rung> {
        self.0.get(index)
    }

    /// The smallest layer that covers a tile, or the largest of all. A picture enlarged by a tenth still counts as covering.
    pub(super) fn covering(&self, width: u32, height: u32) -> Option<usize> {
        let covers = |rung: &Rung| {
            let enough = |layer: u32, tile: u32| u64::from(layer) * 11 >= u64::from(tile) * 10;
            enough(rung.width, width) && enough(rung.height, height)
        };
        self.0.iter().position(covers).or_else(|| self.0.len().checked_sub(1))
    }
}

/// Sizes of the layers, smallest first, all even.
fn sizes(width: u32, height: u32) -> Vec<(u32, u32)> {
    let even = |size: u32| (size & !1).max(2);
    let pixels = f64::from(width) * f64::from(height);
    let second = ((pixels / SECOND_PIXELS).sqrt().round() as u32).max(1);
    let divisors = if second > 1 { [1, second, 2 * second] } else { [1, 2, 4] };
    let mut sizes: Vec<(u32, u32)> = Vec::with_capacity(LAYERS_MAX);
    for divisor in divisors {
        let size = (even(width / divisor), even(height / divisor));
        if sizes.is_empty() || u64::from(size.0) * u64::from(size.1) > TOO_SMALL_PIXELS {
            sizes.push(size);
        }
    }
    sizes.reverse();
    sizes
}

/// The bitrates at which a size is of use.
fn range(width: u32, height: u32, framerate: u32) -> (Bitrate, Bitrate) {
    let pixels = f64::from(width) * f64::from(height);
    let distance = |reference: f64| (pixels / reference).ln().abs();
    let nearest = RANGES.iter().min_by(|a, b| distance(a.0).total_cmp(&distance(b.0)));
    let &(reference, min, max) = nearest.unwrap_or(&RANGES[0]);
    let factor =
        (pixels * f64::from(framerate) / (reference * RANGES_FRAMERATE)).powf(PIXELS_EXPONENT) * 1_000.0;
    (Bitrate::bps((min * factor).round() as u64), Bitrate::bps((max * factor).round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder(width: u32, height: u32, framerate: u32) -> Ladder {
        let camera = CameraFormat { width, height, framerate };
        Ladder::of(Some(camera), &LayersConfig::default(), None)
    }

    fn sizes_of(width: u32, height: u32) -> Vec<(u32, u32)> {
        ladder(width, height, 30).0.iter().map(|rung| (rung.width, rung.height)).collect()
    }

    #[test]
    fn layers_are_the_camera_a_half_and_a_quarter_of_it() {
        assert_eq!(sizes_of(1_280, 720), [(320, 180), (640, 360), (1_280, 720)]);
        assert_eq!(sizes_of(640, 360), [(320, 180), (640, 360)]);
        assert_eq!(sizes_of(640, 480), [(160, 120), (320, 240), (640, 480)]);
        assert_eq!(sizes_of(720, 1_280), [(180, 320), (360, 640), (720, 1_280)]);
        assert_eq!(sizes_of(320, 180), [(320, 180)]);
        assert_eq!(sizes_of(100, 51), [(100, 50)]);
    }

    #[test]
    fn large_cameras_come_down_to_the_same_small_layers() {
        assert_eq!(sizes_of(1_920, 1_080), [(320, 180), (640, 360), (1_920, 1_080)]);
        assert_eq!(sizes_of(3_840, 2_160), [(320, 180), (640, 360), (3_840, 2_160)]);
    }

    #[test]
    fn whoever_falls_off_a_layer_is_welcome_on_the_next() {
        for (width, height) in [(1_280, 720), (640, 360), (640, 480), (960, 540), (800, 600), (1_920, 1_080)]
        {
            for framerate in [5, 10, 15, 24, 30, 60] {
                let ladder = ladder(width, height, framerate);
                for pair in ladder.0.windows(2) {
                    let (lower, upper) = (pair[0], pair[1]);
                    assert!(
                        upper.min >= lower.max.scale(1.0 / 1.5),
                        "{width}x{height}@{framerate}: {pair:?}"
                    );
                }
                assert!(ladder.0.iter().all(|rung| rung.min <= rung.max && rung.max <= Bitrate::kbps(2_500)));
                let lowest = ladder.0[0];
                assert!(lowest.max <= Bitrate::kbps(150), "{lowest:?}");
            }
        }
    }

    #[test]
    fn a_tile_gets_the_smallest_layer_that_covers_it() {
        let ladder = ladder(1_280, 720, 30);
        let covering =
            [(10, 10), (320, 180), (352, 198), (360, 200), (640, 360), (320, 361), (800, 450), (9_999, 9)];
        assert_eq!(
            covering.map(|(width, height)| ladder.covering(width, height).unwrap()),
            [0, 0, 0, 1, 1, 1, 2, 2]
        );
        assert_eq!(Ladder::default().covering(1, 1), None);
    }
}
