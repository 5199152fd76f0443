//! Ports, and the way out to providers.

use std::{io, net::SocketAddr, time::Duration};

use forward_http::egress::Scheme;
use tokio::net::{TcpListener, lookup_host};

use super::Report;
use crate::{config::Ready, roles};

/// How long the look-up of a name may take.
const LOOK_UP_MAX: Duration = Duration::from_secs(5);
/// Providers' port.
const HTTPS: u16 = 443;

pub(super) async fn look(report: &mut Report, ready: &Ready) {
    for listener in &ready.listeners {
        port(report, listener.address).await;
    }
    if let Some(file) = &ready.written.egress.ca_file {
        let shown = file.display();
        match ready.written.egress.clone().build() {
            Ok(_) => report.ok("egress.ca_file", &format!("`{shown}` can be used")),
            Err(error) => report.fail("egress.ca_file", &format!("`{shown}`: {error}")),
        }
    }
    if ready.written.egress.proxy.is_some() {
        return report.ok("egress", "goes through the proxy, which looks names up");
    }
    // Some are enough to show that there are a resolver and a way out.
    for host in ready.providers.iter().filter(|known| known.native).flat_map(|known| known.hosts) {
        egress(report, ready, host).await;
    }
}

async fn port(report: &mut Report, address: SocketAddr) {
    match TcpListener::bind(address).await {
        Ok(_) => report.ok("port", &format!("{address} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            report.warn(
                "port",
                &format!("{address} is taken: by a Keyward that runs already, or give another `--listen`"),
            );
        }
        Err(error) => report.fail("port", &format!("{:#}", roles::bind_error(address, &error))),
    }
}

/// A provider's host has addresses, and the rules let calls go there.
async fn egress(report: &mut Report, ready: &Ready, host: &str) {
    let looked_up = tokio::time::timeout(LOOK_UP_MAX, lookup_host((host, HTTPS))).await;
    let addresses: Vec<_> = match looked_up {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(_)) => {
            return report
                .warn("egress", &format!("`{host}` has no address here: is there a resolver, a network?"));
        }
        Err(_) => {
            return report.warn("egress", &format!("no answer about `{host}` in time: look at the resolver"));
        }
    };
    let policy = ready.written.egress.policy();
    match addresses.iter().find(|address| !policy.permits(Scheme::Https, address.ip(), HTTPS)) {
        Some(address) => report.fail(
            "egress",
            &format!("`{host}` has the address {}, which is not public: calls will be refused; look at the resolver", address.ip()),
        ),
        None => report.ok("egress", &format!("`{host}` has {} public addresses", addresses.len())),
    }
}
