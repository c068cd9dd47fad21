//! Reading and writing.

use cygnet::{Duration, TcpError};
use cygnet_tests::{Pair, pattern, receive_to_end, send_all};
use embassy_futures::join::join;
use embedded_io_async::{Read as _, ReadReady as _, Write as _, WriteReady as _};

use crate::within;

const BRIEFLY: Duration = Duration::from_secs(1);

#[test]
fn bytes_arrive_as_they_were_written_both_ways() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        // Many times the buffers, so that the window closes and opens.
        let (there, back) = (pattern(1, 50_000), pattern(2, 70_000));
        let (mut client_in, mut client_out) = client.split();
        let (mut server_in, mut server_out) = server.split();
        let (mut received_there, mut received_back) = (vec![0; 50_000], vec![0; 70_000]);
        let sending = join(client_out.write_all(&there), server_out.write_all(&back));
        let receiving = join(
            server_in.read_exact(&mut received_there),
            client_in.read_exact(&mut received_back),
        );
        let ((a, b), (c, d)) = join(sending, receiving).await;
        assert!(a.is_ok() && b.is_ok() && c.is_ok() && d.is_ok());
        assert!(there == received_there && back == received_back);
    });
}

#[test]
fn nothing_to_read_or_write_is_done_at_once() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, _server) = pair.connected().await;
        assert_eq!(client.read(&mut []).await, Ok(0));
        assert_eq!(client.write(&[]).await, Ok(0));
    });
}

#[test]
fn a_write_takes_what_there_is_room_for_and_waits_when_there_is_none() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = (
            pair.client.tcp_with(64, 1000),
            pair.server.tcp_with(500, 64),
        );
        pair.connect(&mut client, &mut server).await;
        let data = pattern(3, 4000);
        let mut written = client.write(&data).await.unwrap();
        assert_eq!(written, 1000);
        while let Some(more) = within(&pair.executor, BRIEFLY, client.write(&data[written..])).await
        {
            written += more.unwrap();
        }
        assert_eq!(written, 1500, "both buffers are full");
        assert_eq!((client.send_queue(), server.recv_queue()), (1000, 500));
        assert!(!client.can_send());

        let mut received = vec![0; 1500];
        server.read_exact(&mut received).await.unwrap();
        assert!(received == data[..1500]);
        client.wait_write_ready().await;
        assert!(client.can_send());
    });
}

#[test]
fn flush_waits_for_the_peers_acknowledgment() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        pair.unplug_server();
        client.write_all(b"hello").await.unwrap();
        assert_eq!(within(&pair.executor, BRIEFLY, client.flush()).await, None);
        pair.plug_in_server();
        client.flush().await.unwrap();
        assert_eq!(client.send_queue(), 0);
        assert_eq!(server.recv_queue(), 5);
        assert_eq!(server.read(&mut [0; 8]).await, Ok(5));
    });
}

#[test]
fn what_is_peeked_at_stays() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        client.write_all(b"hello").await.unwrap();
        let mut buffer = [0; 3];
        for _ in 0..2 {
            assert_eq!(server.peek(&mut buffer).await, Ok(3));
            assert_eq!(&buffer, b"hel");
        }
        client.shutdown_write();
        assert_eq!(receive_to_end(&mut server).await, b"hello");
        assert_eq!(server.peek(&mut buffer).await, Ok(0), "the end");
    });
}

#[test]
fn read_with_takes_as_much_as_it_says() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        client.write_all(b"hello").await.unwrap();
        client.flush().await.unwrap();
        let seen = server.read_with(|data| (2, data.to_vec())).await;
        assert_eq!(seen.unwrap(), b"hello");
        let greedy = server.read_with(|data| (usize::MAX, data.to_vec())).await;
        assert_eq!(greedy.unwrap(), b"llo");
        client.shutdown_write();
        let end = server.read_with(|data| (0, data.len())).await;
        assert_eq!(end, Ok(0), "an empty slice at the end");
    });
}

#[test]
fn write_with_writes_as_much_as_it_says() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        let room = client
            .write_with(|room| {
                room[..5].copy_from_slice(b"hello");
                (5, room.len())
            })
            .await;
        assert_eq!(room, Ok(client.send_capacity()));
        assert_eq!(client.write_with(|_| (0, "nothing")).await, Ok("nothing"));
        client.shutdown_write();
        assert_eq!(receive_to_end(&mut server).await, b"hello");
        let closed = client.write_with(|_| (0, ())).await;
        assert_eq!(closed, Err(TcpError::WriteClosed));
    });
}

