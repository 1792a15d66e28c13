//! The requests of both transports: which session they belong to, and whether they are in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, FromRequestParts as _, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures_util::StreamExt as _;
use tokio::sync::{mpsc, oneshot};

use super::hub::Hub;
use super::link::{Command, Link, PollAnswer};
use super::refusal::Refusal;
use super::websocket::{READ_BUFFER_BYTES, WRITE_BUFFER_BYTES};
use super::{Protocol, cors, probe};
use crate::DisconnectReason;
use crate::id::SessionId;

/// The routes of a server, with and without the trailing slash.
pub(super) fn router<P: Protocol>(hub: Arc<Hub<P>>) -> axum::Router {
    let bare = format!("/{}", hub.config.path.trim_matches('/'));
    let mut router = axum::Router::new().route(&bare, any(handle::<P>));
    if bare != "/" {
        router = router.route(&format!("{bare}/"), any(handle::<P>));
    }
    router.with_state(hub)
}

async fn handle<P: Protocol>(State(hub): State<Arc<Hub<P>>>, request: Request<Body>) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = match cors::preflight(&hub.config.cors, request.method(), request.headers()) {
        Some(response) => response,
        None => respond(&hub, request).await,
    };
    cors::allow(&hub.config.cors, origin.as_ref(), &mut response);
    response
}

async fn respond<P: Protocol>(hub: &Arc<Hub<P>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let is_upgrade = is_upgrade(&parts.headers);
    let result = match verify(hub, &parts, is_upgrade) {
        Ok(target) if is_upgrade => upgrade(hub, target, parts).await,
        Ok(Target::New) => handshake(hub, remote(&parts)),
        Ok(Target::Session(link)) => Ok(match parts.method {
            Method::GET => poll(&link).await,
            Method::POST => post(hub, &link, &parts.headers, body).await,
            _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }),
        Ok(Target::NoUpgrade) => Err(Refusal::BadRequest),
        Err(refusal) => Err(refusal),
    };
    result.unwrap_or_else(|refusal| {
        hub.counters.refused.fetch_add(1, Ordering::Relaxed);
        if is_upgrade { refusal.into_upgrade_response() } else { refusal.into_response() }
    })
}

/// What a request in order is about.
enum Target {
    /// A handshake.
    New,
    /// This session.
    Session(Arc<Link>),
    /// A WebSocket for a transport that is none: it is accepted and closed, as in Node.
    NoUpgrade,
}

/// The checks of Node's engine.io, in its order, so that each mistake gets the answer that clients know.
fn verify<P: Protocol>(hub: &Hub<P>, parts: &Parts, is_upgrade: bool) -> Result<Target, Refusal> {
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let is_websocket = match query.transport {
        Some("polling") => false,
        Some("websocket") => true,
        _ => return Err(Refusal::UnknownTransport),
    };
    if let Some(sid) = query.sid.filter(|sid| !sid.is_empty()) {
        let id = SessionId::parse(sid).ok_or(Refusal::UnknownSession)?;
        let link = hub.registry.get(id).ok_or(Refusal::UnknownSession)?;
        let wrong_transport = link.polling().is_some() == is_websocket;
        if (wrong_transport && !is_upgrade) || query.version != Some("4") {
            return Err(Refusal::BadRequest);
        }
        return Ok(if is_upgrade && !is_websocket { Target::NoUpgrade } else { Target::Session(link) });
    }
    if parts.method != Method::GET {
        return Err(Refusal::BadHandshakeMethod);
    }
    if is_websocket && !is_upgrade {
        return Err(Refusal::BadRequest);
    }
    if is_upgrade && !is_websocket {
        return Ok(Target::NoUpgrade);
    }
    if query.version != Some("4") {
        return Err(Refusal::UnsupportedVersion);
    }
    Ok(Target::New)
}

#[derive(Default)]
struct Query<'a> {
    version: Option<&'a str>,
    transport: Option<&'a str>,
    sid: Option<&'a str>,
}

impl<'a> Query<'a> {
    /// Values are compared with plain words only, so nothing needs decoding: what is percent-encoded is no value of ours.
    fn parse(query: &'a str) -> Self {
        let mut parsed = Self::default();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "EIO" => parsed.version = Some(value),
                "transport" => parsed.transport = Some(value),
                "sid" => parsed.sid = Some(value),
                _ => {}
            }
        }
        parsed
    }
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    let contains = |name, token: &str| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
            .is_some_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
    };
    contains(header::CONNECTION, "upgrade") && contains(header::UPGRADE, "websocket")
}

