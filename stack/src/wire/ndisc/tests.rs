extern crate std;

use std::string::ToString;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::super::Icmpv6Message;
use super::super::ethernet::EthernetAddress;
use super::*;

const MAC: EthernetAddress = EthernetAddress([0x02, 0, 0, 0, 0, 0x07]);

fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn emitted(message: &NdiscMessage<'_>) -> Vec<u8> {
    let (src, dst) = (ip("fe80::1").into(), ip("ff02::1").into());
    let mut bytes = vec![0xaa; message.len()];
    message.emit(&mut bytes, src, dst);
    let checked = Icmpv6Message::parse(&bytes, src, dst, true);
    assert!(matches!(checked, Ok(Icmpv6Message::Other { code: 0, .. })));
    bytes
}

fn options(bytes: &[u8]) -> NdiscOptions<'_> {
    NdiscOptions::parse(bytes).unwrap()
}

#[test]
fn a_solicitation_is_that_of_the_rfc() {
    let link_address = source_link_address(MAC);
    let bytes = emitted(&NdiscMessage::NeighborSolicitation {
        target: ip("fe80::2"),
        options: options(&link_address),
    });
    assert_eq!(bytes[..2], [135, 0]);
    assert_eq!(bytes[4..8], [0; 4]);
    assert_eq!(bytes[8..24], ip("fe80::2").octets());
    assert_eq!(bytes[24..], [1, 1, 2, 0, 0, 0, 0, 7]);
    let Ok(Some(NdiscMessage::NeighborSolicitation { target, options })) =
        NdiscMessage::parse(&bytes)
    else {
        panic!("a solicitation");
    };
    assert_eq!(target, ip("fe80::2"));
    assert_eq!(options.source_link_address(), Some(MAC));
    assert_eq!(options.target_link_address(), None);
}

#[test]
fn an_advertisement_keeps_its_flags() {
    let link_address = target_link_address(MAC);
    for (bits, byte) in [(0_u8, 0), (1, 0x80), (2, 0x40), (4, 0x20), (7, 0xe0)] {
        let message = NdiscMessage::NeighborAdvertisement {
            target: ip("fe80::2"),
            flags: NeighborFlags {
                router: bits & 1 != 0,
                solicited: bits & 2 != 0,
                override_: bits & 4 != 0,
            },
            options: options(&link_address),
        };
        let bytes = emitted(&message);
        assert_eq!((bytes[0], bytes[4]), (136, byte));
        assert_eq!(NdiscMessage::parse(&bytes), Ok(Some(message)));
    }
}

#[test]
fn a_router_says_what_it_is_and_what_the_link_is() {
    let bytes = [
        134, 0, 0, 0, 64, 0xc8, 0x07, 0x08, 0, 0, 0x75, 0x30, 0, 0, 3, 0xe8, // fixed part
        3, 4, 64, 0xc0, 0, 1, 0x51, 0x80, 0, 0, 0x38, 0x40, 0, 0, 0, 0, // prefix information
        0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, //
        5, 1, 0, 0, 0, 0, 0x05, 0x78, // MTU
        25, 3, 0, 0, 0, 0, 0x02, 0x58, // recursive DNS
        0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x35, //
        24, 2, 48, 0x08, 0, 0, 0, 9, 0x20, 0x01, 0x0d, 0xb8, 0, 5, 0, 0, // route
        31, 1, 0, 0, 0, 0, 0, 0, // one that nobody here knows
    ];
    let Ok(Some(NdiscMessage::RouterAdvertisement { router, options })) =
        NdiscMessage::parse(&bytes)
    else {
        panic!("an advertisement");
    };
    let expected = RouterAdvertisement {
        hop_limit: 64,
        flags: 0xc8,
        lifetime: 1_800,
        reachable_time: 30_000,
        retrans_timer: 1_000,
    };
    assert_eq!(router, expected);
    let all: Vec<_> = options.into_iter().collect();
    assert_eq!(all.len(), 5);
    let prefix = PrefixInformation {
        prefix: "2001:db8::/64".parse().unwrap(),
        on_link: true,
        autonomous: true,
        valid_lifetime: 86_400,
        preferred_lifetime: 14_400,
    };
    assert_eq!(all[0], NdiscOption::Prefix(prefix));
    assert_eq!(all[1], NdiscOption::Mtu(MtuOption { mtu: 1_400 }));
    let NdiscOption::RecursiveDns(dns) = all[2] else {
        panic!("name servers");
    };
    assert_eq!(dns.lifetime, 600);
    assert_eq!(dns.servers().collect::<Vec<_>>(), [ip("2001:db8::35")]);
    let route = RouteInformation {
        prefix: "2001:db8:5::/48".parse().unwrap(),
        preference: 1,
        lifetime: 9,
    };
    assert_eq!(all[3], NdiscOption::Route(route));
    assert_eq!(all[4], NdiscOption::Other { kind: 31 });
    let message = NdiscMessage::RouterAdvertisement { router, options };
    let mut again = emitted(&message);
    again[2..4].fill(0);
    assert_eq!(again, bytes);
}

