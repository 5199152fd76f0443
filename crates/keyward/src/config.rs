//! The configuration file: a tree of the rooms' own leaves, as it is written.
//!
//! Two stages: *written* (this file, exactly what TOML says, unknown keys refused) and *ready* (what a role is built
//! from: defaults filled, alternatives decided, every mistake told at once). A value given on the command line goes
//! before the environment, the environment before the file. The file holds references to secrets, never a secret.

mod ready;
mod services;
mod shown;
mod sources;
mod trust;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

pub(crate) use ready::{
    CATCH_UP_MAX, Database, FORWARDER_LISTEN, Listener, Place, Planes, Ready, STORE_LISTEN,
};
pub(crate) use services::Home;
pub(crate) use shown::{check, print};
pub(crate) use sources::Sources;
pub(crate) use trust::{Trusted, WrittenTrust};

/// The whole file. Every key is optional.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    /// Where this process listens; `serve` and `edge`. Default: one listener with both planes on 127.0.0.1:5000.
    pub listeners: Vec<WrittenListener>,
    /// Listen beyond loopback although nobody needs a credential.
    pub insecure_open: bool,
    /// Speak plain text with other services beyond loopback.
    pub insecure_internal: bool,
    /// How long running calls may take to end once the process was told to stop. Default 10m.
    pub drain_max: Option<WrittenDuration>,
    /// How long `/readyz` says no before no more connections are taken. Default 0s for `serve`, 5s for `edge`.
    pub lame_duck: Option<WrittenDuration>,
    /// This process's name among replicas.
    pub replica: Option<String>,
    /// File that keeps pushed state over a restart.
    pub snapshot_file: Option<PathBuf>,
    /// Who is let in.
    pub access: WrittenAccess,
    /// How services know each other.
    pub trust: WrittenTrust,
    /// The database and its key.
    pub store: WrittenStore,
    /// Providers beyond those that are known, which speak a dialect that is; by name.
    pub providers: BTreeMap<String, forward_compatible::WrittenRow>,
    /// Where the forwarders of providers are, by provider; here, in this process, where nothing is said.
    pub forwarders: BTreeMap<String, WrittenHome>,
    /// This process as a forwarder.
    pub forwarder: WrittenForwarder,
    /// The edge's limits.
    pub edge: edge::Config,
    /// The way out to providers.
    #[serde(serialize_with = "shown::egress")]
    pub egress: forward_http::Config,
    /// Logs, traces, metrics.
    pub telemetry: telemetry::Config,
}

/// Who is let in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WrittenAccess {
    /// Who may call endpoints. Default `open`, which is for loopback listeners.
    pub data: DataAccess,
}

/// Who may call endpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DataAccess {
    /// Anybody who reaches the listener.
    #[default]
    Open,
    /// Whoever has a client key.
    Keys,
}

/// A listener of the edge.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenListener {
    /// Address and port.
    pub address: SocketAddr,
    /// What it serves: `data`, `admin`, or both.
    #[serde(default = "Planes::both")]
    pub planes: Vec<Planes>,
    /// Certificate and key, for TLS.
    #[serde(default)]
    pub tls: Option<WrittenTls>,
}

/// Files of a certificate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenTls {
    /// Certificate chain, PEM.
    pub certificate_file: PathBuf,
    /// Private key, PEM.
    pub key_file: PathBuf,
}

/// The database and its key, or where the store is that has them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WrittenStore {
    /// Address of the store service; `edge` and `forwarder`.
    pub url: Option<String>,
    /// Address that the store service listens on. Default 127.0.0.1:5001.
    pub listen: Option<SocketAddr>,
    /// Folder of the embedded database.
    pub data_dir: Option<PathBuf>,
    /// Postgres instead: the file that holds its URL.
    pub database_url_file: Option<PathBuf>,
    /// The key-encryption key: a file or a keyring folder.
    pub key_file: Option<PathBuf>,
    /// How long a creation waits for edges and forwarders to apply it. Default 5s.
    pub apply_wait_max: Option<WrittenDuration>,
}

/// Where the forwarder of a provider is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum WrittenHome {
    /// In this process.
    Here {},
    /// A service.
    Remote {
        /// Its address, e.g. `http://127.0.0.1:5002`.
        url: String,
    },
}

/// This process as a forwarder.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WrittenForwarder {
    /// Address that it listens on. Default 127.0.0.1:5002.
    pub listen: Option<SocketAddr>,
    /// File of its own private key.
    pub node_key_file: Option<PathBuf>,
    /// How long a call waits for state that the edge had and this forwarder has not yet. Default 2s.
    pub catch_up_max: Option<WrittenDuration>,
}

/// A duration: `250ms`, `10s`, `5m`, `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrittenDuration(pub Duration);

impl Serialize for WrittenDuration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let milliseconds = self.0.as_millis();
        let units = [(3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
        let fits = units
            .into_iter()
            .find(|(worth, unit)| milliseconds.is_multiple_of(*worth) && (milliseconds > 0 || *unit == "s"));
        let (worth, unit) = fits.unwrap_or((1, "ms"));
        serializer.serialize_str(&format!("{}{unit}", milliseconds / worth))
    }
}

impl<'de> Deserialize<'de> for WrittenDuration {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let worth = match text.get(digits.len()..) {
            Some("ms") => 1,
            Some("s") => 1_000,
            Some("m") => 60_000,
            Some("h") => 3_600_000,
            _ => 0,
        };
        let milliseconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(worth));
        match milliseconds {
            Some(milliseconds) if worth > 0 => Ok(Self(Duration::from_millis(milliseconds))),
            _ => Err(serde::de::Error::custom(
                "a duration is a whole number and a unit: `250ms`, `10s`, `5m`, `1h`",
            )),
        }
    }
}

#[cfg(test)]
mod tests;
