//! How many connections each source has open.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

/// Counts open connections by source.
#[derive(Debug, Default)]
pub(super) struct Sources(Mutex<HashMap<IpAddr, usize>>);

/// One open connection of a source.
#[derive(Debug)]
pub(super) struct Held {
    sources: Arc<Sources>,
    source: IpAddr,
}

impl Sources {
    /// Counts one more connection from `address`, unless `max` are open; loopback is not counted, because a proxy or
    /// every process of a machine stands behind it.
    pub(super) fn hold(self: &Arc<Self>, address: IpAddr, max: usize) -> Option<Held> {
        let source = source(address);
        if !source.is_loopback() {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(source).or_default();
            if *count >= max {
                return None;
            }
            *count += 1;
        }
        Some(Held { sources: Arc::clone(self), source })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut counts = self.sources.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.source);
            }
        }
    }
}

/// An IPv4 address, also one that came mapped into IPv6; of other IPv6 addresses the /64, which is one customer's.
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) if address.is_loopback() => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_one_above_the_limit_is_refused_and_a_closed_one_makes_room() {
        let sources = Arc::new(Sources::default());
        let mut held: Vec<_> = (0..256).map(|_| sources.hold(address("192.0.2.1"), 256).unwrap()).collect();
        assert!(sources.hold(address("192.0.2.1"), 256).is_none());
        assert!(sources.hold(address("::ffff:192.0.2.1"), 256).is_none());
        assert!(sources.hold(address("192.0.2.2"), 256).is_some());
        held.pop();
        assert!(sources.hold(address("192.0.2.1"), 256).is_some());
        drop(held);
        assert!(sources.0.lock().unwrap().is_empty());
    }

    #[test]
    fn an_ipv6_network_is_one_source_and_loopback_none() {
        let sources = Arc::new(Sources::default());
        let _held = sources.hold(address("2001:db8::1"), 1).unwrap();
        assert!(sources.hold(address("2001:db8::2"), 1).is_none());
        assert!(sources.hold(address("2001:db8:0:1::1"), 1).is_some());
        for _ in 0..3 {
            std::mem::forget(sources.hold(address("127.0.0.1"), 1).unwrap());
        }
    }
}
