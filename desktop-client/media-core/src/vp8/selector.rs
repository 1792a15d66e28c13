//! Which encoded frames one peer gets.
//!
//! All layers of a camera reach each peer's selector. It follows one layer, moves to another only on a key frame of that layer, and leaves out
//! temporal layers above the peer's limit at once. What it leaves out is never numbered, so the receiver sees one unbroken stream. How good a layer
//! a peer *should* get (bandwidth, tile size) is decided elsewhere and set here as a target.

use super::payload::TemporalInfo;
use super::temporal::TemporalChain;
use crate::frame::EncodedFrame;

/// The answer for one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Packetise and send it.
    Send,
    /// Leave it out.
    Drop(DropReason),
}

/// Why a frame is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReason {
    /// The peer gets another layer, or no video.
    OtherLayer,
    /// Above the peer's temporal limit.
    TemporalLimit,
    /// It refers to a frame that the peer did not get.
    MissingReference,
}

/// Follows one layer for one peer.
#[derive(Debug, Clone, Default)]
pub struct FrameSelector {
    target: Option<u8>,
    max_temporal_id: u8,
    current: Option<u8>,
    chain: TemporalChain,
}

impl FrameSelector {
    /// A selector that sends `layer` whole, from its next key frame on.
    pub fn new(layer: u8) -> Self {
        Self { target: Some(layer), max_temporal_id: u8::MAX, ..Self::default() }
    }

    /// Sets the wanted layer (`None`: no video) and the highest temporal layer to send. A lower temporal limit holds from the next frame on, a
    /// higher one from the next frame that syncs, another layer from its next key frame.
    pub fn set_target(&mut self, layer: Option<u8>, max_temporal_id: u8) {
        self.target = layer;
        self.max_temporal_id = max_temporal_id;
        if layer.is_none() {
            self.current = None;
            self.chain.lost_base();
        }
    }

    /// The layer that goes out now.
    pub fn current_layer(&self) -> Option<u8> {
        self.current
    }

    /// The layer that must produce a key frame before this peer can go on or switch.
    pub fn wants_key_frame(&self) -> Option<u8> {
        let satisfied = self.current == self.target && self.chain.base_intact();
        if satisfied { None } else { self.target }
    }

    /// Decides on one frame. Frames of a layer come in coding order.
    pub fn select(&mut self, frame: &EncodedFrame) -> Selection {
        if self.target == Some(frame.layer) && frame.key {
            self.current = self.target;
            self.chain.key_frame();
            return Selection::Send;
        }
        if self.current != Some(frame.layer) {
            return Selection::Drop(DropReason::OtherLayer);
        }
        if frame.key {
            self.chain.key_frame();
            return Selection::Send;
        }
        let temporal = temporal_info(frame);
        let reason = if frame.temporal_id > self.max_temporal_id {
            DropReason::TemporalLimit
        } else if !self.chain.decodable(temporal) {
            DropReason::MissingReference
        } else {
            self.chain.decoded(temporal);
            return Selection::Send;
        };
        self.dropped(frame);
        Selection::Drop(reason)
    }

    /// The caller could not send a frame that was selected (its queue was full): later frames that refer to it are left out too.
    pub fn dropped(&mut self, frame: &EncodedFrame) {
        if self.current == Some(frame.layer) && !frame.discardable {
            self.chain.lost(temporal_info(frame));
        }
    }
}

fn temporal_info(frame: &EncodedFrame) -> TemporalInfo {
    TemporalInfo { id: frame.temporal_id, layer_sync: frame.layer_sync && frame.temporal_id > 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::test_frames::frame;

    #[test]
    fn nothing_is_sent_before_a_key_frame() {
        let mut selector = FrameSelector::new(0);
        assert_eq!(selector.select(&frame(0, false, 0)), Selection::Drop(DropReason::OtherLayer));
        assert_eq!(selector.wants_key_frame(), Some(0));
        assert_eq!(selector.select(&frame(0, true, 0)), Selection::Send);
        assert_eq!(selector.wants_key_frame(), None);
    }

    #[test]
    fn a_layer_switch_waits_for_the_key_frame_of_the_new_layer() {
        let mut selector = FrameSelector::new(0);
        selector.select(&frame(0, true, 0));
        selector.set_target(Some(1), u8::MAX);
        assert_eq!(selector.wants_key_frame(), Some(1));
        assert_eq!(selector.select(&frame(0, false, 0)), Selection::Send);
        assert_eq!(selector.select(&frame(1, false, 0)), Selection::Drop(DropReason::OtherLayer));
        assert_eq!(selector.select(&frame(1, true, 0)), Selection::Send);
        assert_eq!(selector.select(&frame(0, false, 0)), Selection::Drop(DropReason::OtherLayer));
        assert_eq!(selector.current_layer(), Some(1));
    }

    #[test]
    fn a_temporal_limit_falls_at_once_and_rises_on_a_sync_frame() {
        let mut selector = FrameSelector::new(0);
        selector.select(&frame(0, true, 0));
        selector.set_target(Some(0), 0);
        assert_eq!(selector.select(&frame(0, false, 1)), Selection::Drop(DropReason::TemporalLimit));
        assert_eq!(selector.select(&frame(0, false, 0)), Selection::Send);
        selector.set_target(Some(0), 1);
        assert_eq!(selector.select(&frame(0, false, 1)), Selection::Drop(DropReason::MissingReference));
        let sync = EncodedFrame { layer_sync: true, ..frame(0, false, 1) };
        assert_eq!(selector.select(&sync), Selection::Send);
        assert_eq!(selector.select(&frame(0, false, 1)), Selection::Send);
    }

    #[test]
    fn an_unsent_base_frame_asks_for_a_key_frame_and_an_unsent_discardable_one_does_not() {
        let mut selector = FrameSelector::new(0);
        selector.select(&frame(0, true, 0));
        selector.dropped(&EncodedFrame { discardable: true, ..frame(0, false, 1) });
        assert_eq!(selector.select(&frame(0, false, 1)), Selection::Send);
        selector.dropped(&frame(0, false, 0));
        assert_eq!(selector.wants_key_frame(), Some(0));
        assert_eq!(selector.select(&frame(0, false, 0)), Selection::Drop(DropReason::MissingReference));
    }

    #[test]
    fn no_target_sends_nothing_and_a_new_target_starts_with_a_key_frame() {
        let mut selector = FrameSelector::new(0);
        selector.select(&frame(0, true, 0));
        selector.set_target(None, u8::MAX);
        assert_eq!(selector.select(&frame(0, true, 0)), Selection::Drop(DropReason::OtherLayer));
        selector.set_target(Some(0), u8::MAX);
        assert_eq!(selector.select(&frame(0, false, 0)), Selection::Drop(DropReason::OtherLayer));
        assert_eq!(selector.select(&frame(0, true, 0)), Selection::Send);
    }
}
