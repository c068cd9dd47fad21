//! Congestion control on a path of 100 ms: every controller fills it, shares it and survives losses.

use cygnet::{CongestionControl, Duration, TcpSocket};
use cygnet_driver::Clock;
use cygnet_link::{Impairments, QueueLimit, percent};
use cygnet_tests::{Memory, Pair, Setup};
use embassy_futures::join::join;

const LIMITING: [CongestionControl; 3] = [
    CongestionControl::NewReno,
    CongestionControl::Cubic,
    CongestionControl::Bbr,
];

/// In bytes per second.
const BANDWIDTH: u64 = 500_000;

/// Half of the round-trip time.
const DELAY: Duration = Duration::from_millis(50);

/// Sends `len` bytes from the client to the server; how many seconds that took, with the handshake.
async fn transfer(pair: &Pair<'_>, sockets: [&mut TcpSocket<'_>; 2], port: u16, len: usize) -> f64 {
    let [client, server] = sockets;
    let clock = pair.executor.clock();
    let start = clock.now();
    let send = async {
        client.connect(pair.server.at(port)).await.unwrap();
        let mut left = len;
        while left > 0 {
            let chunk = [7; 4096];
            left -= client.write(&chunk[..left.min(4096)]).await.unwrap();
        }
    };
    let receive = async {
        server.accept(port).await.unwrap();
        let (mut left, mut buffer) = (len, [0; 4096]);
        while left > 0 {
            left -= server.read(&mut buffer).await.unwrap();
        }
        clock.now()
    };
    let (_, end) = join(send, receive).await;
    end.since(start).as_micros() as f64 / 1e6
}

/// A pair of hosts with a narrow link: half a megabyte per second, and a queue for half a round trip.
fn narrow(seed: u64) -> Pair<'static> {
    let there = Impairments::new()
        .bandwidth(8 * BANDWIDTH)
        .queue_limit(QueueLimit::Bytes(25_000))
        .delay(DELAY);
    Pair::with(seed, |n| {
        let back = Impairments::new().delay(DELAY);
        Setup::new(n).impaired(if n == 0 { there } else { back })
    })
}

#[test]
fn one_flow_reaches_the_bandwidth() {
    for controller in LIMITING {
        let pair = narrow(1);
        let seconds = pair.run(async {
            let mut client = pair.client.tcp_with(4096, 128 << 10);
            let mut server = pair.server.tcp_with(128 << 10, 4096);
            client.set_congestion_control(controller);
            transfer(&pair, [&mut client, &mut server], 80, 4 << 20).await
        });
        let share = f64::from(4 << 20) / seconds / BANDWIDTH as f64;
        assert!(share > 0.75, "{controller:?}: {share}");
    }
}

#[test]
fn two_flows_get_about_as_much_as_each_other() {
    for controller in LIMITING {
        let pair = narrow(2);
        let (one, other) = pair.run(async {
            let mut clients = [(), ()].map(|()| pair.client.tcp_with(4096, 128 << 10));
            let mut servers = [(), ()].map(|()| pair.server.tcp_with(128 << 10, 4096));
            for client in &mut clients {
                client.set_congestion_control(controller);
            }
            let [client, client2] = &mut clients;
            let [server, server2] = &mut servers;
            join(
                transfer(&pair, [client, server], 80, 4 << 20),
                transfer(&pair, [client2, server2], 81, 4 << 20),
            )
            .await
        });
        // Who comes second to a full queue converges slowly, with CUBIC above all.
        let ratio = one.min(other) / one.max(other);
        assert!(ratio > 0.65, "{controller:?}: {one} s and {other} s");
        assert!(
            one.max(other) < 23.0,
            "{controller:?}: {one} s and {other} s"
        );
    }
}

/// Bytes per second over a path that loses so many percent in each direction, with buffers of 32 KiB.
fn lossy_rate(controller: CongestionControl, loss: u32) -> f64 {
    let rates = (1..=3).map(|seed| {
        let link = Impairments::new()
            .delay(DELAY)
            .loss(percent(loss))
            .seed(seed);
        let mut memory = Memory::new();
        let pair = Pair::in_memory(&mut memory, seed, |n| Setup::tunnel(n).impaired(link));
        let seconds = pair.run(async {
            let mut client = pair.client.tcp_with(4096, 33 << 10);
            let mut server = pair.server.tcp_with(32 << 10, 4096);
            client.set_congestion_control(controller);
            transfer(&pair, [&mut client, &mut server], 80, 2 << 20).await
        });
        f64::from(2 << 20) / seconds
    });
    rates.sum::<f64>() / 3.0
}

#[test]
fn bbr_keeps_most_of_its_rate_where_one_in_a_hundred_is_lost_and_half_where_one_in_twenty_is() {
    let whole = lossy_rate(CongestionControl::Bbr, 0);
    for (loss, least) in [(1, 0.8), (5, 0.5)] {
        let rate = lossy_rate(CongestionControl::Bbr, loss);
        assert!(rate >= least * whole, "{loss} %: {rate} of {whole}");
    }
}

#[test]
fn cubic_survives_losses() {
    for (loss, least) in [(1, 150_000.0), (5, 45_000.0)] {
        let rate = lossy_rate(CongestionControl::Cubic, loss);
        assert!(rate >= least, "{loss} %: {rate}");
    }
}

#[test]
fn pacing_leaves_a_short_queue_intact() {
    // Ten segments fit the queue, and a window of 24 the path.
    let pair = Pair::with(3, |n| {
        let there = Impairments::new()
            .bandwidth(8 * BANDWIDTH)
            .queue_limit(QueueLimit::Frames(11))
            .delay(DELAY);
        Setup::new(n).impaired(if n == 0 {
            there
        } else {
            Impairments::new().delay(DELAY)
        })
    });
    pair.run(async {
        let mut client = pair.client.tcp_with(4096, 64 << 10);
        let mut server = pair.server.tcp_with(32 << 10, 4096);
        client.set_congestion_control(CongestionControl::Cubic);
        transfer(&pair, [&mut client, &mut server], 80, 1 << 20).await
    });
    assert_eq!(pair.control.counters(0).queue_drops, 0);
}
