use proptest::prelude::*;

use super::*;

const MACS: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&MACS[..], &ethertype.to_be_bytes(), payload].concat()
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::from([0x45, 0, 0, 0, 0, 9, 0x40, 0, 64, protocol, 0, 0]);
    packet.extend([192, 168, 69, 1, 192, 168, 69, 100]);
    packet.extend(payload);
    let len = packet.len() as u16;
    packet[2..4].copy_from_slice(&len.to_be_bytes());
    packet
}

fn ipv6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::from([0x60, 0, 0, 0]);
    packet.extend((payload.len() as u16).to_be_bytes());
    packet.extend([next_header, 255]);
    for last in [1, 2] {
        packet.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    packet.extend(payload);
    packet
}

/// A segment from port 6969 to 49152 with sequence number 1000 and acknowledgment 2000.
fn tcp(flags: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::from([0x1b, 0x39, 0xc0, 0, 0, 0, 3, 0xe8, 0, 0, 7, 0xd0]);
    segment.push(((5 + options.len() / 4) << 4) as u8);
    segment.extend([flags, 0xfa, 0xf0, 0, 0, 0, 0]);
    segment.extend(options);
    segment.extend(payload);
    segment
}

fn line(frame: &[u8]) -> String {
    format!("{}", FrameSummary::new(Medium::Ethernet, frame))
}

fn ip_line(packet: &[u8]) -> String {
    format!("{}", FrameSummary::new(Medium::Ip, packet))
}

#[test]
fn tcp_syn_with_its_options() {
    let options = [
        2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 3, 3, 7,
    ];
    assert_eq!(
        line(&ethernet(0x0800, &ipv4(6, &tcp(0x12, &options, b"")))),
        "IP 192.168.69.1.6969 > 192.168.69.100.49152: Flags [S.], seq 1000, ack 2000, win 64240, \
         options [mss 1460,sackOK,TS val 7 ecr 9,nop,wscale 7], length 0"
    );
}

#[test]
fn tcp_data_and_acknowledgment() {
    assert_eq!(
        ip_line(&ipv4(6, &tcp(0x18, &[], b"hello"))),
        "IP 192.168.69.1.6969 > 192.168.69.100.49152: Flags [P.], seq 1000:1005, ack 2000, \
         win 64240, length 5"
    );
    let sack = [1, 1, 5, 10, 0, 0, 0, 10, 0, 0, 0, 20];
    assert_eq!(
        ip_line(&ipv6(6, &tcp(0x10, &sack, b""))),
        "IP6 fe80::1.6969 > fe80::2.49152: Flags [.], ack 2000, win 64240, \
         options [nop,nop,sack {10:20}], length 0"
    );
}

#[test]
fn tcp_with_broken_options() {
    for (options, shown) in [
        (&[2, 0, 0, 0][..], "bad option 2"),
        (&[2, 1, 0, 0], "bad option 2"),
        (&[8, 10, 0, 0], "bad option 8"),
        (&[1, 1, 1, 30], "nop,nop,nop,bad option 30"),
        (&[30, 4, 0, 0], "option 30 length 4"),
        (&[0, 9, 9, 9], "eol"),
    ] {
        let shown = format!("options [{shown}],");
        let line = ip_line(&ipv4(6, &tcp(0x10, options, b"")));
        assert!(line.contains(&shown), "{line}");
    }
}

#[test]
fn headers_cut_short() {
    let segment = ipv4(6, &tcp(0x10, &[], b""));
    assert!(ip_line(&ipv4(6, &tcp(0x10, &[], b"")[..19])).ends_with("[|tcp]"));
    assert_eq!(ip_line(&segment[..19]), "IP [|ip]");
    assert_eq!(ip_line(&ipv6(6, b"")[..39]), "IP6 [|ip6]");
    assert_eq!(ip_line(&[]), "[|ip]");
    assert_eq!(line(&MACS), "[|ether]");
    assert_eq!(line(&ethernet(0x0806, &[0, 1])), "[|arp]");
    assert!(ip_line(&ipv4(17, &[0, 53, 0])).ends_with("192.168.69.100: [|udp]"));
    assert!(ip_line(&ipv4(1, &[8])).ends_with("[|icmp]"));
}

#[test]
fn udp_icmp_and_others() {
    assert_eq!(
        ip_line(&ipv4(17, &[0, 53, 0xc0, 0, 0, 12, 0, 0, 1, 2, 3, 4])),
        "IP 192.168.69.1.53 > 192.168.69.100.49152: UDP, length 4"
    );
    assert_eq!(
        ip_line(&ipv4(1, &[8, 0, 0, 0, 0, 7, 0, 3, 1, 2])),
        "IP 192.168.69.1 > 192.168.69.100: ICMP echo request, id 7, seq 3, length 10"
    );
    assert_eq!(
        ip_line(&ipv4(1, &[3, 4, 0, 0, 0, 0, 5, 0])),
        "IP 192.168.69.1 > 192.168.69.100: ICMP unreachable - need to frag (mtu 1280), length 8"
    );
    assert_eq!(
        ip_line(&ipv4(89, &[0; 10])),
        "IP 192.168.69.1 > 192.168.69.100: protocol 89, length 10"
    );
}

