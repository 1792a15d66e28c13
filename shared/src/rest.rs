//! The JSON types of the REST API.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::events::ErrorBody;
use crate::fields::{self, FieldError};
use crate::ids::clean_line;
use crate::limits::{PASSWORD_MAX_BYTES, ROOM_CAPACITY_MAX, ROOM_NAME_MAX_CHARS};
use crate::{DisplayName, PeerId, RoomId};

/// A room as `GET /api/rooms` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// The id that links and `join-room` use.
    pub id: RoomId,
    /// The name for people.
    #[serde(default)]
    pub name: String,
    /// RFC 3339.
    #[serde(default)]
    pub created_at: String,
    /// How many people are inside.
    pub participants: u32,
    /// How many people fit.
    pub capacity: u32,
    /// Nobody can join as it stands.
    #[serde(default)]
    pub locked: bool,
    /// Who is inside; empty for rooms that the caller could not join as it stands.
    #[serde(default)]
    pub peers: Vec<RoomPeer>,
}

/// A participant in [`Room::peers`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomPeer {
    /// The participant's id.
    pub peer_id: PeerId,
    /// The participant's name.
    pub display_name: DisplayName,
}

/// The body of `POST /api/rooms`; every field is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateRoom {
    /// The name for people; the id when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The id; the server makes one when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RoomId>,
    /// How many people fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// The password that `join-room` must carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// Why the body of `POST /api/rooms` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateRoomError {
    /// The body is not JSON (RFC 8259). The client is at fault: 400.
    #[error("the body is not valid JSON: {0}")]
    Malformed(String),
    /// The body is JSON, but not an object. 422.
    #[error("the body must be a JSON object")]
    NotAnObject,
    /// A known field breaks a rule. 422.
    #[error("{0}")]
    Field(#[from] FieldError),
}

impl CreateRoom {
    /// Reads a request's body. An empty one asks for a room with nothing special; so do fields that are `null` or an empty name or password,
    /// as forms send them.
    pub fn parse(body: &[u8]) -> Result<Self, CreateRoomError> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let json: &RawValue =
            serde_json::from_slice(body).map_err(|error| CreateRoomError::Malformed(error.to_string()))?;
        if !json.get().starts_with('{') {
            return Err(CreateRoomError::NotAnObject);
        }
        let raw: RawCreateRoom = serde_json::from_str(json.get())
            .map_err(|_| CreateRoomError::Malformed("the same field twice".to_owned()))?;
        let id = match fields::string("id", raw.id)? {
            Some(id) => Some(RoomId::parse(&id).map_err(|error| FieldError::new("id", error.to_string()))?),
            None => None,
        };
        let capacity = fields::whole_number("capacity", raw.capacity, 1..=ROOM_CAPACITY_MAX)?;
        Ok(Self { name: room_name(raw.name)?, id, capacity, password: password(raw.password)? })
    }
}

#[derive(Deserialize)]
struct RawCreateRoom<'a> {
    #[serde(default, borrow)]
    name: Option<&'a RawValue>,
    #[serde(default, borrow)]
    id: Option<&'a RawValue>,
    #[serde(default, borrow)]
    capacity: Option<&'a RawValue>,
    #[serde(default, borrow)]
    password: Option<&'a RawValue>,
}

fn room_name(raw: Option<&RawValue>) -> Result<Option<String>, FieldError> {
    let Some(name) = fields::string("name", raw)? else { return Ok(None) };
    if name.trim().chars().count() > ROOM_NAME_MAX_CHARS {
        return Err(FieldError::new("name", format!("must have at most {ROOM_NAME_MAX_CHARS} characters")));
    }
    Ok(Some(clean_line(&name, ROOM_NAME_MAX_CHARS)).filter(|name| !name.is_empty()))
}

fn password(raw: Option<&RawValue>) -> Result<Option<String>, FieldError> {
    let password = fields::string("password", raw)?.filter(|password| !password.is_empty());
    if password.as_ref().is_some_and(|password| password.len() > PASSWORD_MAX_BYTES) {
        return Err(FieldError::new("password", format!("must have at most {PASSWORD_MAX_BYTES} bytes")));
    }
    Ok(password)
}

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorAnswer {
    /// What went wrong.
    pub error: ErrorBody,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_body_and_empty_fields_ask_for_a_plain_room() {
        for body in
            ["", " \n", "{}", r#"{"name":null,"password":"","unknown":[{}]}"#, r#"{"name":" \u202e"}"#]
        {
            assert_eq!(CreateRoom::parse(body.as_bytes()), Ok(CreateRoom::default()), "{body}");
        }
    }

    #[test]
    fn every_field_is_read() {
        let body = r#"{"name":" Stand-up\n", "id":"s-1", "capacity":3, "password":"pässword"}"#;
        let expected = CreateRoom {
            name: Some("Stand-up".into()),
            id: Some(RoomId::parse("s-1").unwrap()),
            capacity: Some(3),
            password: Some("pässword".into()),
        };
        assert_eq!(CreateRoom::parse(body.as_bytes()), Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long_name = format!(r#"{{"name":"{}"}}"#, "n".repeat(ROOM_NAME_MAX_CHARS + 1));
        let long_password = format!(r#"{{"password":"{}"}}"#, "p".repeat(PASSWORD_MAX_BYTES + 1));
        for (body, text) in [
            (r#"{"name":7}"#, "name must be a string"),
            (r#"{"id":["x"]}"#, "id must be a string"),
            (r#"{"id":"a b"}"#, "id may contain only"),
            (r#"{"id":""}"#, "id must not be empty"),
            (r#"{"capacity":0}"#, "capacity must be a whole number"),
            (r#"{"capacity":"8"}"#, "capacity must be a whole number"),
            (r#"{"password":true}"#, "password must be a string"),
            (&long_name, "name must have at most 128"),
            (&long_password, "password must have at most 256"),
            ("[]", "the body must be a JSON object"),
            ("null", "the body must be a JSON object"),
            ("{", "the body is not valid JSON"),
            ("name=x", "the body is not valid JSON"),
            (r#"{"id":"a","id":"b"}"#, "the body is not valid JSON"),
        ] {
            let error = CreateRoom::parse(body.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(text), "{body}: {error}");
        }
        assert!(matches!(CreateRoom::parse(&[b'{', 0xff, b'}']), Err(CreateRoomError::Malformed(_))));
    }
}
