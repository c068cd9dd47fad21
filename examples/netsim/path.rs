//! A path that loses packets: 10 MiB one way, every packet of both directions lost or not by itself, at
//! any rate.

use std::net::Ipv4Addr;

use cygnet::Duration;
use cygnet_examples::simulation::Simulation;
use cygnet_link::{Impairments, Link, PortConfig, Probability};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

use crate::cell::{Cell, Measured};
use crate::flow::{self, Transfer};

pub(crate) fn measure(cell: Cell, buffer: usize, loss: Probability) -> Measured {
    let mut simulation = Simulation::new();
    let clock = simulation.clock();
    let impairments = Impairments::new()
        .seed(cell.seed)
        .delay(half(cell.rtt))
        .loss(loss);
    // Lives as long as the program, like the stacks on it.
    let link = Box::leak(Box::new(Link::<NoopRawMutex, FRAMES, 1500>::new()));
    let config = PortConfig::ip().impairments(impairments);
    let [near, far] = link.split(clock, [config, config]);
    let control = near.control();
    let hosts = [
        flow::start_host::<2>(&mut simulation, near, SENDER, cell.seed),
        flow::start_host::<2>(&mut simulation, far, RECEIVER, !cell.seed),
    ];
    let transfer = Transfer {
        len: LEN,
        buffer,
        controller: cell.controller,
        to: (RECEIVER, 1234),
    };
    let result = simulation.run(flow::run(clock, hosts, transfer));
    let flow = result.unwrap_or_else(|stuck| panic!("{cell:?}: {stuck}"));
    let sent = control.counters(0);
    Measured::new(cell, &[flow], sent.lost as f64 / sent.sent as f64)
}

/// The way there takes as long as the way back.
pub(crate) fn half(rtt: Duration) -> Duration {
    Duration::from_micros(rtt.as_micros() / 2)
}

/// How much is sent.
pub(crate) const LEN: u64 = 10 << 20;

/// Some times what the largest buffer has in flight.
const FRAMES: usize = 256;

const SENDER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const RECEIVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
