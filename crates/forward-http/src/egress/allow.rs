//! What an operator allows beyond the default: `scheme://cidr[:port]`.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;

use super::is_global;

/// A scheme that calls can be made over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Cleartext; only where an operator allows it.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// The word in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URL of this scheme means when it names none.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// Takes the word in a URL, in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            _ => None,
        }
    }
}

/// One entry of an operator's allow list: a scheme, a network, and one port or any.
///
/// Written `https://10.0.0.0/8`, `http://127.0.0.1:9000`, `http://[::1]:9000`, `https://[fd00::/8]:8443` or
/// `http://fd00::/8`. A network's address must have no bits behind its prefix: `10.0.0.1/8` is a mistake, not a range.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EgressAllow {
    scheme: Scheme,
    network: IpNet,
    port: Option<u16>,
}

/// Why a text is not an entry of the allow list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entry of `egress.allow` is `scheme://cidr[:port]`, such as `http://127.0.0.0/8:8080`: {0}")]
pub struct AllowError(&'static str);

impl FromStr for EgressAllow {
    type Err = AllowError;

    fn from_str(text: &str) -> Result<Self, AllowError> {
        let (scheme, rest) = text.split_once("://").ok_or(AllowError("the scheme is missing"))?;
        let scheme = Scheme::parse(scheme).ok_or(AllowError("the scheme must be `http` or `https`"))?;
        let (network, port) = split_port(rest)?;
        Ok(Self { scheme, network: parse_network(&network)?, port })
    }
}

/// Separates `cidr` from `:port`; square brackets go around an IPv6 address or its whole network.
fn split_port(text: &str) -> Result<(String, Option<u16>), AllowError> {
    if text.parse::<IpNet>().is_ok() || text.parse::<IpAddr>().is_ok() {
        return Ok((text.to_owned(), None));
    }
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (network, port) = match bracketed {
        Some((inside, after)) => {
            let (length, port) =
                after.split_once(':').map_or((after, None), |(length, port)| (length, Some(port)));
            (format!("{inside}{length}"), port)
        }
        None => match text.rsplit_once(':') {
            // Without brackets an IPv6 address and a port cannot be told apart, unless a prefix length stands between.
            Some((network, port)) if !network.contains(':') || network.contains('/') => {
                (network.to_owned(), Some(port))
            }
            _ => (text.to_owned(), None),
        },
    };
    let port = port.map(|port| parse_port(port).ok_or(AllowError("the port is not one"))).transpose()?;
    Ok((network, port))
}

/// A port from 1 in plain decimal.
pub(super) fn parse_port(text: &str) -> Option<u16> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten()
}

fn parse_network(text: &str) -> Result<IpNet, AllowError> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| AllowError("the network is not one in CIDR notation"))?,
    };
    if network.trunc() == network {
        Ok(network)
    } else {
        Err(AllowError("the network has bits behind its prefix"))
    }
}

impl fmt::Display for EgressAllow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, network, port } = self;
        let scheme = scheme.as_str();
        match (network, port) {
            (IpNet::V6(network), Some(port)) => write!(formatter, "{scheme}://[{network}]:{port}"),
            (network, Some(port)) => write!(formatter, "{scheme}://{network}:{port}"),
            (network, None) => write!(formatter, "{scheme}://{network}"),
        }
    }
}

impl TryFrom<String> for EgressAllow {
    type Error = AllowError;
    fn try_from(text: String) -> Result<Self, AllowError> {
        text.parse()
    }
}

impl From<EgressAllow> for String {
    fn from(allow: EgressAllow) -> Self {
        allow.to_string()
    }
}

/// The egress rules: the default and what the operator allows beyond it.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    allow: Vec<EgressAllow>,
}

impl Policy {
    /// The default rules, widened by `allow`.
    pub fn new(allow: Vec<EgressAllow>) -> Self {
        Self { allow }
    }

    /// Whether a connection may be made to this address and port, for a URL of this scheme.
    pub fn permits(&self, scheme: Scheme, address: IpAddr, port: u16) -> bool {
        let by_default = scheme == Scheme::Https && port == 443 && is_global(address);
        by_default || self.entries(scheme, port).any(|entry| entry.network.contains(&address))
    }

    /// Whether any entry of the operator's names this scheme and port, whatever its network.
    pub(super) fn widens(&self, scheme: Scheme, port: u16) -> bool {
        self.entries(scheme, port).next().is_some()
    }

    /// The schemes that some destination may have.
    pub(super) fn schemes(&self) -> &'static str {
        let cleartext = self.allow.iter().any(|entry| entry.scheme == Scheme::Http);
        if cleartext { "'http', 'https'" } else { "'https'" }
    }

    fn entries(&self, scheme: Scheme, port: u16) -> impl Iterator<Item = &EgressAllow> {
        self.allow
            .iter()
            .filter(move |entry| entry.scheme == scheme && entry.port.is_none_or(|allowed| allowed == port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_how_they_are_shown() {
        for (written, shown) in [
            ("https://10.0.0.0/8", "https://10.0.0.0/8"),
            ("http://127.0.0.1:9000", "http://127.0.0.1/32:9000"),
            ("http://127.0.0.0/8:9000", "http://127.0.0.0/8:9000"),
            ("http://[::1]:9000", "http://[::1/128]:9000"),
            ("http://[::1]/128:9000", "http://[::1/128]:9000"),
            ("http://[::1]", "http://::1/128"),
            ("https://[fd00::/8]:8443", "https://[fd00::/8]:8443"),
            ("http://fd00::/8", "http://fd00::/8"),
            ("http://fd00::/8:8080", "http://[fd00::/8]:8080"),
            ("https://0.0.0.0/0:8443", "https://0.0.0.0/0:8443"),
        ] {
            let entry: EgressAllow = written.parse().unwrap();
            assert_eq!(entry.to_string(), shown, "{written}");
            assert_eq!(shown.parse::<EgressAllow>().unwrap(), entry, "{shown}");
        }
    }

    #[test]
    fn what_is_no_entry() {
        for wrong in [
            "",
            "127.0.0.1",
            "ftp://127.0.0.1",
            "http://",
            "http://localhost",
            "http://127.1",
            "http://10.0.0.1/8",
            "http://10.0.0.0/33",
            "http://127.0.0.1:0",
            "http://127.0.0.1:65536",
            "http://127.0.0.1:",
            "http://127.0.0.1:x",
            "http://127.0.0.1:080",
            "http://::1:9000x",
            "http://[::1",
            "http://*",
            "HTTP://127.0.0.1",
            "http://127.0.0.1/8/9",
        ] {
            assert!(wrong.parse::<EgressAllow>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_entry_allows_its_scheme_network_and_port_only() {
        let policy = Policy::new(vec![
            "http://127.0.0.0/8:9000".parse().unwrap(),
            "https://10.0.0.0/8".parse().unwrap(),
        ]);
        let permits = |scheme, address: &str, port| policy.permits(scheme, address.parse().unwrap(), port);
        assert!(permits(Scheme::Http, "127.0.0.1", 9000));
        assert!(!permits(Scheme::Http, "127.0.0.1", 9001));
        assert!(!permits(Scheme::Https, "127.0.0.1", 9000));
        assert!(!permits(Scheme::Http, "::ffff:127.0.0.1", 9000));
        assert!(permits(Scheme::Https, "10.1.2.3", 1));
        assert!(permits(Scheme::Https, "8.8.8.8", 443));
        assert!(!permits(Scheme::Https, "8.8.8.8", 8443));
        assert!(!permits(Scheme::Http, "8.8.8.8", 80));
    }
}
