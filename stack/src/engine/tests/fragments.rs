//! Packets that are cut, where a socket's turns come to an end half way.

use super::*;
use crate::wire::Ipv4Header;

/// A datagram of 4,000 bytes from A to B, of which the first fragment has gone: the socket, and its header.
fn half_sent(pair: &mut Pair) -> (SocketKey, Ipv4Header) {
    let buffers = || {
        (
            vec![UdpPacketMetadata::EMPTY; 4].into(),
            vec![0; 8_192].into(),
        )
    };
    let a = &mut pair.engines[0];
    let socket = a.udp_open(buffers(), buffers()).expect("there is a slot");
    a.udp_bind(socket, IpListenEndpoint::from(7)).unwrap();
    let to = IpEndpoint::new(B.into(), 7);
    Udp::send(a, socket, &to.into(), 1, |_| (1, ())).unwrap();
    // The neighbor is known then.
    pair.drive();
    let a = &mut pair.engines[0];
    Udp::send(a, socket, &to.into(), 4_000, |_| (4_000, ())).unwrap();
    let frame = next_frame(a, pair.now).expect("a fragment");
    pair.log.clear();
    let (header, _) = Ipv4Header::parse(&frame[14..], true).unwrap();
    assert!(header.more_fragments && header.fragment_offset == 0);
    (socket, header)
}

/// The fragments that A has sent since.
fn fragments(pair: &Pair) -> Vec<Ipv4Header> {
    let sent = pair.log.iter().filter(|(from, _)| *from == 0);
    let headers = sent.filter_map(|(_, frame)| Ipv4Header::parse(&frame[14..], true).ok());
    headers.map(|(header, _)| header).collect()
}

#[test]
fn a_datagram_goes_on_where_it_was() {
    let mut pair = Pair::new(Medium::Ethernet);
    let (_, first) = half_sent(&mut pair);
    pair.drive();
    let rest = fragments(&pair);
    let offsets: Vec<u16> = rest.iter().map(|header| header.fragment_offset).collect();
    assert_eq!(offsets, [1_480, 2_960]);
    assert!(rest.iter().all(|header| header.ident == first.ident));
}

#[test]
fn a_datagram_whose_neighbor_is_lost_half_way_starts_over_as_another() {
    let mut pair = Pair::new(Medium::Ethernet);
    let (_, first) = half_sent(&mut pair);
    pair.engines[0].remove_neighbor(B.into());
    pair.run_for(Duration::from_secs(5));
    let again = fragments(&pair);
    let offsets: Vec<u16> = again.iter().map(|header| header.fragment_offset).collect();
    assert_eq!(offsets, [0, 1_480, 2_960]);
    assert!(again.iter().all(|header| header.ident == again[0].ident));
    assert_ne!(again[0].ident, first.ident);
}

#[test]
fn a_socket_that_is_closed_half_way_leaves_nothing_for_the_next() {
    let mut pair = Pair::new(Medium::Ethernet);
    let (socket, _) = half_sent(&mut pair);
    let a = &mut pair.engines[0];
    a.udp_close(socket);
    a.udp_bind(socket, IpListenEndpoint::from(7)).unwrap();
    let to = IpEndpoint::new(B.into(), 7);
    Udp::send(a, socket, &to.into(), 2_000, |_| (2_000, ())).unwrap();
    pair.drive();
    let sent = fragments(&pair);
    let offsets: Vec<u16> = sent.iter().map(|header| header.fragment_offset).collect();
    assert_eq!(offsets, [0, 1_480]);
}

#[cfg(feature = "proto-ipv6")]
mod v6 {
    use core::net::Ipv6Addr;

    use cygnet_config::REASSEMBLY_BUFFER_SIZE;

    use super::*;
    use crate::engine::fragments::FragmentBuffers;
    use crate::wire::ipv6::{FRAGMENT_HEADER_LEN, FragmentHeader, HEADER_LEN};
    use crate::wire::{IpProtocol, Ipv6Cidr, Ipv6Header};

