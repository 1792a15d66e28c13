//! What the host of a server can set: on the command line, or in a file that the command line overrides.

mod address;
mod file;
mod ice;

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Parser, ValueEnum};
use serde::Deserialize;
use shared::events::IceServer;

pub use address::Listen;

/// Most connections at once unless set otherwise. At up to 25 kB each this is half a gigabyte.
const MAX_CONNECTIONS_DEFAULT: usize = 20_000;

/// The Roundtable server: rooms, signaling and the browser client in one program.
#[derive(Debug, Default, Parser)]
#[command(name = "roundtable-server", version, about)]
struct CommandLine {
    /// Listen here; may be given several times. Port 0 takes any free port; http:// in front stays in the clear beside others with TLS
    /// [default: 0.0.0.0:3000]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Vec<String>,

    /// An ICE server that clients are told to use: stun:HOST:PORT, turn:USER:PASSWORD@HOST:PORT, or a JSON object as RTCIceServer; may be given
    /// several times
    #[arg(long = "ice-server", value_name = "SERVER")]
    ice_servers: Vec<String>,

    /// Serve HTTPS with a certificate that the server makes for itself once and keeps
    #[arg(long, value_enum, value_name = "KIND", conflicts_with_all = ["tls_cert", "tls_key"])]
    tls: Option<TlsKind>,

    /// Serve HTTPS with the certificate chain in this PEM file
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The private key of --tls-cert, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Where the self-signed certificate is kept [default: the user's data folder]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,

    /// Refuse to join rooms that nobody has created, instead of making them up on the spot
    #[arg(long)]
    no_ephemeral_rooms: bool,

    /// Most connections at once [default: 20000]
    #[arg(long, value_name = "NUMBER")]
    max_connections: Option<usize>,

    /// What to log on standard error: a level, or directives such as info,signal_core=debug [default: info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,

    /// How to write the log [default: text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    log_format: Option<LogFormat>,

    /// Read settings from this TOML file; what is given on the command line wins
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TlsKind {
    SelfSigned,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How connections are secured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Plain HTTP.
    Off,
    /// A certificate of the server's own, kept in this folder, or in the user's data folder.
    SelfSigned(Option<PathBuf>),
    /// A certificate from elsewhere.
    Files {
        /// PEM file with the certificate and its chain.
        certificate: PathBuf,
        /// PEM file with the private key.
        key: PathBuf,
    },
}

/// Everything that can be set, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where to listen: at least one address.
    pub listen: Vec<Listen>,
    /// What clients are told.
    pub ice_servers: Vec<IceServer>,
    /// How connections are secured.
    pub tls: Tls,
    /// Whether joining an unknown room makes it.
    pub ephemeral_rooms: bool,
    /// Most connections at once.
    pub max_connections: usize,
    /// What to log, as `tracing_subscriber::EnvFilter` reads it.
    pub log: String,
    /// How to log.
    pub log_format: LogFormat,
}

impl Settings {
    /// Reads the program's arguments and the file that they name. Prints help or a usage error and ends the program where that is due.
    pub fn from_args() -> anyhow::Result<Self> {
        Self::merge(CommandLine::parse())
    }

