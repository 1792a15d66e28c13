//! Long-polling payloads: what decodes must encode to a payload that decodes to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::packet::engine::{decode_payload, encode_payload};

fuzz_target!(|payload: &str| {
    let packets: Result<Vec<_>, _> = decode_payload(payload).collect();
    if let Ok(packets) = packets {
        let again = encode_payload(packets.clone());
        assert_eq!(decode_payload(&again).collect::<Result<Vec<_>, _>>(), Ok(packets));
    }
});
