//! Datagrams.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use cygnet::wire::Icmpv4Message;
use cygnet::{BindError, Discard, Duration, IpListenEndpoint, RecvError, SendError, UdpIoError};
use cygnet::{IcmpEndpoint, IcmpMetadata, IpAddress, UdpMetadata, UdpSocket};
use cygnet_link::Impairments;
use cygnet_tests::{Network, Pair, pattern};
use embassy_futures::join::join3;
use embedded_io_async::{Read as _, ReadReady as _, Write as _};

use crate::within;

const BRIEFLY: Duration = Duration::from_millis(10);

async fn receive(socket: &UdpSocket<'_>) -> (Vec<u8>, UdpMetadata) {
    let mut buffer = [0; 2048];
    let (len, meta) = socket.recv_from(&mut buffer).await.unwrap();
    (buffer[..len].to_vec(), meta)
}

#[test]
fn a_datagram_arrives_whole_with_what_there_is_to_know_about_it() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, server) = (pair.client.udp_at(1000), pair.server.udp_at(2000));
        client.set_hop_limit(9);
        for len in [0, 1, 1472] {
            let data = pattern(1, len);
            client.send_to(&data, pair.server.at(2000)).await.unwrap();
            let (received, meta) = receive(&server).await;
            assert!(received == data);
            assert_eq!(meta.endpoint, pair.client.at(1000));
            assert_eq!(
                meta.local_address,
                Some(IpAddress::from(pair.server.address))
            );
            assert_eq!(meta.hop_limit, Some(9));
        }
        let far = UdpMetadata {
            hop_limit: Some(200),
            ..pair.server.at(2000).into()
        };
        client.send_to(b"far", far).await.unwrap();
        assert_eq!(receive(&server).await.1.hop_limit, Some(200));
    });
}

#[test]
fn nothing_is_sent_with_a_hop_limit_of_zero() {
    // RFC 1122, section 3.2.1.7: "A host MUST NOT send a datagram with a Time-to-Live (TTL) value of zero."
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = (pair.client.udp_at(1000), pair.server.udp_at(2000));
        let to = UdpMetadata {
            hop_limit: Some(0),
            ..pair.server.at(2000).into()
        };
        client.send_to(b"near", to).await.unwrap();
        assert_eq!(receive(&server).await.1.hop_limit, Some(1));

        let (mut sender, mut receiver) = (pair.client.icmp(), pair.server.icmp());
        sender.bind(IcmpEndpoint::Ident(1)).unwrap();
        receiver.bind(IcmpEndpoint::Ident(7)).unwrap();
        let mut reply = [0; 12];
        let message = Icmpv4Message::EchoReply {
            ident: 7,
            seq: 1,
            data: b"near",
        };
        message.emit(&mut reply);
        let to = IcmpMetadata {
            hop_limit: Some(0),
            ..IpAddress::from(pair.server.address).into()
        };
        sender.send_to(&reply, to).await.unwrap();
        let (_, meta) = receiver.recv_from(&mut reply).await.unwrap();
        assert_eq!(meta.hop_limit, Some(1));
    });
}

#[test]
fn an_answer_goes_back_to_where_the_question_is_from() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = (pair.client.udp_at(0), pair.server.udp_at(53));
        client.send_to(b"?", pair.server.at(53)).await.unwrap();
        let (_, meta) = receive(&server).await;
        server.send_to(b"!", meta).await.unwrap();
        let (answer, meta) = receive(&client).await;
        assert_eq!(
            (&answer[..], meta.endpoint),
            (&b"!"[..], pair.server.at(53))
        );
    });
}

#[test]
fn ephemeral_ports_are_from_the_dynamic_range_and_differ() {
    let pair = Pair::new(1);
    let sockets: Vec<_> = (0..16).map(|_| pair.client.udp_at(0)).collect();
    let mut ports: Vec<_> = sockets.iter().map(|s| s.endpoint().port).collect();
    assert!(ports.iter().all(|&port| port >= 49_152));
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 16);
    let gaps = ports
        .windows(2)
        .filter(|pair| pair[1] - pair[0] > 1)
        .count();
    assert!(gaps > 10, "random, not in a row: {ports:?}");
}

#[test]
fn an_ephemeral_port_is_never_one_in_use() {
    // Each seed starts the search elsewhere; a host that has just taken a port starts at it again when
    // its stack is made anew from the same seed.
    for seed in 0..20 {
        let taken = Pair::new(seed).client.udp_at(0).endpoint().port;
        let pair = Pair::new(seed);
        let first = pair.client.udp_at(taken);
        let second = pair.client.udp_at(0);
        assert_ne!(first.endpoint().port, second.endpoint().port, "seed {seed}");
    }
}

