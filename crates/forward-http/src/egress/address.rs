//! Which addresses are on the public internet.
//!
//! Source: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates), the multicast
//! registries, and RFC 4291. Ranges that the registries call globally reachable but behind which no provider can be
//! (AS112, anycast relays, translation and tunnel prefixes) are refused too: whoever needs NAT64 allows its prefix.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u32) -> (u32, u32) {
    (u32::from_be_bytes([a, b, c, d]), length)
}

/// IPv4 ranges that are refused: (network, prefix length).
const REFUSED_V4: [(u32, u32); 21] = [
    v4(0, 0, 0, 0, 8),          // this network
    v4(10, 0, 0, 0, 8),         // private
    v4(100, 64, 0, 0, 10),      // carrier-grade NAT; 100.100.100.200 is Alibaba's metadata service
    v4(127, 0, 0, 0, 8),        // loopback
    v4(168, 63, 129, 16, 32),   // Azure's host agent, a public address that only a guest can reach
    v4(169, 254, 0, 0, 16),     // link-local; 169.254.169.254 is the clouds' metadata service
    v4(172, 16, 0, 0, 12),      // private
    v4(192, 0, 0, 0, 24),       // IETF protocol assignments; 192.0.0.192 is Oracle's metadata service
    v4(192, 0, 2, 0, 24),       // documentation
    v4(192, 31, 196, 0, 24),    // AS112
    v4(192, 52, 193, 0, 24),    // AMT
    v4(192, 88, 99, 0, 24),     // 6to4 relays, deprecated
    v4(192, 168, 0, 0, 16),     // private
    v4(192, 175, 48, 0, 24),    // AS112
    v4(198, 18, 0, 0, 15),      // benchmarks
    v4(198, 51, 100, 0, 24),    // documentation
    v4(203, 0, 113, 0, 24),     // documentation
    v4(224, 0, 0, 0, 4),        // multicast
    v4(233, 252, 0, 0, 24),     // documentation, multicast
    v4(240, 0, 0, 0, 4),        // reserved
    v4(255, 255, 255, 255, 32), // broadcast
];

const fn v6(a: u16, b: u16, c: u16, length: u32) -> (u128, u32) {
    (((a as u128) << 112) | ((b as u128) << 96) | ((c as u128) << 80), length)
}

/// The one range from which global unicast is assigned (RFC 4291 section 2.4). Outside lie loopback, v4-mapped and
/// v4-compatible addresses, NAT64 (64:ff9b::/96), discard-only, unique local, link- and site-local, and multicast.
const UNICAST_V6: (u128, u32) = v6(0x2000, 0, 0, 3);

/// IPv6 ranges inside [`UNICAST_V6`] that are refused.
const REFUSED_V6: [(u128, u32); 5] = [
    v6(0x2001, 0, 0, 23),           // IETF protocol assignments: Teredo, benchmarks, ORCHID
    v6(0x2001, 0xdb8, 0, 32),       // documentation
    v6(0x2002, 0, 0, 16),           // 6to4: carries any IPv4 address
    v6(0x2620, 0x004f, 0x8000, 48), // AS112
    v6(0x3fff, 0, 0, 20),           // documentation
];

/// Whether an address is one that a provider on the public internet can have. An IPv4 address inside an IPv6 one is
/// never: no resolver of a provider answers so.
pub fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => is_global_v6(address),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    !REFUSED_V4.iter().any(|&(network, length)| (bits ^ network) >> (32 - length) == 0)
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    let bits = u128::from(address);
    let within = |&(network, length): &(u128, u32)| (bits ^ network) >> (128 - length) == 0;
    within(&UNICAST_V6) && !REFUSED_V6.iter().any(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last address of every refused range, and what lies just outside it.
    #[test]
    fn edges_of_every_range() {
        for (network, length) in REFUSED_V4 {
            let last = network | u32::MAX.checked_shr(length).unwrap_or(0);
            for inside in [network, last] {
                assert!(!is_global(Ipv4Addr::from(inside).into()), "{}", Ipv4Addr::from(inside));
            }
        }
        for (network, length) in REFUSED_V6 {
            for inside in [network, network | (u128::MAX >> length)] {
                assert!(!is_global(Ipv6Addr::from(inside).into()), "{}", Ipv6Addr::from(inside));
            }
        }
        let public = "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
            168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 \
            192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 \
            203.0.112.255 203.0.114.0 223.255.255.255 8.8.8.8 142.250.1.95 \
            2001:200:: 2001:4860:4860::8888 2001:db7:ffff::1 2001:db9:: 2003:: 2600:: 2607:f8b0::1 2a00:1450::5f \
            2620:4f:7fff::1 2620:4f:8001:: 3ffe:: 3fff:1000::";
        for address in public.split_whitespace() {
            assert!(is_global(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn special_addresses_by_name() {
        let refused = "0.0.0.0 0.1.2.3 10.0.0.1 100.100.100.200 127.0.0.1 127.255.255.254 168.63.129.16 169.254.169.254 \
            169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.168.0.1 198.18.0.1 198.19.255.255 \
            203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 \
            :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:7f00:1 64:ff9b::7f00:1 64:ff9b::808:808 \
            64:ff9b:1::1 100::1 100:0:0:1::1 1fff:ffff::1 2001::1 2001:0:53aa:64c::1 2001:2::1 2001:10::1 2001:20::1 \
            2001:db8::1 2002:7f00:1::1 2002:808:808::1 2620:4f:8000::1 3fff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 \
            fe80::1 fec0::1 ff02::1 ffff::1";
        for address in refused.split_whitespace() {
            assert!(!is_global(address.parse().unwrap()), "{address}");
        }
    }
}
