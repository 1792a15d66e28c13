//! A glance into a VP8 frame (RFC 6386 §9.1): is it a key frame, and how large is the picture.
//!
//! The decoder allocates what a key frame claims, so absurd sizes are refused before it sees them.

/// Largest side of a picture that we decode, in pixels.
pub const MAX_SIDE: u32 = 8_192;

/// Largest area of a picture that we decode, in pixels: 4K with room to spare, 14 MB as I420.
pub const MAX_AREA: u32 = 4_096 * 2_304;

/// The uncompressed data at the head of a VP8 frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Decodable without any other; then [`Self::dimensions`] is there.
    pub key: bool,
    /// Bitstream version, 0–3 in the field.
    pub version: u8,
    /// Meant to be shown, not only referred to.
    pub show: bool,
    /// Bytes of the first partition, which follows this header.
    pub first_partition_size: u32,
    /// Width and height in pixels of a key frame.
    pub dimensions: Option<(u32, u32)>,
}

/// The bytes do not start a VP8 frame that we would decode. Drop the frame and ask for a key frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Fewer bytes than the header has.
    #[error("the VP8 frame ends inside its header")]
    Truncated,
    /// A key frame without its start code.
    #[error("a VP8 key frame starts with 9d 01 2a, not {0:02x?}")]
    StartCode([u8; 3]),
    /// No pixels, or more than [`MAX_SIDE`] or [`MAX_AREA`] allow.
    #[error("a VP8 key frame of {width}x{height} is refused")]
    Dimensions {
        /// Claimed width in pixels.
        width: u32,
        /// Claimed height in pixels.
        height: u32,
    },
    /// The first partition is larger than the frame.
    #[error("the first partition claims {claimed} of {available} bytes")]
    PartitionSize {
        /// Bytes that the header claims.
        claimed: u32,
        /// Bytes after the header.
        available: usize,
    },
}

impl FrameHeader {
    /// Reads the head of a frame; the bytes may be only its first packet.
    pub fn peek(data: &[u8]) -> Result<Self, HeaderError> {
        let &[a, b, c, ref rest @ ..] = data else { return Err(HeaderError::Truncated) };
        let tag = u32::from(a) | u32::from(b) << 8 | u32::from(c) << 16;
        let key = tag & 1 == 0;
        Ok(Self {
            key,
            version: (tag >> 1 & 7) as u8,
            show: tag >> 4 & 1 == 1,
            first_partition_size: tag >> 5,
            dimensions: if key { Some(dimensions(rest)?) } else { None },
        })
    }

    /// Reads the head of a whole frame, and checks that its first partition fits into it.
    pub fn of_frame(data: &[u8]) -> Result<Self, HeaderError> {
        let header = Self::peek(data)?;
        let available = data.len() - if header.key { 10 } else { 3 };
        if header.first_partition_size as usize > available {
            return Err(HeaderError::PartitionSize { claimed: header.first_partition_size, available });
        }
        Ok(header)
    }
}

fn dimensions(rest: &[u8]) -> Result<(u32, u32), HeaderError> {
    let &[s0, s1, s2, w0, w1, h0, h1, ..] = rest else { return Err(HeaderError::Truncated) };
    if [s0, s1, s2] != [0x9D, 0x01, 0x2A] {
        return Err(HeaderError::StartCode([s0, s1, s2]));
    }
    // The two upper bits are a scaling hint for display.
    let width = u32::from(u16::from_le_bytes([w0, w1]) & 0x3FFF);
    let height = u32::from(u16::from_le_bytes([h0, h1]) & 0x3FFF);
    let absurd = width == 0 || height == 0 || width.max(height) > MAX_SIDE || width * height > MAX_AREA;
    if absurd { Err(HeaderError::Dimensions { width, height }) } else { Ok((width, height)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key_frame(width: u16, height: u16) -> Vec<u8> {
        let [w0, w1] = width.to_le_bytes();
        let [h0, h1] = height.to_le_bytes();
        vec![0x10, 0x00, 0x00, 0x9D, 0x01, 0x2A, w0, w1, h0, h1]
    }

    #[test]
    fn a_key_frame_tells_its_size() {
        let header = FrameHeader::of_frame(&key_frame(1280, 720)).unwrap();
        assert!(header.key && header.show);
        assert_eq!(header.dimensions, Some((1280, 720)));
    }

    #[test]
    fn the_scaling_bits_are_no_part_of_the_size() {
        assert_eq!(
            FrameHeader::peek(&key_frame(0x4000 | 640, 0x8000 | 360)).unwrap().dimensions,
            Some((640, 360))
        );
    }

    #[test]
    fn absurd_sizes_are_refused() {
        for (width, height) in [(0, 720), (1280, 0), (16_383, 16_383), (8_193, 16), (8_192, 2_304)] {
            let refused = HeaderError::Dimensions { width: u32::from(width), height: u32::from(height) };
            assert_eq!(FrameHeader::peek(&key_frame(width, height)), Err(refused));
        }
    }

    #[test]
    fn a_wrong_start_code_and_truncation_are_refused() {
        let mut frame = key_frame(640, 360);
        frame[4] = 7;
        assert_eq!(FrameHeader::peek(&frame), Err(HeaderError::StartCode([0x9D, 7, 0x2A])));
        for len in 0..10 {
            assert_eq!(FrameHeader::peek(&key_frame(640, 360)[..len]), Err(HeaderError::Truncated));
        }
    }

    #[test]
    fn a_first_partition_larger_than_the_frame_is_refused() {
        let delta = [0xF1, 0xFF, 0xFF, 0, 0];
        assert!(FrameHeader::peek(&delta).is_ok());
        assert!(matches!(
            FrameHeader::of_frame(&delta),
            Err(HeaderError::PartitionSize { available: 2, .. })
        ));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..16)) {
            let _ = FrameHeader::of_frame(&bytes);
        }
    }
}
