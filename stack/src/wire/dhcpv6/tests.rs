//! Messages as they stand in RFC 8415, and any bytes at all.

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = code.to_be_bytes().to_vec();
    bytes.extend((value.len() as u16).to_be_bytes());
    bytes.extend(value);
    bytes
}

#[test]
fn what_is_written_is_read() {
    let mut buffer = [0xee; 256];
    let duid = Duid::link_layer([2, 0, 0, 0, 0, 1]);
    let prefix = Ipv6Cidr::new(ip("2001:db8:8000::"), 48);
    let len = Dhcpv6Writer::new(&mut buffer, Dhcpv6MessageKind::Request, 0xff12_3456)
        .option(option::CLIENT_ID, duid.as_bytes())
        .option(option::RAPID_COMMIT, &[])
        .option_request(&[option::SOL_MAX_RT, option::DNS_SERVERS])
        .addresses(7, [ip("2001:db8::1"), ip("2001:db8::2")].into_iter())
        .prefixes(8, [prefix].into_iter())
        .finish();
    let message = Dhcpv6Message::parse(&buffer[..len]).unwrap();
    assert_eq!(message.kind, Dhcpv6MessageKind::Request);
    assert_eq!(message.xid, 0x12_3456, "24 bits");
    let options = message.options;
    assert_eq!(options.duid(option::CLIENT_ID), Some(duid.as_bytes()));
    assert_eq!(options.duid(option::SERVER_ID), None);
    assert_eq!(options.first(option::RAPID_COMMIT), Some(&[][..]));
    assert_eq!(
        options.first(option::OPTION_REQUEST),
        Some(&[0, 82, 0, 23][..])
    );
    let [ia] = options.associations(option::IA_NA).collect::<Vec<_>>()[..] else {
        panic!("one association");
    };
    assert_eq!((ia.iaid, ia.t1, ia.t2), (7, 0, 0));
    let addresses: Vec<_> = ia.options.addresses().map(|grant| grant.what).collect();
    assert_eq!(addresses, [ip("2001:db8::1"), ip("2001:db8::2")]);
    let ia = options.associations(option::IA_PD).next().unwrap();
    let prefixes: Vec<_> = ia.options.prefixes().map(|grant| grant.what).collect();
    assert_eq!((ia.iaid, prefixes), (8, vec![prefix]));
}

/// Section 11: the pictures of each type.
#[test]
fn duids_have_their_type_in_front() {
    let link_layer = Duid::link_layer([1, 2, 3, 4, 5, 6]);
    assert_eq!(link_layer.as_bytes(), [0, 3, 0, 1, 1, 2, 3, 4, 5, 6]);
    // The example of section 11.3: enterprise 9, identifier 0CC084D303000912.
    let identifier = [0x0c, 0xc0, 0x84, 0xd3, 0x03, 0x00, 0x09, 0x12];
    let enterprise = Duid::enterprise(9, &identifier).unwrap();
    assert_eq!(enterprise.as_bytes()[..6], [0, 2, 0, 0, 0, 9]);
    assert_eq!(enterprise.as_bytes()[6..], identifier);
    assert_eq!(Duid::uuid([7; 16]).as_bytes().len(), 18);
    assert_eq!(Duid::enterprise(9, &[]), None);
    assert_eq!(Duid::enterprise(9, &[0; 125]), None);
    assert!(Duid::enterprise(9, &[0; 124]).is_some());
    assert_eq!(Duid::from_bytes(&[0, 3]), None);
    assert_eq!(Duid::from_bytes(&[0; 131]), None);
    assert_eq!(Duid::from_bytes(&[0; 130]).unwrap().as_bytes(), [0; 130]);
}

#[test]
fn times_status_and_preference_are_read() {
    let mut address = ip("2001:db8::9").octets().to_vec();
    address.extend([0, 0, 0, 60, 0, 0, 0, 120]);
    address.extend(option(option::STATUS_CODE, b"\0\x04not here"));
    let mut ia = vec![0, 0, 0, 7, 0, 0, 0, 30, 0, 0, 0, 48];
    ia.extend(option(option::IA_ADDRESS, &address));
    let mut bytes = vec![2, 0, 0, 1];
    bytes.extend(option(option::IA_NA, &ia));
    bytes.extend(option(option::PREFERENCE, &[255]));
    bytes.extend(option(option::SOL_MAX_RT, &[0, 0, 0, 61]));
    let options = Dhcpv6Message::parse(&bytes).unwrap().options;
    let ia = options.associations(option::IA_NA).next().unwrap();
    assert_eq!((ia.t1, ia.t2), (30, 48));
    let grant = ia.options.addresses().next().unwrap();
    assert_eq!((grant.preferred, grant.valid), (60, 120));
    assert_eq!(grant.options.status(), Dhcpv6Status::NotOnLink);
    assert_eq!(
        options.status(),
        Dhcpv6Status::Success,
        "where there is none"
    );
    assert_eq!(options.preference(), 255);
    assert_eq!(options.u32(option::SOL_MAX_RT), Some(61));
    assert_eq!(options.u32(option::INF_MAX_RT), None);
}

