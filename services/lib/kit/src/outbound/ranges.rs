//! Which addresses must not be reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range and what it is. The first one that holds an address names it.
type V4 = ([u8; 4], u32, &'static str);
type V6 = ([u16; 8], u32, &'static str);

const LOOPBACK: &str = "this machine";

/// IPv4, after IANA's special-purpose registry, and addresses at which clouds serve their machines.
const REFUSED_V4: [V4; 16] = [
    ([0, 0, 0, 0], 8, "this network"),
    ([10, 0, 0, 0], 8, "a private network"),
    ([100, 64, 0, 0], 10, "a carrier's network"),
    ([127, 0, 0, 0], 8, LOOPBACK),
    ([168, 63, 129, 16], 32, "a cloud's own service"),
    ([169, 254, 0, 0], 16, "a link-local or metadata address"),
    ([172, 16, 0, 0], 12, "a private network"),
    ([192, 0, 0, 0], 24, "a protocol assignment"),
    ([192, 0, 2, 0], 24, "a range for documentation"),
    ([192, 88, 99, 0], 24, "a 6to4 relay"),
    ([192, 168, 0, 0], 16, "a private network"),
    ([198, 18, 0, 0], 15, "a range for benchmarks"),
    ([198, 51, 100, 0], 24, "a range for documentation"),
    ([203, 0, 113, 0], 24, "a range for documentation"),
    ([224, 0, 0, 0], 4, "a multicast range"),
    ([240, 0, 0, 0], 4, "a reserved range"),
];

/// IPv6: what lies within global unicast and still is not public. All outside of 2000::/3 is refused as a whole; its parts are named for those
/// who read the answer.
const REFUSED_V6: [V6; 16] = [
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, "no address"),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, LOOPBACK),
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, "an IPv4 address in IPv6"),
    ([0, 0, 0, 0, 0, 0, 0, 0], 96, "an IPv4 address in IPv6"),
    (
        [0x64, 0xff9b, 0, 0, 0, 0, 0, 0],
        96,
        "a translated IPv4 address",
    ),
    (
        [0x64, 0xff9b, 1, 0, 0, 0, 0, 0],
        48,
        "a translated IPv4 address",
    ),
    (
        [0x100, 0, 0, 0, 0, 0, 0, 0],
        64,
        "a range that is discarded",
    ),
    (
        [0x2001, 0, 0, 0, 0, 0, 0, 0],
        23,
        "a tunnel or protocol assignment",
    ),
    (
        [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0],
        32,
        "a range for documentation",
    ),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "a 6to4 tunnel"),
    (
        [0x3fff, 0, 0, 0, 0, 0, 0, 0],
        20,
        "a range for documentation",
    ),
    ([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, "a routing segment"),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "a private network"),
    (
        [0xfe80, 0, 0, 0, 0, 0, 0, 0],
        10,
        "a link-local or metadata address",
    ),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, "a private network"),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "a multicast range"),
];

/// Global unicast.
const PUBLIC_V6: V6 = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3, "");

/// What an address is that must not be reached; `None` for one that may. `loopback` lets this machine pass.
pub fn refused(address: IpAddr, loopback: bool) -> Option<&'static str> {
    let what = match address {
        IpAddr::V4(address) => REFUSED_V4
            .iter()
            .find(|(net, bits, _)| same(address.into(), Ipv4Addr::from(*net).into(), *bits))
            .map(|(_, _, what)| *what),
        IpAddr::V6(address) => REFUSED_V6
            .iter()
            .find(|range| holds(range, address))
            .map(|(_, _, what)| *what)
            .or_else(|| (!holds(&PUBLIC_V6, address)).then_some("no public address")),
    };
    what.filter(|what| !(loopback && *what == LOOPBACK))
}

fn holds((net, bits, _): &V6, address: Ipv6Addr) -> bool {
    let (address, net): (u128, u128) = (address.into(), Ipv6Addr::from(*net).into());
    (address ^ net).checked_shr(128 - bits).unwrap_or(0) == 0
}

fn same(address: u32, net: u32, bits: u32) -> bool {
    (address ^ net).checked_shr(32 - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last address of a range.
    fn last(net: u128, bits: u32, width: u32) -> u128 {
        net | ((1 << (width - bits)) - 1)
    }

    #[test]
    fn every_range_is_refused_from_its_first_to_its_last_address() {
        for (net, bits, what) in REFUSED_V4 {
            let first = u32::from(Ipv4Addr::from(net)).into();
            for address in [first, last(first, bits, 32)] {
                let address = Ipv4Addr::from(u32::try_from(address).unwrap());
                assert_eq!(refused(address.into(), false), Some(what), "{address}");
            }
        }
        for (net, bits, _) in REFUSED_V6 {
            let first = Ipv6Addr::from(net).into();
            for address in [first, last(first, bits, 128)] {
                let address = Ipv6Addr::from(address);
                assert!(refused(address.into(), false).is_some(), "{address}");
            }
        }
    }

    #[test]
    fn neighbours_of_ranges_are_public() {
        for public in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2000::",
            "2001:200::",
            "2001:db7:ffff::1",
            "2001:db9::",
            "2001:4860:4860::8888",
            "2003::",
            "2a00:1450::1",
            "3ffe::1",
            "3fff:1000::",
        ] {
            assert_eq!(refused(public.parse().unwrap(), false), None, "{public}");
        }
    }

    #[test]
    fn addresses_in_disguise_are_refused() {
        for (address, what) in [
            ("169.254.169.254", "a link-local or metadata address"),
            ("100.100.100.200", "a carrier's network"),
            ("255.255.255.255", "a reserved range"),
            ("::", "no address"),
            ("::ffff:169.254.169.254", "an IPv4 address in IPv6"),
            ("::ffff:8.8.8.8", "an IPv4 address in IPv6"),
            ("::127.0.0.1", "an IPv4 address in IPv6"),
            ("64:ff9b::a9fe:a9fe", "a translated IPv4 address"),
            ("64:ff9b:1::7f00:1", "a translated IPv4 address"),
            ("2002:7f00:1::", "a 6to4 tunnel"),
            ("2001::1", "a tunnel or protocol assignment"),
            ("fd00:ec2::254", "a private network"),
            ("fe80::1", "a link-local or metadata address"),
            ("ff02::1", "a multicast range"),
            ("4000::1", "no public address"),
            ("1::1", "no public address"),
        ] {
            assert_eq!(
                refused(address.parse().unwrap(), true),
                Some(what),
                "{address}"
            );
        }
        for own in ["127.0.0.1", "127.255.0.9", "::1"] {
            assert_eq!(refused(own.parse().unwrap(), false), Some(LOOPBACK));
            assert_eq!(refused(own.parse().unwrap(), true), None, "development");
        }
    }
}
