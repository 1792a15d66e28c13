//! The VP8 payload descriptor at the head of each RTP payload (RFC 7741 §4.2).

use bytes::BufMut;

/// What a packet says about the frame that it carries a piece of.
///
/// ```text
///      0 1 2 3 4 5 6 7
///     +-+-+-+-+-+-+-+-+
///     |X|R|N|S|R| PID | always
/// X:  |I|L|T|K| RSV   | when X is set
/// I:  |M| PictureID   | 7 bits, or 15 in two bytes when M is set
/// L:  |   TL0PICIDX   |
/// T/K:|TID|Y| KEYIDX  |
///     +-+-+-+-+-+-+-+-+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PayloadDescriptor {
    /// N: no other frame refers to this one.
    pub non_reference: bool,
    /// S: the payload starts a VP8 partition.
    pub partition_start: bool,
    /// PID: the partition that the payload starts in, 0–7.
    pub partition_index: u8,
    /// I: running number of the picture.
    pub picture_id: Option<PictureId>,
    /// L: running number of the base-layer frames.
    pub tl0_pic_idx: Option<u8>,
    /// T: temporal layer and whether it syncs.
    pub temporal: Option<TemporalInfo>,
    /// K: running number of the key frames, 0–31.
    pub key_idx: Option<u8>,
}

/// Running number of a picture: 15 bits as we and browsers send it, or 7 from older senders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureId {
    /// 0–127.
    Short(u8),
    /// 0–32 767.
    Long(u16),
}

impl PictureId {
    /// How many pictures this one comes after `earlier`, modulo the narrower of the two ranges.
    pub fn distance_from(self, earlier: Self) -> u16 {
        match (self, earlier) {
            (Self::Long(a), Self::Long(b)) => a.wrapping_sub(b) & 0x7FFF,
            (a, b) => a.low_bits().wrapping_sub(b.low_bits()) & 0x7F,
        }
    }

    fn low_bits(self) -> u16 {
        match self {
            Self::Short(id) => u16::from(id),
            Self::Long(id) => id & 0x7F,
        }
    }
}

/// Temporal layer of a frame (RFC 7741 §4.2, TID and Y).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TemporalInfo {
    /// 0 is the base; at most 3.
    pub id: u8,
    /// Y: depends on nothing but the base-layer frame that TL0PICIDX names.
    pub layer_sync: bool,
}

/// The bytes are no VP8 payload descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// The payload ends inside the descriptor: drop the packet.
    #[error("the payload ends inside its VP8 payload descriptor")]
    Truncated,
    /// There is no VP8 data after the descriptor: drop the packet.
    #[error("no VP8 data follows the payload descriptor")]
    NoData,
}

const X: u8 = 0x80;
const N: u8 = 0x20;
const S: u8 = 0x10;
const PID: u8 = 0x07;
const I: u8 = 0x80;
const L: u8 = 0x40;
const T: u8 = 0x20;
const K: u8 = 0x10;
const M: u8 = 0x80;
const Y: u8 = 0x20;
const KEY_IDX: u8 = 0x1F;

impl PayloadDescriptor {
    /// Longest encoding in bytes.
    pub const MAX_LEN: usize = 6;

    /// Reads the descriptor and gives it with the VP8 data after it, which is never empty.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), DescriptorError> {
        let mut rest = payload;
        let first = take(&mut rest)?;
        let mut descriptor = Self {
            non_reference: first & N != 0,
            partition_start: first & S != 0,
            partition_index: first & PID,
            ..Self::default()
        };
        if first & X != 0 {
            descriptor.parse_extension(&mut rest)?;
        }
        if rest.is_empty() { Err(DescriptorError::NoData) } else { Ok((descriptor, rest)) }
    }

    fn parse_extension(&mut self, rest: &mut &[u8]) -> Result<(), DescriptorError> {
        let flags = take(rest)?;
        if flags & I != 0 {
            let high = take(rest)?;
            self.picture_id = Some(if high & M != 0 {
                PictureId::Long(u16::from(high & 0x7F) << 8 | u16::from(take(rest)?))
            } else {
                PictureId::Short(high)
            });
        }
        if flags & L != 0 {
            self.tl0_pic_idx = Some(take(rest)?);
        }
        if flags & (T | K) != 0 {
            let byte = take(rest)?;
            if flags & T != 0 {
                self.temporal = Some(TemporalInfo { id: byte >> 6, layer_sync: byte & Y != 0 });
            }
            if flags & K != 0 {
                self.key_idx = Some(byte & KEY_IDX);
            }
        }
        Ok(())
    }

    /// The packet is the first of its frame: it starts partition 0.
    pub fn starts_frame(&self) -> bool {
        self.partition_start && self.partition_index == 0
    }

    /// Bytes that [`Self::write`] writes.
    pub fn encoded_len(&self) -> usize {
        let picture_id = match self.picture_id {
            None => 0,
            Some(PictureId::Short(_)) => 1,
            Some(PictureId::Long(_)) => 2,
        };
        let tl0 = usize::from(self.tl0_pic_idx.is_some());
        let layer = usize::from(self.temporal.is_some() || self.key_idx.is_some());
        1 + usize::from(picture_id + tl0 + layer > 0) + picture_id + tl0 + layer
    }

    /// Writes the descriptor; fields wider than their bits are cut.
    pub fn write(&self, out: &mut impl BufMut) {
        let extended = self.encoded_len() > 1;
        out.put_u8(
            flag(extended, X)
                | flag(self.non_reference, N)
                | flag(self.partition_start, S)
                | (self.partition_index & PID),
        );
        if !extended {
            return;
        }
        out.put_u8(
            flag(self.picture_id.is_some(), I)
                | flag(self.tl0_pic_idx.is_some(), L)
                | flag(self.temporal.is_some(), T)
                | flag(self.key_idx.is_some(), K),
        );
        match self.picture_id {
            None => {}
            Some(PictureId::Short(id)) => out.put_u8(id & 0x7F),
            Some(PictureId::Long(id)) => out.put_u16(0x8000 | id),
        }
        if let Some(tl0) = self.tl0_pic_idx {
            out.put_u8(tl0);
        }
        if self.temporal.is_some() || self.key_idx.is_some() {
            let temporal = self.temporal.map_or(0, |t| (t.id & 3) << 6 | flag(t.layer_sync, Y));
            out.put_u8(temporal | self.key_idx.unwrap_or(0) & KEY_IDX);
        }
    }
}

fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

fn take(rest: &mut &[u8]) -> Result<u8, DescriptorError> {
    let (first, tail) = rest.split_first().ok_or(DescriptorError::Truncated)?;
    *rest = tail;
    Ok(*first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn descriptors() -> impl Strategy<Value = PayloadDescriptor> {
        let picture_id = prop_oneof![
            Just(None),
            (0_u8..128).prop_map(|id| Some(PictureId::Short(id))),
            (0_u16..0x8000).prop_map(|id| Some(PictureId::Long(id))),
        ];
        let temporal = prop::option::of(
            (0_u8..4, any::<bool>()).prop_map(|(id, layer_sync)| TemporalInfo { id, layer_sync }),
        );
        (
            any::<bool>(),
            any::<bool>(),
            0_u8..8,
            picture_id,
            any::<Option<u8>>(),
            temporal,
            prop::option::of(0_u8..32),
        )
            .prop_map(
                |(
                    non_reference,
                    partition_start,
                    partition_index,
                    picture_id,
                    tl0_pic_idx,
                    temporal,
                    key_idx,
                )| PayloadDescriptor {
                    non_reference,
                    partition_start,
                    partition_index,
                    picture_id,
                    tl0_pic_idx,
                    temporal,
                    key_idx,
                },
            )
    }

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        // RFC 7741 §4.5: picture id 17 in 7 bits, and 4711 in 15.
        let (short, data) = PayloadDescriptor::parse(&[0x90, 0x80, 17, 0xAA]).unwrap();
        assert_eq!((short.picture_id, data), (Some(PictureId::Short(17)), &[0xAA][..]));
        let (long, _) = PayloadDescriptor::parse(&[0x90, 0x80, 0x92, 0x67, 0xAA]).unwrap();
        assert_eq!(long.picture_id, Some(PictureId::Long(4_711)));
        assert!(short.starts_frame() && long.starts_frame());
    }

    #[test]
    fn temporal_layer_and_key_index_share_a_byte() {
        let (descriptor, _) =
            PayloadDescriptor::parse(&[0x90, 0xF0, 0x81, 0x02, 0x07, 0b1010_0101, 0]).unwrap();
        assert_eq!(descriptor.picture_id, Some(PictureId::Long(0x102)));
        assert_eq!(descriptor.tl0_pic_idx, Some(7));
        assert_eq!(descriptor.temporal, Some(TemporalInfo { id: 2, layer_sync: true }));
        assert_eq!(descriptor.key_idx, Some(5));
    }

    #[test]
    fn every_truncation_is_refused() {
        let whole = [0x90, 0xF0, 0x81, 0x02, 0x07, 0xA5, 0xFF];
        assert!(PayloadDescriptor::parse(&whole).is_ok());
        assert_eq!(PayloadDescriptor::parse(&whole[..6]), Err(DescriptorError::NoData));
        for len in 0..6 {
            assert_eq!(
                PayloadDescriptor::parse(&whole[..len]),
                Err(DescriptorError::Truncated),
                "{len} bytes"
            );
        }
    }

    #[test]
    fn picture_ids_of_both_widths_wrap() {
        assert_eq!(PictureId::Long(0).distance_from(PictureId::Long(0x7FFF)), 1);
        assert_eq!(PictureId::Short(1).distance_from(PictureId::Short(126)), 3);
        assert_eq!(PictureId::Long(128).distance_from(PictureId::Short(127)), 1);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(descriptor in descriptors(), data in prop::collection::vec(any::<u8>(), 1..20)) {
            let mut bytes = Vec::new();
            descriptor.write(&mut bytes);
            prop_assert_eq!(bytes.len(), descriptor.encoded_len());
            prop_assert!(bytes.len() <= PayloadDescriptor::MAX_LEN);
            bytes.extend_from_slice(&data);
            prop_assert_eq!(PayloadDescriptor::parse(&bytes), Ok((descriptor, &data[..])));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            if let Ok((_, data)) = PayloadDescriptor::parse(&bytes) {
                prop_assert!(!data.is_empty());
            }
        }
    }
}
