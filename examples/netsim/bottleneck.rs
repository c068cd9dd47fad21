//! A narrow link that several transfers share: 200 Mbit/s behind a drop-tail queue of 64 KiB, flows with
//! round-trip times of their own.
//!
//! ```text
//!   host 1 ---- delay 1 ----.
//!   host 2 ---- delay 2 ---- router ==== 200 Mbit/s, 64 KiB ==== server
//!   ...                     '
//! ```
//!
//! With 64 flows the clock is stopped by the longest round trips. A link without losses that is full from the
//! first round on, all windows alike, and a segment more in each round trip (or the curve of RFC 9438 with C = 0.4,
//! where that is more) once others have left, moves 18.6 MB/s in the mean of eight seeds: above that is what shares
//! by rate and not by window.
//!
//! Linux's own CUBIC, paced, has 15.1 MB/s there with 64 flows, a fairness of 0.815 and 1.5 % drops (`--kernel`, mean of
//! the seeds 1 to 10, Linux 6.18); cygnet's 15.6, 0.829 and 1.6 %.

use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::task::{Context, Poll};

use cygnet::{Driver, Duration};
use cygnet_driver::RxToken;
use cygnet_examples::simulation::{Simulation, VirtualClock};
use cygnet_link::{Control, Impairments, Link, Port, PortConfig, QueueLimit};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use futures_util::future::join_all;

use crate::cell::{Cell, Measured};
use crate::flow::{self, Transfer};
use crate::path::half;

pub(crate) fn measure(cell: Cell, flows: usize) -> Measured {
    let mut simulation = Simulation::new();
    let clock = simulation.clock();
    let network = Network::new(clock, cell.seed, flows);
    let server = flow::start_host::<MAX_FLOWS>(&mut simulation, network.far, SERVER, !cell.seed);
    let mut transfers = Vec::new();
    for (nth, near) in network.near.into_iter().enumerate() {
        let seed = cell.seed.wrapping_add(nth as u64);
        let host = flow::start_host::<2>(&mut simulation, near, host_address(nth), seed);
        let transfer = Transfer {
            len: LEN,
            buffer: BUFFER,
            controller: cell.controller,
            to: (SERVER, port(nth)),
        };
        transfers.push(flow::run(clock, [host, server], transfer));
    }
    let mut router = network.router;
    simulation.spawn(poll_fn(move |cx| router.poll(cx)));
    let results = simulation.run(join_all(transfers));
    let results = results.unwrap_or_else(|stuck| panic!("{cell:?}: {stuck}"));
    Measured::new(cell, &results, network.trunk.drop_rate())
}

/// The links, without what is at their ends.
pub(crate) struct Network {
    /// Where the hosts are to be, in the order of their addresses.
    pub(crate) near: Vec<NetworkPort>,
    /// Where the server is to be.
    pub(crate) far: NetworkPort,
    pub(crate) router: Router,
    pub(crate) trunk: Trunk,
}

impl Network {
    pub(crate) fn new(clock: &'static VirtualClock, seed: u64, flows: usize) -> Self {
        let narrow = Impairments::new()
            .bandwidth(BANDWIDTH)
            .queue_limit(QueueLimit::Bytes(QUEUE));
        let [trunk, far] = link::<TRUNK_FRAMES>(clock, [narrow, Impairments::new()]);
        let control = trunk.control();
        let (near, edges) = (0..flows)
            .map(|nth| {
                let delay = Impairments::new().delay(half(round_trip_time(seed, nth)));
                let [near, edge] = link::<EDGE_FRAMES>(clock, [delay, delay]);
                (near, edge)
            })
            .unzip();
        Self {
            near,
            far,
            router: Router { trunk, edges },
            trunk: Trunk(control),
        }
    }
}

/// What is known of the narrow link.
pub(crate) struct Trunk(Control<'static, NoopRawMutex>);

impl Trunk {
    /// The share of packets to the server for which the queue had no room.
    pub(crate) fn drop_rate(&self) -> f64 {
        let sent = self.0.counters(0);
        sent.queue_drops as f64 / sent.sent as f64
    }
}

/// Joins the hosts' links with the narrow one.
pub(crate) struct Router {
    trunk: NetworkPort,
    /// In the order of the hosts' addresses.
    edges: Vec<NetworkPort>,
}

pub(crate) type NetworkPort = Port<'static, NoopRawMutex, &'static VirtualClock>;

impl Router {
    /// Passes on whatever is there. Never ready: it has no end of its own.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for edge in &mut self.edges {
            while let Some((frame, _)) = edge.receive(cx) {
                frame.consume(|frame| self.trunk.try_send(frame));
            }
        }
        while let Some((frame, _)) = self.trunk.receive(cx) {
            frame.consume(|frame| {
                let edge = host_index(frame).and_then(|nth| self.edges.get_mut(nth));
                edge.is_some_and(|edge| edge.try_send(frame))
            });
        }
        Poll::Pending
    }
}

/// A link that lives as long as the program.
fn link<const FRAMES: usize>(
    clock: &'static VirtualClock,
    impairments: [Impairments; 2],
) -> [NetworkPort; 2] {
    let link = Box::leak(Box::new(Link::<NoopRawMutex, FRAMES, 1500>::new()));
    link.split(clock, impairments.map(|i| PortConfig::ip().impairments(i)))
}

pub(crate) fn host_address(nth: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 1, nth as u8)
}

/// The server's port for the host of that number.
pub(crate) fn port(nth: usize) -> u16 {
    1_000 + nth as u16
}

/// Which host an IPv4 packet is for.
fn host_index(packet: &[u8]) -> Option<usize> {
    index_of(packet.get(16..20)?)
}

/// Which host an IPv4 packet is from.
pub(crate) fn sender_index(packet: &[u8]) -> Option<usize> {
    index_of(packet.get(12..16)?)
}

fn index_of(address: &[u8]) -> Option<usize> {
    let nth = address.strip_prefix(&[10, 0, 1])?;
    nth.first().copied().map(usize::from)
}

/// Uniform between 50 and 150 ms.
fn round_trip_time(seed: u64, nth: usize) -> Duration {
    // SplitMix64.
    let mut z = (seed << 8).wrapping_add(nth as u64 + 1);
    z = z.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Duration::from_micros(50_000 + (z ^ (z >> 31)) % 100_001)
}

/// How much each flow sends.
pub(crate) const LEN: u64 = 2 << 20;
/// The buffers of each flow.
pub(crate) const BUFFER: usize = 256 << 10;
/// In bits per second.
const BANDWIDTH: u64 = 200_000_000;
/// In bytes, the packet on the wire included.
const QUEUE: usize = 64 << 10;

const MAX_FLOWS: usize = 256;
/// Data of the queue, and the acknowledgments of everything.
const TRUNK_FRAMES: usize = 1_024;
/// What one flow has in flight.
const EDGE_FRAMES: usize = 1_024;

pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
