//! Running out of sockets, and forgetting them.

use cygnet::{BindError, ConnectError, IcmpError, IcmpPacketMetadata, ListenError, TcpListener};
use cygnet::{Duration, IcmpSocket, TcpSocket, UdpPacketMetadata, UdpSocket};
use cygnet_tests::{Host, Pair};
use embedded_io_async::Write as _;

/// Takes slots until there are none left.
fn exhaust<'d>(host: &Host<'d>) -> Vec<TcpSocket<'d>> {
    let open = || TcpSocket::new(host.stack, vec![0; 16], vec![0; 16]);
    std::iter::from_fn(|| open().ok()).collect()
}

#[test]
fn no_slot_is_an_error_of_every_operation() {
    let pair = Pair::new(1);
    let stack = pair.client.stack;
    let pool = pair.client.pool::<1>();
    let mut sockets = exhaust(&pair.client);
    assert_eq!(sockets.len(), 16);

    let tcp = TcpSocket::new(stack, vec![], vec![]);
    assert_eq!(tcp.err(), Some(ConnectError::NoSlot));
    let pooled = TcpSocket::from_pool(stack, pool);
    assert_eq!(pooled.err(), Some(ConnectError::NoSlot));
    let listener = TcpListener::bind(stack, 80, pool);
    assert_eq!(listener.err(), Some(ListenError::NoSlot));
    let none = Vec::<UdpPacketMetadata>::new;
    let udp = UdpSocket::new(stack, none(), vec![], none(), vec![]);
    assert_eq!(udp.err(), Some(BindError::NoSlot));
    let none = Vec::<IcmpPacketMetadata>::new;
    let icmp = IcmpSocket::new(stack, none(), vec![], none(), vec![]);
    assert_eq!(icmp.err(), Some(IcmpError::NoSlot));

    sockets.pop();
    drop(pair.client.udp());
    drop(TcpSocket::from_pool(stack, pool).expect("neither the slot nor the buffers are lost"));
}

#[test]
fn a_connection_closing_in_the_background_keeps_its_slot_until_it_is_over() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, mut server) = pair.connected().await;
        let free = exhaust(&pair.client).len();
        drop(client);
        assert_eq!(server.read(&mut [0; 8]).await, Ok(0));
        assert_eq!(
            exhaust(&pair.client).len(),
            free,
            "the server has not closed yet"
        );
        server.close().await.unwrap();
        pair.executor.sleep(Duration::from_millis(1)).await;
        assert_eq!(exhaust(&pair.client).len(), free + 1);
    });
}

#[test]
fn a_peer_that_never_closes_does_not_keep_a_slot_for_ever() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, _server) = pair.connected().await;
        let free = exhaust(&pair.client).len();
        drop(client);
        pair.executor.sleep(Duration::from_secs(90)).await;
        assert_eq!(exhaust(&pair.client).len(), free + 1);
    });
}

#[test]
fn forgotten_handles_cost_their_slots_and_nothing_else() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, mut server) = pair.connected().await;
        std::mem::forget(client);
        server
            .write_all(b"acknowledged by the stack")
            .await
            .unwrap();
        server.flush().await.unwrap();
        let (reader, writer) = pair.connected().await.0.into_split();
        std::mem::forget((reader, writer));
        std::mem::forget((pair.client.udp_at(7), pair.client.icmp()));
        std::mem::forget(pair.client.listen::<1>(80));

        let mut forgotten = pair.client.tcp();
        let mut accepting = Box::pin(forgotten.accept(81));
        assert!(embassy_futures::poll_once(accepting.as_mut()).is_pending());
        std::mem::forget(accepting);

        assert_eq!(exhaust(&pair.client).len(), 16 - 6);
        drop(pair.connected().await);
    });
}
