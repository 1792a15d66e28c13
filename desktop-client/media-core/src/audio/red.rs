//! Redundant audio (RFC 2198): a packet that repeats those before it, so that a loss is made good by the next packet that comes.
//!
//! Each block but the last has a header of four bytes: one bit that says that another header follows, 7 bits of payload type, 14 bits that say by how much the
//! block is older than the packet, in ticks of the clock, and 10 bits of length. The last one, which is the packet itself, has the first byte only.

use bytes::{BufMut as _, Bytes, BytesMut};

/// Most blocks that are looked at: WebRTC's encoders send up to ten.
const MAX_BLOCKS: usize = 16;

/// By how much a block may be older, in ticks, and the most bytes that it may have.
const MAX_AGE: u32 = (1 << 14) - 1;
const MAX_BYTES: usize = (1 << 10) - 1;

/// Another header follows.
const MORE: u8 = 0x80;

/// What a packet carries of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// By how much its timestamp is before that of the packet, in ticks.
    pub age: u32,
    /// What the codec made.
    pub payload: Bytes,
}

/// A payload that holds copies, oldest first, and what is new. Copies that are too old or too large for the format are left out.
pub fn pack<'a>(codec: u8, copies: impl Iterator<Item = &'a Block> + Clone, new: &Bytes) -> Bytes {
    let fits =
        |copy: &&Block| (1..=MAX_AGE).contains(&copy.age) && (1..=MAX_BYTES).contains(&copy.payload.len());
    let copies = copies.filter(fits);
    let bytes: usize = copies.clone().map(|copy| 4 + copy.payload.len()).sum();
    let mut packed = BytesMut::with_capacity(bytes + 1 + new.len());
    for copy in copies.clone() {
        packed.put_u8(MORE | codec);
        let length = u32::try_from(copy.payload.len()).unwrap_or_default();
        packed.put_uint((copy.age << 10 | length).into(), 3);
    }
    packed.put_u8(codec & !MORE);
    copies.for_each(|copy| packed.extend_from_slice(&copy.payload));
    packed.extend_from_slice(new);
    packed.freeze()
}

/// The copies, in the order in which they stand, and what is new; `None` when the payload breaks the rules, or claims more than it holds. Blocks of
/// another codec than the last one come out empty.
pub fn unpack(payload: &Bytes) -> Option<(Vec<Block>, Bytes)> {
    let mut headers = Vec::new();
    let mut at = 0;
    let codec = loop {
        let first = *payload.get(at)?;
        if first & MORE == 0 {
            at += 1;
            break first;
        }
        let &[_, high, middle, low] = payload.get(at..at + 4)? else { return None };
        let age_and_length = u32::from_be_bytes([0, high, middle, low]);
        headers.push((first & !MORE, age_and_length >> 10, age_and_length as usize & MAX_BYTES));
        if headers.len() == MAX_BLOCKS {
            return None;
        }
        at += 4;
    };
    let mut copies = Vec::with_capacity(headers.len());
    for (of, age, length) in headers {
        let end = at + length;
        if payload.len() < end {
            return None;
        }
        let payload = if of == codec { payload.slice(at..end) } else { Bytes::new() };
        copies.push(Block { age, payload });
        at = end;
    }
    let new = payload.slice(at..);
    (!new.is_empty()).then_some((copies, new))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPUS: u8 = 111;

    fn block(age: u32, payload: &'static [u8]) -> Block {
        Block { age, payload: Bytes::from_static(payload) }
    }

    #[test]
    fn the_layout_is_that_of_the_rfc() {
        let packed =
            pack(OPUS, [block(1_920, b"old"), block(960, b"older")].iter(), &Bytes::from_static(b"new"));
        // 1920 << 10 | 3 and 960 << 10 | 5.
        let head = [0xEF, 0x1E, 0x00, 0x03, 0xEF, 0x0F, 0x00, 0x05, 0x6F];
        assert_eq!(packed, [&head[..], b"oldoldernew"].concat());
    }

    #[test]
    fn what_does_not_fit_the_format_is_left_out() {
        let long = Block { age: 960, payload: vec![1; 1_024].into() };
        let copies = [block(16_384, b"old"), long, block(0, b"now"), block(960, b"")];
        assert_eq!(pack(OPUS, copies.iter(), &Bytes::from_static(b"x")), &[OPUS, b'x'][..]);
    }

    #[test]
    fn a_payload_that_claims_more_than_it_holds_is_refused() {
        for payload in [
            &[][..],
            &[OPUS],
            &[0xEF, 0x0F],
            &[0xEF, 0x0F, 0x00, 0x05, OPUS, 1, 2],
            &[0xEF, 0x0F, 0x00, 0x02, OPUS, 1, 2],
            &[0xEF, 0x0F, 0x00, 0x00].repeat(400),
        ] {
            assert_eq!(unpack(&Bytes::copy_from_slice(payload)), None, "{payload:02x?}");
        }
    }

    #[test]
    fn blocks_of_another_codec_are_empty() {
        let payload =
            Bytes::from_static(&[0x80 | 13, 0x0F, 0x00, 0x01, 0xEF, 0x0F, 0x00, 0x01, OPUS, 9, 8, 7]);
        let expected = vec![block(960, &[]), block(960, &[8])];
        assert_eq!(unpack(&payload), Some((expected, Bytes::from_static(&[7]))));
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            copies in prop::collection::vec((1..=MAX_AGE, prop::collection::vec(any::<u8>(), 1..200)), 0..8),
            new in prop::collection::vec(any::<u8>(), 1..200),
        ) {
            let blocks = |(age, payload): (u32, Vec<u8>)| Block { age, payload: payload.into() };
            let copies: Vec<Block> = copies.into_iter().map(blocks).collect();
            let new = Bytes::from(new);
            prop_assert_eq!(unpack(&pack(OPUS, copies.iter(), &new)), Some((copies, new)));
        }

        #[test]
        fn arbitrary_bytes_never_panic_and_cost_no_more_than_they_are(
            bytes in prop::collection::vec(prop_oneof![Just(0xEF_u8), any::<u8>()], 0..200),
        ) {
            let total = bytes.len();
            if let Some((copies, new)) = unpack(&bytes.into()) {
                prop_assert!(copies.iter().map(|copy| copy.payload.len()).sum::<usize>() + new.len() < total);
                prop_assert!(copies.len() < MAX_BLOCKS);
            }
        }
    }
}
