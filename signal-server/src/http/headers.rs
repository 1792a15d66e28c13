//! Headers that keep a page from doing, or having done to it, what it does not need.

use axum::http::header::{HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

/// W3C Permissions Policy: devices belong to our own pages, never to frames inside them.
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "camera=(self), microphone=(self), display-capture=(self), geolocation=(), usb=()",
);

/// Adds what fits every answer. Room ids are in addresses, so addresses go nowhere.
pub async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Adds what a page needs: W3C CSP 3 and Permissions Policy. `host` is the request's `Host`.
pub fn for_page(headers: &mut HeaderMap, host: Option<&str>) {
    headers.insert(HeaderName::from_static("permissions-policy"), PERMISSIONS);
    headers.insert(HeaderName::from_static("content-security-policy"), content_security_policy(host));
}

/// Scripts, styles and connections only from and to this server; pictures, sounds and received files may also come out of the page itself.
fn content_security_policy(host: Option<&str>) -> HeaderValue {
    // In some browsers `'self'` does not cover WebSockets, so they are named.
    let sockets = match host.filter(|host| is_host(host)) {
        Some(host) => format!(" ws://{host} wss://{host}"),
        None => String::new(),
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
         media-src 'self' data: blob:; font-src 'self'; connect-src 'self'{sockets}; worker-src 'self' blob:; \
         manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    );
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'self'"))
}

/// A host with or without a port, and nothing that could add to the policy.
fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 260
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_cannot_widen_the_policy() {
        let policy = |host| content_security_policy(host).to_str().unwrap().to_owned();
        assert!(
            policy(Some("10.0.0.1:3000"))
                .contains("connect-src 'self' ws://10.0.0.1:3000 wss://10.0.0.1:3000;")
        );
        for hostile in ["*", "x; script-src *", "a b", ""] {
            assert!(policy(Some(hostile)).contains("connect-src 'self';"), "{hostile}");
        }
    }
}
