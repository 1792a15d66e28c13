//! The program from its settings to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use axum_server::Handle;
use signal_core::LobbyConfig;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use crate::banner::{Banner, own_addresses};
use crate::gateway::Gateway;
use crate::settings::Settings;
use crate::shutdown::StopRequest;
use crate::{http, listen, logging, tls};

/// How long telling the clients of the end may take: one that polls is told at its next request.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(1200);

/// How long answers that are under way may take after that. Together the end takes under 2 s.
const FINISH_TIMEOUT: Duration = Duration::from_millis(500);

/// Reads the settings and serves until the program is asked to stop.
pub fn run() -> anyhow::Result<()> {
    let settings = Settings::from_args()?;
    logging::start(&settings.log, settings.log_format)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(settings))
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    let stop = StopRequest::listen().context("cannot wait for signals")?;
    let own_addresses = own_addresses();
    let tls = tls::prepare(&settings.tls, &own_addresses)?;
    let wanted: Vec<SocketAddr> = settings.listen.iter().map(|listen| listen.address).collect();
    let listeners = listen::bind(&wanted)?;
    let mut addresses = Vec::new();
    for (listener, listen) in listeners.iter().zip(&settings.listen) {
        addresses.push((listener.local_addr()?, tls.is_some() && !listen.plain));
    }
    let max_connections = listen::connection_limit(settings.max_connections);

    let transport = socketio::Config { max_sessions: max_connections, ..socketio::Config::default() };
    // What is left of the queue takes the largest message, and then what rooms tell.
    let busy_above = transport.send_queue_bytes.saturating_sub(transport.max_payload);
    let (socket_io, inbound) = socketio::Server::new(transport);
    let lobby = LobbyConfig {
        ephemeral_rooms: settings.ephemeral_rooms,
        max_peers: max_connections,
        ice_servers: settings.ice_servers,
        ..LobbyConfig::default()
    };
    let (gateway, rooms) = Gateway::new(lobby, inbound, busy_above);
    let gateway = tokio::spawn(gateway.run());
    let router = http::router(rooms, socket_io.router());

    let handle = Handle::new();
    let connections = Arc::new(Semaphore::new(max_connections));
    let mut servers = JoinSet::new();
    for (listener, (_, secured)) in listeners.into_iter().zip(&addresses) {
        let tls = tls.as_ref().filter(|_| *secured).map(|tls| tls.config.clone());
        servers.spawn(listen::serve(listener, router.clone(), tls, Arc::clone(&connections), handle.clone()));
    }
    let fingerprint = tls.as_ref().and_then(|tls| tls.self_signed_fingerprint.as_deref());
    Banner { addresses: &addresses, own_addresses: &own_addresses, fingerprint }.print();

    let ended = wait_for_the_end(stop, &mut servers, gateway).await;
    tracing::info!("shutting down");
    // The listeners stay until the clients are told, because a polling client may be between two requests; newcomers are refused meanwhile.
    let _ = tokio::time::timeout(GOODBYE_TIMEOUT, socket_io.shutdown()).await;
    handle.graceful_shutdown(Some(FINISH_TIMEOUT));
    while servers.join_next().await.is_some() {}
    ended
}

/// Returns when the program is asked to stop, or when a part that must not end has ended.
async fn wait_for_the_end(
    mut stop: StopRequest,
    servers: &mut JoinSet<std::io::Result<()>>,
    gateway: JoinHandle<()>,
) -> anyhow::Result<()> {
    tokio::select! {
        () = stop.received() => Ok(()),
        Some(ended) = servers.join_next() => Err(match ended {
            Ok(Err(error)) => anyhow!(error).context("cannot serve any longer"),
            Ok(Ok(())) => anyhow!("a listener has ended"),
            Err(error) => anyhow!(error).context("a listener has failed"),
        }),
        ended = gateway => Err(match ended {
            Ok(()) => anyhow!("the gateway has ended"),
            Err(error) => anyhow!(error).context("the gateway has failed"),
        }),
    }
}
