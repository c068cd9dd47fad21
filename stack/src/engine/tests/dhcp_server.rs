//! A server on a link that goes.

use super::*;
use crate::dhcp::{DhcpConfig, DhcpServerConfig};

#[test]
fn no_address_of_its_own_is_given() {
    let now = Instant::from_secs(1);
    let mut server = engine(A, Medium::Ethernet);
    let another = Ipv4Addr::new(10, 0, 0, 10);
    server
        .add_address(IpCidr::Ipv4(Ipv4Cidr::new(another, 24)))
        .unwrap();
    let config = DhcpServerConfig::new(another, another);
    server.start_dhcp_server(config).unwrap();
    let (heard, _) = receive(&mut server, now, &question(), RxMeta::new());
    assert_eq!(heard, Err(Discard::DhcpPoolExhausted));
}

#[test]
fn a_question_that_comes_in_when_the_link_is_gone_leaves_nothing_to_do() {
    let now = Instant::from_secs(1);
    let mut server = engine(A, Medium::Ethernet);
    let [first, last] = [10, 20].map(|last| Ipv4Addr::new(10, 0, 0, last));
    let config = DhcpServerConfig::new(first, last);
    server.start_dhcp_server(config).unwrap();

    server.set_link_up(false, now);
    let _ = receive(&mut server, now, &question(), RxMeta::new());

    server.on_timeout(now);
    assert!(server.next_deadline() > now);
}

/// What a client asks for first.
fn question() -> Vec<u8> {
    let mut client = engine(B, Medium::Ethernet);
    client
        .set_config_v4(ConfigV4::Dhcp(DhcpConfig::new()))
        .unwrap();
    let is_ipv4 = |frame: &Vec<u8>| frame[12..14] == [8, 0];
    let question = (1..60).find_map(|second| {
        let now = Instant::from_secs(second);
        client.on_timeout(now);
        core::iter::from_fn(|| next_frame(&mut client, now)).find(is_ipv4)
    });
    question.unwrap()
}
