//! Names to addresses, every one of them checked; what is returned here is what is dialled.

use std::{io, net::SocketAddr};

use super::{Host, Policy, Scheme};

/// More addresses than this for one name are not tried.
const ADDRESSES_MAX: usize = 16;

/// Looks names up. A trait, so that tests can answer one thing first and another later.
#[async_trait::async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `name`, in the order in which they should be tried.
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver (`getaddrinfo`, on tokio's blocking threads).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait::async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name, port)).await?.collect())
    }
}

/// Why there is no address to dial.
#[derive(Debug, thiserror::Error)]
pub enum Blocked {
    /// An address that the rules do not allow; one among several is enough.
    #[error("the egress rules do not allow an address of the host")]
    Address,
    /// The name has no address.
    #[error("the host's name could not be resolved")]
    Unresolved(#[source] io::Error),
}

/// Every address of `host`, in the resolver's order, at least one: all of them allowed, or none is returned.
pub async fn resolve_and_check(
    scheme: Scheme,
    host: &Host,
    port: u16,
    policy: &Policy,
    resolver: &dyn Resolve,
) -> Result<Vec<SocketAddr>, Blocked> {
    let mut addresses = match host {
        Host::Address(address) => vec![SocketAddr::new(*address, port)],
        Host::Name(name) => resolver.resolve(name, port).await.map_err(Blocked::Unresolved)?,
    };
    if !addresses.iter().all(|address| policy.permits(scheme, address.ip(), port)) {
        return Err(Blocked::Address);
    }
    if addresses.is_empty() {
        return Err(Blocked::Unresolved(io::Error::from(io::ErrorKind::NotFound)));
    }
    addresses.truncate(ADDRESSES_MAX);
    // The port is ours, whatever the resolver made of it.
    for address in &mut addresses {
        address.set_port(port);
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Answers(&'static [&'static str]);

    #[async_trait::async_trait]
    impl Resolve for Answers {
        async fn resolve(&self, _name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
            Ok(self.0.iter().map(|address| SocketAddr::new(address.parse().unwrap(), port)).collect())
        }
    }

    async fn check(answers: &'static [&'static str]) -> Result<Vec<SocketAddr>, Blocked> {
        let host = Host::Name("provider.example".to_owned());
        resolve_and_check(Scheme::Https, &host, 443, &Policy::default(), &Answers(answers)).await
    }

    #[tokio::test]
    async fn one_private_address_among_public_ones_blocks_all() {
        assert_eq!(check(&["8.8.8.8", "2600::1"]).await.unwrap().len(), 2);
        for mixed in [
            &["127.0.0.1"][..],
            &["8.8.8.8", "10.0.0.1"],
            &["::1", "8.8.8.8"],
            &["8.8.8.8", "::ffff:10.0.0.1"],
            &["64:ff9b::a00:1"],
            &["169.254.169.254"],
        ] {
            assert!(matches!(check(mixed).await, Err(Blocked::Address)), "{mixed:?}");
        }
        assert!(matches!(check(&[]).await, Err(Blocked::Unresolved(_))));
    }
}
