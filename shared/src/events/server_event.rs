//! The client's half of the events: reading what servers send.
//!
//! Fields are taken one by one, so that an error can name the field; `null` counts as missing, as older servers write it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Caps, ErrorBody, JoinAnswer, Joined, Participant, ServerEvent};
use crate::limits::{CAP_MAX_CHARS, CAPS_MAX};
use crate::{DisplayName, PeerId};

/// Most characters of a message or a reason that came from outside: they are shown on a line or two.
const TEXT_MAX_CHARS: usize = 500;

/// Why an event could not be understood. The connection stays usable; the event is dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerEventError {
    /// The contract has no event of this name. Ignore it: newer programs may send more.
    #[error("unknown event")]
    UnknownEvent,
    /// The argument is missing or is not a JSON object. Tell the sender.
    #[error("the event needs an object as its argument")]
    NotAnObject,
    /// A required field is missing. Tell the sender which one.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field has a wrong type or a value that is not allowed. Tell the sender which one, and why.
    #[error("{field} {reason}")]
    Field {
        /// The field's name on the wire.
        field: &'static str,
        /// What is wrong with it, to be read after the name.
        reason: String,
    },
}

impl ServerEvent {
    /// Parses an event from its name and its first argument; any further arguments mean nothing.
    pub fn parse(name: &str, argument: Option<&RawValue>) -> Result<Self, ServerEventError> {
        let fields = || Fields::parse(argument);
        match name {
            "peers" => {
                let fields = fields()?;
                Ok(Self::Peers { peers: fields.required("peers")?, participants: fields.participants()? })
            }
            "peer-joined" => {
                let fields = fields()?;
                Ok(Self::PeerJoined(Participant {
                    peer_id: fields.id("peerId")?,
                    display_name: fields.optional::<DisplayName>("displayName")?.unwrap_or_default(),
                    caps: fields.caps()?,
                }))
            }
            "peer-left" => {
                let fields = fields()?;
                Ok(Self::PeerLeft { peer_id: fields.id("peerId")?, reason: fields.text("reason")? })
            }
            "signal" => {
                let fields = fields()?;
                Ok(Self::Signal { from: fields.id("from")?, data: fields.raw("data")? })
            }
            "join-error" => ErrorBody::from_fields(&fields()?).map(Self::JoinError),
            "signal-error" => {
                let fields = fields()?;
                let to = fields.text("to")?.unwrap_or_default();
                Ok(Self::SignalError { to, error: ErrorBody::from_fields(&fields)? })
            }
            "room-closed" => {
                let fields = fields()?;
                let reason = fields.text("reason")?.unwrap_or_default();
                let room_id = fields.required("roomId")?;
                Ok(Self::RoomClosed { room_id, reason })
            }
            _ => Err(ServerEventError::UnknownEvent),
        }
    }
}

impl JoinAnswer {
    /// Parses the first argument of the ack of `join-room`.
    pub fn parse(argument: Option<&RawValue>) -> Result<Self, ServerEventError> {
        let fields = Fields::parse(argument)?;
        if fields.required::<bool>("ok")? {
            return Ok(Self::Joined(Joined {
                peer_id: fields.id("peerId")?,
                peers: fields.required("peers")?,
                participants: fields.participants()?,
                ice_servers: fields.optional("iceServers")?.unwrap_or_default(),
            }));
        }
        let error: Box<RawValue> = fields.raw("error")?;
        ErrorBody::from_fields(&Fields::parse(Some(&error))?).map(Self::Refused)
    }
}

impl ErrorBody {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, ServerEventError> {
        let code = fields.text("code")?.ok_or(ServerEventError::Missing("code"))?;
        Ok(Self { code, message: fields.text("message")?.unwrap_or_default() })
    }
}

/// The fields of a JSON object, each still as text; of two equal keys the last one wins, as in `JSON.parse`.
struct Fields<'a>(BTreeMap<Cow<'a, str>, &'a RawValue>);

impl<'a> Fields<'a> {
    fn parse(argument: Option<&'a RawValue>) -> Result<Self, ServerEventError> {
        argument.and_then(|raw| serde_json::from_str(raw.get()).ok()).ok_or(ServerEventError::NotAnObject)
    }

    fn get(&self, field: &'static str) -> Option<&'a RawValue> {
        self.0.get(field).copied().filter(|value| value.get() != "null")
    }

    fn optional<T: DeserializeOwned>(&self, field: &'static str) -> Result<Option<T>, ServerEventError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        serde_json::from_str(value.get()).map(Some).map_err(|error| {
            // Without the position, which would be that inside the field and mislead.
            let text = error.to_string();
            let text = text.split(" at line ").next().unwrap_or_default();
            ServerEventError::Field { field, reason: format!("is not valid: {}", cut(text)) }
        })
    }

    fn required<T: DeserializeOwned>(&self, field: &'static str) -> Result<T, ServerEventError> {
        self.optional(field)?.ok_or(ServerEventError::Missing(field))
    }

    fn id(&self, field: &'static str) -> Result<PeerId, ServerEventError> {
        self.required(field)
    }

    fn raw(&self, field: &'static str) -> Result<Box<RawValue>, ServerEventError> {
        // `null` is a value here: the contract does not look into `data`.
        self.0.get(field).map(|value| (*value).to_owned()).ok_or(ServerEventError::Missing(field))
    }

    fn text(&self, field: &'static str) -> Result<Option<String>, ServerEventError> {
        Ok(self.optional::<String>(field)?.map(|text| cut(&text)))
    }

    fn caps(&self) -> Result<Caps, ServerEventError> {
        Ok(bounded_caps(self.optional("caps")?.unwrap_or_default()))
    }

    fn participants(&self) -> Result<Vec<Participant>, ServerEventError> {
        let mut participants: Vec<Participant> = self.optional("participants")?.unwrap_or_default();
        for participant in &mut participants {
            participant.caps = bounded_caps(std::mem::take(&mut participant.caps));
        }
        Ok(participants)
    }
}

