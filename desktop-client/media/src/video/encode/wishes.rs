//! What one peer wishes of the encoder: shared between its task, which may change its mind a thousand times a second, and the encode thread,
//! which looks once per picture.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::layers::{LayerMask, MAX_LAYERS};

/// A peer's wishes. Clones stand for the same peer. Nothing else is published through the atomics, so relaxed order is enough.
#[derive(Debug, Clone)]
pub(crate) struct Wishes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    layers: AtomicU32,
    key_frames: AtomicU32,
    over_budget: [AtomicU32; MAX_LAYERS as usize],
}

impl Wishes {
    /// Those of a peer that wants some layers.
    pub fn new(layers: LayerMask) -> Self {
        Self(Arc::new(Shared {
            layers: AtomicU32::new(layers.bits()),
            key_frames: AtomicU32::new(0),
            over_budget: Default::default(),
        }))
    }

    /// Which layers it gets from the next picture on.
    pub fn set_layers(&self, layers: LayerMask) {
        self.0.layers.store(layers.bits(), Ordering::Relaxed);
    }

    /// Which layers it wants.
    pub fn layers(&self) -> LayerMask {
        LayerMask::from_bits(self.0.layers.load(Ordering::Relaxed))
    }

    /// Wishes a key frame of a layer; there is none of layers that there are not.
    pub fn wish_key_frame(&self, layer: u8) {
        self.0.key_frames.fetch_or(LayerMask::only(layer).bits(), Ordering::Relaxed);
    }

    /// Whether it wishes a key frame of a layer; asking takes the wish away.
    pub fn take_key_frame(&self, layer: u8) -> bool {
        let bit = LayerMask::only(layer).bits();
        self.0.key_frames.fetch_and(!bit, Ordering::Relaxed) & bit != 0
    }

    /// A wish for a key frame of a layer has to wait for the peer's budget.
    pub fn count_over_budget(&self, layer: u8) {
        if let Some(count) = self.0.over_budget.get(usize::from(layer)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often that was so.
    pub fn over_budget(&self, layer: u8) -> u32 {
        self.0.over_budget.get(usize::from(layer)).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}
