//! What each role is made of. What is the same in two roles stands once: [`storage`] (database, keys, store),
//! [`providers`] (the table of providers), [`followed`] (pushed state in memory), [`front`] (the edge and its
//! listeners), [`service`] (gRPC listeners and channels).

mod followed;
mod front;
mod providers;
mod said;
mod service;
mod storage;
mod tls;
mod traced;
mod trusted;

pub(crate) mod edge;
pub(crate) mod forwarder;
pub(crate) mod serve;
pub(crate) mod store;

pub(crate) use front::bind_error;
pub(crate) use providers::Providers;
pub(crate) use said::say;
pub(crate) use storage::{Fit, fits, is_there, tables};

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use store_grpc::Remote;
use trusted::Trusted;

use crate::config::Ready;

/// How long the last spans may take to leave.
const LAST_SPANS_MAX: Duration = Duration::from_secs(2);

/// Starts logs and traces. `service` names the process in traces.
pub(crate) fn telemetry_of(ready: &Ready, service: &'static str) -> anyhow::Result<telemetry::Running> {
    telemetry::start(&ready.written.telemetry, service).context("start telemetry")
}

/// Sends what is still to be sent.
async fn stop(telemetry: telemetry::Running) {
    let stopped = tokio::task::spawn_blocking(move || telemetry.stop(LAST_SPANS_MAX));
    // It keeps its own limit; this one is for an exporter that does not.
    let _ = tokio::time::timeout(2 * LAST_SPANS_MAX, stopped).await;
}

/// The store service.
fn remote_store(ready: &Ready, trusted: &Trusted) -> anyhow::Result<Remote> {
    let uri = ready
        .store
        .as_ref()
        .context("the store's address is missing: give `--store http://127.0.0.1:5001`")?;
    let channel = trusted.channel(uri, trust::Expected::Store, store_grpc::tuned)?;
    Ok(Remote::new(channel, Some(service::inject())))
}

/// A name among replicas that is the same after a restart at the same port, so that the store does not wait for the one
/// that was before; a random one where the machine has no name.
fn replica_of_host(role: &str, address: Option<SocketAddr>) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let host: String = host.trim().chars().filter(plain).take(64).collect();
    match address {
        Some(address) if !host.is_empty() => format!("{role}-{host}-{}", address.port()),
        _ => followed::random_replica(role),
    }
}
