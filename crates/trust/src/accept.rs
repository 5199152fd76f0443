//! The end that takes connections: TLS before anything else, where there is trust.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Stream, StreamExt as _, stream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tonic::transport::server::Connected;

use crate::{
    peer::{Peer, Who},
    seldom::Seldom,
    trust::Trust,
    verify::explain,
};

/// How long the handshake of one connection may take.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(5);
/// Handshakes that are under way at once; the next connections wait in the listener's queue.
const HANDSHAKES_MAX: usize = 256;
/// How long nothing is accepted after the system could not (no more file descriptors).
const PAUSE: Duration = Duration::from_millis(100);

/// The connections of a listener, as they become ready; those whose handshake fails are dropped, and it is said why.
/// Without trust they are plain text.
pub fn incoming(
    socket: TcpListener,
    trust: Option<Arc<Trust>>,
) -> impl Stream<Item = io::Result<Connection>> + Send {
    let trouble = Arc::new(Seldom::default());
    let accepted = stream::unfold(socket, |socket| async { Some((accept(&socket).await, socket)) });
    accepted
        .map(move |(stream, address)| shake(stream, address, trust.clone(), Arc::clone(&trouble)))
        .buffer_unordered(HANDSHAKES_MAX)
        .filter_map(|connection| async { connection.map(Ok) })
}

async fn accept(socket: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match socket.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection between services was not accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn shake(
    stream: TcpStream,
    address: SocketAddr,
    trust: Option<Arc<Trust>>,
    trouble: Arc<Seldom>,
) -> Option<Connection> {
    // It is a matter of speed only.
    let _ = stream.set_nodelay(true);
    let Some(trust) = trust else {
        let peer = Peer { who: Who::Anybody, address: Some(address) };
        return Some(Connection { stream: Side::Plain(stream), peer });
    };
    let shaken = TlsAcceptor::from(trust.server()).accept(stream);
    let why = match tokio::time::timeout(HANDSHAKE_MAX, shaken).await {
        Ok(Ok(stream)) => {
            let who = trust.who(stream.get_ref().1.peer_certificates());
            let peer = Peer { who: who.map_or(Who::Stranger, Who::Known), address: Some(address) };
            return Some(Connection { stream: Side::Tls(Box::new(stream)), peer });
        }
        Ok(Err(error)) => explain(&error),
        Err(_) => format!("it did not finish the TLS handshake within {HANDSHAKE_MAX:?}"),
    };
    if let Some(so_far) = trouble.count() {
        tracing::warn!(%address, why, so_far, "a connection from another service was refused");
    }
    None
}

/// A connection from another service.
#[derive(Debug)]
pub struct Connection {
    stream: Side,
    peer: Peer,
}

#[derive(Debug)]
enum Side {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Side::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Side::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Side::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Side::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Side::Plain(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Side::Tls(stream) => Pin::new(stream).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Side::Plain(stream) => stream.is_write_vectored(),
            Side::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Side::Plain(stream) => Pin::new(stream).poll_flush(context),
            Side::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Side::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Side::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
