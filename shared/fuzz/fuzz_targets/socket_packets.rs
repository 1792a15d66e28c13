//! The messages of one connection: a record separator in the input starts the next one, a leading `b` makes it binary. What decodes must
//! encode to text that decodes to the same.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use shared::packet::socket::{Body, Decoder, Packet, encode};

fuzz_target!(|input: &str| {
    let mut decoder = Decoder::default();
    for message in input.split('\u{1e}') {
        let decoded = match message.strip_prefix('b') {
            Some(binary) => decoder.binary(Bytes::copy_from_slice(binary.as_bytes())),
            None => decoder.text(message),
        };
        match decoded {
            Ok(Some(packet)) => check(&packet),
            Ok(None) => {}
            Err(_) => return,
        }
    }
});

fn check(packet: &Packet) {
    let mut text = String::new();
    encode::packet(&mut text, packet);
    let mut decoder = Decoder::default();
    let mut decoded = decoder.text(&text).expect("what was encoded decodes");
    if let Body::Event { args, .. } | Body::Ack { args, .. } = &packet.body {
        for attachment in args.attachments() {
            assert!(decoded.is_none());
            decoded = decoder.binary(attachment.clone()).expect("attachments fit");
        }
    }
    assert_eq!(decoded.as_ref(), Some(packet));
}
