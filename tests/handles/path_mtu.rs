//! Paths that take shorter packets than the links at their ends, with routers that say so and without.

use cygnet::wire::IpProtocol;
use cygnet::{Duration, TcpSocket};
use cygnet_tests::{
    Middlebox, Setup, Verdict, assert_same_bytes, pattern, receive_to_end, send_all,
};
use embassy_futures::join::join;

/// What the path takes, in bytes of an IP packet.
const MTU: usize = 1_300;

/// Enough for a search by halves.
const LEN: usize = 400_000;

/// A router in the middle.
fn narrow(says_so: bool) -> Middlebox {
    let path = Middlebox::new(1, |n| {
        let link = cygnet_link::Impairments::new().delay(Duration::from_millis(5));
        Setup::tunnel(n).impaired(link)
    });
    path.rule(move |packet| match packet.len() {
        ..=MTU => Verdict::Pass,
        _ if says_so => Verdict::TooLong(MTU as u16),
        _ => Verdict::Drop,
    });
    path
}

async fn connected(path: &Middlebox) -> (TcpSocket<'static>, TcpSocket<'static>) {
    let mut client = path.client.tcp_with(65_535, 65_535);
    let mut server = path.server.tcp_with(65_535, 65_535);
    let (accepted, connected) = join(server.accept(80), client.connect(path.server.at(80))).await;
    accepted.expect("the server accepts");
    connected.expect("the client connects");
    (client, server)
}

/// The client sends, and the server receives all of it; how long that took.
fn transfer(path: &Middlebox, client: &mut TcpSocket<'_>, server: &mut TcpSocket<'_>) -> Duration {
    let data = pattern(1, LEN);
    let start = path.executor.now();
    let (_, received) = path.run(join(send_all(client, &data), receive_to_end(server)));
    assert_same_bytes(&received, &data, "from the client");
    path.executor.now().since(start)
}

#[test]
fn a_router_that_says_so_costs_one_round_trip() {
    let path = narrow(true);
    let (mut client, mut server) = path.run(connected(&path));
    let took = transfer(&path, &mut client, &mut server);
    assert_eq!(path.longest_passed(), MTU, "segments fill the path");
    // A dozen round trips of 20 ms in slow start, and ten segments sent again in two parts each.
    assert!(took < Duration::from_millis(400), "no timeout: {took:?}");
    assert_eq!(client.info().unwrap().retransmits, 20);
    assert_eq!(
        path.client.stack.path_mtu(path.server.address.into()),
        Some(MTU as u16)
    );
    let info = client.info().unwrap();
    assert_eq!(usize::from(info.mss), MTU - 52);
    // Nothing was taken for congestion: no loss ever set a threshold.
    assert!(info.ssthresh > 1 << 20, "{info:?}");
}

#[test]
fn a_black_hole_is_got_around_and_the_path_filled() {
    let path = narrow(false);
    let (mut client, mut server) = path.run(connected(&path));
    let took = transfer(&path, &mut client, &mut server);
    assert!(
        took < Duration::from_secs(10),
        "some timeouts, and no more: {took:?}"
    );
    let mss = usize::from(client.info().unwrap().mss);
    let fits = MTU - 52;
    assert!(
        (fits - 8..=fits).contains(&mss),
        "{mss} is close to {fits} and not above"
    );
}

#[test]
fn the_loss_of_a_probe_is_not_congestion() {
    let path = narrow(false);
    let (mut client, mut server) = path.run(connected(&path));
    let data = pattern(1, LEN);
    path.run(async {
        let (reader, writer) = (&mut server, &mut client);
        let sending = async {
            let mut rest = &data[..];
            // Until the timeouts are over and the search begins.
            let mut searching = false;
            while !searching || writer.info().unwrap().mss <= 1_024 {
                let written = writer.write(rest).await.unwrap();
                rest = &rest[written..];
                searching |= writer.info().unwrap().mss == 1_024;
            }
            let before = writer.info().unwrap().ssthresh;
            while !rest.is_empty() {
                let written = writer.write(rest).await.unwrap();
                rest = &rest[written..];
            }
            writer.flush().await.unwrap();
            assert_eq!(
                writer.info().unwrap().ssthresh,
                before,
                "probes were lost meanwhile"
            );
            writer.shutdown_write();
        };
        join(sending, receive_to_end(reader)).await
    });
}

