//! Real servers on loopback, on ephemeral ports, that end with their value.
#![allow(dead_code, reason = "each test program uses a part of this")]

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use rcgen::{CertifiedKey, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use url::Url;

/// A server's address and task; dropping it ends the server.
pub struct Server {
    pub address: SocketAddr,
    scheme: &'static str,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Serves a router in the clear.
    pub async fn http(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, scheme: "http", task }
    }

    /// Answers each connection's first bytes with these, and closes it.
    pub async fn raw(answer: &'static [u8]) -> Self {
        Self::each("http", move |mut stream| async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        })
        .await
    }

    /// Speaks TLS with this configuration, and answers every HTTP request with this body.
    pub async fn tls(config: rustls::ServerConfig, body: &'static str) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::each("https", move |stream| {
            let acceptor = acceptor.clone();
            async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer_http(stream, body).await;
                }
            }
        })
        .await
    }

    /// Runs a future for each connection.
    pub async fn each<F, Fut>(scheme: &'static str, handle: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(handle(stream));
            }
        });
        Self { address, scheme, task }
    }

    /// A URL on this server, by its address.
    pub fn url(&self, path: &str) -> Url {
        format!("{}://{}{path}", self.scheme, self.address).parse().unwrap()
    }
}

async fn answer_http(mut stream: impl AsyncRead + AsyncWrite + Unpin, body: &str) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// A URL at whose port nothing listens.
pub fn closed_port() -> Url {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap()).parse().unwrap()
}

/// A new self-signed certificate for these names.
pub fn self_signed(names: &[&str]) -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
}

/// A TLS server that shows this chain and signs with this key, which need not fit.
pub fn tls_config(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> rustls::ServerConfig {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let signing = provider.key_provider.load_private_key(key).unwrap();
    // Built by hand: the usual way refuses a key that does not fit the certificate, as an impostor's does not.
    let certified = rustls::sign::CertifiedKey::new(chain, signing);
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)))
}
