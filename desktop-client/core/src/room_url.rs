//! Addresses of servers and rooms, as people type, paste and click them.

use std::fmt;

use shared::RoomId;
use shared::ids::IdError;
use url::{Host, Url};

/// Longest address that is looked at, in bytes.
const ADDRESS_MAX_BYTES: usize = 2048;

const APP_SCHEME: &str = "roundtable";

/// Why a text is no address of a server or a room. The text of each is for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Ask for an address.
    #[error("Type the address of a server, for example meet.example.org.")]
    Empty,
    /// Ask for a shorter one.
    #[error("The address is too long. Check it.")]
    TooLong,
    /// Ask for a correction.
    #[error("This is not an address ({0}). An address looks like https://meet.example.org.")]
    Malformed(String),
    /// Ask for a correction.
    #[error(
        "Addresses that begin with “{0}:” do not lead to a server. Use https://, http:// or roundtable://."
    )]
    Scheme(String),
    /// Ask for a correction.
    #[error("The link has no https:// in front. Copy the whole link.")]
    NoScheme,
    /// Ask for a correction.
    #[error("An address with a user name or password is not accepted. Remove what stands before the “@”.")]
    Credentials,
    /// Ask for the rest of the link.
    #[error("The link names no room. It should end in /room.html?id= and the room's id.")]
    NoRoom,
    /// Ask for a correction.
    #[error("The link's room id {0}. Check the link.")]
    Room(IdError),
}

/// A server's base URL, `http(s)://host[:port]`, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerUrl(String);