#[test]
fn a_peer_that_was_away_is_sent_full_segments_again() {
    let path = narrow(true);
    path.rule(|_| Verdict::Pass);
    let (mut client, mut server) = path.run(connected(&path));
    let full = client.info().unwrap().mss;
    path.rule(|_| Verdict::Drop);
    let first = pattern(1, 20_000);
    path.run(async {
        let mut rest = &first[..];
        while !rest.is_empty() {
            let written = client.write(rest).await.unwrap();
            rest = &rest[written..];
        }
        // Three timeouts: 0.2, 0.4 and 0.8 seconds.
        path.executor.sleep(Duration::from_secs(2)).await;
    });
    assert_eq!(
        client.info().unwrap().mss,
        1_024,
        "it might have been a black hole"
    );
    path.rule(|_| Verdict::Pass);
    let rest = pattern(2, LEN);
    let (_, received) = path.run(join(
        send_all(&mut client, &rest),
        receive_to_end(&mut server),
    ));
    assert_same_bytes(&received, &[first, rest].concat(), "from the client");
    let mss = client.info().unwrap().mss;
    assert!(mss > full - 8, "{mss} of {full}");
}

#[test]
fn a_path_that_narrows_later_is_believed_after_a_timeout() {
    let path = narrow(true);
    let narrow_later = std::rc::Rc::new(std::cell::Cell::new(1_500));
    let limit = narrow_later.clone();
    path.rule(move |packet| {
        if packet.len() <= limit.get() {
            Verdict::Pass
        } else {
            Verdict::TooLong(limit.get() as u16)
        }
    });
    let (mut client, mut server) = path.run(connected(&path));
    let (first, second) = (pattern(1, 50_000), pattern(2, 50_000));
    let received = path.run(async {
        let sending = async {
            let mut rest = &first[..];
            while !rest.is_empty() {
                let written = client.write(rest).await.unwrap();
                rest = &rest[written..];
            }
            client.flush().await.unwrap();
            narrow_later.set(600);
            send_all(&mut client, &second).await;
        };
        join(sending, receive_to_end(&mut server)).await.1
    });
    assert_same_bytes(&received, &[first, second].concat(), "from the client");
    assert_eq!(client.info().unwrap().mss, 600 - 52);
}

#[test]
fn a_path_narrower_than_any_gets_packets_that_may_be_cut() {
    let path = narrow(true);
    path.rule(|packet| {
        let cut = !packet.header.dont_fragment || packet.header.protocol != IpProtocol::TCP;
        // Between here and there somebody would cut and put together again.
        if packet.len() <= 300 || cut {
            Verdict::Pass
        } else {
            Verdict::TooLong(296)
        }
    });
    let (mut client, mut server) = path.run(connected(&path));
    transfer(&path, &mut client, &mut server);
    assert_eq!(client.info().unwrap().mss, 552 - 52);
}

#[test]
fn a_route_with_an_mtu_of_its_own_is_kept_to_both_ways() {
    let path = narrow(true);
    path.rule(|_| Verdict::Pass);
    let network = cygnet::IpCidr::Ipv4(cygnet::Ipv4Cidr::new([10, 0, 0, 2].into(), 32));
    let stack = path.client.stack;
    assert_eq!(stack.set_route_mtu(network, Some(1_000)), Ok(false));
    stack.add_route(network, None).unwrap();
    assert_eq!(stack.set_route_mtu(network, Some(1_000)), Ok(true));
    assert_eq!(stack.path_mtu(path.server.address.into()), Some(1_000));
    let (mut client, mut server) = path.run(connected(&path));
    transfer(&path, &mut client, &mut server);
    assert_eq!(path.longest_passed(), 1_000);
    assert_eq!(
        (client.info().unwrap().mss, server.info().unwrap().mss),
        (948, 948)
    );
}
