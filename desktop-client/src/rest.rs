//! The list of rooms: what the start screen does by REST.
//!
//! Answers come from servers that may be old, broken or hostile: they are bounded in time and size and parsed strictly, and every failure
//! ends as a sentence for the person.

use std::sync::Arc;
use std::time::Duration;

use call_core::session::{RestAnswer, RestCall, RestEvent, RestFailure, RestOrder};
use call_core::text::single_line;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use shared::RoomId;
use shared::events::ErrorBody;
use shared::rest::{CreateRoom, ErrorAnswer, Room};
use url::Url;

use crate::reach::{self, CONNECT_TIMEOUT, ReachError};
use crate::tls::{HostPort, TrustStore, UntrustedCertificate};

/// How long a request may take from its first byte to the answer's last.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Largest answer, in bytes. A room with eight people takes about 600 bytes, so this is some thousands of rooms.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// Longest address of a redirect that is shown, in characters.
const MAX_LOCATION_CHARS: usize = 100;

/// Carries out an order of the session's. A certificate that wants a decision comes beside the failure that it caused.
pub async fn perform(order: RestOrder, trust: &TrustStore) -> (RestEvent, Option<UntrustedCertificate>) {
    let RestOrder { request, server, call } = order;
    let result = call_server(&server, call, trust).await;
    let untrusted = match &result {
        Err(RestError::Reach(ReachError::Untrusted(untrusted))) => Some(untrusted.clone()),
        _ => None,
    };
    (RestEvent { request, result: result.map_err(RestFailure::from) }, untrusted)
}

async fn call_server(server: &str, call: RestCall, trust: &TrustStore) -> Result<RestAnswer, RestError> {
    let url: Url = server.parse().map_err(|_| ReachError::BadUrl(server.to_owned()))?;
    let client = RestClient::new(&url, trust)?;
    Ok(match call {
        RestCall::List => RestAnswer::Rooms(client.rooms().await?),
        RestCall::Create(room) => RestAnswer::Created(client.create_room(&room).await?),
        RestCall::Delete(id) => {
            client.delete_room(&id).await?;
            RestAnswer::Deleted
        }
    })
}

/// Why a request failed. The session says it to the person as a [`RestFailure`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// The server cannot be reached; a certificate may want a decision.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// The server refused the request.
    #[error("the server answered with HTTP status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The contract's error, when the answer holds one.
        error: Option<ErrorBody>,
    },
    /// The server wants to be asked at this other address. A redirect is not followed: the person chose whom to talk to.
    #[error("the server has moved to {0}")]
    Moved(String),
    /// The answer is not what the contract says. The server is broken, or none of ours.
    #[error("the answer makes no sense: {0}")]
    Malformed(String),
    /// The answer is larger than what is read.
    #[error("the answer has more than {MAX_ANSWER_BYTES} bytes")]
    TooLarge,
}

impl From<RestError> for RestFailure {
    fn from(error: RestError) -> Self {
        match error {
            RestError::Reach(ReachError::NotRoundtable(..))
            | RestError::Malformed(_)
            | RestError::TooLarge => {
                tracing::debug!(%error, "not an answer of the contract");
                Self::Malformed
            }
            RestError::Reach(reach) => Self::Unreachable(reach.few_words()),
            RestError::Refused { status, error } => Self::Refused { status, error },
            RestError::Moved(to) => Self::Unreachable(format!("it says that it has moved to {to}")),
        }
    }
}

/// Talks to one server. Clones share its connections.
#[derive(Debug, Clone)]
pub struct RestClient {
    http: Client,
    rooms: Url,
    host: HostPort,
}

impl RestClient {
    /// A client for the server that an `http` or `https` URL leads to; its path and query do not matter.
    ///
    /// It sees the trust store as it is now: make another client after a certificate was pinned.
    pub fn new(server: &Url, trust: &TrustStore) -> Result<Self, RestError> {
        let bad_url = || ReachError::BadUrl(server.to_string());
        if !matches!(server.scheme(), "http" | "https") {
            return Err(bad_url().into());
        }
        let host = HostPort::of(server).ok_or_else(bad_url)?;
        let mut rooms = server.clone();
        rooms.set_path("/api/rooms");
        rooms.set_query(None);
        rooms.set_fragment(None);
        let tls = |error: &dyn std::fmt::Display| ReachError::Tls(host.clone(), error.to_string());
        let config = trust.client_config(&host).map_err(|error| tls(&error))?;
        let http = Client::builder()
            .tls_backend_preconfigured(config)
            .dns_resolver(Arc::new(Resolver))
            // Signaling goes directly too: a list of rooms that cannot be joined would help nobody.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .build()
            .map_err(|error| tls(&error))?;
        Ok(Self { http, rooms, host })
    }

    /// The server's rooms, in its order.
    pub async fn rooms(&self) -> Result<Vec<Room>, RestError> {
        self.fetch(self.http.get(self.rooms.clone())).await
    }

    /// Makes a room.
    pub async fn create_room(&self, room: &CreateRoom) -> Result<Room, RestError> {
        self.fetch(self.http.post(self.rooms.clone()).json(room)).await
    }

    /// Deletes a room; everybody inside is removed.
    pub async fn delete_room(&self, id: &RoomId) -> Result<(), RestError> {
        let mut url = self.rooms.clone();
        url.set_path(&format!("/api/rooms/{id}"));
        self.send(self.http.request(Method::DELETE, url)).await.map(drop)
    }

    async fn fetch<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, RestError> {
        let body = self.send(request).await?;
        serde_json::from_slice(&body).map_err(|error| RestError::Malformed(error.to_string()))
    }

    /// The body of a successful answer.
    async fn send(&self, request: RequestBuilder) -> Result<Vec<u8>, RestError> {
        let response = request.send().await.map_err(|error| self.failure(&error))?;
        let status = response.status();
        let location = header(&response, reqwest::header::LOCATION);
        let body = self.body(response).await?;
        if status.is_success() { Ok(body) } else { Err(self.refusal(status, location.as_deref(), &body)) }
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, RestError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(&error))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(RestError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn failure(&self, error: &reqwest::Error) -> RestError {
        if let Some(reach) = ReachError::find(error, &self.host) {
            return reach.into();
        }
        if error.is_timeout() {
            return ReachError::TimedOut(self.host.clone()).into();
        }
        // What remains is HTTP that does not parse, or that ends too early.
        tracing::debug!(%error, "the HTTP exchange failed");
        ReachError::NotHttp(self.host.clone()).into()
    }

    fn refusal(&self, status: StatusCode, location: Option<&str>, body: &[u8]) -> RestError {
        let error = serde_json::from_slice::<ErrorAnswer>(body).ok().map(|answer| answer.error);
        if status.is_redirection() {
            return RestError::Moved(single_line(location.unwrap_or("another address"), MAX_LOCATION_CHARS));
        }
        // A web server without our API answers so; ours would have given the contract's error.
        if error.is_none() && matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
            return ReachError::NotRoundtable(self.host.clone(), status.to_string()).into();
        }
        RestError::Refused { status: status.as_u16(), error }
    }
}

fn header(response: &Response, name: reqwest::header::HeaderName) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(ToOwned::to_owned)
}

/// Finds names as signaling does, so that an unknown name is the same sentence.
struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Port 0 stands for the URL's own.
            let found = reach::look_up(name.as_str(), 0).await?;
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}
