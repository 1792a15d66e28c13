//! Which temporal layers of a stream can still be decoded after frames were lost or left out.
//!
//! The same rule serves both ends: the sender must not give a peer a frame whose reference it left out, the receiver must not decode one whose
//! reference it lost. It follows RFC 7741 §4.2: base-layer frames refer to the base layer only, a frame of layer *n* to layers 0…*n*, a frame with
//! the layer-sync bit to the base-layer frame before it and nothing else.

use super::payload::TemporalInfo;

/// Temporal layers that two bits can tell apart.
const LAYERS: usize = 4;

/// Per temporal layer: was everything that the next frame of it may refer to decoded?
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemporalChain {
    intact: [bool; LAYERS],
}

impl TemporalChain {
    /// A chain that waits for its first key frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// A key frame was decoded: it refreshes every reference.
    pub fn key_frame(&mut self) {
        self.intact = [true; LAYERS];
    }

    /// The base layer is whole, so that the stream can go on without a key frame.
    pub fn base_intact(&self) -> bool {
        self.intact[0]
    }

    /// Can a frame be decoded, given that nothing else was lost before it?
    pub fn decodable(&self, frame: TemporalInfo) -> bool {
        if frame.layer_sync {
            self.intact[0]
        } else {
            self.intact[..=layer(frame)].iter().all(|intact| *intact)
        }
    }

    /// A frame was decoded.
    pub fn decoded(&mut self, frame: TemporalInfo) {
        if frame.layer_sync {
            self.intact[layer(frame)] = true;
        }
    }

    /// A frame that others may refer to was not decoded: its layer and all above are broken until they sync.
    pub fn lost(&mut self, frame: TemporalInfo) {
        self.intact[layer(frame)..].fill(false);
    }

    /// Frames of unknown layers above the base were lost.
    pub fn lost_above_base(&mut self) {
        self.intact[1..].fill(false);
    }

    /// The base layer was lost: only a key frame helps.
    pub fn lost_base(&mut self) {
        self.intact = [false; LAYERS];
    }
}

fn layer(frame: TemporalInfo) -> usize {
    usize::from(frame.id).min(LAYERS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(id: u8) -> TemporalInfo {
        TemporalInfo { id, layer_sync: false }
    }

    fn sync(id: u8) -> TemporalInfo {
        TemporalInfo { id, layer_sync: true }
    }

    #[test]
    fn nothing_is_decodable_before_a_key_frame() {
        let mut chain = TemporalChain::new();
        assert!(!chain.decodable(frame(0)) && !chain.decodable(sync(1)));
        chain.key_frame();
        assert!(chain.decodable(frame(0)) && chain.decodable(frame(3)));
    }

    #[test]
    fn a_lost_upper_layer_comes_back_with_its_sync_frame() {
        let mut chain = TemporalChain::new();
        chain.key_frame();
        chain.lost(frame(1));
        assert!(chain.decodable(frame(0)) && !chain.decodable(frame(1)) && !chain.decodable(frame(2)));
        chain.decoded(sync(2));
        assert!(!chain.decodable(frame(2)), "layer 1 below is still broken");
        chain.decoded(sync(1));
        assert!(chain.decodable(frame(1)) && chain.decodable(frame(2)));
    }

    #[test]
    fn a_lost_base_frame_breaks_everything() {
        let mut chain = TemporalChain::new();
        chain.key_frame();
        chain.lost(frame(0));
        assert!(!chain.base_intact() && !chain.decodable(sync(1)));
    }
}