#[test]
fn servers_and_domains_are_read() {
    let mut servers = ip("2001:db8::53").octets().to_vec();
    servers.extend(ip("2001:db8::54").octets());
    // What is left over is no address.
    servers.push(1);
    let mut bytes = vec![7, 0, 0, 1];
    bytes.extend(option(option::DNS_SERVERS, &servers));
    bytes.extend(option(
        option::DOMAIN_LIST,
        b"\x07example\x03org\0\x03net\0\x09short",
    ));
    let options = Dhcpv6Message::parse(&bytes).unwrap().options;
    let servers: Vec<_> = options.dns_servers().collect();
    assert_eq!(servers, [ip("2001:db8::53"), ip("2001:db8::54")]);
    let domains: Vec<_> = options
        .domains()
        .map(|name| std::format!("{name}"))
        .collect();
    assert_eq!(domains, ["example.org", "net"]);
}

#[test]
fn what_cannot_be_a_message_is_named() {
    use Malformed::{BadOption, Truncated, Unsupported};
    for (bytes, expected) in [
        (&[][..], Truncated),
        (&[1, 0, 0], Truncated),
        (&[0, 0, 0, 0], Unsupported),
        // Between relays and servers.
        (&[12, 0, 0, 0], Unsupported),
        (&[13, 0, 0, 0], Unsupported),
        (&[7, 0, 0, 0, 0], BadOption),
        (&[7, 0, 0, 0, 0, 1, 0], BadOption),
        (&[7, 0, 0, 0, 0, 1, 0, 2, 9], BadOption),
    ] {
        assert_eq!(Dhcpv6Message::parse(bytes), Err(expected), "{bytes:?}");
    }
}

/// An association whose options do not fit it is left out, and those beside it are not.
#[test]
fn a_bad_part_spoils_nothing_else() {
    let mut bytes = vec![7, 0, 0, 1];
    bytes.extend(option(
        option::IA_NA,
        &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9],
    ));
    bytes.extend(option(option::IA_NA, &[0, 0, 0, 2, 0, 0, 0]));
    bytes.extend(option(option::IA_NA, &[0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0]));
    bytes.extend(option(option::SERVER_ID, &[0, 1]));
    let options = Dhcpv6Message::parse(&bytes).unwrap().options;
    let iaids: Vec<_> = options
        .associations(option::IA_NA)
        .map(|ia| ia.iaid)
        .collect();
    assert_eq!(iaids, [3]);
    assert_eq!(options.duid(option::SERVER_ID), None, "too short");
    let mut prefix = vec![0; 25];
    prefix[8] = 129;
    let mut bytes = vec![7, 0, 0, 1];
    bytes.extend(option(option::IA_PREFIX, &prefix));
    assert_eq!(
        Dhcpv6Message::parse(&bytes)
            .unwrap()
            .options
            .prefixes()
            .count(),
        0
    );
}

proptest! {
    /// Whatever comes, whatever is asked of it: it ends, and nothing is read that is not there.
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_all(&bytes);
    }

    /// The same where the options at least are whole.
    #[test]
    fn any_options_are_survived(
        options in proptest::collection::vec(
            (prop_oneof![0u16..40, 80u16..85], proptest::collection::vec(any::<u8>(), 0..60)),
            0..12,
        ),
    ) {
        let mut bytes = vec![7, 1, 2, 3];
        for (code, value) in &options {
            bytes.extend(option(*code, value));
        }
        let message = Dhcpv6Message::parse(&bytes).unwrap();
        let read: Vec<_> = message.options.iter().map(|(code, value)| (code, value.to_vec())).collect();
        prop_assert_eq!(read, options);
        read_all(&bytes);
    }
}

fn read_all(bytes: &[u8]) {
    let Ok(message) = Dhcpv6Message::parse(bytes) else {
        return;
    };
    let options = message.options;
    let _ = (options.status(), options.preference());
    assert!(options.dns_servers().count() <= bytes.len() / 16);
    assert!(options.domains().count() <= bytes.len());
    for code in [option::IA_NA, option::IA_PD] {
        for ia in options.associations(code) {
            let grants = ia.options.addresses().count() + ia.options.prefixes().count();
            assert!(grants <= bytes.len() / 28);
        }
    }
}
