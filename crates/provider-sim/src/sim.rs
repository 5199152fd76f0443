//! One simulator: its listeners, and the handle that tests hold.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::book::{Book, Match};
use crate::gate::Gate;
use crate::log::{Connection, Ended, Log, NotSeen, Protocol, Received};
use crate::script::Script;
use crate::shared::{Accepted, Shared};
use crate::tls::tls;
use crate::wire::Wire;
use crate::{control, http1, http2};

/// A running simulator. Dropped, it closes every listener and connection.
#[derive(Debug)]
pub struct Sim {
    shared: Arc<Shared>,
    addresses: Addresses,
    ca_pem: String,
    _tasks: JoinSet<()>,
}

#[derive(Debug, Clone, Copy)]
struct Addresses {
    http1: SocketAddr,
    http2: SocketAddr,
    tls: SocketAddr,
    control: SocketAddr,
}

/// How a simulator is to listen. Every port is chosen by the system unless one is given.
#[derive(Debug, Clone)]
pub struct Builder {
    address: IpAddr,
    ports: [u16; 4],
    names: Vec<String>,
    http1_only: bool,
}

impl Builder {
    /// Listens on this address instead of 127.0.0.1.
    pub fn address(self, address: IpAddr) -> Self {
        Self { address, ..self }
    }

    /// The ports for HTTP/1.1, HTTP/2, TLS and the control API, in this order; 0 is the system's choice.
    pub fn ports(self, ports: [u16; 4]) -> Self {
        Self { ports, ..self }
    }

    /// The names in the TLS certificate instead of `localhost`, `127.0.0.1` and `::1`.
    pub fn names(self, names: &[&str]) -> Self {
        Self { names: names.iter().map(|name| (*name).to_owned()).collect(), ..self }
    }

    /// ALPN offers HTTP/1.1 only.
    pub fn tls_http1_only(self) -> Self {
        Self { http1_only: true, ..self }
    }

    /// Listens.
    pub async fn start(self) -> anyhow::Result<Sim> {
        let mut listeners = Vec::with_capacity(self.ports.len());
        for port in self.ports {
            let listener = TcpListener::bind((self.address, port)).await;
            listeners.push(listener.with_context(|| format!("listening on {}, port {port}", self.address))?);
        }
        let [http1, http2, tls_listener, control]: [TcpListener; 4] =
            listeners.try_into().map_err(|_| anyhow::anyhow!("four listeners"))?;
        let protocols: &[&[u8]] = if self.http1_only { &[b"http/1.1"] } else { &[b"h2", b"http/1.1"] };
        let tls = tls(&self.names, protocols).context("making a certificate")?;
        let addresses = Addresses {
            http1: http1.local_addr()?,
            http2: http2.local_addr()?,
            tls: tls_listener.local_addr()?,
            control: control.local_addr()?,
        };
        let shared = Arc::new(Shared { log: Log::new(), book: Book::default() });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(Arc::clone(&shared), http1, Face::Http1));
        tasks.spawn(accept(Arc::clone(&shared), http2, Face::Http2));
        tasks.spawn(accept(Arc::clone(&shared), tls_listener, Face::Tls(tls.acceptor)));
        tasks.spawn(control::serve(Arc::clone(&shared), control, tls.ca_pem.clone()));
        Ok(Sim { shared, addresses, ca_pem: tls.ca_pem, _tasks: tasks })
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ports: [0; 4],
            names: ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec(),
            http1_only: false,
        }
    }
}

impl Sim {
    /// Listens on 127.0.0.1, on ports of the system's choice.
    pub async fn start() -> anyhow::Result<Self> {
        Builder::default().start().await
    }

    /// How else it could listen.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The base URL for cleartext HTTP/1.1.
    pub fn http1_url(&self) -> String {
        format!("http://{}", self.addresses.http1)
    }

    /// The base URL for cleartext HTTP/2, with prior knowledge.
    pub fn http2_url(&self) -> String {
        format!("http://{}", self.addresses.http2)
    }

