//! The codec agrees with the official JavaScript parsers, frame by frame.
//!
//! `fixtures/golden.jsonl` was recorded by `e2e/js/record-golden.mjs`, which uses the published `engine.io-parser` and `socket.io-parser`.

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use shared::packet::engine::{self, Packet as EnginePacket};
use shared::packet::socket::{Body, Decoder, Packet, encode};

const GOLDEN: &str = include_str!("fixtures/golden.jsonl");

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Frame {
    Text(String),
    Binary(String),
}

impl Frame {
    fn bytes(&self) -> Bytes {
        match self {
            Self::Text(text) => panic!("text where binary was expected: {text}"),
            Self::Binary(encoded) => STANDARD.decode(encoded).unwrap().into(),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Case {
    Engine { engine: String, data: Option<Frame>, frame: Frame },
    Payload { payload: String, packets: usize },
    Socket { socket: u8, nsp: String, id: Option<u64>, json: Option<String>, frames: Vec<Frame> },
}

fn cases() -> impl Iterator<Item = Case> {
    GOLDEN.lines().map(|line| serde_json::from_str(line).unwrap())
}

#[test]
fn engine_packets_match() {
    let mut seen = 0;
    for case in cases() {
        let Case::Engine { engine, data, frame } = case else { continue };
        seen += 1;
        let Frame::Text(frame) = frame else {
            // Binary travels as it is on WebSocket; the payload case covers base64.
            assert_eq!(frame.bytes(), data.unwrap().bytes());
            continue;
        };
        let text = match &data {
            Some(Frame::Text(text)) => text.as_str(),
            _ => "",
        };
        let expected = match engine.as_str() {
            "open" => EnginePacket::Open(text),
            "close" => EnginePacket::Close,
            "ping" => EnginePacket::Ping(text),
            "pong" => EnginePacket::Pong(text),
            "message" => EnginePacket::Message(text),
            "upgrade" => EnginePacket::Upgrade,
            "noop" => EnginePacket::Noop,
            other => panic!("unknown type {other}"),
        };
        assert_eq!(EnginePacket::decode(&frame), Ok(expected.clone()));
        assert_eq!(expected.encode(), frame);
    }
    assert_eq!(seen, 12);
}

#[test]
fn the_handshake_matches() {
    let open = cases().find_map(|case| match case {
        Case::Engine { engine, data: Some(Frame::Text(text)), .. } if engine == "open" => Some(text),
        _ => None,
    });
    let text = open.unwrap();
    let open: engine::Open = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&open).unwrap(), text);
}

#[test]
fn payloads_match() {
    let (payload, packets) = cases()
        .find_map(|case| match case {
            Case::Payload { payload, packets } => Some((payload, packets)),
            _ => None,
        })
        .unwrap();
    let decoded: Result<Vec<_>, _> = engine::decode_payload(&payload).collect();
    let decoded = decoded.unwrap();
    assert_eq!(decoded.len(), packets);
    assert_eq!(engine::encode_payload(decoded), payload);
}

#[test]
fn socket_packets_match() {
    let mut seen = 0;
    for case in cases() {
        let Case::Socket { socket, nsp, id, json, frames } = case else { continue };
        seen += 1;
        let (Frame::Text(text), attachments) = frames.split_first().unwrap() else {
            panic!("a packet starts with text")
        };
        let mut decoder = Decoder::default();
        let mut packet = decoder.text(text).unwrap();
        for attachment in attachments {
            assert!(packet.is_none());
            packet = decoder.binary(attachment.bytes()).unwrap();
        }
        let packet = packet.unwrap();
        assert_eq!(packet.namespace, nsp);
        assert_eq!(describe(&packet), (socket, id, json), "{text}");
        let mut again = String::new();
        encode::packet(&mut again, &packet);
        // A numeric name comes back as a string, which JavaScript takes for the same event.
        assert_eq!(again, text.replace("[1,2]", r#"["1",2]"#));
    }
    assert_eq!(seen, 17);
}

fn describe(packet: &Packet) -> (u8, Option<u64>, Option<String>) {
    let list = |name: Option<&str>, args: &[&RawValue]| {
        let name = name.map(|name| if name == "1" { "1".to_owned() } else { Value::from(name).to_string() });
        let items: Vec<_> = name.into_iter().chain(args.iter().map(|arg| arg.get().to_owned())).collect();
        Some(format!("[{}]", items.join(",")))
    };
    match &packet.body {
        Body::Connect(payload) => (0, None, payload.as_ref().map(|raw| raw.get().to_owned())),
        Body::Disconnect => (1, None, None),
        Body::Event { name, args, ack } => (2, ack.map(|id| id.0), list(Some(name), &args.as_slices())),
        Body::Ack { id, args } => (3, Some(id.0), list(None, &args.as_slices())),
        Body::ConnectError(reason) => (4, None, Some(reason.get().to_owned())),
    }
}