fn bounded_caps(mut caps: Caps) -> Caps {
    caps.retain(|cap| !cap.is_empty() && cap.chars().count() <= CAP_MAX_CHARS);
    caps.truncate(CAPS_MAX);
    caps
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_MAX_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(Key(key)) = map.next_key()? {
            fields.insert(key, map.next_value()?);
        }
        Ok(Fields(fields))
    }
}

/// Borrows the key where it holds no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RoomId;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    fn parse(name: &str, json: &str) -> Result<ServerEvent, ServerEventError> {
        ServerEvent::parse(name, Some(&raw(json)))
    }

    fn id(text: &str) -> PeerId {
        PeerId::parse(text).unwrap()
    }

    #[test]
    fn events_survive_the_way_there_and_back() {
        let ada = Participant { peer_id: id("a"), display_name: DisplayName::sanitize("Ada"), caps: vec![] };
        let error = ErrorBody { code: "room-full".into(), message: "Full.".into() };
        let events = [
            ServerEvent::Peers { peers: vec![id("a")], participants: vec![ada.clone()] },
            ServerEvent::PeerJoined(ada),
            ServerEvent::PeerLeft { peer_id: id("a"), reason: Some("timeout".into()) },
            ServerEvent::Signal { from: id("a"), data: raw(r#"{ "b" : 1.0e0, "a":"\u00e9" }"#) },
            ServerEvent::JoinError(error.clone()),
            ServerEvent::SignalError { to: "ghost".into(), error },
            ServerEvent::RoomClosed { room_id: RoomId::parse("r").unwrap(), reason: "deleted".into() },
        ];
        for event in events {
            let argument = serde_json::value::to_raw_value(&event).unwrap();
            let back = ServerEvent::parse(event.name(), Some(&argument)).unwrap();
            assert_eq!(format!("{back:?}"), format!("{event:?}"));
        }
    }

    #[test]
    fn what_an_old_server_leaves_out_has_defaults() {
        let Ok(ServerEvent::PeerJoined(peer)) = parse("peer-joined", r#"{"peerId":"a","caps":null,"x":[]}"#)
        else {
            panic!("a participant")
        };
        assert_eq!((peer.display_name.as_str(), peer.caps.len()), ("Guest", 0));
        assert!(matches!(parse("peers", r#"{"peers":[]}"#), Ok(ServerEvent::Peers { .. })));
        let joined =
            r#"{"ok":true,"peerId":"me","peers":["a"],"iceServers":[{"urls":"stun:h"}],"participants":null}"#;
        let Ok(JoinAnswer::Joined(joined)) = JoinAnswer::parse(Some(&raw(joined))) else { panic!("joined") };
        assert_eq!(joined.ice_servers[0].urls, ["stun:h"]);
    }

    #[test]
    fn an_error_names_the_field() {
        let error = |name: &str, json: &str| parse(name, json).unwrap_err().to_string();
        assert_eq!(error("peer-left", "{}"), "peerId is missing");
        assert!(error("peer-left", r#"{"peerId":7}"#).starts_with("peerId is not valid: invalid type"));
        assert!(error("peers", r#"{"peers":["a b"]}"#).starts_with("peers is not valid: may contain only"));
        assert!(error("room-closed", r#"{"roomId":""}"#).starts_with("roomId is not valid"));
        for json in ["[]", "7", "null"] {
            assert_eq!(error("signal", json), ServerEventError::NotAnObject.to_string());
        }
        assert_eq!(ServerEvent::parse("x", None).unwrap_err(), ServerEventError::UnknownEvent);
        assert_eq!(ServerEvent::parse("signal", None).unwrap_err(), ServerEventError::NotAnObject);
    }

    #[test]
    fn texts_and_caps_are_bounded() {
        let long = format!(r#"{{"peerId":"a","reason":"{}"}}"#, "x\\n".repeat(100_000));
        let Ok(ServerEvent::PeerLeft { reason: Some(reason), .. }) = parse("peer-left", &long) else {
            panic!("a leave")
        };
        assert_eq!(reason.chars().count(), TEXT_MAX_CHARS);
        assert!(!reason.contains(char::is_control));
        let caps: Vec<String> = (0..1000).map(|n| format!("cap{n}")).collect();
        let many = serde_json::json!({"peerId": "a", "caps": caps}).to_string();
        let Ok(ServerEvent::PeerJoined(peer)) = parse("peer-joined", &many) else { panic!("a participant") };
        assert_eq!(peer.caps.len(), CAPS_MAX);
    }

    #[test]
    fn join_answers_survive_the_way_there_and_back() {
        let joined =
            Joined { peer_id: id("me"), peers: vec![id("a")], participants: vec![], ice_servers: vec![] };
        let refused = ErrorBody { code: "locked".into(), message: "A password is needed.".into() };
        for answer in [JoinAnswer::Joined(joined), JoinAnswer::Refused(refused)] {
            let argument = serde_json::value::to_raw_value(&answer).unwrap();
            assert_eq!(JoinAnswer::parse(Some(&argument)), Ok(answer));
        }
        assert!(JoinAnswer::parse(Some(&raw("{}"))).is_err());
    }
}
