extern crate std;

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::string::ToString;

use proptest::prelude::*;

use super::*;

fn cidr(text: &str) -> Ipv4Cidr {
    text.parse().unwrap()
}

fn v4(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

#[test]
fn kinds_of_addresses_are_told_apart() {
    let kinds = |text: &str| {
        let address: IpAddress = text.parse().unwrap();
        (
            address.is_unspecified(),
            address.is_multicast(),
            address.is_broadcast(),
            address.is_loopback(),
            address.is_unicast(),
        )
    };
    assert_eq!(kinds("0.0.0.0"), (true, false, false, false, false));
    assert_eq!(kinds("224.0.0.1"), (false, true, false, false, false));
    assert_eq!(kinds("255.255.255.255"), (false, false, true, false, false));
    assert_eq!(kinds("127.9.9.9"), (false, false, false, true, true));
    assert_eq!(kinds("192.0.2.255"), (false, false, false, false, true));
}

#[cfg(feature = "proto-ipv6")]
#[test]
fn ipv6_addresses_are_addresses_too() {
    let address: IpAddress = "ff02::1".parse().unwrap();
    assert_eq!(address.version(), IpVersion::Ipv6);
    assert!(address.is_multicast() && !address.is_unicast());
    let cidr: IpCidr = "2001:db8::7/64".parse().unwrap();
    assert_eq!(cidr.to_string(), "2001:db8::7/64");
    assert_eq!(cidr.network().to_string(), "2001:db8::/64");
    assert!(cidr.contains(&"2001:db8::8".parse().unwrap()));
    assert!(!cidr.contains(&"2001:db8:0:1::7".parse().unwrap()));
    assert!(!cidr.contains(&"192.0.2.1".parse().unwrap()));
    let everything: IpCidr = "::/0".parse().unwrap();
    assert!(everything.contains(&address));
    assert!("::/129".parse::<IpCidr>().is_err());
    let endpoint: IpEndpoint = "[fe80::1]:80".parse().unwrap();
    assert_eq!(endpoint.to_string(), "[fe80::1]:80");
}

#[cfg(not(feature = "proto-ipv6"))]
#[test]
fn ipv6_addresses_are_refused_when_not_compiled_in() {
    assert_eq!("::1".parse::<IpAddress>(), Err(ParseAddressError));
    let address: SocketAddr = "[::1]:80".parse().unwrap();
    assert_eq!(IpEndpoint::try_from(address), Err(UnsupportedAddress));
}

#[test]
fn a_network_knows_its_edges() {
    let home = cidr("192.168.7.130/26");
    assert_eq!(home.address(), v4("192.168.7.130"));
    assert_eq!(home.network(), cidr("192.168.7.128/26"));
    assert_eq!(home.netmask(), v4("255.255.255.192"));
    assert_eq!(home.broadcast(), Some(v4("192.168.7.191")));
    assert!(home.contains(&v4("192.168.7.128")) && home.contains(&v4("192.168.7.191")));
    assert!(!home.contains(&v4("192.168.7.127")) && !home.contains(&v4("192.168.7.192")));
}

#[test]
fn extreme_prefixes_work() {
    let everything = cidr("10.0.0.1/0");
    assert!(everything.contains(&v4("255.1.2.3")));
    assert_eq!(everything.netmask(), v4("0.0.0.0"));
    assert_eq!(everything.broadcast(), Some(v4("255.255.255.255")));
    let pair = cidr("10.0.0.1/31");
    assert!(pair.contains(&v4("10.0.0.0")) && !pair.contains(&v4("10.0.0.2")));
    assert_eq!(pair.broadcast(), None);
    let host = cidr("10.0.0.1/32");
    assert!(host.contains(&v4("10.0.0.1")) && !host.contains(&v4("10.0.0.0")));
    assert_eq!(host.broadcast(), None);
}

#[test]
fn new_clamps_and_try_new_refuses() {
    assert_eq!(Ipv4Cidr::new(v4("10.0.0.1"), 200).prefix_len(), 32);
    assert_eq!(Ipv4Cidr::try_new(v4("10.0.0.1"), 33), None);
}

#[test]
fn texts_that_are_no_cidr_are_refused() {
    for text in [
        "10.0.0.1",
        "10.0.0.1/",
        "10.0.0.1/33",
        "10.0.0/8",
        "/8",
        "10.0.0.1/+8",
        "10.0.0.1/8/8",
    ] {
        assert_eq!(text.parse::<Ipv4Cidr>(), Err(ParseAddressError), "{text}");
        assert_eq!(text.parse::<IpCidr>(), Err(ParseAddressError), "{text}");
    }
}

#[test]
fn endpoints_convert_both_ways() {
    let socket = SocketAddrV4::new(v4("192.0.2.7"), 80);
    let endpoint = IpEndpoint::from(socket);
    assert_eq!(endpoint, (v4("192.0.2.7"), 80).into());
    assert_eq!(endpoint, "192.0.2.7:80".parse().unwrap());
    assert_eq!(endpoint.to_string(), "192.0.2.7:80");
    assert_eq!(SocketAddr::from(endpoint), SocketAddr::V4(socket));
    assert_eq!("192.0.2.7".parse::<IpEndpoint>(), Err(ParseAddressError));
}

#[test]
fn listening_at_no_address_means_all() {
    let any = IpListenEndpoint::from(80);
    assert_eq!(any.to_string(), "*:80");
    assert_eq!(any, (Ipv4Addr::UNSPECIFIED, 80).into());
    let one = IpListenEndpoint::from(IpEndpoint::from((v4("192.0.2.7"), 80)));
    assert_eq!(one.addr, Some(v4("192.0.2.7").into()));
    assert_eq!(one.to_string(), "192.0.2.7:80");
}

proptest! {
    #[test]
    fn cidr_text_round_trips(address: u32, prefix_len in 0..=32u8) {
        let block = Ipv4Cidr::new(Ipv4Addr::from(address), prefix_len);
        prop_assert_eq!(cidr(&block.to_string()), block);
        prop_assert!(block.contains(&block.network().address()));
        prop_assert!(block.broadcast().is_none_or(|last| block.contains(&last)));
    }
}