#[test]
fn rfc8106_domains_are_read_up_to_the_padding() {
    let mut bytes = [
        &[31, 4, 0, 0, 0, 0, 2, 0x58][..],
        b"\x03one\x07example\0\x03two\0",
    ]
    .concat();
    bytes.resize(32, 0);
    let domains = |bytes: &[u8]| match options(bytes).into_iter().next() {
        Some(NdiscOption::SearchList(list)) => {
            assert_eq!(list.lifetime, 600);
            list.domains()
                .map(|domain| domain.to_string())
                .collect::<Vec<_>>()
        }
        other => panic!("domains were expected, not {other:?}"),
    };
    assert_eq!(domains(&bytes), ["one.example", "two"]);
    // A name that points somewhere, or is cut off, ends the list.
    bytes[21] = 0xc0;
    assert_eq!(domains(&bytes), ["one.example"]);
    bytes[21] = 63;
    assert_eq!(domains(&bytes), ["one.example"]);
}

#[test]
fn rfc4191_the_preference_of_a_router_has_two_bits() {
    for (bits, preference) in [(0b00, 0), (0b01, 1), (0b10, 0), (0b11, -1)] {
        let router = RouterAdvertisement {
            hop_limit: 0,
            flags: bits << 3,
            lifetime: 0,
            reachable_time: 0,
            retrans_timer: 0,
        };
        assert_eq!(router.preference(), preference);
        assert!(!router.managed() && !router.other());
    }
}

#[test]
fn rfc4861_an_option_of_length_zero_spoils_the_message() {
    let mut bytes = emitted(&NdiscMessage::NeighborSolicitation {
        target: ip("fe80::2"),
        options: NdiscOptions::NONE,
    });
    bytes.extend([1, 1, 2, 0, 0, 0, 0, 7]);
    bytes.extend([1, 0, 2, 0, 0, 0, 0, 7]);
    assert_eq!(NdiscMessage::parse(&bytes), Err(Malformed::BadOption));
}

#[test]
fn an_option_that_reaches_beyond_the_message_spoils_it() {
    let mut bytes = emitted(&NdiscMessage::RouterSolicitation {
        options: NdiscOptions::NONE,
    });
    bytes.extend([1, 2, 2, 0, 0, 0, 0, 7]);
    assert_eq!(NdiscMessage::parse(&bytes), Err(Malformed::BadOption));
    bytes.truncate(bytes.len() - 7);
    assert_eq!(NdiscMessage::parse(&bytes), Err(Malformed::BadOption));
}

#[test]
fn options_whose_content_is_none_of_their_kind_are_passed_over() {
    // A prefix of 129 bits, an MTU of two units, servers of an even length, a route to more than is given.
    let mut prefix = [0; 32];
    prefix[..3].copy_from_slice(&[3, 4, 129]);
    let mut mtu = [0; 16];
    mtu[..2].copy_from_slice(&[5, 2]);
    let mut dns = [0; 16];
    dns[..2].copy_from_slice(&[25, 2]);
    let route = [24, 1, 64, 0, 0, 0, 0, 1];
    let long_link_address = [1, 2, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0];
    let bytes = [&prefix[..], &mtu, &dns, &route, &long_link_address].concat();
    let kinds = [3, 5, 25, 24, 1].map(|kind| NdiscOption::Other { kind });
    assert_eq!(options(&bytes).into_iter().collect::<Vec<_>>(), kinds);
}

#[test]
fn a_nonce_comes_back() {
    let bytes = nonce([1, 2, 3, 4, 5, 6]);
    assert_eq!(options(&bytes).nonce(), Some(&[1, 2, 3, 4, 5, 6][..]));
}

#[test]
fn rfc4861_a_code_other_than_zero_is_refused() {
    for kind in 133..=137 {
        let bytes = [[kind, 1].as_slice(), &[0; 40]].concat();
        assert_eq!(NdiscMessage::parse(&bytes), Err(Malformed::Unsupported));
    }
}

#[test]
fn each_kind_has_its_least_length() {
    for (kind, len) in [(133, 8), (134, 16), (135, 24), (136, 24), (137, 40)] {
        let mut bytes = vec![0; len];
        bytes[0] = kind;
        assert!(matches!(NdiscMessage::parse(&bytes), Ok(Some(_))), "{kind}");
        let cut = NdiscMessage::parse(&bytes[..len - 1]);
        assert_eq!(cut, Err(Malformed::Truncated), "{kind}");
    }
}

#[test]
fn other_messages_are_none_of_neighbor_discovery() {
    for kind in [0, 1, 128, 132, 138, 255] {
        assert_eq!(NdiscMessage::parse(&[kind, 0, 0, 0]), Ok(None));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        kind in prop_oneof![133..=137_u8, any::<u8>()],
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        lengths in proptest::collection::vec((0_usize..25, 0_u8..4), 0..25),
    ) {
        if let [first, code, ..] = bytes.as_mut_slice() {
            (*first, *code) = (kind, 0);
        }
        for (at, len) in lengths {
            if let Some(byte) = bytes.get_mut(8 * at + 1) {
                *byte = len;
            }
        }
        if let Ok(Some(message)) = NdiscMessage::parse(&bytes) {
            prop_assert_eq!(message.len(), bytes.len());
            // What is reserved is not kept.
            let mut again = vec![0; message.len()];
            message.emit(&mut again, ip("fe80::1").into(), ip("ff02::1").into());
            prop_assert_eq!(NdiscMessage::parse(&again), Ok(Some(message)));
            let options = match message {
                NdiscMessage::RouterSolicitation { options }
                | NdiscMessage::RouterAdvertisement { options, .. }
                | NdiscMessage::NeighborSolicitation { options, .. }
                | NdiscMessage::NeighborAdvertisement { options, .. }
                | NdiscMessage::Redirect { options, .. } => options,
            };
            prop_assert!(options.into_iter().count() * 8 <= bytes.len());
        }
    }
}
