//! What every request must be, in HTTP/1 and HTTP/2 alike, before anything looks at what it asks.
//!
//! What only bytes show (line ends, doubled lengths) was refused by the gate before. The numbers in comments are the
//! rows of the project's table of bad inputs, which `tests/it/bad_inputs.rs` walks.

use std::net::{IpAddr, SocketAddr};

use fault::Fault;
use http::{HeaderMap, Method, Uri, header, request::Parts, uri::Authority};

use crate::Problem;

/// Whom a listener may be called.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    allowed: Vec<String>,
    bound: SocketAddr,
}

impl Hosts {
    /// For a listener bound to `bound`; `allowed` as [`crate::Config::hosts`] has it.
    pub(crate) fn new(allowed: &[String], bound: SocketAddr) -> Self {
        Self { allowed: allowed.iter().map(|host| host.to_ascii_lowercase()).collect(), bound }
    }

    fn check(&self, host: &Authority) -> Result<(), Problem> {
        let name = host.host().to_ascii_lowercase();
        let listed = self
            .allowed
            .iter()
            .any(|allowed| *allowed == name || *allowed == host.as_str().to_ascii_lowercase());
        let local = self.bound.ip().is_loopback() && is_local(&name, self.bound.ip());
        let open = self.allowed.is_empty() && !self.bound.ip().is_loopback();
        if listed || local || open {
            return Ok(());
        }
        Err(Problem::new(Fault::Misdirected, "host", "the host that this request names is not served here"))
    }
}

/// A name that no resolver can be made to point here (RFC 6761, section 6.3, for `localhost`).
fn is_local(name: &str, bound: IpAddr) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost"
        || name.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback() || address == bound)
}

/// Checks one request's head. The problem says whether its connection must end.
pub(crate) fn check(parts: &Parts, hosts: &Hosts) -> Result<(), Problem> {
    method(&parts.method)?;
    let host = host(&parts.uri, &parts.headers)?;
    fields(&parts.headers)?;
    hosts.check(&host)?;
    origin(&parts.headers, &host, hosts)
}

/// B24, B42: methods in upper case, no tunnels, no echo.
fn method(method: &Method) -> Result<(), Problem> {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS => Ok(()),
        _ => Err(Problem::method("GET, HEAD, POST, PUT, PATCH, DELETE").closing()),
    }
}

/// B12, B14: exactly one host in the grammar of RFC 3986, section 3.2.2, without user information.
fn host(uri: &Uri, headers: &HeaderMap) -> Result<Authority, Problem> {
    let bad = |what: &'static str| Problem::new(Fault::BadRequest, "host", what).closing();
    let mut values = headers.get_all(header::HOST).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(bad("there is more than one `host`"));
    }
    let named = match first {
        Some(value) => {
            Some(authority(value.as_bytes()).ok_or_else(|| bad("`host` is not a host and a port"))?)
        }
        None => None,
    };
    match (uri.authority(), named) {
        (None, Some(named)) => Ok(named),
        (Some(target), None) => authority(target.as_str().as_bytes())
            .ok_or_else(|| bad("the target's host is not a host and a port")),
        (Some(target), Some(named)) if target.as_str().eq_ignore_ascii_case(named.as_str()) => Ok(named),
        (Some(_), Some(_)) => Err(bad("`host` is not the host that the request's target names")),
        (None, None) => Err(bad("the request names no host")),
    }
}

/// A host with or without a port.
fn authority(bytes: &[u8]) -> Option<Authority> {
    let authority = Authority::try_from(bytes).ok()?;
    let host = authority.host();
    let (name, is_literal) = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => (literal, true),
        None => (host, false),
    };
    let formed = if is_literal {
        name.parse::<std::net::Ipv6Addr>().is_ok()
    } else {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    let rest = authority.as_str().strip_prefix(host)?;
    let port = rest.strip_prefix(':').map_or(rest.is_empty(), |port| port.parse::<u16>().is_ok());
    (formed && port).then_some(authority)
}

/// B24, B43: no upgrades, no names that a proxy in front may fold into others.
fn fields(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(header::UPGRADE) {
        return Err(
            Problem::new(Fault::BadRequest, "upgrade", "there is nothing to upgrade to here").closing()
        );
    }
    if headers.keys().any(|name| name.as_str().contains('_')) {
        return Err(Problem::new(
            Fault::BadRequest,
            "header_name",
            "a header field's name holds an underscore, which proxies read in different ways",
        )
        .closing());
    }
    Ok(())
}