#[test]
fn write_with_cannot_claim_more_than_its_room() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        let greedy = client.write_with(|room| {
            room.fill(7);
            (usize::MAX, ())
        });
        greedy.await.unwrap();
        client.shutdown_write();
        let received = receive_to_end(&mut server).await;
        assert_eq!(received.len(), client.send_capacity());
        assert!(received.iter().all(|&byte| byte == 7));
    });
}

#[test]
fn owned_halves_work_in_tasks_of_their_own() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, mut server) = pair.connected().await;
        let (mut reader, mut writer) = client.into_split();
        let data = pattern(4, 20_000);
        let sent = data.clone();
        let sending = pair.executor.spawn(async move {
            writer.write_all(&sent).await.unwrap();
            // Dropping the writer closes the sending side.
        });
        let receiving = pair.executor.spawn(async move {
            let mut received = Vec::new();
            let mut buffer = [0; 1000];
            while let len @ 1.. = reader.read(&mut buffer).await.unwrap() {
                received.extend_from_slice(&buffer[..len]);
            }
            received
        });
        let echo = receive_to_end(&mut server).await;
        sending.await;
        assert!(echo == data);
        assert!(
            !receiving.is_done(),
            "the reader lives on without its writer"
        );
        send_all(&mut server, b"after the end").await;
        assert_eq!(receiving.await, b"after the end");
    });
}

#[test]
fn readiness_tells_whether_a_call_would_wait() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) =
            (pair.client.tcp_with(64, 100), pair.server.tcp_with(50, 64));
        pair.connect(&mut client, &mut server).await;
        assert_eq!(
            (server.read_ready(), client.write_ready()),
            (Ok(false), Ok(true))
        );
        let data = [1; 150];
        client.write_all(&data).await.unwrap();
        server.wait_read_ready().await;
        assert_eq!(server.read_ready(), Ok(true));
        assert_eq!(client.write_ready(), Ok(false));
        let (mut reader, _) = server.split();
        assert_eq!(reader.read_ready(), Ok(true));
        reader.read_exact(&mut [0; 150]).await.unwrap();
        assert_eq!(reader.read_ready(), Ok(false));
        client.flush().await.unwrap();
        assert_eq!(client.write_ready(), Ok(true));
    });
}

#[test]
fn without_a_connection_there_is_nothing_to_read_or_write() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut client = pair.client.tcp();
        assert_eq!(client.read(&mut [0; 8]).await, Err(TcpError::NotConnected));
        assert_eq!(client.write(b"hello").await, Err(TcpError::NotConnected));
        client.wait_read_ready().await;
        client.wait_write_ready().await;
        assert_eq!(client.remote_endpoint(), None);
    });
}

#[test]
fn a_socket_without_a_send_buffer_says_so() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = (pair.client.tcp_with(100, 0), pair.server.tcp());
        pair.connect(&mut client, &mut server).await;
        assert_eq!(client.write(b"hello").await, Err(TcpError::NoBuffer));
        send_all(&mut server, b"it can receive").await;
        assert_eq!(receive_to_end(&mut client).await, b"it can receive");
    });
}

// Requirement: RFC 6298 3b
#[test]
fn info_tells_what_the_connection_measured() {
    let link = cygnet_link::Impairments::new().delay(Duration::from_millis(30));
    let pair = Pair::impaired(1, link);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        client.write_all(&[1; 4000]).await.unwrap();
        client.flush().await.unwrap();
        let info = client.info().unwrap();
        let srtt = info.srtt.expect("a measurement").as_millis();
        assert!((60..120).contains(&srtt), "{srtt} ms");
        assert!(info.rto >= Duration::from_millis(60));
        assert!((1400..=1460).contains(&info.mss), "{}", info.mss);
        assert!(info.cwnd >= 4000, "slow start has begun with {}", info.cwnd);
        assert!(info.timestamps && info.sack);
        assert_eq!(
            (info.in_flight, info.send_queue, info.retransmits),
            (0, 0, 0)
        );
        assert_eq!(server.info().unwrap().receive_queue, 4000);
        assert_eq!(server.read(&mut [0; 4096]).await, Ok(4000));
    });
}
