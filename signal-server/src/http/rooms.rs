//! The REST API: rooms are listed, made, shown and deleted.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use shared::rest::{CreateRoom, CreateRoomError, Room};
use shared::{RoomId, codes};
use signal_core::{CreateRefused, RoomInfo};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tower_http::cors::{Any, CorsLayer};

use super::error::ApiError;
use crate::gateway::Rooms;

/// Largest body of a request, in bytes. The longest sensible one is under 2 kB.
const BODY_MAX_BYTES: usize = 64 * 1024;

/// How long a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a browser may remember that pages from elsewhere may ask.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The routes below `/api`. Pages from everywhere may use them: there are no cookies that they could misuse.
pub fn router(rooms: Rooms) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::DELETE])
        .allow_headers(Any)
        .expose_headers([LOCATION])
        .max_age(PREFLIGHT_MAX_AGE);
    Router::new()
        .route("/rooms", get(list).post(create))
        .route("/rooms/", get(list).post(create))
        .route("/rooms/{id}", get(show).delete(delete))
        .route("/rooms/{id}/", get(show).delete(delete))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(middleware::map_response(never_cached))
        .layer(cors)
        .with_state(rooms)
}

async fn list(State(rooms): State<Rooms>) -> Result<Json<Vec<Room>>, ApiError> {
    let rooms = rooms.list().await.map_err(|_| ApiError::unavailable())?;
    Ok(Json(rooms.into_iter().map(wire).collect()))
}

async fn show(
    State(rooms): State<Rooms>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Room>, ApiError> {
    let room = rooms.get(room_id(id)?).await.map_err(|_| ApiError::unavailable())?;
    room.map(|room| Json(wire(room))).ok_or_else(no_room)
}

async fn create(State(rooms): State<Rooms>, request: Request) -> Result<Response, ApiError> {
    let body = read_body(request).await?;
    let wanted = CreateRoom::parse(&body).map_err(|error| bad_request(&error))?;
    let room = rooms.create(wanted).await.map_err(|_| ApiError::unavailable())?.map_err(refused)?;
    let location = format!("/api/rooms/{}", room.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(wire(room))).into_response())
}

async fn delete(
    State(rooms): State<Rooms>,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let deleted = rooms.delete(room_id(id)?).await.map_err(|_| ApiError::unavailable())?;
    deleted.map(|()| StatusCode::NO_CONTENT).map_err(|_| no_room())
}

/// Any other address below `/api`.
pub async fn unknown_route() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not-found", "There is no such address in this API.")
}

async fn wrong_method(method: Method) -> ApiError {
    let message = format!("{method} is not possible here.");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", message)
}

async fn never_cached(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The whole body, whatever type it claims to have: simple clients name none, or the one that their tool names by default.
async fn read_body(request: Request) -> Result<Bytes, ApiError> {
    let read = tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, &())).await;
    read.map_err(|_| {
        ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", "The body took too long to arrive.")
    })?
    .map_err(|rejection: BytesRejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            format!("The body must have at most {BODY_MAX_BYTES} bytes."),
        ),
        _ => ApiError::new(StatusCode::BAD_REQUEST, "bad-request", "The body could not be read."),
    })
}

fn bad_request(error: &CreateRoomError) -> ApiError {
    match error {
        CreateRoomError::Malformed(_) => {
            ApiError::new(StatusCode::BAD_REQUEST, "malformed-json", error.to_string())
        }
        CreateRoomError::NotAnObject | CreateRoomError::Field(_) => {
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, codes::INVALID_ARGUMENT, error.to_string())
        }
    }
}

fn refused(refusal: CreateRefused) -> ApiError {
    match refusal {
        CreateRefused::Exists => {
            ApiError::new(StatusCode::CONFLICT, codes::ROOM_EXISTS, "A room with this id exists already.")
        }
        CreateRefused::TooManyRooms => ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            codes::TOO_MANY_ROOMS,
            "The server has no space for another room. Delete one first.",
        ),
    }
}

/// The id in the path; what cannot be an id is a room that does not exist.
fn room_id(path: Result<Path<String>, PathRejection>) -> Result<RoomId, ApiError> {
    path.ok().and_then(|Path(id)| RoomId::parse(&id).ok()).ok_or_else(no_room)
}

fn no_room() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, codes::ROOM_NOT_FOUND, "There is no such room.")
}

fn wire(room: RoomInfo) -> Room {
    let RoomInfo { id, name, created_at, participants, capacity, locked, peers } = room;
    let moment = OffsetDateTime::from(created_at);
    // Milliseconds, as JavaScript's dates have.
    let moment = moment.replace_millisecond(moment.millisecond()).unwrap_or(moment);
    let created_at = moment.format(&Rfc3339).unwrap_or_default();
    Room { id, name, created_at, participants, capacity, locked, peers }
}
