//! Transfers over links that lose, double, reorder, corrupt and delay, by seed: byte-exact both ways.

use cygnet::{ConnectError, Discard, Duration, TcpSocket};
use cygnet_link::{BurstLoss, Impairments, QueueLimit, percent};
use cygnet_tests::{
    Memory, Pair, Setup, assert_same_bytes, for_each_seed, pattern, receive_to_end, send_all,
};
use embassy_futures::join::join;

use crate::within;

/// A client sends so many bytes, and so does the server, at the same time.
const LEN: usize = 60_000;

/// The seeds of one test unless the environment says otherwise.
const SEEDS: u64 = 60;

/// Runs a transfer over each seed's link.
fn transfer_over(link: impl Fn(u64) -> Impairments) {
    for_each_seed(SEEDS, |seed| {
        let link = link(seed).seed(seed);
        let mut memory = Memory::new();
        let pair = Pair::in_memory(&mut memory, seed, |n| Setup::new(n).impaired(link));
        transfer(&pair, seed);
    });
}

fn transfer(pair: &Pair<'_>, seed: u64) {
    let (there, back) = (pattern(seed, LEN), pattern(!seed, LEN));
    pair.run(async {
        // Buffers of all sizes: windows that close, and windows wider than what is in flight.
        let size = || 700 + pair.executor.random() as usize % 16_000;
        let mut client = pair.client.tcp_with(size(), size());
        let mut server = pair.server.tcp_with(size(), size());
        connect(pair, &mut client, &mut server).await;
        let (client, server) = join(exchange(client, &there), exchange(server, &back)).await;
        assert_same_bytes(&server, &there, "from the client");
        assert_same_bytes(&client, &back, "from the server");
    });
}

/// Connects. A neighbor whose answers are all lost is unreachable, and a handshake whose last step is
/// lost again and again is given up by the server alone: then both begin anew.
async fn connect(pair: &Pair<'_>, client: &mut TcpSocket<'_>, server: &mut TcpSocket<'_>) {
    loop {
        let handshake = join(client.connect(pair.server.at(80)), server.accept(80));
        match within(&pair.executor, Duration::from_secs(100), handshake).await {
            Some((Ok(()), Ok(()))) => return,
            Some((Err(ConnectError::Unreachable), _)) | None => {}
            Some(other) => panic!("{other:?}"),
        }
        join(client.abort(), server.abort()).await;
    }
}

/// Sends `data` and its end while it receives all that comes.
async fn exchange(socket: TcpSocket<'_>, data: &[u8]) -> Vec<u8> {
    let (mut reader, mut writer) = socket.into_split();
    let sending = async {
        let mut rest = data;
        while !rest.is_empty() {
            let written = writer.write(rest).await.unwrap();
            rest = &rest[written..];
        }
        writer.shutdown_write();
    };
    let receiving = async {
        let (mut received, mut buffer) = (Vec::new(), [0; 1000]);
        while let len @ 1.. = reader.read(&mut buffer).await.unwrap() {
            received.extend_from_slice(&buffer[..len]);
        }
        received
    };
    join(sending, receiving).await.1
}

#[test]
fn over_a_link_that_loses() {
    transfer_over(|seed| {
        Impairments::new()
            .loss(percent(1 + seed as u32 % 20))
            .delay(Duration::from_millis(5))
    });
}

#[test]
fn over_a_link_that_loses_in_bursts() {
    transfer_over(|_| {
        // A spell ends after a number of frames, not after a while: it must not outlast all retries.
        let bursts = BurstLoss {
            enter: percent(4),
            leave: percent(50),
            loss: percent(80),
        };
        Impairments::new()
            .burst_loss(bursts)
            .delay(Duration::from_millis(5))
    });
}

#[test]
fn over_a_link_that_doubles() {
    transfer_over(|_| {
        Impairments::new()
            .duplication(percent(30))
            .jitter(Duration::from_millis(3))
            .delay(Duration::from_millis(5))
    });
}

#[test]
fn over_a_link_that_reorders() {
    transfer_over(|seed| {
        Impairments::new()
            .reordering(percent(25), Duration::from_millis(1 + seed % 20))
            .delay(Duration::from_millis(5))
    });
}

#[test]
fn over_a_link_that_corrupts() {
    transfer_over(|seed| Impairments::new().corruption(percent(1 + seed as u32 % 15)));
}

#[test]
fn over_a_link_that_does_all_of_it() {
    transfer_over(|_| {
        Impairments::new()
            .loss(percent(5))
            .corruption(percent(5))
            .duplication(percent(5))
            .reordering(percent(10), Duration::from_millis(15))
            .delay(Duration::from_millis(10))
            .jitter(Duration::from_millis(10))
    });
}

#[test]
fn through_a_bottleneck_with_a_short_queue() {
    transfer_over(|seed| {
        Impairments::new()
            .bandwidth(1_000_000)
            .queue_limit(QueueLimit::Frames(2 + seed as usize % 8))
            .delay(Duration::from_millis(10))
    });
}

#[test]
fn through_a_tunnel_that_does_all_of_it() {
    for_each_seed(SEEDS, |seed| {
        let link = Impairments::new()
            .seed(seed)
            .loss(percent(5))
            .corruption(percent(5))
            .duplication(percent(5))
            .reordering(percent(10), Duration::from_millis(15))
            .delay(Duration::from_millis(10));
        let mut memory = Memory::new();
        let pair = Pair::in_memory(&mut memory, seed, |n| Setup::tunnel(n).impaired(link));
        transfer(&pair, seed);
    });
}

#[test]
fn on_links_small_and_large() {
    for (seed, mtu) in [(0, 68), (1, 300), (2, 576), (3, 1280), (4, 1500)] {
        let link = Impairments::new()
            .loss(percent(3))
            .delay(Duration::from_millis(2));
        let pair = Pair::with(seed, |n| {
            let mut setup = Setup::tunnel(n).impaired(link);
            setup.port = setup.port.max_frame_len(mtu);
            setup
        });
        transfer(&pair, seed);
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    let run = || {
        let link = Impairments::new()
            .loss(percent(10))
            .jitter(Duration::from_millis(9));
        let pair = Pair::impaired(7, link);
        transfer(&pair, 7);
        (
            pair.executor.now(),
            pair.control.counters(0),
            pair.control.counters(1),
        )
    };
    assert_eq!(run(), run());
}

#[test]
fn what_the_link_did_shows_in_the_counters() {
    let pair = Pair::impaired(1, Impairments::new().corruption(percent(10)));
    pair.run(async {
        let (mut client, mut server) = (pair.client.tcp(), pair.server.tcp());
        connect(&pair, &mut client, &mut server).await;
        let data = pattern(1, LEN);
        let (_, received) = join(send_all(&mut client, &data), receive_to_end(&mut server)).await;
        assert!(received == data);
    });
    let (client, server) = (pair.client.stack.stats(), pair.server.stack.stats());
    assert!(client.retransmits > 0);
    // Most bits of a frame are covered by TCP's checksum.
    assert!(server.discarded(Discard::BadChecksum) > 0);
    let frames = pair.control.counters(0);
    assert_eq!(u64::from(client.sent), frames.sent);
    assert_eq!(u64::from(server.received), frames.delivered);
    assert!(server.discarded_total() > 0);
}
