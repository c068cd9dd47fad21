use core::net::Ipv4Addr;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

const CLIENT: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);

/// A message with these bytes in its three fields for options.
fn message(options: &[u8], file: &[u8], sname: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; FIXED_LEN];
    bytes[0] = BOOTREPLY;
    bytes[1] = 1;
    bytes[2] = 6;
    bytes[4..8].copy_from_slice(&7u32.to_be_bytes());
    bytes[16..20].copy_from_slice(&[192, 0, 2, 9]);
    bytes[28..34].copy_from_slice(&CLIENT.0);
    bytes[44..44 + sname.len()].copy_from_slice(sname);
    bytes[108..108 + file.len()].copy_from_slice(file);
    bytes[236..240].copy_from_slice(&[99, 130, 83, 99]);
    bytes.extend_from_slice(options);
    bytes
}

#[test]
fn what_is_written_is_read_back() {
    let mut buffer = [0xff; 400];
    let request = DhcpRequest {
        xid: 0x1234_5678,
        secs: 9,
        broadcast: true,
        ciaddr: Ipv4Addr::new(192, 0, 2, 1),
        chaddr: CLIENT,
    };
    let len = DhcpWriter::new(&mut buffer, &request)
        .option(option::MESSAGE_TYPE, &[1])
        .option(option::HOSTNAME, b"swan")
        .finish();
    assert_eq!(len, MIN_LEN, "padded as BOOTP had it");
    assert_eq!(buffer[10], 0x80, "the broadcast flag is the highest bit");
    let read = DhcpMessage::parse(&buffer[..len]).unwrap();
    assert!(!read.is_reply);
    assert_eq!((read.xid, read.chaddr), (0x1234_5678, CLIENT));
    assert_eq!(read.ciaddr, Ipv4Addr::new(192, 0, 2, 1));
    assert_eq!(read.kind, DhcpMessageKind::Discover);
    assert_eq!(read.options.first(option::HOSTNAME), Some(&b"swan"[..]));
}

#[test]
fn a_servers_message_is_read_back() {
    let mut buffer = [0xff; 400];
    let reply = DhcpReply {
        xid: 7,
        broadcast: true,
        ciaddr: Ipv4Addr::new(192, 0, 2, 2),
        yiaddr: Ipv4Addr::new(192, 0, 2, 3),
        giaddr: Ipv4Addr::new(192, 0, 2, 4),
        chaddr: CLIENT,
    };
    let len = DhcpWriter::reply(&mut buffer, &reply)
        .option(option::MESSAGE_TYPE, &[2])
        .finish();
    let read = DhcpMessage::parse(&buffer[..len]).unwrap();
    assert!(read.is_reply && read.broadcast);
    assert_eq!((read.xid, read.kind), (7, DhcpMessageKind::Offer));
    assert_eq!(
        (read.ciaddr, read.yiaddr, read.giaddr, read.chaddr),
        (reply.ciaddr, reply.yiaddr, reply.giaddr, CLIENT)
    );
}

#[test]
fn options_go_on_in_the_fields_that_the_overload_option_names() {
    let options = [52, 1, 3, 53, 1, 2, 255];
    let bytes = message(
        &options,
        &[0, 3, 4, 192, 0, 2, 1, 255],
        &[54, 4, 192, 0, 2, 2, 255],
    );
    let read = DhcpMessage::parse(&bytes).unwrap();
    let router = read.options.address(option::ROUTER);
    assert_eq!(router, Some(Ipv4Addr::new(192, 0, 2, 1)));
    let server = read.options.address(option::SERVER_ID);
    assert_eq!(server, Some(Ipv4Addr::new(192, 0, 2, 2)));
    let without = message(&[53, 1, 2, 255], &[3, 4, 192, 0, 2, 1, 255], &[]);
    let read = DhcpMessage::parse(&without).unwrap();
    assert_eq!(read.options.address(option::ROUTER), None, "a file's name");
}

#[test]
fn the_parts_of_a_long_option_belong_together() {
    // RFC 3396: even an address may be cut in two, across fields.
    let bytes = message(
        &[53, 1, 5, 6, 3, 192, 0, 2, 52, 1, 1, 255],
        &[6, 1, 53, 255],
        &[],
    );
    let read = DhcpMessage::parse(&bytes).unwrap();
    let servers: Vec<_> = read.options.addresses(option::DNS_SERVERS).collect();
    assert_eq!(servers, [Ipv4Addr::new(192, 0, 2, 53)]);
}

