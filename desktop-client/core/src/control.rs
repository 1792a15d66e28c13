//! The `control` channel: versioned JSON between clients that know it.
//!
//! Unknown versions and kinds are ignored, so that either side may be newer.

use serde::{Deserialize, Serialize};

/// The capability's name in `caps`.
pub const CAP: &str = "control";

/// Longest message that is looked at, in bytes. Those of version 1 have under 100; the browser client looks at as many.
const MESSAGE_MAX_BYTES: usize = 16_384;

const VERSION: u32 = 1;

/// A message of version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlMessage {
    /// Whether the sender's microphone and camera are on. Sent when the channel opens, and at each change.
    State {
        /// Others hear the sender.
        microphone: bool,
        /// Others see the sender.
        camera: bool,
    },
}

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    v: u32,
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(default)]
    microphone: Option<bool>,
    #[serde(default)]
    camera: Option<bool>,
}

impl ControlMessage {
    /// The message in `text`, or `None` when it is none that we know.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MESSAGE_MAX_BYTES {
            return None;
        }
        let wire: Wire<'_> = serde_json::from_str(text).ok()?;
        match (wire.v, wire.kind.as_ref()) {
            (VERSION, "state") => Some(Self::State { microphone: wire.microphone?, camera: wire.camera? }),
            _ => None,
        }
    }

    /// The message as it is sent.
    pub fn to_text(self) -> String {
        match self {
            Self::State { microphone, camera } => {
                format!(r#"{{"v":{VERSION},"kind":"state","microphone":{microphone},"camera":{camera}}}"#)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in ".{0,80}") {
            ControlMessage::parse(&text);
        }
    }

    #[test]
    fn state_survives_the_way_there_and_back() {
        let state = ControlMessage::State { microphone: false, camera: true };
        assert_eq!(state.to_text(), r#"{"v":1,"kind":"state","microphone":false,"camera":true}"#);
        assert_eq!(ControlMessage::parse(&state.to_text()), Some(state));
        let newer = r#"{"kind":"state","v":1,"hand":true,"microphone":false,"camera":true}"#;
        assert_eq!(ControlMessage::parse(newer), Some(state));
    }

    #[test]
    fn what_we_do_not_know_is_ignored() {
        let long = format!(r#"{{"v":1,"kind":"{}"}}"#, "x".repeat(MESSAGE_MAX_BYTES));
        for text in [
            "",
            "null",
            "[]",
            r#"{"v":2,"kind":"state","microphone":true,"camera":true}"#,
            r#"{"v":1,"kind":"dance"}"#,
            r#"{"v":1,"kind":"state","microphone":1,"camera":true}"#,
            r#"{"v":1,"kind":"state","microphone":true}"#,
            &long,
        ] {
            assert_eq!(ControlMessage::parse(text), None, "{text}");
        }
    }
}