    fn merge(line: CommandLine) -> anyhow::Result<Self> {
        let file = match &line.config {
            Some(path) => file::read(path)?,
            None => file::File::default(),
        };
        let mut listen = if line.listen.is_empty() { file.listen } else { line.listen };
        if listen.is_empty() {
            listen.push("0.0.0.0:3000".to_owned());
        }
        let mut ice_servers = file.ice_servers;
        for server in &line.ice_servers {
            ice_servers.push(ice::parse(server).with_context(|| format!("--ice-server {server}"))?);
        }
        let data_dir = line.data_dir.or(file.data_dir);
        let tls = match (line.tls, line.tls_cert, line.tls_key) {
            (None, None, None) => tls(file.tls, file.tls_cert, file.tls_key, data_dir)?,
            (kind, certificate, key) => tls(kind, certificate, key, data_dir)?,
        };
        Ok(Self {
            listen: address::resolve(&listen)?,
            ice_servers,
            tls,
            ephemeral_rooms: !line.no_ephemeral_rooms && file.ephemeral_rooms.unwrap_or(true),
            max_connections: line.max_connections.or(file.max_connections).unwrap_or(MAX_CONNECTIONS_DEFAULT),
            log: line.log.or(file.log).unwrap_or_else(|| "info".to_owned()),
            log_format: line.log_format.or(file.log_format).unwrap_or_default(),
        })
    }
}

fn tls(
    kind: Option<TlsKind>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    data_dir: Option<PathBuf>,
) -> anyhow::Result<Tls> {
    match (kind, certificate, key) {
        (None, None, None) => Ok(Tls::Off),
        (Some(TlsKind::SelfSigned), None, None) => Ok(Tls::SelfSigned(data_dir)),
        (None, Some(certificate), Some(key)) => Ok(Tls::Files { certificate, key }),
        (Some(_), ..) => bail!("choose either a self-signed certificate or a certificate file"),
        (None, ..) => bail!("a certificate file and a key file are needed together"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(args: &[&str]) -> anyhow::Result<Settings> {
        let line = CommandLine::try_parse_from(std::iter::once(&"roundtable-server").chain(args))?;
        Settings::merge(line)
    }

    fn secured(address: &str) -> Listen {
        Listen { address: address.parse().unwrap(), plain: false }
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let settings = settings(&[]).unwrap();
        assert_eq!(settings.listen, [secured("0.0.0.0:3000")]);
        assert_eq!((settings.tls, settings.ephemeral_rooms), (Tls::Off, true));
        assert_eq!((settings.log.as_str(), settings.log_format), ("info", LogFormat::Text));
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.toml");
        let text = r#"
            listen = ["127.0.0.1:4000"]
            ice-servers = ["stun:stun.example.org:3478", { urls = "turn:t.example.org", username = "u", credential = "c" }]
            tls = "self-signed"
            data-dir = "/var/lib/roundtable"
            ephemeral-rooms = false
            log = "debug"
            log-format = "json"
        "#;
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap();
        let from_file = settings(&["--config", path]).unwrap();
        assert_eq!(from_file.listen, [secured("127.0.0.1:4000")]);
        assert_eq!(from_file.ice_servers.len(), 2);
        assert_eq!(from_file.tls, Tls::SelfSigned(Some("/var/lib/roundtable".into())));
        assert_eq!((from_file.ephemeral_rooms, from_file.log_format), (false, LogFormat::Json));
        let both =
            settings(&["--config", path, "--listen", "[::1]:5000", "--tls-cert", "c", "--tls-key", "k"])
                .unwrap();
        assert_eq!(both.listen, [secured("[::1]:5000")]);
        assert_eq!(both.tls, Tls::Files { certificate: "c".into(), key: "k".into() });
        assert_eq!(both.log, "debug");
    }

    #[test]
    fn a_mistake_in_the_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.toml");
        for (text, named) in [
            ("listn = []", "listn"),
            ("ephemeral-rooms = 'no'", "ephemeral-rooms"),
            ("ice-servers = ['http://x']", "ice-servers"),
            ("tls-cert = 'c'", "key file"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = settings(&["--config", path.to_str().unwrap()]).unwrap_err();
            assert!(format!("{error:#}").contains(named), "{text}: {error:#}");
        }
        let missing = settings(&["--config", "/nowhere/server.toml"]).unwrap_err();
        assert!(format!("{missing:#}").contains("/nowhere/server.toml"));
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(settings(&["--tls", "self-signed", "--tls-cert", "c", "--tls-key", "k"]).is_err());
        assert!(settings(&["--tls-cert", "c"]).is_err());
        assert!(settings(&["--listen", "nonsense"]).is_err());
    }
}