    /// The base URL for TLS, where ALPN chooses HTTP/2 or HTTP/1.1. Its host is `localhost`.
    pub fn tls_url(&self) -> String {
        format!("https://localhost:{}", self.addresses.tls.port())
    }

    /// The base URL of the control API.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.addresses.control)
    }

    /// The certificate authority that the TLS listener's certificate comes from, as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// From now on, answers requests that match with this script. The youngest that matches counts.
    pub fn script(&self, wanted: Match, script: Script) {
        self.shared.book.add(wanted, script, false);
    }

    /// Answers one request that matches with this script. The oldest that matches counts, before any that stays.
    pub fn script_once(&self, wanted: Match, script: Script) {
        self.shared.book.add(wanted, script, true);
    }

    /// Forgets every script and every request.
    pub fn clear(&self) {
        self.shared.book.clear();
        self.shared.log.forget();
    }

    /// The gate of that name.
    pub fn gate(&self, name: &str) -> Gate {
        self.shared.book.gate(name)
    }

    /// Everything that was received, as far as it has come.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.log.requests()
    }

    /// Every connection that is open, or was since the last [`Sim::clear`].
    pub fn connections(&self) -> Vec<Connection> {
        self.shared.log.connections()
    }

    /// Waits until request `number` (from 1) was read whole, or ended before that.
    pub async fn wait_for_request(&self, number: u64) -> Result<Received, NotSeen> {
        self.wait_until(&format!("request {number}"), |requests, _| {
            find(requests, number).filter(|received| received.body_complete || received.ended.is_some())
        })
        .await
    }

    /// Waits until the exchange of request `number` ended, and says how.
    pub async fn wait_for_end(&self, number: u64) -> Result<Ended, NotSeen> {
        self.wait_until(&format!("the end of request {number}"), |requests, _| {
            find(requests, number).and_then(|received| received.ended)
        })
        .await
    }

    /// Waits until connection `number` ended, and says how.
    pub async fn wait_for_disconnect(&self, number: u64) -> Result<Ended, NotSeen> {
        self.wait_until(&format!("the end of connection {number}"), |_, connections| {
            connections.iter().find(|connection| connection.number == number)?.ended
        })
        .await
    }

    /// Waits until `find` finds something among the requests and connections; `what` names it in the error.
    pub async fn wait_until<T>(
        &self,
        what: &str,
        find: impl Fn(&[Received], &[Connection]) -> Option<T>,
    ) -> Result<T, NotSeen> {
        self.shared.log.wait(what, find).await
    }
}

fn find(requests: &[Received], number: u64) -> Option<Received> {
    requests.iter().find(|received| received.number == number).cloned()
}

/// What a listener speaks.
#[derive(Clone)]
enum Face {
    Http1,
    Http2,
    Tls(TlsAcceptor),
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, face: Face) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(Arc::clone(&shared), stream, face.clone()));
                }
                // Out of file descriptors, or a peer that left while it waited: neither ends the simulator.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream, face: Face) {
    let at = Instant::now();
    // Every piece is to leave as a segment of its own.
    let _ = stream.set_nodelay(true);
    let (wire, connection) = match face {
        Face::Http1 => (Wire::clear(stream), known(Protocol::Http1)),
        Face::Http2 => (Wire::clear(stream), known(Protocol::Http2)),
        Face::Tls(acceptor) => {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let session = stream.get_ref().1;
            let alpn = session.alpn_protocol().map(|alpn| String::from_utf8_lossy(alpn).into_owned());
            let protocol = if alpn.as_deref() == Some("h2") { Protocol::Http2 } else { Protocol::Http1 };
            let server_name = session.server_name().map(str::to_owned);
            (Wire::tls(stream), Connection { tls: true, alpn, server_name, ..known(protocol) })
        }
    };
    let protocol = connection.protocol;
    let accepted = Accepted::new(&shared.log, at, connection);
    match protocol {
        Protocol::Http1 => http1::serve(shared, wire, accepted).await,
        Protocol::Http2 => http2::serve(shared, wire, accepted).await,
    }
}

fn known(protocol: Protocol) -> Connection {
    Connection { number: 0, protocol, tls: false, alpn: None, server_name: None, ended: None }
}
