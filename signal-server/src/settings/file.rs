//! The settings file: TOML with the names of the command line's options.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Deserializer, de};
use shared::events::IceServer;

use super::{LogFormat, TlsKind, ice};

/// What a file can set; everything is optional, and a name that does not exist is an error.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct File {
    pub listen: Vec<String>,
    #[serde(deserialize_with = "ice_servers")]
    pub ice_servers: Vec<IceServer>,
    pub tls: Option<TlsKind>,
    pub tls_cert: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    pub data_dir: Option<PathBuf>,
    pub ephemeral_rooms: Option<bool>,
    pub max_connections: Option<usize>,
    pub log: Option<String>,
    pub log_format: Option<LogFormat>,
}

/// Reads a file, or says what is wrong with it and where.
pub fn read(path: &Path) -> anyhow::Result<File> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the settings file {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("cannot use the settings file {}", path.display()))
}

/// A list of servers in the short form of the command line, as tables, or both.
fn ice_servers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IceServer>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entry {
        Short(String),
        Table(IceServer),
    }
    let entries: Vec<Entry> = Deserialize::deserialize(deserializer)?;
    let servers = entries.into_iter().map(|entry| match entry {
        Entry::Short(text) => ice::parse(&text),
        Entry::Table(server) => ice::check(server),
    });
    servers.collect::<Result<_, _>>().map_err(de::Error::custom)
}
