//! gRPC between the services: listeners, channels, and trace context across them.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context as _, bail};
use http::{HeaderMap, Uri};
use tokio::net::TcpListener;
use tonic::{
    service::Routes,
    transport::{Endpoint, Server, server::TcpIncoming},
};
use tracing::Span;

use super::front::bind_error;
use crate::lifecycle::Lifecycle;

/// Takes a port of the loopback interface; no other until services authenticate each other.
pub(super) async fn bind(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    if !address.ip().is_loopback() {
        bail!("{address} is not a loopback address; only those until services authenticate each other");
    }
    let socket = TcpListener::bind(address).await.map_err(|error| bind_error(address, &error))?;
    let address = socket.local_addr().context("ask for the bound address")?;
    Ok((socket, address))
}

/// Serves until told to stop and every call has ended, as a task of `lifecycle`.
pub(super) fn serve(lifecycle: &Lifecycle, mut server: Server, routes: Routes, socket: TcpListener) {
    let (stopping, ending) = (lifecycle.stopping.clone(), lifecycle.ending.clone());
    let incoming = TcpIncoming::from(socket).with_nodelay(Some(true));
    let serving =
        server.add_routes(routes).serve_with_incoming_shutdown(incoming, stopping.cancelled_owned());
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

/// How to reach another service.
pub(super) fn endpoint(uri: &Uri) -> Endpoint {
    Endpoint::from(uri.clone())
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
