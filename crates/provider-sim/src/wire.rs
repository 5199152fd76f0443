//! One accepted connection, cleartext or TLS, that can be made to end with a reset.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A connection. Dropped, it is closed in order, or reset if its [`Fuse`] was lit.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    fuse: Fuse,
}

#[derive(Debug)]
enum Stream {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Decides, from outside, that a connection is to end with a reset (RST).
#[derive(Debug, Clone, Default)]
pub(crate) struct Fuse(Arc<AtomicBool>);

impl Fuse {
    pub(crate) fn light(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn is_lit(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Wire {
    pub(crate) fn clear(stream: TcpStream) -> Self {
        Self { stream: Stream::Clear(stream), fuse: Fuse::default() }
    }

    pub(crate) fn tls(stream: TlsStream<TcpStream>) -> Self {
        Self { stream: Stream::Tls(Box::new(stream)), fuse: Fuse::default() }
    }

    pub(crate) fn fuse(&self) -> Fuse {
        self.fuse.clone()
    }

    fn stream(self: Pin<&mut Self>) -> &mut Stream {
        &mut self.get_mut().stream
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.fuse.is_lit() {
            let stream = match &self.stream {
                Stream::Clear(stream) => stream,
                Stream::Tls(stream) => stream.get_ref().0,
            };
            // It fails only where the connection is gone already.
            let _ = stream.set_zero_linger();
        }
    }
}

// === impl AsyncRead, AsyncWrite for Wire ===

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.stream() {
            Stream::Clear(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.stream() {
            Stream::Clear(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.stream() {
            Stream::Clear(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.stream() {
            Stream::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
