//! The operator's way out through an HTTP proxy, by CONNECT (RFC 9110 section 9.3.6).

use std::{fmt, io};

use base64::Engine as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use url::Url;

use crate::{
    connect::{Destination, dial_any},
    egress::{Host, Policy, Resolve, Scheme},
    error::ConnectError,
};

/// A proxy's answer to CONNECT may be this long, in bytes.
const HEAD_MAX: usize = 16 * 1024;

/// An HTTP proxy as its operator wrote it: `http://[user:password@]host:port`.
///
/// Behind a proxy the proxy resolves names, so that the address rules cannot be applied to them here: names go out on
/// `https` and port 443 only, literal addresses follow the rules as always. The proxy's own address is exempt.
#[derive(Clone, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Proxy {
    host: String,
    port: u16,
    authorization: Option<SecretString>,
}

/// Why a text is not a proxy's URL; the text may hold a password and is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`egress.proxy` must be `http://[user:password@]host:port`")]
pub struct ProxyError;

impl TryFrom<String> for Proxy {
    type Error = ProxyError;

    fn try_from(text: String) -> Result<Self, ProxyError> {
        text.parse()
    }
}

impl std::str::FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let url = Url::parse(text).map_err(|_| ProxyError)?;
        let plain = url.scheme() == "http" && matches!(url.path(), "" | "/") && url.query().is_none();
        let host = url.host_str().filter(|_| plain).ok_or(ProxyError)?;
        let decode = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
        let authorization = (!url.username().is_empty()).then(|| {
            let pair = format!("{}:{}", decode(url.username()), decode(url.password().unwrap_or_default()));
            SecretString::from(base64::engine::general_purpose::STANDARD.encode(pair))
        });
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port: url.port_or_known_default().ok_or(ProxyError)?, authorization })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Proxy")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// A connection to the destination through this proxy.
    pub(crate) async fn tunnel(
        &self,
        destination: &Destination,
        policy: &Policy,
        resolver: &dyn Resolve,
    ) -> Result<TcpStream, ConnectError> {
        let Destination { scheme, host, port } = destination;
        let authority = match host {
            Host::Address(address) if policy.permits(*scheme, *address, *port) => {
                std::net::SocketAddr::new(*address, *port).to_string()
            }
            Host::Name(name) if *scheme == Scheme::Https && *port == 443 => format!("{name}:{port}"),
            _ => return Err(crate::egress::Blocked::Address.into()),
        };
        let mut stream = self.dial(resolver).await.map_err(ConnectError::ProxyUnreachable)?;
        let request = self.connect_request(&authority);
        stream.write_all(request.expose_secret().as_bytes()).await.map_err(ConnectError::ProxyUnreachable)?;
        match read_status(&mut stream).await? {
            200..=299 => Ok(stream),
            status => Err(ConnectError::ProxyRefused(status)),
        }
    }

    async fn dial(&self, resolver: &dyn Resolve) -> io::Result<TcpStream> {
        let addresses = match self.host.parse() {
            Ok(address) => vec![std::net::SocketAddr::new(address, self.port)],
            Err(_) => resolver.resolve(&self.host, self.port).await?,
        };
        dial_any(&addresses).await
    }

    fn connect_request(&self, authority: &str) -> SecretString {
        let mut request = format!("CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n");
        if let Some(authorization) = &self.authorization {
            request.push_str("proxy-authorization: Basic ");
            request.push_str(authorization.expose_secret());
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        SecretString::from(request)
    }
}

/// Reads the head of the proxy's answer and not a byte more: what follows belongs to the tunnel.
async fn read_status(stream: &mut TcpStream) -> Result<u16, ConnectError> {
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD_MAX {
            return Err(ConnectError::ProxyGarbled);
        }
        // One byte at a time, once a connection: a tunnel's first bytes are never swallowed.
        head.push(stream.read_u8().await.map_err(ConnectError::ProxyUnreachable)?);
    }
    let status = head.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
    let status =
        status.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| digits.parse().ok());
    status.filter(|status| (100..600).contains(status)).ok_or(ConnectError::ProxyGarbled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_url_and_what_is_none() {
        let proxy: Proxy = "http://me:pa%20ss@proxy.corp:3128".parse().unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("proxy.corp", 3128));
        let request = proxy.connect_request("a.example:443");
        assert_eq!(
            request.expose_secret(),
            "CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\nproxy-authorization: Basic bWU6cGEgc3M=\r\n\r\n"
        );
        assert!(!format!("{proxy:?}").contains("bWU6"));
        for wrong in
            ["", "proxy:3128", "https://proxy:3128", "socks5://proxy", "http://proxy/path", "http://proxy?x"]
        {
            assert!(wrong.parse::<Proxy>().is_err(), "{wrong}");
        }
    }
}
