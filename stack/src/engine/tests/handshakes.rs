//! Requests for connections, and who takes them.

use super::*;

#[test]
fn a_refused_connection_says_so() {
    let mut pair = Pair::new(Medium::Ethernet);
    let client = pair.socket(0);
    let remote = IpEndpoint::new(B.into(), 81);
    pair.engines[0]
        .tcp_connect(client, remote, IpListenEndpoint::from(0))
        .unwrap();
    pair.drive();
    let connection = pair.engines[0].tcp(client).unwrap();
    assert_eq!(connection.error(), Some(ConnectionError::Refused));
    assert_eq!(pair.engines[1].stats().discarded(Discard::NoSocket), 1);
}

#[test]
fn a_listener_takes_as_many_as_its_pool_and_gives_pairs_back() {
    let mut pair = Pair::new(Medium::Ip);
    let pairs: Vec<_> = (0..2)
        .map(|_| {
            Some(BufferPair {
                receive: vec![0; 64].into(),
                send: vec![0; 64].into(),
            })
        })
        .collect();
    let server = &mut pair.engines[1];
    let pool = server.add_pool(pairs.into()).unwrap();
    let listener = server
        .listener_bind(IpListenEndpoint::from(80), pool)
        .unwrap();
    for round in 0..20 {
        let clients: Vec<_> = (0..3).map(|_| pair.socket(0)).collect();
        for &client in &clients {
            let remote = IpEndpoint::new(B.into(), 80);
            pair.engines[0]
                .tcp_connect(client, remote, IpListenEndpoint::from(0))
                .unwrap();
            pair.drive();
        }
        let states: Vec<_> = clients.iter().map(|&c| pair.state(0, c)).collect();
        assert_eq!(
            states,
            [State::Established, State::Established, State::SynSent],
            "round {round}: the third waits for room"
        );
        assert_eq!(
            pair.engines[1].poll_event().map(|(index, _)| index),
            Some(listener.index())
        );
        for _ in 0..2 {
            let accepted = pair.engines[1].listener_accept(listener).unwrap();
            pair.engines[1].tcp_detach(accepted.index());
        }
        assert_eq!(pair.engines[1].listener_accept(listener), None);
        for client in clients {
            pair.engines[0].tcp_detach(client.index());
        }
        pair.drive();
        while pair.engines[1].poll_event().is_some() {}
    }
    assert!(pair.engines[1].stats().discarded(Discard::BacklogFull) >= 20);
}

/// RFC 5961, section 7: two ends that each find the other's segments unacceptable do not feed each other. Here both
/// were asked for a connection in the other's name.
#[test]
fn rfc5961_7_two_half_open_connections_do_not_answer_each_other_for_ever() {
    let mut pair = Pair::new(Medium::Ip);
    let mut wire = VecDeque::new();
    for (side, (own, other)) in [(A, B), (B, A)].into_iter().enumerate() {
        let socket = pair.socket(side);
        pair.engines[side]
            .tcp_listen(socket, IpListenEndpoint::from(80))
            .unwrap();
        let mut attacker = engine(other, Medium::Ip);
        let key = attacker
            .tcp_open(vec![0; 4096].into(), vec![0; 4096].into())
            .unwrap();
        let remote = IpEndpoint::new(own.into(), 80);
        attacker
            .tcp_connect(key, remote, IpListenEndpoint::from(80))
            .unwrap();
        wire.extend(next_frame(&mut attacker, pair.now).map(|request| (side, request)));
    }
    let mut answers = 0;
    while let Some((side, bytes)) = wire.pop_front() {
        let (_, answer) = receive(&mut pair.engines[side], pair.now, &bytes, RxMeta::new());
        answers += answer.iter().count();
        assert!(answers < 100, "they never stop");
        wire.extend(answer.map(|answer| (1 - side, answer)));
    }
}

/// RFC 9293, section 3.6.1: a new SYN reopens a connection from TIME-WAIT. One that opens nothing does not end the wait.
#[test]
fn a_request_that_nobody_takes_leaves_the_memory_of_the_connection_before() {
    let mut pair = Pair::new(Medium::Ip);
    let (client, server) = pair.connection_from(40_000);
    pair.engines[0].tcp_with(client, |c| c.close());
    pair.drive();
    pair.engines[1].tcp_with(server, |c| c.close());
    pair.drive();
    assert_eq!(pair.state(0, client), State::TimeWait);
    let remembered = |pair: &Pair| pair.engines[0].tcp.time_wait.iter().count();
    assert_eq!(remembered(&pair), 1);
    pair.now += Duration::from_secs(1);
    pair.engines[1].on_timeout(pair.now);
    let remote = IpEndpoint::new(A.into(), 40_000);
    pair.engines[1]
        .tcp_connect(server, remote, IpListenEndpoint::from(80))
        .unwrap();
    pair.drive();
    let connection = pair.engines[1].tcp(server).unwrap();
    assert_eq!(connection.error(), Some(ConnectionError::Refused));
    assert_eq!(remembered(&pair), 1);
    // One that somebody takes does.
    let listener = pair.socket(0);
    pair.engines[0]
        .tcp_listen(listener, IpListenEndpoint::from(40_000))
        .unwrap();
    pair.engines[1]
        .tcp_connect(server, remote, IpListenEndpoint::from(80))
        .unwrap();
    pair.drive();
    assert_eq!(pair.state(0, listener), State::Established);
    assert_eq!(remembered(&pair), 0);
}