impl ServerUrl {
    /// Parses what a person typed or pasted: an address with or without a scheme, or a whole link of which only the server counts.
    ///
    /// Without a scheme it is `https`, unless the host is this computer: there is no certificate for it.
    pub fn parse(typed: &str) -> Result<Self, AddressError> {
        let typed = checked(typed)?;
        if typed.contains("://") {
            return parse_url(typed).map(|url| Self::of(&url));
        }
        // Parsed as https first, to find the host.
        let url = parse_http(&format!("https://{typed}"))?;
        let url = if is_loopback(&url) { parse_http(&format!("http://{typed}"))? } else { url };
        Ok(Self::of(&url))
    }

    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(url: &Url) -> Self {
        Self(url.origin().ascii_serialization())
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A room on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomUrl {
    /// The server.
    pub server: ServerUrl,
    /// The room.
    pub room: RoomId,
}

impl RoomUrl {
    /// Parses `http(s)://host[:port]/room.html?id=ROOM` or `roundtable://host[:port]/ROOM` (https unless the host is this computer).
    pub fn parse(link: &str) -> Result<Self, AddressError> {
        let link = checked(link)?;
        if !link.contains("://") {
            return Err(AddressError::NoScheme);
        }
        let url = parse_url(link)?;
        let id = if has_scheme(link, APP_SCHEME) {
            url.path().trim_matches('/').to_owned()
        } else {
            let id = url.query_pairs().find(|(name, _)| name == "id");
            id.map(|(_, id)| id.into_owned()).unwrap_or_default()
        };
        if id.is_empty() {
            return Err(AddressError::NoRoom);
        }
        let room = RoomId::parse(&id).map_err(AddressError::Room)?;
        Ok(Self { server: ServerUrl::of(&url), room })
    }

    /// The link that lets guests join from a browser.
    pub fn guest_link(&self) -> String {
        format!("{}/room.html?id={}", self.server, self.room)
    }
}

fn checked(typed: &str) -> Result<&str, AddressError> {
    let typed = typed.trim();
    match typed.len() {
        0 => Err(AddressError::Empty),
        length if length > ADDRESS_MAX_BYTES => Err(AddressError::TooLong),
        _ => Ok(typed),
    }
}

fn has_scheme(address: &str, scheme: &str) -> bool {
    address.split_once("://").is_some_and(|(found, _)| found.eq_ignore_ascii_case(scheme))
}

fn parse_url(address: &str) -> Result<Url, AddressError> {
    if has_scheme(address, APP_SCHEME) {
        let rest = &address[APP_SCHEME.len()..];
        let url = parse_http(&format!("https{rest}"))?;
        return if is_loopback(&url) { parse_http(&format!("http{rest}")) } else { Ok(url) };
    }
    parse_http(address)
}

fn parse_http(address: &str) -> Result<Url, AddressError> {
    let url = Url::parse(address).map_err(|error| AddressError::Malformed(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(AddressError::Scheme(crate::text::single_line(url.scheme(), 20)));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Credentials);
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_parses_is_a_base_url_and_parses_again(typed in "(https?://|roundtable://|)[a-z0-9.:@/?=\\[\\]\u{e4} -]{0,40}") {
            if let Ok(server) = ServerUrl::parse(&typed) {
                prop_assert!(server.as_str().starts_with("http"));
                prop_assert!(!server.as_str().ends_with('/'));
                prop_assert_eq!(ServerUrl::parse(server.as_str()), Ok(server));
            }
            if let Ok(url) = RoomUrl::parse(&typed) {
                prop_assert_eq!(RoomUrl::parse(&url.guest_link()), Ok(url));
            }
        }
    }

    fn server(typed: &str) -> String {
        match ServerUrl::parse(typed) {
            Ok(server) => server.to_string(),
            Err(error) => format!("{error:?}"),
        }
    }

    fn room(link: &str) -> String {
        match RoomUrl::parse(link) {
            Ok(url) => format!("{} {}", url.server, url.room),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn a_bare_host_is_https_unless_it_is_this_computer() {
        assert_eq!(server(" meet.example.org "), "https://meet.example.org");
        assert_eq!(server("meet.example.org:8443"), "https://meet.example.org:8443");
        assert_eq!(server("192.168.1.20:3000"), "https://192.168.1.20:3000");
        for local in ["localhost:3000", "127.0.0.1:3000", "127.8.8.8:3000", "[::1]:3000", "a.localhost:3000"]
        {
            assert_eq!(server(local), format!("http://{local}"));
        }
    }

    #[test]
    fn only_the_server_counts_of_what_was_pasted_into_the_server_field() {
        assert_eq!(server("HTTP://Meet.Example.org:80/index.html"), "http://meet.example.org");
        assert_eq!(server("https://h:3000/room.html?id=daily"), "https://h:3000");
        assert_eq!(server("roundtable://localhost:3000/daily"), "http://localhost:3000");
        assert_eq!(server("bücher.example"), "https://xn--bcher-kva.example");
    }

    #[test]
    fn both_forms_of_a_room_link_are_understood() {
        assert_eq!(room("http://h:3000/room.html?id=daily"), "http://h:3000 daily");
        assert_eq!(room("https://h/room.html?x=1&id=Stand-up_1#x"), "https://h Stand-up_1");
        assert_eq!(room("roundtable://h:3000/daily"), "https://h:3000 daily");
        assert_eq!(room("ROUNDTABLE://127.0.0.1:3000/daily/"), "http://127.0.0.1:3000 daily");
        let url = RoomUrl::parse("roundtable://h/daily").unwrap();
        assert_eq!(url.guest_link(), "https://h/room.html?id=daily");
        assert_eq!(RoomUrl::parse(&url.guest_link()), Ok(url));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(server("  "), "Empty");
        assert_eq!(server(&"x".repeat(3000)), "TooLong");
        assert_eq!(server("ftp://h"), "Scheme(\"ftp\")");
        assert_eq!(server("https://me:pw@h"), "Credentials");
        assert!(server("h:99999").starts_with("Malformed"));
        assert!(server("https://").starts_with("Malformed"));
        assert!(server("a b").starts_with("Malformed"));
        assert_eq!(room("h:3000/room.html?id=daily"), "NoScheme");
        assert_eq!(room("https://h/room.html"), "NoRoom");
        assert_eq!(room("roundtable://h"), "NoRoom");
        assert_eq!(room("https://h/room.html?id=a%20b"), "Room(Character)");
        assert_eq!(
            AddressError::Room(IdError::TooLong(64)).to_string(),
            "The link's room id must have at most 64 characters. Check the link."
        );
    }
}
