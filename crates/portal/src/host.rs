//! Who is counted as one peer.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The addresses that one machine can be expected to have: an IPv4 address, or all of an IPv6 /64. Machines
/// of one link that come from link-local addresses, or from behind one IPv4 address, are one host here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Host(IpAddr);

impl Host {
    pub(crate) fn of(peer: SocketAddr) -> Self {
        Self(match peer.ip().to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_the_same() {
        let host = |text: &str| Host::of(text.parse().unwrap());
        assert_eq!(host("192.0.2.1:1"), host("192.0.2.1:2"));
        assert_eq!(host("192.0.2.1:1"), host("[::ffff:192.0.2.1]:1"));
        assert_ne!(host("192.0.2.1:1"), host("192.0.2.2:1"));
        assert_eq!(host("[2001:db8::1]:1"), host("[2001:db8::ffff:1]:1"));
        assert_ne!(host("[2001:db8::1]:1"), host("[2001:db8:0:1::1]:1"));
    }
}
