//! gRPC between the services: listeners, channels, and trace context across them.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context as _, bail};
use http::HeaderMap;
use tokio::net::TcpListener;
use tonic::{service::Routes, transport::Server};
use tracing::Span;

use super::{front::bind_error, trusted::Trusted};
use crate::lifecycle::Lifecycle;

/// Takes a port: of the loopback interface, or of any where services show certificates or plain text was asked for.
pub(super) async fn bind(
    address: SocketAddr,
    trusted: &Trusted,
) -> anyhow::Result<(TcpListener, SocketAddr)> {
    if !address.ip().is_loopback() && !trusted.may_leave_loopback() {
        bail!("{address} is not a loopback address: give `--tls-dir`, or `--insecure-internal`");
    }
    let socket = TcpListener::bind(address).await.map_err(|error| bind_error(address, &error))?;
    let address = socket.local_addr().context("ask for the bound address")?;
    Ok((socket, address))
}

/// Serves until told to stop and every call has ended, as a task of `lifecycle`. Each caller may call what the table of
/// `trust` says.
pub(super) fn serve(
    lifecycle: &Lifecycle,
    server: Server,
    routes: Routes,
    socket: TcpListener,
    trusted: &Trusted,
) {
    let (stopping, ending) = (lifecycle.stopping.clone(), lifecycle.ending.clone());
    let incoming = trust::incoming(socket, trusted.trust());
    let serving = server
        .layer(trust::GuardLayer::default())
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, stopping.cancelled_owned());
    lifecycle.spawn(async move {
        tokio::select! {
            served = serving => {
                if let Err(error) = served {
                    tracing::error!(%error, "a listener failed");
                }
            }
            () = ending.cancelled() => {}
        }
    });
}

/// Writes the current span's trace context into a call's headers.
pub(super) fn inject() -> Arc<dyn Fn(&mut HeaderMap) + Send + Sync> {
    Arc::new(|headers| telemetry::inject(&Span::current(), headers))
}

/// The span of a call to a forwarder, child of what its headers carry.
pub(super) fn forward_span(headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(target: telemetry::SPANS, "forward", otel.kind = "server");
    telemetry::adopt(&span, headers);
    span
}

/// The span of a call to the store, child of what its headers carry.
pub(super) fn store_span(headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(target: telemetry::SPANS, "store", otel.kind = "server");
    telemetry::adopt(&span, headers);
    span
}
