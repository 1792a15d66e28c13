//! Requests that are refused, answered as Node's engine.io answers them: clients and their tests look at code and message.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The `transport` parameter names none that we have.
    UnknownTransport,
    /// The `sid` parameter names no session.
    UnknownSession,
    /// A handshake by another method than GET.
    BadHandshakeMethod,
    /// The request does not fit the session's state.
    BadRequest,
    /// Another protocol revision than 4.
    UnsupportedVersion,
    /// No room, or the server is shutting down. Node has no such answer.
    Unavailable,
}

impl Refusal {
    fn code(self) -> u8 {
        match self {
            Self::UnknownTransport => 0,
            Self::UnknownSession => 1,
            Self::BadHandshakeMethod => 2,
            Self::BadRequest => 3,
            Self::Unavailable => 4,
            Self::UnsupportedVersion => 5,
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::UnknownTransport => "Transport unknown",
            Self::UnknownSession => "Session ID unknown",
            Self::BadHandshakeMethod => "Bad handshake method",
            Self::BadRequest => "Bad request",
            Self::Unavailable => "Service unavailable",
            Self::UnsupportedVersion => "Unsupported protocol version",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::UnknownTransport
            | Self::UnknownSession
            | Self::BadHandshakeMethod
            | Self::BadRequest
            | Self::UnsupportedVersion => StatusCode::BAD_REQUEST,
        }
    }

    /// The answer to a WebSocket handshake: plain text, and the connection is of no further use.
    pub(super) fn into_upgrade_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html")),
            (header::CONNECTION, HeaderValue::from_static("close")),
        ];
        (self.status(), headers, self.message()).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let body = format!(r#"{{"code":{},"message":"{}"}}"#, self.code(), self.message());
        (self.status(), headers, body).into_response()
    }
}
