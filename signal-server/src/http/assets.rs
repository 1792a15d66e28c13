//! The browser client and the official socket.io-client, both embedded in the program.
//!
//! Everything is revalidated at each use (`no-cache` and an `ETag`), so a guest never runs an old page against a new server. A debug build reads
//! the files from the source tree at each request, so that a change shows on reload.

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::headers;

/// The browser client.
#[derive(RustEmbed)]
#[folder = "../assets/web"]
struct Web;

/// `dist/` of npm's socket.io-client, which Node's server serves under the same names.
#[derive(RustEmbed)]
#[folder = "assets/socket.io"]
struct SocketIoClient;

/// Names below `/socket.io/` that are files, not the transport.
const SOCKET_IO_FILES: [&str; 6] = [
    "socket.io.js",
    "socket.io.js.map",
    "socket.io.min.js",
    "socket.io.min.js.map",
    "socket.io.esm.min.js",
    "socket.io.esm.min.js.map",
];

const NOT_FOUND_PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Not found</title>\
    <h1>There is nothing at this address</h1><p><a href=\"/\">All rooms</a></p></html>";

/// The routes of the socket.io-client's files.
pub fn router() -> Router {
    SOCKET_IO_FILES.into_iter().fold(Router::new(), |router, name| {
        let serve = move |headers: HeaderMap| async move { socket_io_client(name, &headers) };
        router.route(&format!("/socket.io/{name}"), get(serve))
    })
}

/// Any other address: a file of the browser client, or a page that says that there is nothing.
pub async fn page(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response();
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    // The names of our files need no percent-encoding, so an address that has any names none of them.
    let path = request.uri().path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let mut response = match Web::get(path).filter(|_| is_plain(path)) {
        Some(file) => serve(path, file, request.headers()),
        None => (StatusCode::NOT_FOUND, Html(NOT_FOUND_PAGE)).into_response(),
    };
    headers::for_page(response.headers_mut(), host);
    response
}

fn socket_io_client(name: &str, request: &HeaderMap) -> Response {
    let Some(file) = SocketIoClient::get(name) else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = serve(name, file, request);
    // Pages from elsewhere load it from here, and as a module that takes permission.
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn serve(path: &str, file: EmbeddedFile, request: &HeaderMap) -> Response {
    let tag = etag(&file);
    let headers = [
        (CONTENT_TYPE, content_type(path).to_owned()),
        (CACHE_CONTROL, "no-cache".to_owned()),
        (ETAG, tag.clone()),
    ];
    let known = request.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|tags| tags.split(',').any(|known| matches(known.trim(), &tag))) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, file.data).into_response()
}

/// RFC 9110, section 13.1.2: weak comparison.
fn matches(known: &str, tag: &str) -> bool {
    known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
}

fn etag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// Whether every part of the path is an ordinary name: no `..`, no hidden file, no empty part, no other separator.
fn is_plain(path: &str) -> bool {
    path.split('/').all(|part| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "wav" => "audio/wav",
        "wasm" => "application/wasm",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
