//! The connector: destination → checked addresses → TCP, perhaps through the operator's proxy → TLS.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use http::Uri;
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower::Service;

use crate::{
    egress::{Host, Policy, Resolve, Scheme, resolve_and_check},
    error::ConnectError,
    proxy::Proxy,
};

/// How long one address may keep the next one waiting (RFC 8305 section 5 recommends 250 ms).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// What every connection is made with; one for all secrets.
pub(crate) struct Way {
    pub(crate) policy: Policy,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) tls: TlsConnector,
    pub(crate) connect_max: Duration,
}

/// Makes connections for one pool.
#[derive(Clone)]
pub(crate) struct Connector(pub(crate) Arc<Way>);

impl Service<Uri> for Connector {
    type Response = Transport;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Transport, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let way = Arc::clone(&self.0);
        Box::pin(async move {
            let connected = tokio::time::timeout(way.connect_max, way.connect(&uri)).await;
            connected.map_err(|_| ConnectError::TooSlow)?
        })
    }
}

impl Way {
    async fn connect(&self, uri: &Uri) -> Result<Transport, ConnectError> {
        let destination = Destination::of(uri).ok_or(ConnectError::NoDestination)?;
        let stream = match &self.proxy {
            None => self.dial(&destination).await?,
            Some(proxy) => proxy.tunnel(&destination, &self.policy, &*self.resolver).await?,
        };
        match destination.scheme {
            Scheme::Http => Ok(Transport::Plain(TokioIo::new(stream))),
            Scheme::Https => {
                let name = destination.server_name().ok_or(ConnectError::NoDestination)?;
                let stream = self.tls.connect(name, stream).await.map_err(ConnectError::Tls)?;
                Ok(Transport::Tls(Box::new(TokioIo::new(stream))))
            }
        }
    }

    async fn dial(&self, destination: &Destination) -> Result<TcpStream, ConnectError> {
        let Destination { scheme, host, port } = destination;
        let addresses = resolve_and_check(*scheme, host, *port, &self.policy, &*self.resolver).await?;
        dial_any(&addresses).await.map_err(ConnectError::Refused)
    }
}

/// Where a connection is to go.
#[derive(Debug)]
pub(crate) struct Destination {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl Destination {
    fn of(uri: &Uri) -> Option<Self> {
        let scheme = Scheme::parse(uri.scheme_str()?)?;
        let port = uri.port_u16().unwrap_or(scheme.default_port());
        Some(Self { scheme, host: Host::parse(uri.host()?)?, port })
    }

    fn server_name(&self) -> Option<ServerName<'static>> {
        match &self.host {
            Host::Address(address) => Some(ServerName::IpAddress((*address).into())),
            Host::Name(name) => ServerName::try_from(name.clone()).ok(),
        }
    }
}

/// Tries the addresses in their order, the next one as soon as the last failed or kept us waiting; the first wins.
pub(crate) async fn dial_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut waiting = addresses.iter().copied();
    let mut attempts = FuturesUnordered::new();
    let mut last_error = io::Error::from(io::ErrorKind::NotFound);
    loop {
        if let Some(address) = waiting.next() {
            attempts.push(dial_one(address));
        } else if attempts.is_empty() {
            return Err(last_error);
        }
        let patience = if waiting.len() == 0 { Duration::MAX } else { NEXT_ADDRESS_AFTER };
        match tokio::time::timeout(patience, attempts.next()).await {
            Ok(Some(Ok(stream))) => return Ok(stream),
            Ok(Some(Err(error))) => last_error = error,
            Ok(None) | Err(_) => {}
        }
    }
}

async fn dial_one(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    // A provider that vanished without a word is noticed even on a call that may be silent for minutes.
    let keepalive =
        socket2::TcpKeepalive::new().with_time(Duration::from_mins(1)).with_interval(Duration::from_secs(15));
    socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    Ok(stream)
}

/// A connection, in the clear or not.
pub(crate) enum Transport {
    Plain(TokioIo<TcpStream>),
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Connection for Transport {
    fn connected(&self) -> Connected {
        match self {
            Self::Tls(stream) if stream.inner().get_ref().1.alpn_protocol() == Some(b"h2") => {
                Connected::new().negotiated_h2()
            }
            Self::Plain(_) | Self::Tls(_) => Connected::new(),
        }
    }
}

macro_rules! either {
    ($transport:expr, $stream:ident => $action:expr) => {
        match $transport.get_mut() {
            Transport::Plain(stream) => {
                let $stream = Pin::new(stream);
                $action
            }
            Transport::Tls(stream) => {
                let $stream = Pin::new(&mut **stream);
                $action
            }
        }
    };
}

impl hyper::rt::Read for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_read(context, buffer))
    }
}

impl hyper::rt::Write for Transport {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_shutdown(context))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write_vectored(context, slices))
    }
}
