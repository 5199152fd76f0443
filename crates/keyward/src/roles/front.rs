//! The edge and its listeners, in whichever process they are.

use std::{collections::HashMap, io, net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use edge::{Edge, Forwarder, Planes, Policy, Serving, management};
use names::Provider;
use store::{Admin, Held, PublishedEndpoint, System};
use telemetry::Metrics;
use tokio::net::TcpListener;

use super::{said, tls, traced};
use crate::{
    config::{self, Ready},
    lifecycle::Lifecycle,
};

/// Listeners whose ports are taken, but which nobody is served on yet.
pub(crate) struct Bound(Vec<(config::Listener, SocketAddr, TcpListener, Option<Arc<rustls::ServerConfig>>)>);

/// An edge that takes calls.
pub(crate) struct Front {
    /// The edge.
    pub edge: Arc<Edge>,
    /// Its first address as a URL.
    pub url: String,
    /// A line for each listener: `listening on http://127.0.0.1:5000 (data, admin)`.
    pub lines: String,
}

/// Takes the ports and reads the certificates: what can go wrong goes wrong before anything else is begun.
pub(crate) async fn bind(ready: &Ready) -> anyhow::Result<Bound> {
    let mut bound = Vec::new();
    for listener in &ready.listeners {
        let tls = listener.tls.as_ref().map(tls::server).transpose()?;
        let socket = TcpListener::bind(listener.address).await;
        let socket = socket.map_err(|error| bind_error(listener.address, &error))?;
        let address = socket.local_addr().context("ask for the bound address")?;
        bound.push((listener.clone(), address, socket, tls));
    }
    Ok(Bound(bound))
}

/// Why an address cannot be listened on, and what to do.
pub(crate) fn bind_error(address: SocketAddr, error: &io::Error) -> anyhow::Error {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another process listens there; give another one with `--listen`".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "only root may listen on that port; give another one with `--listen`".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        _ => error.to_string(),
    };
    anyhow::anyhow!("cannot listen on {address}: {why}")
}

impl Bound {
    /// The first address.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.0.first().map(|(_, address, ..)| *address)
    }

    /// Begins to take calls, as tasks of `lifecycle`.
    pub(crate) fn serve(
        self,
        ready: &Ready,
        lifecycle: &Lifecycle,
        policy: Policy,
        catalog: Arc<Held<PublishedEndpoint>>,
        forwarders: HashMap<Provider, Forwarder>,
        admin: &Arc<dyn Admin>,
    ) -> Front {
        let config = ready.written.edge.clone();
        let body_bytes_max = usize::try_from(config.requests.management_body_max).unwrap_or(usize::MAX);
        let managed = management::Config { body_bytes_max, ..management::Config::default() };
        let edge = Edge::new(config, policy, catalog, forwarders, Arc::new(Metrics::new()), Arc::new(System));
        let (mut url, mut lines) = (String::new(), Vec::new());
        for (listener, address, socket, tls) in self.0 {
            let planes = planes(&listener);
            let router = planes.admin.then(|| {
                let router = management::router(Arc::clone(admin), managed.clone());
                router.layer(axum::middleware::from_fn(traced::management))
            });
            let scheme = if tls.is_some() { "https" } else { "http" };
            if url.is_empty() {
                url = format!("{scheme}://{address}");
            }
            lines.push(format!("listening on {scheme}://{address} ({})\n", named(planes)));
            if let Some(warning) = said::exposed(address) {
                tracing::warn!(%address, "a listener is open to others, and nobody needs a credential");
                lines.push(warning);
            }
            let (stopping, ending) = (lifecycle.stopping.clone(), lifecycle.ending.clone());
            let serving = Serving { planes, tls, management: router, stopping, ending };
            lifecycle.spawn(run(Arc::clone(&edge), socket, serving));
        }
        Front { edge, url, lines: lines.concat() }
    }
}

async fn run(edge: Arc<Edge>, socket: TcpListener, serving: Serving) {
    if let Err(error) = edge::serve(edge, socket, serving).await {
        tracing::error!(%error, "a listener failed");
    }
}

fn planes(listener: &config::Listener) -> Planes {
    let has = |plane| listener.planes.contains(&plane);
    Planes { data: has(config::Planes::Data), admin: has(config::Planes::Admin) }
}

fn named(planes: Planes) -> &'static str {
    match (planes.data, planes.admin) {
        (true, true) => "data, admin",
        (true, false) => "data",
        (false, _) => "admin",
    }
}
