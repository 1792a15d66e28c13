//! Everything that is served over HTTP: the REST API, the pages, and whatever the transport adds.

mod assets;
mod error;
mod headers;
mod rooms;

use axum::Router;
use axum::middleware;
use axum::routing::any;

use crate::gateway::Rooms;

/// The whole router. `transport` serves `/socket.io/`.
pub fn router(rooms: Rooms, transport: Router) -> Router {
    Router::new()
        .nest("/api", rooms::router(rooms))
        .route("/api/", any(rooms::unknown_route))
        .merge(assets::router())
        .merge(transport)
        .fallback(assets::page)
        .layer(middleware::map_response(headers::secure))
}
