//! Which addresses and ports connections are opened from (RFC 9293, section 3.9.1.1).

use core::net::Ipv4Addr;

use cygnet::{IpCidr, IpEndpoint, Ipv4Cidr, TcpListener, TcpState};
use cygnet_tests::{Pair, receive_to_end, send_all};

const SECOND: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 201);

/// A pair whose client has a second address.
fn with_second_address() -> Pair<'static> {
    let pair = Pair::new(1);
    let address = IpCidr::Ipv4(Ipv4Cidr::new(SECOND, 24));
    pair.client.stack.add_address(address).expect("room for it");
    pair
}

// Requirement: RFC 9293 MUST-42
#[test]
fn must_42_a_port_that_connects_can_be_listened_on() {
    let pair = Pair::new(1);
    pair.run(async {
        pair.black_hole();
        let mut attempt = pair.client.tcp();
        let connecting = attempt.connect_from(1_000, pair.server.at(80));
        let moment = cygnet::Duration::from_millis(10);
        assert_eq!(
            super::within(&pair.executor, moment, connecting).await,
            None
        );
        let pool = pair.client.pool::<2>();
        let listener = TcpListener::bind(pair.client.stack, 1_000, pool);
        assert!(listener.is_ok(), "{:?}", listener.err());
    });
}

// Requirement: RFC 9293 MUST-43
#[test]
fn must_43_a_connection_comes_from_the_address_that_is_asked_for() {
    let pair = with_second_address();
    pair.run(async {
        let listener = pair.server.listen::<2>(80);
        let mut client = pair.client.tcp();
        let from: IpEndpoint = (SECOND, 1_000).into();
        client.connect_from(from, pair.server.at(80)).await.unwrap();
        let accepted = listener.accept().await.unwrap();
        assert_eq!(accepted.remote_endpoint(), Some(from));
    });
}

// Requirement: RFC 9293 MUST-44
#[test]
fn must_44_a_connection_that_names_no_address_comes_from_one_of_the_link() {
    let pair = Pair::new(1);
    pair.run(async {
        let listener = pair.server.listen::<2>(80);
        let mut client = pair.client.tcp();
        client.connect(pair.server.at(80)).await.unwrap();
        let accepted = listener.accept().await.unwrap();
        let remote = accepted.remote_endpoint().unwrap();
        assert_eq!(remote.addr, Ipv4Addr::new(10, 0, 0, 1).into());
        assert_eq!(client.local_endpoint(), Some(remote));
    });
}

// Requirement: RFC 9293 MUST-45
#[test]
fn must_45_a_connection_to_a_second_address_stays_with_it() {
    let pair = with_second_address();
    pair.run(async {
        let listener = pair.client.listen::<2>(80);
        let mut caller = pair.server.tcp();
        caller.connect((SECOND, 80)).await.unwrap();
        let mut accepted = listener.accept().await.unwrap();
        assert_eq!(accepted.local_endpoint(), Some((SECOND, 80).into()));
        send_all(&mut accepted, b"from where you asked").await;
        assert_eq!(receive_to_end(&mut caller).await, b"from where you asked");
    });
}

// Requirement: RFC 9293 MUST-41
#[test]
fn must_41_listening_leaves_connections_alone() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        let port = server.local_endpoint().unwrap().port;
        let pool = pair.server.pool::<2>();
        let first = TcpListener::bind(pair.server.stack, port, pool);
        let second = TcpListener::bind(pair.server.stack, port, pool);
        assert!(first.is_ok() && second.is_err(), "one listener");
        assert_eq!(server.state(), TcpState::Established);
        send_all(&mut client, b"unharmed").await;
        assert_eq!(receive_to_end(&mut server).await, b"unharmed");
    });
}
