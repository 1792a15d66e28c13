//! Identifiers and names that are valid because they exist.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::limits::{DISPLAY_NAME_MAX_CHARS, PEER_ID_MAX_CHARS, ROOM_ID_MAX_CHARS};

/// Why a string is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The string is empty. Ask for a value.
    #[error("must not be empty")]
    Empty,
    /// The string is longer than the limit in characters that is given here.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// The string holds a character outside `[A-Za-z0-9_-]`.
    #[error("may contain only letters, digits, '_' and '-'")]
    Character,
}

fn check_id(text: &str, max: usize) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > max {
        return Err(IdError::TooLong(max));
    }
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        Ok(())
    } else {
        Err(IdError::Character)
    }
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $max:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Parses an id, or says which rule it breaks.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                check_id(text, $max).map(|()| Self(text.to_owned()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
            }
        }
    };
}

id_type!(
    /// A room's id: 1–64 of `[A-Za-z0-9_-]`.
    RoomId,
    ROOM_ID_MAX_CHARS
);
id_type!(
    /// A participant's id: the Socket.IO socket id that browsers see as `socket.id`. Never a secret.
    ///
    /// Ordered by code unit: the smaller id makes the first offer and is the impolite side.
    PeerId,
    PEER_ID_MAX_CHARS
);

/// What a person is called: trimmed, 1–64 characters, on one line, without characters that could spoof another name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct DisplayName(String);

impl DisplayName {
    /// Makes a name from anything that was typed or received: spoofing controls are removed, white space is trimmed and made plain, what is
    /// longer than the limit is cut, and nothing at all becomes "Guest".
    pub fn sanitize(text: &str) -> Self {
        let name = clean_line(text, DISPLAY_NAME_MAX_CHARS);
        if name.is_empty() { Self("Guest".to_owned()) } else { Self(name) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for DisplayName {
    fn default() -> Self {
        Self::sanitize("")
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DisplayName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::sanitize(&String::deserialize(deserializer)?))
    }
}

/// One line of text for people: spoofing controls are removed, white space is trimmed and made plain, what is longer than `max_chars` is cut.
pub(crate) fn clean_line(text: &str, max_chars: usize) -> String {
    // Cut before the work, so that a text of 1 MB costs no more than a long one.
    let head = text.trim_start().chars().take(max_chars * 4);
    let cleaned: String =
        head.filter(|c| !is_spoofing(*c)).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    let cut: String = cleaned.trim().chars().take(max_chars).collect();
    cut.trim_end().to_owned()
}

/// Controls, bidirectional embeddings, overrides and isolates (UAX #9), and invisible characters that only serve to fake another name.
///
/// The zero-width joiners U+200C and U+200D stay: Persian, Indic scripts and emoji need them.
fn is_spoofing(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_ids_follow_the_contract() {
        assert!(RoomId::parse("Stand-up_1").is_ok());
        assert_eq!(RoomId::parse(""), Err(IdError::Empty));
        assert_eq!(RoomId::parse(&"x".repeat(65)), Err(IdError::TooLong(64)));
        assert_eq!(RoomId::parse("a/b"), Err(IdError::Character));
    }

    #[test]
    fn display_names_are_made_safe() {
        assert_eq!(DisplayName::sanitize("  Ada\u{202E}\n Lovelace\u{0007} ").as_str(), "Ada  Lovelace");
        assert_eq!(DisplayName::sanitize(" \t").as_str(), "Guest");
        assert_eq!(DisplayName::sanitize(&"ß".repeat(1_000_000)).as_str().chars().count(), 64);
    }
}