#[test]
fn classless_routes_have_as_many_octets_as_their_width_needs() {
    // RFC 3442's examples: 0 octets for the default route, 2 for a /10, 4 for a /25; on the link: router 0.
    let mut value = vec![0, 10, 0, 0, 1, 10, 10, 64, 10, 0, 0, 2];
    value.extend([25, 10, 17, 0, 128, 0, 0, 0, 0]);
    let mut options = vec![53, 1, 5, 121, value.len() as u8];
    options.extend(value);
    let bytes = message(&options, &[], &[]);
    let read = DhcpMessage::parse(&bytes).unwrap();
    let cidr = |a, b, c, d, len| Ipv4Cidr::new(Ipv4Addr::new(a, b, c, d), len);
    let routes: Vec<_> = read.options.classless_routes().collect();
    assert_eq!(
        routes,
        [
            (cidr(0, 0, 0, 0, 0), Ipv4Addr::new(10, 0, 0, 1)),
            (cidr(10, 64, 0, 0, 10), Ipv4Addr::new(10, 0, 0, 2)),
            (cidr(10, 17, 0, 128, 25), Ipv4Addr::UNSPECIFIED),
        ]
    );
}

#[test]
fn a_route_that_is_too_wide_ends_the_list() {
    let bytes = message(&[53, 1, 5, 121, 6, 33, 10, 0, 0, 0, 0], &[], &[]);
    let read = DhcpMessage::parse(&bytes).unwrap();
    assert_eq!(read.options.classless_routes().count(), 0);
}

#[test]
fn a_mask_with_gaps_is_none() {
    for (mask, len) in [
        ([255, 255, 255, 0], Some(24)),
        ([255, 255, 255, 255], Some(32)),
        ([255, 0, 255, 0], None),
        ([0, 0, 0, 0], None),
    ] {
        let mut options = vec![53, 1, 5, 1, 4];
        options.extend(mask);
        let bytes = message(&options, &[], &[]);
        let read = DhcpMessage::parse(&bytes).unwrap();
        assert_eq!(read.options.prefix_len(), len, "{mask:?}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let good = message(&[53, 1, 5, 255], &[], &[]);
    assert!(DhcpMessage::parse(&good).is_ok());
    let parse = |bytes: &[u8]| DhcpMessage::parse(bytes).map(|_| ());
    assert_eq!(parse(&good[..239]), Err(Malformed::Truncated));
    for (at, value, reason) in [
        (0, 3, Malformed::Unsupported),
        (1, 6, Malformed::Unsupported),
        (2, 16, Malformed::Unsupported),
        (236, 98, Malformed::Unsupported),
        (241, 2, Malformed::BadOption),
        (241, 200, Malformed::BadOption),
        (242, 9, Malformed::Unsupported),
    ] {
        let mut bytes = good.clone();
        bytes[at] = value;
        assert_eq!(parse(&bytes), Err(reason), "byte {at} is {value}");
    }
    let cut = message(&[53, 1, 5, 3], &[], &[]);
    assert_eq!(
        parse(&cut),
        Err(Malformed::BadOption),
        "a code without length"
    );
    let bootp = message(&[255], &[], &[]);
    assert_eq!(parse(&bootp), Err(Malformed::Unsupported));
    let overload = message(&[53, 1, 5, 52, 1, 4, 255], &[], &[]);
    assert_eq!(parse(&overload), Err(Malformed::BadOption));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(options in proptest::collection::vec(any::<u8>(), 0..400),
                                     file in proptest::array::uniform32(any::<u8>())) {
        let bytes = message(&options, &file, &file);
        for bytes in [&bytes[..], &options[..]] {
            if let Ok(read) = DhcpMessage::parse(bytes) {
                for code in 0..=255 {
                    let parts: usize = read.options.parts(code).map(<[u8]>::len).sum();
                    assert_eq!(read.options.bytes(code).count(), parts);
                }
                assert!(read.options.classless_routes().all(|(to, _)| to.prefix_len() <= 32));
                let _ = (read.options.prefix_len(), read.options.addresses(6).count());
            }
        }
    }
}