    const HERE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    const PEER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

    /// When the address is known to be unique.
    const START: Instant = Instant::from_secs(9);

    /// A host with room for packets in pieces.
    fn host() -> Engine<'static> {
        let mut host = engine(A, Medium::Ethernet);
        host.add_address(IpCidr::Ipv6(Ipv6Cidr::new(HERE, 64)))
            .unwrap();
        host.lend_fragments(Box::leak(Box::new(FragmentBuffers::new())));
        let mut now = Instant::ZERO;
        while now < START {
            host.on_timeout(now);
            while next_frame(&mut host, now).is_some() {}
            now += Duration::from_millis(100);
        }
        host
    }

    /// Part of a packet that begins with a header of that protocol.
    fn fragment(next_header: IpProtocol, offset: u16, more: bool, data: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 14 + HEADER_LEN + FRAGMENT_HEADER_LEN];
        frame[..14].copy_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd]);
        let header = Ipv6Header {
            src: PEER,
            dst: HERE,
            next_header: IpProtocol::FRAGMENT,
            hop_limit: 64,
            dscp_ecn: 0,
            flow_label: 0,
            payload_len: FRAGMENT_HEADER_LEN + data.len(),
        };
        header.emit(&mut frame[14..]);
        let fragment = FragmentHeader {
            ident: 7,
            offset,
            more,
            next_header,
            data_offset: 0,
        };
        fragment.emit(&mut frame[14 + HEADER_LEN..]);
        frame.extend(data);
        frame
    }

    /// What a host says when the rest of a packet that begins like this does not come.
    fn said_of(next_header: IpProtocol, data: &[u8]) -> Option<Vec<u8>> {
        let (mut host, mut now) = (host(), START);
        let first = fragment(next_header, 0, true, data);
        assert_eq!(receive(&mut host, now, &first, RxMeta::new()).0, Ok(()));
        now += Duration::from_secs(60);
        host.on_timeout(now);
        core::iter::from_fn(|| next_frame(&mut host, now))
            .find(|frame| frame[20] == 58 && frame[54] == 3)
    }

    /// RFC 4443, section 2.4 (e): "An ICMPv6 error message MUST NOT be originated as a result of receiving [...] an ICMPv6
    /// error message" or "an ICMPv6 redirect message", whatever headers are in front of it.
    #[test]
    fn rfc4443_2_4_e_no_error_is_about_an_error_behind_other_headers() {
        let options = [IpProtocol::ICMPV6.0, 0, 1, 4, 0, 0, 0, 0];
        for (kind, is_answered) in [(128, true), (1, false), (137, false)] {
            let message = [kind, 0, 0, 0, 0, 0, 0, 0];
            let said = said_of(IpProtocol::ICMPV6, &message);
            assert_eq!(said.is_some(), is_answered, "{kind}");
            let behind = [options, message].concat();
            let said = said_of(IpProtocol::DESTINATION_OPTIONS, &behind);
            assert_eq!(said.is_some(), is_answered, "{kind} behind options");
        }
    }

    /// RFC 8200, section 5: "A node must be able to accept a fragmented packet that, after reassembly, is as large as 1500
    /// octets." The fragment headers are no part of it.
    #[test]
    fn rfc8200_5_a_packet_as_long_as_is_configured_is_put_together() {
        let (mut host, now) = (host(), START);
        let data = vec![0; REASSEMBLY_BUFFER_SIZE - HEADER_LEN];
        let (mut offset, mut last) = (0, Ok(()));
        for piece in data.chunks(1_200) {
            assert_eq!(last, Ok(()), "{offset}");
            let more = offset + piece.len() < data.len();
            let frame = fragment(IpProtocol::NO_NEXT_HEADER, offset as u16, more, piece);
            last = receive(&mut host, now, &frame, RxMeta::new()).0;
            offset += piece.len();
        }
        assert_eq!(last, Err(Discard::UnknownProtocol), "nothing is in it");
    }
}
