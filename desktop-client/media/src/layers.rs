//! Which sizes of the camera are encoded, and for whom: the words in which the rest of the program says it.

/// Most sizes that the camera is encoded in at once: a large picture, a tile, and a thumbnail. Layers are numbered from 0, the smallest.
pub const MAX_LAYERS: u8 = 3;

/// One size of the camera that is to be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerTarget {
    /// Its number, below [`MAX_LAYERS`]; 0 is the smallest.
    pub layer: u8,
    /// Most width in pixels. The camera's picture is made to fit, in its own proportions, and never enlarged.
    pub width: u32,
    /// Most height in pixels.
    pub height: u32,
    /// Rate in kbit/s. More than a tenth of a bit per pixel, or than [`crate::VideoSettings::max_kbps`], is not spent.
    pub kbps: u32,
    /// Most frames per second; not more than [`crate::VideoSettings::framerate`].
    pub framerate: u32,
}

impl LayerTarget {
    /// The camera as it is, as layer 0.
    pub fn camera_size(kbps: u32, framerate: u32) -> Self {
        Self { layer: 0, width: u32::MAX, height: u32::MAX, kbps, framerate }
    }
}

/// A set of layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LayerMask(u32);

impl LayerMask {
    /// No layer.
    pub const NONE: Self = Self(0);

    /// One layer. A number from [`MAX_LAYERS`] on stands for no layer.
    pub const fn only(layer: u8) -> Self {
        if layer < MAX_LAYERS { Self(1 << layer) } else { Self::NONE }
    }

    /// All in this set or in another.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// All in this set that are not in another.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// All that are in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether a layer is in it.
    pub const fn contains(self, layer: u8) -> bool {
        self.0 & Self::only(layer).0 != 0
    }

    /// Whether no layer is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its layers, smallest first.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..MAX_LAYERS).filter(move |layer| self.contains(*layer))
    }

    /// As bits, the lowest for layer 0.
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// From what [`Self::bits`] gave.
    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits & ((1 << MAX_LAYERS) - 1))
    }
}

impl FromIterator<u8> for LayerMask {
    fn from_iter<I: IntoIterator<Item = u8>>(layers: I) -> Self {
        layers.into_iter().fold(Self::NONE, |mask, layer| mask.with(Self::only(layer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_holds_the_layers_that_there_are_and_no_others() {
        let mask: LayerMask = [2, 0, 3, 255].into_iter().collect();
        assert_eq!(mask.iter().collect::<Vec<_>>(), [0, 2]);
        assert!(!mask.contains(1) && !mask.contains(3) && !mask.contains(255));
        assert_eq!(mask.without(LayerMask::only(0)), LayerMask::only(2));
        assert_eq!(mask.and(LayerMask::only(1)), LayerMask::NONE);
        assert_eq!(LayerMask::from_bits(u32::MAX).iter().count(), usize::from(MAX_LAYERS));
    }
}
