//! ICE servers as a host writes them (RFC 7064, RFC 7065) and as browsers take them (W3C webrtc, `RTCIceServer`).

use shared::events::IceServer;

/// Why a text names no ICE server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IceServerError {
    /// Start with one of the schemes.
    #[error("an ICE server starts with stun:, stuns:, turn: or turns:, or is a JSON object with \"urls\"")]
    Scheme,
    /// Name a host, and a port between 1 and 65535 if any.
    #[error("\"{0}\" is no HOST or HOST:PORT")]
    Host(String),
    /// The only query that exists is `?transport=udp` or `tcp`.
    #[error("\"?{0}\" is not known: only ?transport=udp and ?transport=tcp are")]
    Query(String),
    /// TURN servers relay for nobody unknown.
    #[error("a TURN server needs a user and a password: turn:USER:PASSWORD@HOST:PORT")]
    Credentials,
    /// The JSON cannot be read.
    #[error("the JSON object cannot be used: {0}")]
    Json(String),
}

/// Reads `stun:HOST[:PORT]`, `turn:USER:PASSWORD@HOST[:PORT][?transport=…]` or JSON. A user or password with an `@`, or a user with a `:`, can be
/// written as JSON.
pub fn parse(text: &str) -> Result<IceServer, IceServerError> {
    let text = text.trim();
    if text.starts_with('{') {
        let server = serde_json::from_str(text).map_err(|error| IceServerError::Json(error.to_string()))?;
        return check(server);
    }
    let (scheme, rest) = text.split_once(':').ok_or(IceServerError::Scheme)?;
    let (credentials, host) = match rest.rsplit_once('@') {
        Some((credentials, host)) => (credentials.split_once(':'), host),
        None => (None, rest),
    };
    check(IceServer {
        urls: vec![format!("{scheme}:{host}")],
        username: credentials.map(|(user, _)| user.to_owned()),
        credential: credentials.map(|(_, password)| password.to_owned()),
    })
}

/// Checks what a browser would refuse, which would cost every guest the call.
pub fn check(server: IceServer) -> Result<IceServer, IceServerError> {
    if server.urls.is_empty() {
        return Err(IceServerError::Scheme);
    }
    for url in &server.urls {
        check_url(url)?;
        let known = |field: &Option<String>| field.as_ref().is_some_and(|text| !text.is_empty());
        if url.starts_with("turn") && !(known(&server.username) && known(&server.credential)) {
            return Err(IceServerError::Credentials);
        }
    }
    Ok(server)
}

fn check_url(url: &str) -> Result<(), IceServerError> {
    let (scheme, rest) = url.split_once(':').ok_or(IceServerError::Scheme)?;
    if !matches!(scheme, "stun" | "stuns" | "turn" | "turns") {
        return Err(IceServerError::Scheme);
    }
    let (host, query) = rest.split_once('?').map_or((rest, None), |(host, query)| (host, Some(query)));
    if let Some(query) = query
        && !(scheme.starts_with("turn") && matches!(query, "transport=udp" | "transport=tcp"))
    {
        return Err(IceServerError::Query(query.to_owned()));
    }
    // The URL standard's idea of a host and a port is that of the RFCs: names, IPv4, and IPv6 in brackets.
    let port_is_zero = host.ends_with(":0");
    let parsed = url::Url::parse(&format!("https://{host}/"));
    let plain =
        parsed.is_ok_and(|url| url.path() == "/" && url.username().is_empty() && url.query().is_none());
    if plain && !port_is_zero && !host.is_empty() && !host.contains(['/', '@', '#', '\\']) {
        Ok(())
    } else {
        Err(IceServerError::Host(host.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str, credentials: Option<(&str, &str)>) -> IceServer {
        IceServer {
            urls: vec![url.to_owned()],
            username: credentials.map(|(user, _)| user.to_owned()),
            credential: credentials.map(|(_, password)| password.to_owned()),
        }
    }

    #[test]
    fn short_forms_are_read() {
        for (text, expected) in [
            ("stun:stun.example.org", server("stun:stun.example.org", None)),
            ("stun:[2001:db8::1]:3478", server("stun:[2001:db8::1]:3478", None)),
            ("turn:ada:s:cret@10.0.0.1:3478", server("turn:10.0.0.1:3478", Some(("ada", "s:cret")))),
            ("turns:u:p@t.org?transport=tcp", server("turns:t.org?transport=tcp", Some(("u", "p")))),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn json_is_read_as_browsers_write_it() {
        let one = parse(r#"{"urls":"turn:t.org","username":"u@x","credential":"p"}"#).unwrap();
        assert_eq!(one, server("turn:t.org", Some(("u@x", "p"))));
        assert_eq!(parse(r#"{"urls":["stun:a.org","stun:b.org"]}"#).unwrap().urls.len(), 2);
    }

    #[test]
    fn what_a_browser_would_refuse_is_refused_at_start() {
        for text in [
            "",
            "example.org",
            "http://example.org",
            "stun:",
            "stun:a b",
            "stun:h:0",
            "stun:h:99999",
            "stun:h/x",
            "stun:h?transport=udp",
            "turn:h",
            "turn:u@h",
            "turn::p@h",
            "turns:u:p@h?transport=quic",
            "{}",
            r#"{"urls":[]}"#,
            r#"{"urls":"turn:h"}"#,
            "{",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
