//! Random identifiers: 120 bits from a cryptographically secure generator, as 20 characters of `[A-Za-z0-9_-]`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore as _;

/// Random bytes of an id: 15 are 120 bits and make 20 base64 characters without padding.
const RANDOM_BYTES: usize = 15;
/// Characters of an id.
const CHARS: usize = 20;

/// A socket's id, which clients see as `socket.id`. Public: knowing it gives no power over the connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(Token);

/// An Engine.IO session's id, which authenticates the requests of a client. Never shown to anybody else.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionId(Token);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Token([u8; CHARS]);

impl Token {
    fn random() -> Self {
        let mut random = [0; RANDOM_BYTES];
        rand::rng().fill_bytes(&mut random);
        let mut chars = [b'A'; CHARS];
        let written = URL_SAFE_NO_PAD.encode_slice(random, &mut chars);
        debug_assert_eq!(written, Ok(CHARS));
        Self(chars)
    }

    fn parse(text: &str) -> Option<Self> {
        let valid = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let chars: [u8; CHARS] = text.as_bytes().try_into().ok()?;
        chars.iter().all(valid).then_some(Self(chars))
    }

    fn as_str(&self) -> &str {
        // Always ASCII; the check costs less than an unsafe block would cost its readers.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl SocketId {
    pub(crate) fn random() -> Self {
        Self(Token::random())
    }

    /// The id that this text writes, if it can be one.
    pub fn parse(text: &str) -> Option<Self> {
        Token::parse(text).map(Self)
    }

    /// The id as clients see it.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl SessionId {
    pub(crate) fn random() -> Self {
        Self(Token::random())
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Token::parse(text).map(Self)
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SocketId({})", self.as_str())
    }
}

impl fmt::Debug for SessionId {
    /// Shows no more than is needed to tell sessions apart in a log: the id is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({}…)", self.as_str().get(..4).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_twenty_safe_characters_and_differ() {
        let ids: HashSet<_> = (0..1000).map(|_| SocketId::random()).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            assert_eq!(id.as_str().len(), 20);
            assert_eq!(SocketId::parse(id.as_str()), Some(id));
        }
        assert_eq!(SocketId::parse("short"), None);
        assert_eq!(SocketId::parse("AAAAAAAAAAAAAAAAAAA/"), None);
    }

    #[test]
    fn a_session_id_stays_out_of_logs() {
        let id = SessionId::random();
        assert!(!format!("{id:?}").contains(id.as_str()));
    }
}
