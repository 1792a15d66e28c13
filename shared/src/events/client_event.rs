//! The server's half of the events: reading what clients send.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ClientEvent, ErrorBody, JoinRoom};
use crate::fields::{self, FieldError};
use crate::limits::{CAP_MAX_CHARS, CAPS_MAX, PASSWORD_MAX_BYTES, PEER_ID_MAX_CHARS};
use crate::{DisplayName, PeerId, RoomId, codes};

/// Why an event is not one of the contract's. Its text is one sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientEventError {
    /// No event has this name (cut to a length that is safe to show). Tell the client, or ignore the event.
    #[error("there is no event named {0:?}")]
    UnknownEvent(String),
    /// `join-room` with an argument that cannot be used. Answer with `join-error` or the ack.
    #[error("join-room: {0}")]
    JoinRoom(FieldError),
    /// `signal` with an argument that cannot be used. Answer with `signal-error` or the ack.
    #[error("signal: {error}")]
    Signal {
        /// The addressee as it was sent, cut to the longest id; empty when there is none.
        to: String,
        /// What is wrong.
        error: FieldError,
    },
}

impl ClientEventError {
    /// The error as the contract writes it.
    pub fn body(&self) -> ErrorBody {
        let code = match self {
            Self::UnknownEvent(_) => codes::UNKNOWN_EVENT,
            Self::JoinRoom(_) | Self::Signal { .. } => codes::INVALID_ARGUMENT,
        };
        ErrorBody { code: code.to_owned(), message: self.to_string() }
    }
}

