//! A base URL as an admin wrote it: taken apart once, in one spelling only, and checked against the rules.
//!
//! Two parsers that read one URL differently are how such checks are walked around, so that a URL is taken only if it
//! is spelled as the `url` crate (WHATWG) would write it, and what it was taken for is what is dialled.

use std::net::IpAddr;

use url::Url;

use super::{Policy, Scheme, allow::parse_port};

/// The longest base URL, in bytes.
const URL_MAX: usize = 2048;

/// A base URL that follows the rules as far as they can be told without a look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedBase {
    scheme: Scheme,
    host: Host,
    host_text: String,
    port: u16,
    path: String,
}

/// A host: a name, or an address in its canonical spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A DNS name in lower case, without a trailing dot.
    Name(String),
    /// A literal address.
    Address(IpAddr),
}

impl CheckedBase {
    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The host as a secret's list of hosts spells it: lower case, without port, IPv6 addresses in square brackets.
    pub fn host_text(&self) -> &str {
        &self.host_text
    }

    /// The port, the scheme's where the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path without trailing slashes; empty, or beginning with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Host and port as in a URL, without the scheme's own port.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host_text.clone()
        } else {
            format!("{}:{}", self.host_text, self.port)
        }
    }
}

/// Why a base URL is refused. Messages are for the admin who wrote it; of what was written they repeat at most a
/// scheme or a port, which can hold nothing harmful.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressRefusal {
    /// Not an absolute URL, or not one that everybody reads the same way.
    #[error(
        "Invalid Gateway secret api_base: it must be a plain absolute URL such as 'https://host/path', but {0}."
    )]
    Malformed(&'static str),
    /// A scheme that is not allowed (MLflow's words).
    #[error("Invalid Gateway secret api_base scheme: '{scheme}'. Allowed schemes are: {allowed}.")]
    Scheme {
        /// The scheme as it was written: letters, digits, `+`, `-`, `.`
        scheme: String,
        /// Those that are, quoted.
        allowed: &'static str,
    },
    /// A user or password in the URL.
    #[error("Invalid Gateway secret api_base: it must not contain a username or password.")]
    Credentials,
    /// A port that is not allowed.
    #[error("Invalid Gateway secret api_base port: {port}. Only port 443 is allowed.")]
    Port {
        /// The port.
        port: u16,
    },
    /// A host that can only be meant for this machine or its network, or an address that is not public.
    #[error("Invalid Gateway secret api_base host: {0}.")]
    Host(&'static str),
}

/// Takes a base URL apart and checks it against the rules, without I/O. The address behind a name is checked when
/// the connection is made.
pub fn check_url(text: &str, policy: &Policy) -> Result<CheckedBase, EgressRefusal> {
    use EgressRefusal::Malformed;
    if text.len() > URL_MAX {
        return Err(Malformed("it is too long"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Malformed("it holds spaces, control characters, or letters outside ASCII"));
    }
    let (written_scheme, rest) = text.split_once("://").ok_or(Malformed("the scheme is missing"))?;
    let scheme = check_scheme(written_scheme, policy)?;
    if rest.bytes().any(|byte| matches!(byte, b'\\' | b'?' | b'#' | b'%')) {
        return Err(Malformed("it holds a query, a fragment, a backslash or an escape"));
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(EgressRefusal::Credentials);
    }
    let (written_host, port) = split_authority(authority)?;
    let port = port.unwrap_or(scheme.default_port());

    let url = Url::parse(text).map_err(|_| Malformed("it cannot be read as a URL"))?;
    let same = url.host_str() == Some(written_host)
        && url.port_or_known_default() == Some(port)
        && url.path().trim_end_matches('/') == path.trim_end_matches('/');
    if !same {
        return Err(Malformed("it is not in its plain spelling"));
    }
    if path.trim_end_matches('/').contains("//") {
        return Err(Malformed("its path has an empty segment"));
    }
    let host = check_host(written_host, scheme, port, policy)?;
    check_port(scheme, port, policy)?;
    Ok(CheckedBase {
        scheme,
        host,
        host_text: written_host.to_owned(),
        port,
        path: path.trim_end_matches('/').to_owned(),
    })
}

fn check_scheme(written: &str, policy: &Policy) -> Result<Scheme, EgressRefusal> {
    let sound = written.len() <= 32
        && written.starts_with(|first: char| first.is_ascii_alphabetic())
        && written.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    if !sound {
        return Err(EgressRefusal::Malformed("the scheme is not one"));
    }
    let allowed = policy.schemes();
    Scheme::parse(written)
        .filter(|scheme| *scheme == Scheme::Https || allowed.contains("'http'"))
        .ok_or_else(|| EgressRefusal::Scheme { scheme: written.to_ascii_lowercase(), allowed })
}

fn split_authority(authority: &str) -> Result<(&str, Option<u16>), EgressRefusal> {
    let after_address = authority.rfind(']').map_or(0, |at| at + 1);
    match authority[after_address..].find(':') {
        None => Ok((authority, None)),
        Some(at) => {
            let at = after_address + at;
            let port =
                parse_port(&authority[at + 1..]).ok_or(EgressRefusal::Malformed("the port is not one"))?;
            Ok((&authority[..at], Some(port)))
        }
    }
}

fn check_port(scheme: Scheme, port: u16, policy: &Policy) -> Result<(), EgressRefusal> {
    let by_default = scheme == Scheme::Https && port == 443;
    if by_default || policy.widens(scheme, port) { Ok(()) } else { Err(EgressRefusal::Port { port }) }
}

/// Parses a host in its one spelling and refuses what cannot be a provider's.
fn check_host(text: &str, scheme: Scheme, port: u16, policy: &Policy) -> Result<Host, EgressRefusal> {
    let host =
        Host::parse(text).ok_or(EgressRefusal::Malformed("the host is not a name or a plain address"))?;
    match &host {
        Host::Address(address) if !policy.permits(scheme, *address, port) => {
            // A wrong port is the clearer complaint where the address itself would do.
            check_port(scheme, port, policy)?;
            Err(EgressRefusal::Host("the address is not a public one"))
        }
        Host::Name(name) if is_local_name(name) && !policy.widens(scheme, port) => {
            Err(EgressRefusal::Host("the name belongs to this machine or its network"))
        }
        _ => Ok(host),
    }
}

impl Host {
    /// Takes a host in its one spelling: a name in lower case without trailing dot, a dotted IPv4 address of four plain
    /// numbers, or an IPv6 address as RFC 5952 writes it, in square brackets.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(inside) = text.strip_prefix('[') {
            let inside = inside.strip_suffix(']')?;
            let address: std::net::Ipv6Addr = inside.parse().ok()?;
            // `Display` writes v4-mapped addresses with dots, the URL standard in hexadecimal; the latter is taken.
            let canonical = Url::parse(&format!("http://{text}/")).ok()?;
            return (canonical.host_str() == Some(text)).then_some(Self::Address(address.into()));
        }
        if let Ok(address) = text.parse::<std::net::Ipv4Addr>() {
            return (address.to_string() == text).then_some(Self::Address(address.into()));
        }
        let sound_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
                })
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // A name whose last label is a number is an address in disguise (`127.1`, `0x7f.1`, `2130706433`).
        let last = text.rsplit('.').next().unwrap_or_default();
        let numeric = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
        let sound = text.len() <= 253 && !numeric && text.split('.').all(sound_label);
        sound.then(|| Self::Name(text.to_owned()))
    }
}

/// Names that public DNS does not hold (RFC 6761, 6762, 8375, 9476 and ICANN's `.internal`), single labels, and the
/// clouds' names for their metadata services.
fn is_local_name(name: &str) -> bool {
    const LOCAL: [&str; 14] = [
        "localhost",
        "local",
        "internal",
        "intranet",
        "lan",
        "home",
        "corp",
        "private",
        "localdomain",
        "test",
        "invalid",
        "onion",
        "alt",
        "arpa",
    ];
    match name.rsplit_once('.') {
        None => true,
        Some((_, last)) => LOCAL.contains(&last),
    }
}

#[cfg(test)]
mod tests;
