//! A server on a link that goes.

use super::*;
use crate::dhcp::{DhcpConfig, DhcpServerConfig};

#[test]
fn a_question_that_comes_in_when_the_link_is_gone_leaves_nothing_to_do() {
    let now = Instant::from_secs(1);
    let [mut server, mut client] = [A, B].map(|address| engine(address, Medium::Ethernet));
    let [first, last] = [10, 20].map(|last| Ipv4Addr::new(10, 0, 0, last));
    let config = DhcpServerConfig::new(first, last);
    server.start_dhcp_server(config).unwrap();
    client
        .set_config_v4(ConfigV4::Dhcp(DhcpConfig::new()))
        .unwrap();
    let is_ipv4 = |frame: &Vec<u8>| frame[12..14] == [8, 0];
    let question = (1..60).find_map(|second| {
        let now = Instant::from_secs(second);
        client.on_timeout(now);
        core::iter::from_fn(|| next_frame(&mut client, now)).find(is_ipv4)
    });

    server.set_link_up(now, false);
    let _ = receive(&mut server, now, &question.unwrap(), RxMeta::new());

    server.on_timeout(now);
    assert!(server.next_deadline() > now);
}