impl ClientEvent {
    /// Parses an event from its name and its first argument; any further arguments mean nothing.
    ///
    /// Optional fields may be missing or `null`. A known field of a wrong type is an error that names it; unknown fields are skipped unread.
    pub fn parse(name: &str, argument: Option<&RawValue>) -> Result<Self, ClientEventError> {
        match name {
            "join-room" => parse_join(argument).map(Self::JoinRoom).map_err(ClientEventError::JoinRoom),
            "signal" => parse_signal(argument),
            "leave-room" => Ok(Self::LeaveRoom),
            _ => Err(ClientEventError::UnknownEvent(cut(name))),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawJoin<'a> {
    #[serde(default, borrow)]
    room_id: Option<&'a RawValue>,
    #[serde(default, borrow)]
    display_name: Option<&'a RawValue>,
    #[serde(default, borrow)]
    password: Option<&'a RawValue>,
    #[serde(default, borrow)]
    caps: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct RawSignal<'a> {
    #[serde(default, borrow)]
    to: Option<&'a RawValue>,
    // `null` is data too: the server does not judge it.
    #[serde(default, borrow, deserialize_with = "fields::present")]
    data: Option<&'a RawValue>,
}

fn parse_join(argument: Option<&RawValue>) -> Result<JoinRoom, FieldError> {
    let raw: RawJoin = object(argument)?;
    let room_id =
        fields::string("roomId", raw.room_id)?.ok_or_else(|| FieldError::new("roomId", "is missing"))?;
    let room_id = RoomId::parse(&room_id).map_err(|error| FieldError::new("roomId", error.to_string()))?;
    let display_name = fields::string("displayName", raw.display_name)?;
    let password = fields::string("password", raw.password)?;
    if password.as_ref().is_some_and(|p| p.len() > PASSWORD_MAX_BYTES) {
        return Err(FieldError::new("password", format!("must have at most {PASSWORD_MAX_BYTES} bytes")));
    }
    let mut caps = fields::strings("caps", raw.caps, CAPS_MAX)?;
    caps.retain(|cap| cap.chars().count() <= CAP_MAX_CHARS);
    Ok(JoinRoom {
        room_id,
        display_name: DisplayName::sanitize(display_name.as_deref().unwrap_or_default()),
        password,
        caps,
    })
}

fn parse_signal(argument: Option<&RawValue>) -> Result<ClientEvent, ClientEventError> {
    let fail = |to: &str, error| ClientEventError::Signal { to: cut(to), error };
    let raw: RawSignal = object(argument).map_err(|error| fail("", error))?;
    let to = fields::string("to", raw.to)
        .and_then(|to| to.ok_or_else(|| FieldError::new("to", "is missing")))
        .map_err(|error| fail("", error))?;
    let Some(data) = raw.data else { return Err(fail(&to, FieldError::new("data", "is missing"))) };
    match PeerId::parse(&to) {
        Ok(to) => Ok(ClientEvent::Signal { to, data: data.to_owned() }),
        Err(error) => Err(fail(&to, FieldError::new("to", error.to_string()))),
    }
}

fn object<'a, T: Deserialize<'a> + Default>(argument: Option<&'a RawValue>) -> Result<T, FieldError> {
    let Some(json) = argument.map(RawValue::get) else {
        return Err(FieldError::new("the argument", "is missing"));
    };
    // A derived struct would also be read from an array, field by field.
    if !json.starts_with('{') {
        return Err(FieldError::new("the argument", "must be an object"));
    }
    serde_json::from_str(json).map_err(|_| FieldError::new("the argument", "has the same field twice"))
}

/// What came from outside and is shown or sent back is never longer than an id.
fn cut(text: &str) -> String {
    text.chars().take(PEER_ID_MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, json: &str) -> Result<ClientEvent, ClientEventError> {
        let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
        ClientEvent::parse(name, Some(&raw))
    }

    fn join(json: &str) -> Result<JoinRoom, String> {
        match parse("join-room", json) {
            Ok(ClientEvent::JoinRoom(join)) => Ok(join),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_plain_join_is_read_and_its_name_made_safe() {
        let join = join(r#"{"roomId":"daily","displayName":" Ada\u202e ","extra":[1,{}]}"#).unwrap();
        assert_eq!(join.room_id.as_str(), "daily");
        assert_eq!(join.display_name.as_str(), "Ada");
        assert_eq!((join.password, join.caps), (None, vec![]));
    }

    #[test]
    fn missing_and_null_optional_fields_are_the_same() {
        let null = r#"{"roomId":"r","displayName":null,"password":null,"caps":null}"#;
        assert_eq!(join(null).unwrap(), join(r#"{"roomId":"r"}"#).unwrap());
        assert_eq!(join(null).unwrap().display_name.as_str(), "Guest");
    }

    #[test]
    fn a_field_of_a_wrong_type_is_named() {
        for (json, field) in [
            ("{}", "roomId is missing"),
            (r#"{"roomId":7}"#, "roomId must be a string"),
            (r#"{"roomId":""}"#, "roomId must not be empty"),
            (r#"{"roomId":"a/b"}"#, "roomId may contain only"),
            (r#"{"roomId":"r","displayName":{}}"#, "displayName must be a string"),
            (r#"{"roomId":"r","password":1}"#, "password must be a string"),
            (r#"{"roomId":"r","caps":"screen"}"#, "caps must be a list of strings"),
            (r#"{"roomId":"r","caps":[1]}"#, "caps must hold only strings"),
            (r#"{"roomId":"r","roomId":"s"}"#, "the argument has the same field twice"),
            (r#"["r"]"#, "the argument must be an object"),
            ("null", "the argument must be an object"),
        ] {
            let error = join(json).unwrap_err();
            assert!(error.starts_with(&format!("join-room: {field}")), "{json}: {error}");
        }
        assert!(ClientEvent::parse("join-room", None).unwrap_err().to_string().contains("is missing"));
    }

    #[test]
    fn signal_data_keeps_its_bytes() {
        let data = r#"{ "b" : 1.0e5,"a":"\u00e9 \/","z":[ null ] }"#;
        match parse("signal", &format!(r#"{{"data":{data},"to":"x"}}"#)) {
            Ok(ClientEvent::Signal { to, data: got }) => assert_eq!((to.as_str(), got.get()), ("x", data)),
            other => panic!("{other:?}"),
        }
        assert!(matches!(parse("signal", r#"{"to":"x","data":null}"#), Ok(ClientEvent::Signal { .. })));
    }

    #[test]
    fn a_bad_signal_says_what_is_wrong_and_to_whom_it_went() {
        let long = format!(r#"{{"to":"{}","data":1}}"#, "x".repeat(1_000_000));
        for (json, to, text) in [
            (r#"{"to":"x"}"#, "x", "data is missing"),
            (r#"{"data":1}"#, "", "to is missing"),
            (r#"{"to":[],"data":1}"#, "", "to must be a string"),
            (r#"{"to":"a b","data":1}"#, "a b", "to may contain only"),
            (&long, &"x".repeat(64), "to must have at most 64 characters"),
        ] {
            match parse("signal", json) {
                Err(ClientEventError::Signal { to: got, error }) => {
                    assert_eq!(got, to);
                    assert!(error.to_string().starts_with(text), "{error}");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn unknown_events_and_long_names_are_refused_cheaply() {
        match parse(&"e".repeat(1_000_000), "1") {
            Err(ClientEventError::UnknownEvent(name)) => assert_eq!(name.len(), 64),
            other => panic!("{other:?}"),
        }
        assert!(matches!(parse("leave-room", "[1,2]"), Ok(ClientEvent::LeaveRoom)));
        assert!(matches!(ClientEvent::parse("leave-room", None), Ok(ClientEvent::LeaveRoom)));
    }

    #[test]
    fn capabilities_beyond_the_limits_are_ignored() {
        let many: Vec<String> = (0..100).map(|i| format!("cap{i}")).collect();
        let json = format!(r#"{{"roomId":"r","caps":{}}}"#, serde_json::to_string(&many).unwrap());
        assert_eq!(join(&json).unwrap().caps, many[..CAPS_MAX]);
        let long = format!(r#"{{"roomId":"r","caps":["{}","ok"]}}"#, "c".repeat(33));
        assert_eq!(join(&long).unwrap().caps, ["ok"]);
    }
}