#[test]
fn a_port_is_bound_once_for_each_address() {
    let pair = Pair::new(1);
    let specific = IpListenEndpoint::from(pair.client.at(1000));
    let mut socket = pair.client.udp();
    assert!(!socket.is_open());
    socket.bind(specific).unwrap();
    assert_eq!((socket.is_open(), socket.endpoint()), (true, specific));
    assert_eq!(socket.bind(1001), Err(BindError::InvalidState));
    let mut other = pair.client.udp();
    assert_eq!(other.bind(1000), Err(BindError::AddrInUse));
    assert_eq!(other.bind(specific), Err(BindError::AddrInUse));
    socket.close();
    assert!(!socket.is_open());
    other.bind(1000).unwrap();
    assert_eq!(socket.bind(1000), Err(BindError::AddrInUse));
    drop(other);
    socket.bind(1000).unwrap();
}

#[test]
fn a_connected_socket_hears_its_peer_only() {
    let net = Network::<3>::new(1);
    let [left, middle, right] = &net.hosts;
    net.executor.block_on(async {
        let mut socket = middle.udp();
        socket.connect(left.at(1000)).unwrap();
        let port = socket.endpoint().port;
        assert_eq!(socket.remote_endpoint(), Some(left.at(1000)));
        let (friend, stranger) = (left.udp_at(1000), right.udp_at(1000));
        stranger.send_to(b"spam", middle.at(port)).await.unwrap();
        net.executor.sleep(BRIEFLY).await;
        friend.send_to(b"mail", middle.at(port)).await.unwrap();
        assert_eq!(receive(&socket).await.0, b"mail");
        assert!(!socket.may_recv());
    });
}

#[test]
fn a_datagram_too_long_for_the_buffer_is_cut_and_says_so() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = (pair.client.udp_at(1000), pair.server.udp_at(2000));
        client
            .send_to(b"too long", pair.server.at(2000))
            .await
            .unwrap();
        client.send_to(b"next", pair.server.at(2000)).await.unwrap();
        let mut buffer = [0; 3];
        let cut = server.recv_from(&mut buffer).await;
        assert_eq!(cut.err(), Some(RecvError::Truncated));
        assert_eq!(&buffer, b"too");
        assert_eq!(
            receive(&server).await.0,
            b"next",
            "the rest of the first is lost"
        );
    });
}

#[test]
fn closures_see_datagrams_where_they_lie() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = (pair.client.udp_at(1000), pair.server.udp_at(2000));
        let to = pair.server.at(2000);
        let sent = client.send_with(1000, to, |room| {
            assert_eq!(room.len(), 1000);
            room[..5].copy_from_slice(b"short");
            (5, "sent")
        });
        assert_eq!(sent.await, Ok("sent"));
        let seen = server
            .recv_with(|data, meta| (data.to_vec(), meta.endpoint))
            .await;
        assert_eq!(seen.unwrap(), (b"short".to_vec(), pair.client.at(1000)));
    });
}

#[test]
fn a_connected_socket_is_a_pipe_of_datagrams() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = (pair.client.udp(), pair.server.udp_at(2000));
        client.connect(pair.server.at(2000)).unwrap();
        let port = client.endpoint().port;
        server.connect(pair.client.at(port)).unwrap();
        client.write_all(b"one").await.unwrap();
        // An empty datagram is not the end of the pipe.
        client.send_to(b"", pair.server.at(2000)).await.unwrap();
        client.write_all(b"two").await.unwrap();
        embedded_io_async::Write::flush(&mut client).await.unwrap();
        let mut buffer = [0; 64];
        assert_eq!(server.read(&mut buffer).await, Ok(3));
        assert_eq!(server.read(&mut buffer).await, Ok(3));
        assert_eq!(&buffer[..3], b"two");
        assert_eq!(server.read_ready(), Ok(false));
    });
}

#[test]
fn a_socket_without_a_peer_is_no_pipe() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut socket = pair.client.udp_at(1000);
        let read = socket.read(&mut [0; 8]).await;
        assert_eq!(read, Err(UdpIoError::Recv(RecvError::NotBound)));
        let write = socket.write(b"x").await;
        assert_eq!(write, Err(UdpIoError::Send(SendError::NotBound)));
    });
}

#[test]
fn two_tasks_may_receive_and_a_third_is_refused() {
    let pair = Pair::new(1);
    pair.run(async {
        let server = std::rc::Rc::new(pair.server.udp_at(2000));
        let receiving = [(); 2].map(|()| {
            let server = server.clone();
            pair.executor.spawn(async move { receive(&server).await.0 })
        });
        pair.executor.sleep(BRIEFLY).await;
        let third = server.recv_from(&mut [0; 8]).await;
        assert_eq!(third.err(), Some(RecvError::TooManyWaiters));

        let client = pair.client.udp_at(1000);
        client.send_to(b"a", pair.server.at(2000)).await.unwrap();
        client.send_to(b"b", pair.server.at(2000)).await.unwrap();
        let mut received = Vec::new();
        for task in receiving {
            received.push(task.await);
        }
        received.sort();
        assert_eq!(received, [b"a", b"b"]);
    });
}

