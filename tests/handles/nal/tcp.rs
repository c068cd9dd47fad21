//! `TcpConnect`.

use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Waker};

use cygnet::{ConnectError, Duration, TcpClient, TcpClientError, TcpError};
use cygnet_tests::{Pair, receive_to_end};
use embassy_futures::join::join;
use embedded_io_async::{Error as _, ErrorKind, Read as _, ReadReady as _, Write as _};
use embedded_nal_async::TcpConnect;

/// What crates such as reqwless do, knowing the trait alone.
async fn ask<C: TcpConnect>(client: &C, remote: SocketAddr) -> Result<Vec<u8>, C::Error> {
    let mut connection = client.connect(remote).await?;
    connection.write_all(b"question").await?;
    connection.flush().await?;
    let mut answer = Vec::new();
    let mut buffer = [0; 64];
    loop {
        match connection.read(&mut buffer).await? {
            0 => return Ok(answer),
            len => answer.extend_from_slice(&buffer[..len]),
        }
    }
}

#[test]
fn a_client_asks_through_the_trait() {
    let pair = Pair::new(1);
    pair.run(async {
        let client = TcpClient::new(pair.client.stack, pair.client.pool::<1>());
        let listener = pair.server.listen::<1>(80);
        for _ in 0..3 {
            let serve = async {
                let mut socket = listener.accept().await.unwrap();
                let mut question = [0; 8];
                socket.read_exact(&mut question).await.unwrap();
                socket.write_all(&question).await.unwrap();
                socket.write_all(b"!").await.unwrap();
                socket.close().await.unwrap();
                assert_eq!(receive_to_end(&mut socket).await, b"");
            };
            let (answer, ()) = join(ask(&client, pair.server.at(80).into()), serve).await;
            assert_eq!(answer.unwrap(), b"question!");
        }
    });
}

#[test]
fn a_pool_limits_the_connections_and_gets_its_buffers_back() {
    let pair = Pair::new(1);
    pair.run(async {
        let client = TcpClient::new(pair.client.stack, pair.client.pool::<1>());
        let listener = pair.server.listen::<2>(80);
        let remote = pair.server.at(80).into();
        let first = client.connect(remote).await.unwrap();
        let error = client.connect(remote).await.err().unwrap();
        assert_eq!(error, TcpClientError::Connect(ConnectError::NoSlot));
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        let _accepted = listener.accept().await.unwrap();
        drop(first);
        client.connect(remote).await.expect("a pair of buffers");
    });
}

#[test]
fn a_dropped_connection_closes_in_order() {
    let pair = Pair::new(1);
    pair.run(async {
        let client = TcpClient::new(pair.client.stack, pair.client.pool::<1>());
        let listener = pair.server.listen::<1>(80);
        let mut connection = client.connect(pair.server.at(80).into()).await.unwrap();
        assert_eq!(connection.read_ready(), Ok(false));
        connection.write_all(b"last words").await.unwrap();
        drop(connection);
        let mut socket = listener.accept().await.unwrap();
        assert_eq!(receive_to_end(&mut socket).await, b"last words");
    });
}

#[test]
fn an_attempt_that_is_given_up_leaves_nothing_behind() {
    let pair = Pair::new(1);
    let client = TcpClient::new(pair.client.stack, pair.client.pool::<1>());
    let remote = pair.server.at(80).into();
    for _ in 0..20 {
        let mut attempt = pin!(client.connect(remote));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(attempt.as_mut().poll(&mut cx).is_pending());
    }
    pair.run(async {
        let _listener = pair.server.listen::<1>(80);
        client.connect(remote).await.expect("the pair of buffers");
    });
}

#[test]
fn errors_are_of_the_kinds_that_others_know() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut client = TcpClient::new(pair.client.stack, pair.client.pool::<1>());
        let refused = client.connect(pair.server.at(81).into()).await.err();
        assert_eq!(
            refused.map(|error| error.kind()),
            Some(ErrorKind::ConnectionRefused)
        );
        let unreachable = client.connect("203.0.113.1:80".parse().unwrap()).await;
        assert_eq!(
            unreachable.err().map(|error| error.kind()),
            Some(ErrorKind::AddrNotAvailable)
        );

        client.set_timeout(Some(Duration::from_secs(5)));
        let listener = pair.server.listen::<1>(80);
        let mut connection = client.connect(pair.server.at(80).into()).await.unwrap();
        let _accepted = listener.accept().await.unwrap();
        pair.black_hole();
        connection.write_all(b"hello?").await.unwrap();
        let error = connection.read(&mut [0; 8]).await.err();
        assert_eq!(error, Some(TcpClientError::Io(TcpError::TimedOut)));
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::TimedOut));
        assert!(connection.socket().last_error().is_some());
    });
}