/// B83: a page of another site may not speak through its visitor's browser to a listener on loopback.
fn origin(headers: &HeaderMap, host: &Authority, hosts: &Hosts) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN).filter(|_| hosts.bound.ip().is_loopback()) else {
        return Ok(());
    };
    let from = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let from = from.and_then(|(_, from)| authority(from.as_bytes()));
    let same = |from: &Authority| {
        from.as_str().eq_ignore_ascii_case(host.as_str())
            || is_local(&from.host().to_ascii_lowercase(), hosts.bound.ip())
    };
    if from.as_ref().is_some_and(same) {
        return Ok(());
    }
    Err(Problem::new(Fault::Forbidden, "origin", "pages of other sites may not call a listener on loopback"))
}

/// B30 to B34, for paths that have no grammar of their own: what could be normalised into another path is not one.
pub(crate) fn path(path: &str) -> Result<(), Problem> {
    if path.split('/').skip(1).any(|segment| matches!(segment, "." | "..")) || path.contains("//") {
        return Err(Problem::no_such_path());
    }
    // Dots, slashes, percent signs, control characters, and bytes that only overlong UTF-8 has.
    let tricky = ["%2e", "%2f", "%5c", "%25", "%0", "%1", "%7f", "%c0", "%c1"];
    let lower = path.to_ascii_lowercase();
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b';'));
    if plain && !tricky.iter().any(|escape| lower.contains(escape)) {
        return Ok(());
    }
    Err(Problem::new(
        Fault::BadRequest,
        "path",
        "the path holds an escape, a backslash or a semicolon that has no place in it",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_in_their_grammar() {
        for good in ["a", "A.b-c_d", "a:1", "127.0.0.1:5000", "[::1]", "[::1]:443", "localhost"] {
            assert!(authority(good.as_bytes()).is_some(), "{good}");
        }
        for bad in ["", "a/admin?#", "a@b", "a:99999", "a:", "a:x", "[::1", "[x]", "a b", ":80", "a,b", "é"]
        {
            assert!(authority(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_listener_on_loopback_is_not_rebound() {
        let hosts = Hosts::new(&[], "127.0.0.1:5000".parse().unwrap());
        let check = |host: &str| hosts.check(&authority(host.as_bytes()).unwrap()).is_ok();
        for good in ["localhost:5000", "127.0.0.1", "127.0.0.2:1", "[::1]:5000", "x.LOCALHOST"] {
            assert!(check(good), "{good}");
        }
        for bad in ["evil.example", "localhost.evil.example", "192.0.2.1", "0.0.0.0"] {
            assert!(!check(bad), "{bad}");
        }
    }

    #[test]
    fn an_open_listener_takes_any_host_until_some_are_configured() {
        let bound = "0.0.0.0:5000".parse().unwrap();
        let check = |allowed: &[String], host: &str| {
            Hosts::new(allowed, bound).check(&authority(host.as_bytes()).unwrap()).is_ok()
        };
        assert!(check(&[], "gateway.example"));
        let allowed = ["Gateway.example".to_owned(), "b.example:8443".to_owned()];
        assert!(check(&allowed, "gateway.EXAMPLE:5000"));
        assert!(check(&allowed, "b.example:8443"));
        assert!(!check(&allowed, "b.example"));
        assert!(!check(&allowed, "evil.example"));
    }

    #[test]
    fn paths_that_could_become_others() {
        for good in ["/", "/api/3.0/mlflow/gateway/secrets/create", "/a%20b", "/health"] {
            assert!(path(good).is_ok(), "{good}");
        }
        for (bad, fault) in [
            ("/a/../b", Fault::NotFound),
            ("/./a", Fault::NotFound),
            ("//a", Fault::NotFound),
            ("/a//b", Fault::NotFound),
            ("/%2e%2e%2fadmin", Fault::BadRequest),
            ("/%252e", Fault::BadRequest),
            ("/%c0%ae", Fault::BadRequest),
            ("/a;b", Fault::BadRequest),
            ("/a\\b", Fault::BadRequest),
            ("/a%00", Fault::BadRequest),
            ("/a%0D%0Ab", Fault::BadRequest),
        ] {
            assert_eq!(path(bad).unwrap_err().fault, fault, "{bad}");
        }
    }
}
