//! The end that makes connections: whoever answers must be who is expected, before one byte of a call is sent.

use std::{
    io,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use http::{Uri, uri::Scheme};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::Endpoint;
use tower::Service;

use crate::{identity::Expected, trust::Trust, verify::explain};

/// Where an address names no port.
const HTTPS: u16 = 443;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Nobody answers there.
    #[error("`{host}` cannot be reached")]
    Unreachable {
        /// Host and port.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// The handshake failed.
    #[error("no TLS with `{host}`: {why}")]
    Tls {
        /// Host and port.
        host: String,
        /// Why.
        why: String,
    },
    /// Somebody else answers there.
    #[error("at `{host}` is {found}, not `{expected}`")]
    SomebodyElse {
        /// Host and port.
        host: String,
        /// Who it is.
        found: String,
        /// Who was expected.
        expected: String,
    },
}

/// Connects to services of one kind. Each connection uses what [`Trust`] holds when it is made.
#[derive(Debug, Clone)]
pub struct Connector {
    trust: Arc<Trust>,
    expected: Expected,
}

impl Connector {
    /// To these services.
    pub fn new(trust: Arc<Trust>, expected: Expected) -> Self {
        Self { trust, expected }
    }

    /// An endpoint for an address that begins with `https`, to be connected to by a connector like this.
    pub fn endpoint(uri: &Uri) -> Endpoint {
        // tonic refuses `https` from a connector that is not its own, so it is told `http`; calls carry what was given.
        let mut parts = uri.clone().into_parts();
        parts.scheme = Some(Scheme::HTTP);
        match Uri::from_parts(parts) {
            Ok(plain) => Endpoint::from(plain).origin(uri.clone()),
            Err(_) => Endpoint::from(uri.clone()),
        }
    }

    async fn dial(self, uri: Uri) -> Result<TlsStream<TcpStream>, DialError> {
        let name = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(HTTPS);
        let host = format!("{name}:{port}");
        let connected = TcpStream::connect((name.as_str(), port)).await;
        let stream = connected.map_err(|source| DialError::Unreachable { host: host.clone(), source })?;
        // It is a matter of speed only.
        let _ = stream.set_nodelay(true);
        let refused = |why| DialError::Tls { host: host.clone(), why };
        let name = ServerName::try_from(name).map_err(|_| refused("it has no host's name".to_owned()))?;
        let shaken = TlsConnector::from(self.trust.client()).connect(name, stream).await;
        let stream = shaken.map_err(|error| refused(explain(&error)))?;
        match self.trust.who(stream.get_ref().1.peer_certificates()) {
            Some(identity) if self.expected.is(&identity) => Ok(stream),
            other => {
                let nobody = || format!("no service of `{}`", self.trust.domain());
                let found = other.map_or_else(nobody, |found| format!("`{found}`"));
                Err(DialError::SomebodyElse { host, found, expected: self.expected.to_string() })
            }
        }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = DialError;
    type Future = BoxFuture<'static, Result<Self::Response, DialError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.dial(uri).await.map(TokioIo::new) })
    }
}
