//! Opening a WebSocket, and saying why it could not be opened.

use shared::limits::MAX_PAYLOAD_BYTES;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, error::ProtocolError};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};
use url::Url;

use super::transport::Link;
use crate::reach::{CONNECT_TIMEOUT, ReachError, connect};
use crate::tls::{HostPort, TrustStore};

/// Size of the read and the write buffer of a connection, in bytes. An SDP fits; the library's own default is eight times this.
const BUFFER_BYTES: usize = 16 * 1024;

/// Room for what a server adds to a message of the largest size when it passes it on: the sender's id in the place of the addressee's.
const RELAY_SLACK_BYTES: usize = 1024;

/// Opens a WebSocket. Dropping the future gives the attempt up.
pub(super) async fn dial(url: String, trust: TrustStore) -> Result<Box<Link>, ReachError> {
    let parsed: Url = url.parse().map_err(|_| ReachError::BadUrl(url.clone()))?;
    let host = HostPort::of(&parsed).ok_or(ReachError::BadUrl(url))?;
    let opening = open(&parsed, &host, &trust);
    let socket = timeout(CONNECT_TIMEOUT, opening).await.map_err(|_| ReachError::TimedOut(host))??;
    Ok(Box::new(Link::new(socket)))
}

async fn open(
    url: &Url,
    host: &HostPort,
    trust: &TrustStore,
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, ReachError> {
    let connector = match url.scheme() {
        "wss" => {
            let config = trust
                .client_config(host)
                .map_err(|error| ReachError::Tls(host.clone(), error.to_string()))?;
            Connector::Rustls(config.into())
        }
        "ws" => Connector::Plain,
        _ => return Err(ReachError::BadUrl(url.to_string())),
    };
    let largest = MAX_PAYLOAD_BYTES + RELAY_SLACK_BYTES;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(Some(largest))
        .max_frame_size(Some(largest));
    let stream = connect(url).await?;
    let opened = client_async_tls_with_config(url.as_str(), stream, Some(config), Some(connector)).await;
    opened.map(|(socket, _)| socket).map_err(|error| reason_of(&error, host))
}

fn reason_of(error: &WsError, host: &HostPort) -> ReachError {
    if let Some(found) = ReachError::find(error, host) {
        return found;
    }
    let host = host.clone();
    match error {
        WsError::Http(response) => {
            let status = response.status();
            let other_service = status.is_success()
                || status.is_redirection()
                || matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
            if other_service {
                ReachError::NotRoundtable(host, status.to_string())
            } else {
                ReachError::Declined(host, status.to_string())
            }
        }
        WsError::Protocol(ProtocolError::HandshakeIncomplete) | WsError::ConnectionClosed => {
            ReachError::Closed(host)
        }
        other => {
            tracing::debug!(error = %other, "the WebSocket handshake failed");
            ReachError::NotHttp(host)
        }
    }
}