fn remote(parts: &Parts) -> Option<SocketAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0)
}

fn handshake<P: Protocol>(hub: &Arc<Hub<P>>, remote: Option<SocketAddr>) -> Result<Response, Refusal> {
    let packet = hub.open_polling(remote).map_err(|_| Refusal::Unavailable)?;
    Ok(payload(packet))
}

async fn upgrade<P: Protocol>(
    hub: &Arc<Hub<P>>,
    target: Target,
    mut parts: Parts,
) -> Result<Response, Refusal> {
    let remote = remote(&parts);
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(hub.config.max_payload)
        .max_frame_size(hub.config.max_payload);
    let hub = Arc::clone(hub);
    Ok(match target {
        Target::New if hub.sessions() >= hub.config.max_sessions => return Err(Refusal::Unavailable),
        Target::New => upgrade.on_upgrade(async move |websocket| {
            // When the last place was taken meanwhile, the client sees its connection closed and tries again later.
            let _ = hub.open_websocket(remote, websocket);
        }),
        Target::Session(link) => upgrade.on_upgrade(async move |websocket| {
            probe::run(&hub.config, link, websocket).await;
        }),
        Target::NoUpgrade => upgrade.on_upgrade(async move |websocket| {
            probe::refuse(&hub.config, websocket).await;
        }),
    })
}

/// GET: waits until there is something to send.
async fn poll(link: &Link) -> Response {
    let (answer, answered) = oneshot::channel();
    if !send(link.polling(), Command::Poll(answer)).await {
        return Refusal::UnknownSession.into_response();
    }
    match answered.await {
        Ok(PollAnswer::Payload(packets)) => payload(packets),
        Ok(PollAnswer::Refused) => StatusCode::BAD_REQUEST.into_response(),
        // The session ended without a word for this request.
        Err(_) => Refusal::UnknownSession.into_response(),
    }
}

/// POST: takes packets.
async fn post<P: Protocol>(hub: &Hub<P>, link: &Link, headers: &HeaderMap, body: Body) -> Response {
    let Some(_guard) = link.start_post() else {
        return abort(link, DisconnectReason::ProtocolViolation, StatusCode::BAD_REQUEST).await;
    };
    if headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/octet-stream") {
        return abort(link, DisconnectReason::ProtocolViolation, StatusCode::BAD_REQUEST).await;
    }
    // A body that trickles in must not outlive the session.
    let patience = hub.config.ping_interval + hub.config.ping_timeout;
    let body = match tokio::time::timeout(patience, read(body, hub.config.max_payload)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(Unreadable::TooLarge)) => {
            return abort(link, DisconnectReason::PayloadTooLarge, StatusCode::PAYLOAD_TOO_LARGE).await;
        }
        Ok(Err(Unreadable::Broken)) | Err(_) => {
            return abort(link, DisconnectReason::TransportLost, StatusCode::BAD_REQUEST).await;
        }
    };
    let Ok(text) = String::from_utf8(body) else {
        return abort(link, DisconnectReason::ProtocolViolation, StatusCode::BAD_REQUEST).await;
    };
    let (reply, accepted) = oneshot::channel();
    if !send(link.polling(), Command::Post(text, reply)).await {
        return Refusal::UnknownSession.into_response();
    }
    match accepted.await {
        // As Node: other types than HTML make some browsers offer a download.
        Ok(true) => with_no_store("text/html", "ok"),
        Ok(false) => Refusal::BadRequest.into_response(),
        Err(_) => Refusal::UnknownSession.into_response(),
    }
}

/// Why a body could not be read.
enum Unreadable {
    TooLarge,
    Broken,
}

async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Unreadable> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Unreadable::Broken)?;
        if bytes.len() + chunk.len() > limit {
            return Err(Unreadable::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn abort(link: &Link, reason: DisconnectReason, status: StatusCode) -> Response {
    send(link.polling(), Command::Abort(reason)).await;
    status.into_response()
}

async fn send(session: Option<mpsc::Sender<Command>>, command: Command) -> bool {
    match session {
        Some(session) => session.send(command).await.is_ok(),
        None => false,
    }
}

fn payload(packets: String) -> Response {
    with_no_store("text/plain; charset=UTF-8", packets)
}

fn with_no_store(content_type: &'static str, body: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}
