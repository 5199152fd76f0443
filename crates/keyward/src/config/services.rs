//! Where the other services of Keyward are.

use std::{collections::BTreeMap, net::IpAddr};

use names::Provider;

use super::{Written, WrittenHome, trust::Internal};

/// Where the forwarder of a provider is.
#[derive(Debug, Clone)]
pub(crate) enum Home {
    /// In this process.
    Here,
    /// A service, at this address (`https://…`, or `http://…` for plain text).
    Remote(http::Uri),
}

/// The homes that the file and the command line name; the command line goes first.
pub(super) fn homes(
    written: &Written,
    given: &[String],
    internal: Internal,
    mistakes: &mut Vec<String>,
) -> BTreeMap<Provider, Home> {
    let mut homes = BTreeMap::new();
    for (provider, home) in &written.forwarders {
        let home = match home {
            WrittenHome::Here {} => Some(Home::Here),
            WrittenHome::Remote { url } => {
                remote(&format!("forwarders.{provider}.remote.url"), url, internal, mistakes)
                    .map(Home::Remote)
            }
        };
        add(&mut homes, provider, home, mistakes);
    }
    for pair in given {
        match pair.split_once('=') {
            Some((provider, url)) => {
                let home = remote("--forwarder", url, internal, mistakes).map(Home::Remote);
                add(&mut homes, provider, home, mistakes);
            }
            None => mistakes
                .push("`--forwarder` takes PROVIDER=URL, e.g. gemini=http://127.0.0.1:5002".to_owned()),
        }
    }
    homes
}

fn add(homes: &mut BTreeMap<Provider, Home>, provider: &str, home: Option<Home>, mistakes: &mut Vec<String>) {
    match (Provider::parse(provider), home) {
        (Ok(provider), Some(home)) => drop(homes.insert(provider, home)),
        (Ok(_), None) => {}
        (Err(error), _) => mistakes.push(format!("a provider's name {error}")),
    }
}

/// Another service's address: `https` where services show certificates; plain text on loopback, or where it was asked for.
pub(super) fn remote(
    key: &str,
    url: &str,
    internal: Internal,
    mistakes: &mut Vec<String>,
) -> Option<http::Uri> {
    let parsed = url.parse::<http::Uri>().ok();
    let tls = parsed.as_ref().and_then(http::Uri::scheme_str).and_then(|scheme| match scheme {
        "https" => Some(true),
        "http" => Some(false),
        _ => None,
    });
    let (Some(uri), Some(tls)) = (parsed, tls) else {
        mistakes.push(format!("`{key}` must be an address like https://store:5001 or http://127.0.0.1:5001"));
        return None;
    };
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let mistake = match tls {
        true if !internal.tls => {
            "an `https` address needs certificates: give `--tls-dir` (`keyward certs init` makes one)"
        }
        false if !loopback && !internal.insecure => {
            "only loopback addresses in plain text: write `https://…` and give `--tls-dir`, or `--insecure-internal` if \
             that is what you want"
        }
        _ => return Some(uri),
    };
    mistakes.push(format!("`{key}`: {mistake}"));
    None
}
