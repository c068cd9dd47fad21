//! How a connection ends, between two stacks in virtual time.

use std::net::Ipv4Addr;

use cygnet::{Config, Ipv4Cidr, Resources, StaticConfigV4, TcpSocket};
use cygnet_host::TokioClock;
use cygnet_link::{Impairments, Link, PortConfig};
use cygnet_picoserve::Embassy;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embedded_io_async::Write;
use picoserve::Timeouts;
use picoserve::io::Socket;
use picoserve::time::{Duration, Timer};

/// Tokio's, which is virtual here.
struct TokioTimer;

impl Timer<Embassy> for TokioTimer {
    fn delay(&self, duration: Duration) -> impl Future<Output = ()> {
        tokio::time::sleep(std::time::Duration::from_millis(duration.as_millis()))
    }
}

/// What a client gets of an answer that is longer than a first flight, if it says `more` while that is on its way.
async fn answer_to(more: &[u8]) -> usize {
    let clock = TokioClock::new();
    let slow = Impairments::new().delay(cygnet::Duration::from_millis(50));
    let mut link = Link::<NoopRawMutex, 256, 1500>::new();
    let [near, far] = link.split(&clock, [PortConfig::ip().impairments(slow); 2]);
    let config = |host| {
        let address = Ipv4Cidr::new([10, 0, 0, host].into(), 24);
        Config::ipv4_static(StaticConfigV4::new(address))
    };
    let (mut ours, mut theirs) = (Resources::<2>::new(), Resources::<2>::new());
    let (client, mut left) = cygnet::new_with_clock(near, config(1), &mut ours, 1, &clock);
    let (server, mut right) = cygnet::new_with_clock(far, config(2), &mut theirs, 2, &clock);
    let socket = |stack| TcpSocket::new(stack, vec![0; 65_536], vec![0; 65_536]).unwrap();

    let serve = async {
        let mut socket = socket(server);
        socket.accept(80).await.unwrap();
        socket.read(&mut [0; 64]).await.unwrap();
        socket.write_all(&[b'.'; ANSWER]).await.unwrap();
        let second = Duration::from_secs(1);
        let timeouts = Timeouts {
            start_read_request: second,
            persistent_start_read_request: second,
            read_request: second,
            write: second,
        };
        socket.shutdown(&timeouts, &TokioTimer).await.unwrap();
    };
    let ask = async {
        let mut socket = socket(client);
        let to = (Ipv4Addr::new(10, 0, 0, 2), 80);
        socket.connect(to).await.unwrap();
        socket.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut received = 0;
        let mut buffer = [0; 1024];
        while let Ok(len @ 1..) = socket.read(&mut buffer).await {
            if received == 0 {
                socket.write_all(more).await.unwrap();
            }
            received += len;
        }
        let _ = socket.close().await;
        received
    };
    let both = async { tokio::join!(serve, ask).1 };
    tokio::select! {
        received = both => received,
        _ = left.run() => unreachable!(),
        _ = right.run() => unreachable!(),
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_answer_arrives_whole() {
    assert_eq!(answer_to(b"").await, ANSWER);
}

/// RFC 9112, section 9.6: a server that reads no more resets the connection, and what it has not sent is lost.
#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_answer_arrives_whole_although_the_client_goes_on() {
    assert_eq!(answer_to(b"GET /again HTTP/1.1\r\n\r\n").await, ANSWER);
}

const ANSWER: usize = 50_000;
