//! The `control` channel: versioned JSON between clients that know it.
//!
//! Unknown versions and kinds are ignored, so that either side may be newer.

use serde::Deserialize;

/// The capability's name in `caps`.
pub const CAP: &str = "control";

/// Longest message that is looked at, in bytes. Those of version 1 have under 100; the browser client looks at as many.
const MESSAGE_MAX_BYTES: usize = 16_384;

const VERSION: u32 = 1;

/// Largest width or height of a tile that is believed, in pixels. Twice that of the largest screens.
pub const TILE_MAX: u32 = 16_384;

/// How large somebody shows somebody else's picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownTile {
    /// Width in device pixels, at most [`TILE_MAX`].
    pub width: u32,
    /// Height in device pixels, at most [`TILE_MAX`].
    pub height: u32,
    /// False while no part of it is on the screen (minimised, or on another page).
    pub visible: bool,
}

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
    /// How large the sender shows the receiver's picture: more than that need not be sent. Who does not say so gets the whole picture.
    Tile(ShownTile),
    /// Whether the sender's video is suspended because the path to the receiver bears sound only. Sent at each change.
    Video {
        /// It is; otherwise it is being sent, if the camera is on.
        suspended: bool,
    },
}

/// What all messages have.
#[derive(Deserialize)]
struct Envelope<'a> {
    v: u32,
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
struct StateBody {
    microphone: bool,
    camera: bool,
}

#[derive(Deserialize)]
struct TileBody {
    width: u32,
    height: u32,
    visible: bool,
}

#[derive(Deserialize)]
struct VideoBody<'a> {
    #[serde(borrow)]
    state: std::borrow::Cow<'a, str>,
}

impl ControlMessage {
    /// The message in `text`, or `None` when it is none that we know.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MESSAGE_MAX_BYTES {
            return None;
        }
        let envelope: Envelope<'_> = body(text)?;
        match (envelope.v, envelope.kind.as_ref()) {
            (VERSION, "state") => {
                let StateBody { microphone, camera } = body(text)?;
                Some(Self::State { microphone, camera })
            }
            (VERSION, "tile") => {
                let TileBody { width, height, visible } = body(text)?;
                let tile = ShownTile { width, height, visible };
                (width <= TILE_MAX && height <= TILE_MAX).then_some(Self::Tile(tile))
            }
            (VERSION, "video") => match body::<VideoBody<'_>>(text)?.state.as_ref() {
                "suspended" => Some(Self::Video { suspended: true }),
                "sending" => Some(Self::Video { suspended: false }),
                _ => None,
            },
            _ => None,
        }
    }

    /// The message as it is sent.
    pub fn to_text(self) -> String {
        match self {
            Self::State { microphone, camera } => {
                format!(r#"{{"v":{VERSION},"kind":"state","microphone":{microphone},"camera":{camera}}}"#)
            }
            Self::Tile(ShownTile { width, height, visible }) => {
                format!(
                    r#"{{"v":{VERSION},"kind":"tile","width":{width},"height":{height},"visible":{visible}}}"#
                )
            }
            Self::Video { suspended } => {
                let state = if suspended { "suspended" } else { "sending" };
                format!(r#"{{"v":{VERSION},"kind":"video","state":"{state}"}}"#)
            }
        }
    }
}

fn body<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    serde_json::from_str(text).ok()
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
    fn tiles_and_suspended_video_survive_the_way_there_and_back() {
        let tile = ShownTile { width: 640, height: 360, visible: true };
        let messages = [
            (ControlMessage::Tile(tile), r#"{"v":1,"kind":"tile","width":640,"height":360,"visible":true}"#),
            (ControlMessage::Video { suspended: true }, r#"{"v":1,"kind":"video","state":"suspended"}"#),
            (ControlMessage::Video { suspended: false }, r#"{"v":1,"kind":"video","state":"sending"}"#),
        ];
        for (message, text) in messages {
            assert_eq!(message.to_text(), text);
            assert_eq!(ControlMessage::parse(text), Some(message));
        }
        let newer = r#"{"scale":2.5,"visible":false,"height":0,"width":16384,"kind":"tile","v":1}"#;
        let hidden = ShownTile { width: 16_384, height: 0, visible: false };
        assert_eq!(ControlMessage::parse(newer), Some(ControlMessage::Tile(hidden)));
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
            r#"{"v":1,"kind":"tile","width":640,"height":360}"#,
            r#"{"v":1,"kind":"tile","width":-1,"height":360,"visible":true}"#,
            r#"{"v":1,"kind":"tile","width":640.5,"height":360,"visible":true}"#,
            r#"{"v":1,"kind":"tile","width":16385,"height":360,"visible":true}"#,
            r#"{"v":1,"kind":"tile","width":"640","height":360,"visible":true}"#,
            r#"{"v":1,"kind":"tile","width":1e99,"height":360,"visible":true}"#,
            r#"{"v":1,"kind":"video"}"#,
            r#"{"v":1,"kind":"video","state":"paused"}"#,
            r#"{"v":1,"kind":"video","state":true}"#,
            &long,
        ] {
            assert_eq!(ControlMessage::parse(text), None, "{text}");
        }
    }
}
