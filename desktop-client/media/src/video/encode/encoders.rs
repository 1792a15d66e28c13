//! All layers of the camera: which of them are encoded from a picture, at which size and rate, and how long an encoder is kept.

use std::time::{Duration, Instant};

use media_core::frame::{EncodedFrame, I420Frame};

use super::layer::{LayerEncoder, Spend};
use crate::config::VideoSettings;
use crate::cpu;
use crate::layers::{LayerMask, LayerTarget, MAX_LAYERS};
use crate::scale::{Scaler, fitting};
use crate::stats::LayerStats;

/// Time that an unused encoder is kept: a peer that comes back to a layer soon finds it as it was.
const KEEP: Duration = Duration::from_secs(5);

/// The work of the thread `video-encode` without the thread: each picture goes in once, and comes out in each layer that somebody wants.
pub struct LayerEncoders {
    settings: VideoSettings,
    /// By their layer, each layer at most once.
    targets: Vec<LayerTarget>,
    layers: Vec<LayerEncoder>,
    scaler: Scaler,
}

impl LayerEncoders {
    /// With one layer of the camera's size. Media time counts from `origin`.
    pub fn new(settings: VideoSettings, origin: Instant) -> Self {
        let layer = |layer| LayerEncoder::new(layer, settings.clone(), origin);
        Self {
            layers: (0..MAX_LAYERS).map(layer).collect(),
            targets: vec![LayerTarget::camera_size(settings.max_kbps, settings.framerate)],
            scaler: Scaler::new(),
            settings,
        }
    }

    /// What is encoded from now on. Layers that there are not, and second targets of a layer, are ignored.
    pub fn set_targets(&mut self, mut targets: Vec<LayerTarget>) {
        targets.retain(|target| target.layer < MAX_LAYERS);
        targets.sort_by_key(|target| target.layer);
        targets.dedup_by_key(|target| target.layer);
        self.targets = targets;
    }

    /// The layers that have a target.
    pub fn targeted(&self) -> LayerMask {
        self.targets.iter().map(|target| target.layer).collect()
    }

    /// The layers that are to be encoded from a picture of this time, given those that somebody wants. Asking once per picture keeps the layers to
    /// their frame rates.
    pub fn due(&mut self, time: Instant, wanted: LayerMask) -> LayerMask {
        let Self { settings, targets, layers, .. } = self;
        let mut due = LayerMask::NONE;
        for (encoder, number) in layers.iter_mut().zip(0..) {
            match targets.iter().find(|target| target.layer == number && wanted.contains(number)) {
                Some(target) if encoder.is_due(time, framerate(settings, target)) => {
                    due = due.with(LayerMask::only(number));
                }
                Some(_) => {}
                None => encoder.pause(),
            }
        }
        due
    }

    /// Encodes a picture in the layers that are due, smallest first, and hands each to `publish`.
    pub fn encode(
        &mut self,
        camera: &I420Frame,
        due: LayerMask,
        force_key: LayerMask,
        mut publish: impl FnMut(EncodedFrame),
    ) {
        self.scale(camera, due);
        for target in self.targets.iter().filter(|target| due.contains(target.layer)) {
            let Some(layer) = self.layers.get_mut(usize::from(target.layer)) else { continue };
            let Some(picture) = self.scaler.get(camera, size(camera, target)) else { continue };
            let spend = Spend {
                kbps: kbps(&self.settings, target, picture),
                framerate: framerate(&self.settings, target),
                force_key: force_key.contains(target.layer),
            };
            let before = cpu::thread_seconds();
            let result = layer.encode(picture, spend);
            layer.count_cpu(before, cpu::thread_seconds());
            match result {
                Ok(Some(encoded)) => publish(encoded),
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, layer = target.layer, "a picture could not be encoded"),
            }
        }
    }

    /// Makes the copies that are needed, the largest first, so that each is made from the one before.
    fn scale(&mut self, camera: &I420Frame, due: LayerMask) {
        self.scaler.begin();
        for target in self.targets.iter().rev().filter(|target| due.contains(target.layer)) {
            let before = cpu::thread_seconds();
            if let Err(error) = self.scaler.scale(camera, size(camera, target)) {
                tracing::warn!(%error, layer = target.layer, "a picture is left out");
            }
            if let Some(layer) = self.layers.get_mut(usize::from(target.layer)) {
                layer.count_cpu(before, cpu::thread_seconds());
            }
        }
    }

    /// Frees the encoders that have not been used for a while.
    pub fn free_idle(&mut self, now: Instant) {
        let idle = |used: Instant| now.saturating_duration_since(used) >= KEEP;
        self.layers.iter_mut().filter(|layer| layer.used().is_some_and(idle)).for_each(LayerEncoder::free);
        if self.layers.iter().all(|layer| layer.used().is_none()) {
            self.scaler = Scaler::new();
        }
    }

    /// When to call [`Self::free_idle`], unless pictures come.
    pub fn next_idle(&self) -> Option<Instant> {
        self.layers.iter().filter_map(LayerEncoder::used).min().map(|used| used + KEEP)
    }

    /// Figures of the layers that ever encoded, smallest first.
    pub fn stats(&mut self, now: Instant) -> Vec<LayerStats> {
        self.layers.iter_mut().filter_map(|layer| layer.stats(now)).collect()
    }
}

fn size(camera: &I420Frame, target: &LayerTarget) -> (u32, u32) {
    fitting((camera.width(), camera.height()), (target.width, target.height))
}

fn framerate(settings: &VideoSettings, target: &LayerTarget) -> u32 {
    target.framerate.min(settings.framerate).max(1)
}

fn kbps(settings: &VideoSettings, target: &LayerTarget, picture: &I420Frame) -> u32 {
    let pixels = u64::from(picture.width()) * u64::from(picture.height());
    // A tenth of a bit per pixel is where a viewer of VP8 stops seeing a gain.
    let enough = (pixels * u64::from(framerate(settings, target)) / 10_000).clamp(50, 100_000) as u32;
    target.kbps.min(enough).min(settings.max_kbps).max(1)
}
