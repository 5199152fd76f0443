//! Every environment variable that the process reads, in one place; nothing else calls `std::env::var`.
//!
//! A value given on the command line goes before the environment, the environment before the configuration file.

use std::path::PathBuf;

/// Path of the configuration file (TOML).
pub(crate) const CONFIG: &str = "KEYWARD_CONFIG";
/// Address that `keyward serve` listens on, e.g. `127.0.0.1:5000`.
pub(crate) const LISTEN: &str = "KEYWARD_LISTEN";
/// Folder of the embedded database.
pub(crate) const DATA_DIR: &str = "KEYWARD_DATA_DIR";
/// File or keyring folder of the key-encryption key.
pub(crate) const KEY_FILE: &str = "KEYWARD_KEY_FILE";
/// Postgres URL. Holds a password: never an argument; prefer [`DATABASE_URL_FILE`].
pub(crate) const DATABASE_URL: &str = "KEYWARD_DATABASE_URL";
/// File that holds the Postgres URL.
pub(crate) const DATABASE_URL_FILE: &str = "KEYWARD_DATABASE_URL_FILE";
/// Upstreams beyond public https: a comma-separated list of `scheme://cidr[:port]`.
pub(crate) const EGRESS_ALLOW: &str = "KEYWARD_EGRESS_ALLOW";
/// Log filter, in the form of `tracing-subscriber`'s `EnvFilter`, e.g. `info,edge=debug`.
pub(crate) const LOG: &str = "KEYWARD_LOG";
/// Where the admin's command line finds the management API.
pub(crate) const URL: &str = "KEYWARD_URL";
/// Where spans go (OTLP over gRPC), OpenTelemetry's own variable.
pub(crate) const OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The value of a variable; none where it is unset, empty or not UTF-8.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub(crate) fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// The value of a variable as a path.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    text(name).map(PathBuf::from)
}

/// The user's folder for data (`$XDG_DATA_HOME/keyward`, else `~/.local/share/keyward`).
pub(crate) fn data_home() -> Option<PathBuf> {
    home("XDG_DATA_HOME", ".local/share")
}

/// The user's folder for configuration (`$XDG_CONFIG_HOME/keyward`, else `~/.config/keyward`).
pub(crate) fn config_home() -> Option<PathBuf> {
    home("XDG_CONFIG_HOME", ".config")
}

fn home(variable: &str, below_home: &str) -> Option<PathBuf> {
    let base = path(variable).or_else(|| Some(path("HOME")?.join(below_home)))?;
    Some(base.join("keyward"))
}