#[test]
fn a_receiver_that_gives_up_makes_room_for_another() {
    let pair = Pair::new(1);
    pair.run(async {
        let server = std::rc::Rc::new(pair.server.udp_at(2000));
        let client = pair.client.udp_at(1000);
        for round in 0..10 {
            let patient = server.clone();
            let waiting = pair
                .executor
                .spawn(async move { receive(&patient).await.0 });
            let impatient = server.clone();
            let giving_up = pair
                .executor
                .spawn(async move { receive(&impatient).await });
            pair.executor.sleep(BRIEFLY).await;
            giving_up.cancel();
            assert_eq!(
                within(&pair.executor, BRIEFLY, receive(&server)).await,
                None
            );
            client
                .send_to(&[round], pair.server.at(2000))
                .await
                .unwrap();
            assert_eq!(waiting.await, [round]);
        }
    });
}

#[test]
fn a_full_send_queue_waits_and_lets_one_task_wait() {
    let slow = Impairments::new()
        .bandwidth(80_000)
        .queue_limit(cygnet_link::QueueLimit::Frames(1))
        .when_full(cygnet_link::WhenFull::Block);
    let pair = Pair::impaired(1, slow);
    pair.run(async {
        let (client, server) = (
            std::rc::Rc::new(pair.client.udp_at(1000)),
            pair.server.udp_at(2000),
        );
        let to = pair.server.at(2000);
        let sending = client.clone();
        let task = pair.executor.spawn(async move {
            for n in 0..20 {
                sending.send_to(&[n; 958], to).await.unwrap();
            }
        });
        let receiving = async {
            for n in 0..20 {
                assert_eq!(receive(&server).await.0, [n; 958]);
            }
        };
        let also_sending = async {
            // A datagram takes 100 ms, so by now the queue of four is full and the task waits.
            pair.executor.sleep(Duration::from_millis(550)).await;
            let second = client.send_to(b"me too", to).await;
            assert_eq!(second, Err(SendError::TooManyWaiters));
        };
        join3(task, receiving, also_sending).await;
    });
}

#[test]
fn a_full_receive_queue_drops_the_newest() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = (pair.client.udp_at(1000), pair.server.udp_at(2000));
        for n in 0..10 {
            client.send_to(&[n], pair.server.at(2000)).await.unwrap();
        }
        pair.executor.sleep(BRIEFLY).await;
        for n in 0..4 {
            assert_eq!(receive(&server).await.0, [n]);
        }
        assert!(!server.may_recv());
        let stats = pair.server.stack.stats();
        assert_eq!(stats.discarded(Discard::ReceiveQueueFull), 6);
    });
}

#[test]
fn a_datagram_longer_than_any_or_than_the_buffer_is_refused() {
    let pair = Pair::new(1);
    pair.run(async {
        let client = pair.client.udp_at(1000);
        let to = pair.server.at(2000);
        let longest = client.payload_send_capacity();
        assert_eq!(client.send_to(&vec![0; longest], to).await, Ok(()));
        for len in [longest + 1, 65_508] {
            let result = client.send_to(&vec![0; len], to).await;
            assert_eq!(result, Err(SendError::PacketTooLarge), "{len} bytes");
        }
    });
}

#[test]
fn broadcasts_reach_every_host() {
    let net = Network::<3>::new(1);
    let [left, middle, right] = &net.hosts;
    net.executor.block_on(async {
        let (sender, receivers) = (left.udp_at(67), [middle.udp_at(68), right.udp_at(68)]);
        for address in [[255, 255, 255, 255], [10, 0, 0, 255]] {
            let to = (std::net::Ipv4Addr::from(address), 68);
            sender
                .send_to(b"hello, all", cygnet::IpEndpoint::from(to))
                .await
                .unwrap();
            for receiver in &receivers {
                let (data, meta) = receive(receiver).await;
                assert_eq!(
                    (&data[..], meta.endpoint),
                    (&b"hello, all"[..], left.at(67))
                );
            }
        }
    });
}

#[test]
fn flush_waits_until_all_is_handed_to_the_driver() {
    let pair = Pair::new(1);
    pair.run(async {
        let client = pair.client.udp_at(1000);
        client
            .send_to(b"first", pair.server.at(2000))
            .await
            .unwrap();
        let before = pair.control.counters(0).sent;
        client.flush().await.unwrap();
        assert!(pair.control.counters(0).sent > before);
    });
}

