//! CORS headers (Fetch standard, "HTTP extensions"), on every answer including errors: a page that may not read an error cannot act on it.

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::CorsOrigins;

/// Answers a preflight request, if this is one that we answer.
pub(super) fn preflight(origins: &CorsOrigins, method: &Method, headers: &HeaderMap) -> Option<Response> {
    if *origins == CorsOrigins::None || method != Method::OPTIONS {
        return None;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET,POST"));
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    answer.append(header::VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
    if let Some(wanted) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    Some(response)
}

/// Adds the headers that let the page of `origin` read the answer.
pub(super) fn allow(origins: &CorsOrigins, origin: Option<&HeaderValue>, response: &mut Response) {
    let answer = response.headers_mut();
    match origins {
        CorsOrigins::Any => {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        CorsOrigins::List(list) => {
            answer.append(header::VARY, HeaderValue::from_static("Origin"));
            if let Some(origin) = origin
                && list.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes())
            {
                answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            }
        }
        CorsOrigins::None => {}
    }
}
