//! The accept loop: sockets in, connections with limits out.
//!
//! Its own, because `axum::serve` installs no timer: a silent connection, half a head or a stalled body would stay open
//! for ever. What each part holds: [`connection`] the handshake, the first byte, idleness, age and the end of the
//! process; [`gate`] the head's time and form and a reader that does not read; `inbound` the progress of bodies.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Edge, hygiene::Hosts, overload::Level, service::Site};

mod chunks;
mod connection;
mod gate;
mod reading;
pub(crate) mod scan;
mod sources;
pub(crate) mod timer;
pub(crate) mod wire;

pub(crate) use reading::REFUSED;

/// After a failed accept (out of file descriptors, mostly): how long until the next try.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Which parts of the edge a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planes {
    /// Calls, under `/gateway`.
    pub data: bool,
    /// Management and metrics.
    pub admin: bool,
}

/// How a listener is served.
#[derive(Debug)]
pub struct Serving {
    /// Which parts.
    pub planes: Planes,
    /// TLS, where the listener speaks it. Where it names no protocols, ALPN offers `h2` and `http/1.1`.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Management, mounted on the admin plane.
    pub management: Option<axum::Router>,
    /// Cancelled when no more connections are to be taken and those that are open are to finish.
    pub stopping: CancellationToken,
    /// Cancelled when what still runs must end: streams say so in their dialect and break off.
    pub ending: CancellationToken,
}

/// What the connections of one listener share.
struct Shared {
    edge: Arc<Edge>,
    site: Arc<Site>,
    tls: Option<tokio_rustls::TlsAcceptor>,
    tasks: TaskTracker,
    sources: Arc<sources::Sources>,
    room: Arc<Semaphore>,
    stopping: CancellationToken,
    ending: CancellationToken,
}

/// Serves `listener` until `stopping` is cancelled and every connection has ended. Dropping the future ends at once.
pub async fn serve(edge: Arc<Edge>, listener: TcpListener, serving: Serving) -> std::io::Result<()> {
    let bound = listener.local_addr()?;
    let shared = Arc::new(Shared {
        site: Arc::new(Site::new(serving.planes, serving.management, Hosts::new(&edge.config.hosts, bound))),
        tls: serving.tls.map(with_alpn).map(Into::into),
        tasks: TaskTracker::new(),
        sources: Arc::default(),
        room: Arc::new(Semaphore::new(edge.config.connections.max.min(Semaphore::MAX_PERMITS))),
        stopping: serving.stopping,
        ending: serving.ending,
        edge,
    });
    // Connections belong to this future: dropped with it, they end.
    let mut connections = tokio::task::JoinSet::new();
    let mut positions = shared.edge.catalog.positions();
    loop {
        tokio::select! {
            biased;
            () = shared.stopping.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => take(&shared, &mut connections, stream, peer),
                Err(error) => {
                    tracing::warn!(error = %error.kind(), "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            },
            Some(_) = connections.join_next() => {}
            Ok(()) = positions.changed() => shared.edge.note_catalog_moved(),
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    shared.tasks.close();
    shared.tasks.wait().await;
    Ok(())
}

/// Offers both versions of HTTP where nothing is offered yet.
fn with_alpn(tls: Arc<rustls::ServerConfig>) -> Arc<rustls::ServerConfig> {
    if !tls.alpn_protocols.is_empty() {
        return tls;
    }
    let mut tls = Arc::unwrap_or_clone(tls);
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(tls)
}

/// Takes one connection, or closes it where a limit is reached.
fn take(
    shared: &Arc<Shared>,
    connections: &mut tokio::task::JoinSet<()>,
    stream: TcpStream,
    peer: SocketAddr,
) {
    let metrics = &shared.edge.metrics;
    metrics.connections_accepted.inc();
    let Ok(room) = Arc::clone(&shared.room).try_acquire_owned() else {
        return metrics.closed("connections_max");
    };
    if shared.edge.overload.pressure.level() == Level::Out {
        return metrics.closed("memory");
    }
    let max = shared.edge.config.connections.max_per_source;
    let Some(held) = shared.sources.hold(peer.ip(), max) else {
        return metrics.closed("connections_max_per_source");
    };
    metrics.connections.inc();
    let shared = Arc::clone(shared);
    connections.spawn(async move {
        // Counted down also when the task is dropped.
        let _open = Open { shared: Arc::clone(&shared), _room: room, _held: held };
        connection::serve(shared, stream).await;
    });
}

/// One open connection, counted until it is dropped.
struct Open {
    shared: Arc<Shared>,
    _room: tokio::sync::OwnedSemaphorePermit,
    _held: sources::Held,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.edge.metrics.connections.dec();
    }
}
