//! Socket.IO packets keep their meaning through encoding and decoding, and nothing malformed gets through.

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic")]

use std::borrow::Cow;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;
use shared::packet::socket::{AckId, Args, Body, DecodeError, Decoder, Limits, Packet, encode};

fn decode(text: &str) -> Result<Option<Packet>, DecodeError> {
    Decoder::default().text(text)
}

fn event(packet: Packet) -> (String, Args, Option<AckId>) {
    match packet.body {
        Body::Event { name, args, ack } => (name, args, ack),
        other => panic!("not an event: {other:?}"),
    }
}

#[test]
fn arguments_arrive_byte_for_byte() {
    let (name, args, ack) =
        event(decode(r#"212["signal",{"b": 1.0,"a":"\u00e4\/"} ,null]"#).unwrap().unwrap());
    assert_eq!((name.as_str(), ack), ("signal", Some(AckId(12))));
    let texts: Vec<_> = args.iter().map(RawValue::get).collect();
    assert_eq!(texts, [r#"{"b": 1.0,"a":"\u00e4\/"}"#, "null"]);
}

#[test]
fn namespaces_end_at_the_comma_or_the_end() {
    assert_eq!(decode("0/admin").unwrap().unwrap().namespace, "/admin");
    let packet = decode(r#"0/admin,{"token":"1,2"}"#).unwrap().unwrap();
    assert_eq!(packet.namespace, "/admin");
    let Body::Connect(Some(auth)) = packet.body else { panic!("no auth") };
    assert_eq!(auth.get(), r#"{"token":"1,2"}"#);
    assert!(matches!(decode("0").unwrap().unwrap().namespace, Cow::Borrowed("/")));
}

#[test]
fn attachments_complete_a_packet_in_order() {
    let mut decoder = Decoder::default();
    let head = r#"52-/n,7["file",{"_placeholder":true,"num":1},{"deep":[{"_placeholder":true,"num":0}]}]"#;
    assert_eq!(decoder.text(head), Ok(None));
    assert_eq!(decoder.binary(Bytes::from_static(b"one")), Ok(None));
    let packet = decoder.binary(Bytes::from_static(b"two")).unwrap().unwrap();
    let mut text = String::new();
    encode::packet(&mut text, &packet);
    assert_eq!(text, head);
    let (_, args, ack) = event(packet);
    assert_eq!(ack, Some(AckId(7)));
    assert_eq!(args.attachments(), [Bytes::from_static(b"one"), Bytes::from_static(b"two")]);
    assert_eq!(args.attachment(args.get(0).unwrap()), Some(&Bytes::from_static(b"two")));
    assert_eq!(args.attachment(args.get(1).unwrap()), None);
}

#[test]
fn a_decoder_is_ready_again_after_a_binary_packet() {
    let mut decoder = Decoder::default();
    decoder.text(r#"51-["a",{"_placeholder":true,"num":0}]"#).unwrap();
    decoder.binary(Bytes::new()).unwrap().unwrap();
    assert!(decoder.text(r#"2["b"]"#).unwrap().is_some());
    assert_eq!(decoder.binary(Bytes::new()), Err(DecodeError::UnexpectedBinary));
}

#[test]
fn malformed_packets_are_refused() {
    use DecodeError::{AckId as Id, Attachments, AttachmentsTooLarge, Payload, UnknownType};
    let cases = [
        ("", UnknownType),
        ("7", UnknownType),
        ("abc", UnknownType),
        ("€", UnknownType),
        ("2", Payload),
        ("2{}", Payload),
        ("2[]", Payload),
        ("2[null]", Payload),
        ("2[{}]", Payload),
        (r#"2["a""#, Payload),
        (r#"2["a"] x"#, Payload),
        (r#"2abc["a"]"#, Payload),
        (r#"2-1["a"]"#, Payload),
        (r#"2["disconnect"]"#, Payload),
        (r#"2["connect_error"]"#, Payload),
        (r#"2["a",01]"#, Payload),
        ("2[\"a\u{1}\"]", Payload),
        ("299999999999999999999999[\"a\"]", Id),
        ("3[]", Id),
        ("31{}", Payload),
        ("31", Payload),
        ("0[]", Payload),
        ("0\"token\"", Payload),
        ("01", Id),
        ("1{}", Payload),
        ("11", Id),
        ("4", Payload),
        ("4[1]", Payload),
        (r#"5["a"]"#, Attachments),
        (r#"50-["a"]"#, Attachments),
        (r#"5-["a"]"#, Attachments),
        (r#"5+1-["a"]"#, Attachments),
        (r#"51.0-["a"]"#, Attachments),
        (r#"511-["a"]"#, AttachmentsTooLarge),
        (r#"5999999999-["a"]"#, AttachmentsTooLarge),
        (r#"59999999999-["a"]"#, Attachments),
        (r#"51-["a",{"_placeholder":true,"num":1}]"#, Attachments),
        (r#"51-["a",{"_placeholder":true,"num":-1}]"#, Attachments),
        (r#"51-["a",{"_placeholder":true}]"#, Attachments),
        (r#"51-["a",[{"b":{"num":1,"_placeholder":true}}]]"#, Attachments),
        (r#"51-["a",{"_placeholder":true,"num":"0"}]"#, Attachments),
        // Rust's strings cannot hold it, and a packet with attachments is read whole.
        (r#"51-["a","\ud800"]"#, Attachments),
    ];
    for (text, error) in cases {
        assert_eq!(decode(text), Err(error), "{text}");
    }
}

#[test]
fn names_may_be_numbers_as_in_javascript() {
    assert_eq!(event(decode("2[1,2]").unwrap().unwrap()).0, "1");
}

#[test]
fn sizes_are_bounded() {
    let deep = |levels: usize| format!(r#"2["a",{}{}]"#, "[".repeat(levels), "]".repeat(levels));
    assert!(decode(&deep(63)).is_ok());
    assert_eq!(decode(&deep(64)), Err(DecodeError::TooDeep));
    assert_eq!(decode(&deep(400_000)), Err(DecodeError::TooDeep));
    assert_eq!(decode(&format!("0/{}", "n".repeat(300))), Err(DecodeError::NamespaceTooLong));

    let many = |count: usize| format!("2[\"a\"{}]", ",1".repeat(count));
    assert!(decode(&many(256)).is_ok());
    assert_eq!(decode(&many(257)), Err(DecodeError::Payload));
    assert_eq!(decode(&format!("31[1{}]", ",1".repeat(256))), Err(DecodeError::Payload));

    let mut decoder = Decoder::new(Limits { attachment_bytes: 10, ..Limits::default() });
    decoder.text(r#"52-["a"]"#).unwrap();
    assert_eq!(decoder.binary(Bytes::from_static(&[0; 6])), Ok(None));
    assert_eq!(decoder.binary(Bytes::from_static(&[0; 6])), Err(DecodeError::AttachmentsTooLarge));
}

#[test]
fn text_and_binary_must_come_when_they_are_due() {
    assert_eq!(Decoder::default().binary(Bytes::new()), Err(DecodeError::UnexpectedBinary));
    let mut decoder = Decoder::default();
    decoder.text(r#"51-["a"]"#).unwrap();
    assert_eq!(decoder.text(r#"2["b"]"#), Err(DecodeError::TextInsteadOfAttachment));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z\"\\\\]{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_args() -> impl Strategy<Value = Args> {
    let attachments = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..4);
    (prop::collection::vec(any_json(), 0..4), attachments).prop_map(|(values, attachments)| {
        let mut items: Vec<_> =
            values.iter().map(|value| serde_json::value::to_raw_value(value).unwrap()).collect();
        items.extend((0..attachments.len()).map(encode::placeholder));
        Args::new(items, attachments.into_iter().map(Bytes::from).collect())
    })
}

fn any_packet() -> impl Strategy<Value = Packet> {
    let object = prop::collection::btree_map(any::<String>(), any::<String>(), 0..3)
        .prop_map(|map| serde_json::value::to_raw_value(&map).unwrap());
    let name = any::<String>()
        .prop_filter("reserved", |name| !shared::packet::socket::RESERVED_EVENTS.contains(&name.as_str()));
    let body = prop_oneof![
        prop::option::of(object.clone()).prop_map(Body::Connect),
        Just(Body::Disconnect),
        (name, any_args(), prop::option::of(any::<u64>().prop_map(AckId)))
            .prop_map(|(name, args, ack)| Body::Event { name, args, ack }),
        (any::<u64>(), any_args()).prop_map(|(id, args)| Body::Ack { id: AckId(id), args }),
        object.prop_map(Body::ConnectError),
    ];
    let namespace = prop_oneof![Just("/".to_owned()), "/[a-z0-9/?=\"\\[-]{1,10}"];
    (namespace, body).prop_map(|(namespace, body)| Packet { namespace: namespace.into(), body })
}

fn attachments(packet: &Packet) -> &[Bytes] {
    match &packet.body {
        Body::Event { args, .. } | Body::Ack { args, .. } => args.attachments(),
        Body::Connect(_) | Body::Disconnect | Body::ConnectError(_) => &[],
    }
}

proptest! {
    #[test]
    fn packets_survive_a_round_trip(packet in any_packet()) {
        let mut text = String::new();
        encode::packet(&mut text, &packet);
        let mut decoder = Decoder::default();
        let mut decoded = decoder.text(&text).unwrap();
        for attachment in attachments(&packet) {
            prop_assert_eq!(decoded, None);
            decoded = decoder.binary(attachment.clone()).unwrap();
        }
        prop_assert_eq!(decoded, Some(packet));
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        let _ = decode(&text);
    }

    #[test]
    fn text_that_resembles_packets_never_panics(text in r#"[0-6][0-9-]{0,3}(/[a-z]{0,2},?)?[0-9]{0,22}[\[\]{}",:a0 \\]{0,16}"#) {
        if let Ok(Some(packet)) = decode(&text) {
            let mut again = String::new();
            encode::packet(&mut again, &packet);
            prop_assert_eq!(decode(&again), Ok(Some(packet)));
        }
    }
}
