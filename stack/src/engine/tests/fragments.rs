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