#[test]
fn neighbor_solicitation_behind_an_extension_header() {
    let target = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
    let solicitation = [&[135, 0, 0, 0, 0, 0, 0, 0][..], &target].concat();
    let behind = [&[58, 0, 5, 2, 0, 0, 1, 0][..], &solicitation].concat();
    assert_eq!(
        ip_line(&ipv6(0, &behind)),
        "IP6 fe80::1 > fe80::2: ICMP6 neighbor solicitation, who has fe80::2, length 24"
    );
}

#[test]
fn fragments_of_both_versions() {
    let mut packet = ipv4(17, &[0; 16]);
    packet[6..8].copy_from_slice(&[0x20, 0xb9]);
    assert_eq!(
        ip_line(&packet),
        "IP 192.168.69.1 > 192.168.69.100: frag 9 at 1480+, protocol 17, length 16"
    );
    let fragment = [17, 0, 0x05, 0xc8, 0, 0, 0, 9, 1, 2, 3, 4];
    assert_eq!(
        ip_line(&ipv6(44, &fragment)),
        "IP6 fe80::1 > fe80::2: frag 9 at 1480, protocol 17, length 4"
    );
}

#[test]
fn arp_vlan_and_unknown_types() {
    let mut arp = Vec::from([0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 192, 168, 69, 1]);
    arp.extend([0, 0, 0, 0, 0, 0, 192, 168, 69, 100]);
    assert_eq!(
        line(&ethernet(0x0806, &arp)),
        "ARP, request who-has 192.168.69.100 tell 192.168.69.1"
    );
    arp[7] = 2;
    assert_eq!(
        line(&ethernet(0x0806, &arp)),
        "ARP, reply 192.168.69.1 is-at 02:00:00:00:00:01"
    );
    let tagged = [&[0x60, 5, 8, 6][..], &arp].concat();
    assert_eq!(
        line(&ethernet(0x8100, &tagged)),
        "vlan 5 ARP, reply 192.168.69.1 is-at 02:00:00:00:00:01"
    );
    assert_eq!(
        line(&ethernet(0x88cc, &[0; 4])),
        "ethertype 0x88cc, length 4"
    );
    assert_eq!(line(&ethernet(60, &[0; 60])), "802.3, length 60");
}

#[test]
fn ethernet_padding_is_not_payload() {
    let mut frame = ethernet(0x0800, &ipv4(6, &tcp(0x10, &[], b"")));
    frame.resize(60, 0);
    assert!(line(&frame).ends_with("length 0"));
}

#[test]
fn the_full_form_adds_headers_and_bytes() {
    let frame = ethernet(0x0800, &ipv4(1, b"\x08\0Hi"));
    assert_eq!(
        format!("{:#}", FrameSummary::new(Medium::Ethernet, &frame)),
        "IP 192.168.69.1 > 192.168.69.100: ICMP echo request, length 4\n    \
         Ethernet 02:00:00:00:00:02 > 02:00:00:00:00:01, ethertype 0x0800\n    \
         IPv4 192.168.69.1 > 192.168.69.100, protocol 1, ttl 64, tos 0x00, id 9, DF, length 24\n    \
         0000  02 00 00 00 00 01 02 00 00 00 00 02 08 00 45 00  ..............E.\n    \
         0010  00 18 00 09 40 00 40 01 00 00 c0 a8 45 01 c0 a8  ....@.@.....E...\n    \
         0020  45 64 08 00 48 69                                Ed..Hi"
    );
}

/// Bytes that start as a frame of some protocol does, so that garbage gets far into the decoder.
fn nearly_a_frame() -> impl Strategy<Value = Vec<u8>> {
    let garbage = || proptest::collection::vec(any::<u8>(), 0..120);
    let transport = prop_oneof![
        Just(1_u8),
        Just(6),
        Just(17),
        Just(44),
        Just(0),
        Just(58),
        any::<u8>()
    ];
    prop_oneof![
        garbage(),
        (transport.clone(), garbage()).prop_map(|(p, bytes)| ethernet(0x0800, &ipv4(p, &bytes))),
        (transport.clone(), garbage()).prop_map(|(p, bytes)| ethernet(0x86dd, &ipv6(p, &bytes))),
        (any::<u8>(), garbage()).prop_map(|(flags, bytes)| {
            let options = &bytes[..bytes.len().min(40) / 4 * 4];
            ethernet(0x0800, &ipv4(6, &tcp(flags, options, b"")))
        }),
        garbage().prop_map(|bytes| ethernet(0x0806, &bytes)),
        garbage().prop_map(|bytes| ethernet(0x8100, &bytes)),
    ]
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        frame in nearly_a_frame(),
        medium in prop_oneof![Just(Medium::Ethernet), Just(Medium::Ip), Just(Medium::Ieee802154)],
        cut in 0..140_usize,
        change in any::<(prop::sample::Index, u8)>(),
    ) {
        let mut frame = frame;
        frame.truncate(cut);
        if !frame.is_empty() {
            let at = change.0.index(frame.len());
            frame[at] ^= change.1;
        }
        let summary = FrameSummary::new(medium, &frame);
        let line = format!("{summary}");
        prop_assert!(!line.is_empty() && !line.contains('\n'));
        let full = format!("{summary:#}");
        prop_assert!(full.starts_with(&line));
        // Without its Ethernet header too.
        let _ = format!("{:#}", FrameSummary::new(Medium::Ip, frame.get(14..).unwrap_or_default()));
    }
}
