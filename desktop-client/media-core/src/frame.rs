//! Plain frames: I420 pictures, encoded pictures, blocks of PCM.

use std::time::Instant;

use bytes::Bytes;

/// A picture in I420 (planar 4:2:0, 8 bit, BT.601 limited range as WebRTC carries it), tightly packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct I420Frame {
    width: u32,
    height: u32,
    /// Y, then U, then V.
    data: Vec<u8>,
    /// When it was captured, or when it is due to be shown (for received frames).
    pub time: Instant,
}

/// A frame's planes do not have the sizes that its dimensions ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an I420 frame of {width}x{height} needs {expected} bytes, not {actual}")]
pub struct FrameSizeError {
    width: u32,
    height: u32,
    expected: usize,
    actual: usize,
}

/// Largest width or height of a frame in pixels: what VP8 can express (14 bits, RFC 6386 §9.1).
pub const MAX_DIMENSION: u32 = 16_383;

impl I420Frame {
    /// Bytes that a frame of these dimensions holds; chroma planes round up.
    pub fn byte_len(width: u32, height: u32) -> usize {
        let luma = width as usize * height as usize;
        let chroma = (width as usize).div_ceil(2) * (height as usize).div_ceil(2);
        luma + 2 * chroma
    }

    /// Wraps packed planes (Y, U, V).
    pub fn from_vec(width: u32, height: u32, data: Vec<u8>, time: Instant) -> Result<Self, FrameSizeError> {
        let expected = Self::byte_len(width, height);
        if data.len() != expected
            || width == 0
            || height == 0
            || width > MAX_DIMENSION
            || height > MAX_DIMENSION
        {
            return Err(FrameSizeError { width, height, expected, actual: data.len() });
        }
        Ok(Self { width, height, data, time })
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Width and height of each chroma plane in pixels.
    pub fn chroma_size(&self) -> (u32, u32) {
        (self.width.div_ceil(2), self.height.div_ceil(2))
    }

    /// The packed planes.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The Y, U and V planes, to draw into.
    pub fn planes_mut(&mut self) -> (&mut [u8], &mut [u8], &mut [u8]) {
        let (cw, ch) = self.chroma_size();
        let (y, rest) = self.data.split_at_mut(self.width as usize * self.height as usize);
        let (u, v) = rest.split_at_mut(cw as usize * ch as usize);
        (y, u, v)
    }

    /// The Y, U and V planes.
    pub fn planes(&self) -> (&[u8], &[u8], &[u8]) {
        let (cw, ch) = self.chroma_size();
        let (y, rest) = self.data.split_at(self.width as usize * self.height as usize);
        let (u, v) = rest.split_at(cw as usize * ch as usize);
        (y, u, v)
    }
}

/// A picture as the encoder made it: one layer of one camera frame, encoded once for all peers.
#[derive(Debug, Clone)]
pub struct EncodedFrame {
    /// Which layer: 0 is the smallest.
    pub layer: u8,
    /// The VP8 frame (RFC 6386).
    pub data: Bytes,
    /// Decodable without any other.
    pub key: bool,
    /// Temporal layer, 0 is the base.
    pub temporal_id: u8,
    /// May be followed by a switch up to this temporal layer (the Y bit, RFC 7741).
    pub layer_sync: bool,
    /// Nothing refers to it.
    pub discardable: bool,
    /// 90 kHz media time of the capture, from an arbitrary origin that all layers share.
    pub timestamp: u32,
    /// When it was captured.
    pub captured: Instant,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// 48 kHz everywhere between devices and codec.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples per channel in the 10 ms that audio is processed in.
pub const SAMPLES_PER_BLOCK: usize = 480;

/// An Opus packet as the encoder made it, once for all peers.
#[derive(Debug, Clone)]
pub struct EncodedAudio {
    /// The Opus packet (RFC 6716).
    pub data: Bytes,
    /// 48 kHz media time of its first sample.
    pub timestamp: u32,
    /// Samples per channel that it stands for.
    pub samples: u32,
    /// First packet after silence (sets the RTP marker, RFC 7587 §4.2).
    pub talk_spurt: bool,
    /// When its first sample was captured.
    pub captured: Instant,
    /// How loud it is, in dBFS.
    pub level_dbfs: f32,
}

#[cfg(test)]
pub(crate) mod test_frames {
    //! Encoded frames for tests of packetising and selection.

    use super::*;
    use crate::sim;

    /// A small frame of a layer; key frames have a VP8 header that says 640×360.
    pub(crate) fn frame(layer: u8, key: bool, temporal_id: u8) -> EncodedFrame {
        let empty = EncodedFrame {
            layer,
            data: Bytes::new(),
            key,
            temporal_id,
            layer_sync: false,
            discardable: false,
            timestamp: 0,
            captured: sim::epoch(),
            width: 640,
            height: 360,
        };
        sized(empty, 100)
    }

    /// The same frame with data of another size (0, or at least 10).
    pub(crate) fn sized(mut frame: EncodedFrame, len: usize) -> EncodedFrame {
        let header: &[u8] =
            if frame.key { &[0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0x68, 0x01] } else { &[0x11, 0, 0] };
        let body = (0..len).map(|i| (i % 251) as u8);
        frame.data = header.iter().copied().chain(body).take(len).collect();
        frame
    }
}