/// What `Future` says of `poll`: "only the `Waker` from the `Context` passed to the most recent call should be
/// scheduled to receive a wakeup".
#[test]
fn a_future_that_is_polled_with_ever_new_wakers_keeps_its_place() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = (pair.client.udp_at(1000), pair.server.udp_at(2000));
        let mut buffer = [0; 10];
        let mut receiving = pin!(server.recv_from(&mut buffer));
        let wakers = [(); 8].map(|()| Arc::new(Woken(AtomicBool::new(false))));
        for woken in &wakers {
            let waker = Waker::from(woken.clone());
            let polled = receiving.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending(), "{polled:?}");
        }
        client
            .send_to(b"cygnet", pair.server.at(2000))
            .await
            .unwrap();
        pair.executor.sleep(BRIEFLY).await;
        let [earlier @ .., last] = wakers;
        assert!(last.0.load(Ordering::Relaxed));
        assert!(earlier.iter().all(|woken| !woken.0.load(Ordering::Relaxed)));
        assert_eq!(receiving.await.unwrap().0, 6);
    });
}

/// Futures of one task share a place. One that moves to another task takes it from none of the others.
#[test]
fn a_future_that_moves_to_another_task_leaves_the_others_theirs() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = (pair.client.udp_at(1000), pair.server.udp_at(2000));
        let mut buffers = [[0; 10]; 2];
        let [moves, stays] = &mut buffers;
        let mut moves = pin!(server.recv_from(moves));
        let mut stays = pin!(server.recv_from(stays));
        let [first, second] = [(); 2].map(|()| Arc::new(Woken(AtomicBool::new(false))));
        let [at_first, at_second] = [&first, &second].map(|woken| Waker::from(woken.clone()));
        for receiving in [&mut moves, &mut stays] {
            let polled = receiving.as_mut().poll(&mut Context::from_waker(&at_first));
            assert!(polled.is_pending(), "{polled:?}");
        }
        let polled = moves.as_mut().poll(&mut Context::from_waker(&at_second));
        assert!(polled.is_pending(), "{polled:?}");

        // As an executor does, whenever the first task is woken.
        if first.0.swap(false, Ordering::Relaxed) {
            let polled = stays.as_mut().poll(&mut Context::from_waker(&at_first));
            assert!(polled.is_pending(), "{polled:?}");
        }
        let to = pair.server.at(2000);
        for _ in 0..2 {
            client.send_to(b"cygnet", to).await.unwrap();
        }
        pair.executor.sleep(BRIEFLY).await;
        assert!([first, second].map(|woken| woken.0.load(Ordering::Relaxed)) == [true; 2]);
        assert_eq!([moves.await.unwrap().0, stays.await.unwrap().0], [6; 2]);
    });
}

#[test]
fn a_socket_that_connects_forgets_what_others_have_sent() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut server = pair.server.udp_at(2000);
        let [peer, other] = [1000, 1001].map(|port| pair.client.udp_at(port));
        for (sender, data) in [(&other, b"1"), (&peer, b"2"), (&other, b"3"), (&peer, b"4")] {
            sender.send_to(data, pair.server.at(2000)).await.unwrap();
            pair.executor.sleep(BRIEFLY).await;
        }
        server.connect(pair.client.at(1000)).unwrap();
        for data in [b"2", b"4"] {
            assert_eq!(receive(&server).await.0, data);
        }
        assert!(!server.may_recv());
    });
}

#[test]
fn poll_functions_share_a_place_and_the_last_caller_is_woken() {
    let pair = Pair::new(1);
    pair.run(async {
        let client = pair.client.udp_at(1000);
        let server = std::rc::Rc::new(pair.server.udp_at(2000));
        let patient = server.clone();
        let waiting = pair
            .executor
            .spawn(async move { receive(&patient).await.0 });
        pair.executor.sleep(BRIEFLY).await;
        let wakers = [(); 8].map(|()| Arc::new(Woken(AtomicBool::new(false))));
        for woken in &wakers {
            let waker = Waker::from(woken.clone());
            let polled = server.poll_recv_from(&mut Context::from_waker(&waker), &mut [0; 10]);
            assert!(polled.is_pending(), "{polled:?}");
        }
        let [earlier @ .., last] = &wakers;
        assert!(earlier.iter().all(|woken| Arc::strong_count(woken) == 1));
        let to = pair.server.at(2000);
        client.send_to(b"cygnet", to).await.unwrap();
        assert_eq!(waiting.await, b"cygnet", "a future beside them waits on");
        assert!(last.0.load(Ordering::Relaxed));
        assert!(earlier.iter().all(|woken| !woken.0.load(Ordering::Relaxed)));
    });
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
