//! `keyward check` and `keyward config`.

use std::io::Write as _;

use anyhow::Context as _;
use serde::{Serialize, Serializer};

use super::Sources;
use crate::command::Configured;

/// Says whether the file can be used; all mistakes at once.
pub(crate) fn check(configured: &Configured) -> anyhow::Result<()> {
    let ready = Sources { config: configured.config.clone(), ..Sources::default() }.ready()?;
    let listeners: Vec<_> = ready.listeners.iter().map(|listener| listener.address.to_string()).collect();
    let said =
        format!("the configuration can be used; `serve` and `edge` would listen on {}", listeners.join(", "));
    let _ = writeln!(std::io::stdout().lock(), "{said}");
    Ok(())
}

/// Prints the effective tree as TOML. It holds no secret: a file refers to secrets by path only, and what stands before
/// a proxy's host is left out.
pub(crate) fn print(configured: &Configured) -> anyhow::Result<()> {
    let ready = Sources { config: configured.config.clone(), ..Sources::default() }.ready()?;
    let text = toml::to_string_pretty(&ready.effective()?).context("show the configuration")?;
    let _ = write!(std::io::stdout().lock(), "{text}");
    Ok(())
}

/// The leaf of `forward_http`, as it is shown.
#[derive(Serialize)]
struct Egress<'a> {
    allow: &'a [forward_http::egress::EgressAllow],
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<&'a std::path::Path>,
    connect_ms_max: u64,
    pool_idle_ms: u64,
    pool_idle_max: usize,
    stream_window_bytes: u32,
    token_ms_max: u64,
    held_body_bytes_max: u64,
    held_bytes_max: u64,
}

/// Shows the way out, without the proxy's address: it may hold a password.
pub(super) fn egress<S: Serializer>(config: &forward_http::Config, serializer: S) -> Result<S::Ok, S::Error> {
    let shown = Egress {
        allow: &config.allow,
        proxy: config.proxy.as_ref().map(|_| "http://…"),
        ca_file: config.ca_file.as_deref(),
        connect_ms_max: config.connect_ms_max,
        pool_idle_ms: config.pool_idle_ms,
        pool_idle_max: config.pool_idle_max,
        stream_window_bytes: config.stream_window_bytes,
        token_ms_max: config.token_ms_max,
        held_body_bytes_max: config.held_body_bytes_max,
        held_bytes_max: config.held_bytes_max,
    };
    shown.serialize(serializer)
}
