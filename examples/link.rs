//! Two stacks on a virtual link with a will of its own: a bulk transfer under loss, delay, reordering and
//! whatever else happens to packets. Needs no privileges and no network.
//!
//! ```sh
//! cargo run --release --example link -- --loss 1 --delay 20ms --bandwidth 100M --size 64M
//! ```
//!
//! It runs in virtual time: a slow link takes no longer than a fast one, and the same seed gives the same
//! packets, bit for bit.

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use cygnet::{Clock, Config, Duration, IpEndpoint, Ipv4Cidr, Stack, StaticConfigV4, TcpSocket};
use cygnet_examples::middleware::{CaptureOptions, Middleware};
use cygnet_examples::simulation::{Simulation, StartStack, VirtualClock};
use cygnet_examples::transfer::{Event, transfer};
use cygnet_examples::units::{self, BitRate};
use cygnet_examples::{Error, arguments, exit};
use cygnet_link::{
    Control, Counters, Impairments, Link, Port, PortConfig, Probability, QueueLimit,
};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use indicatif::{ProgressBar, ProgressStyle};
use static_cell::ConstStaticCell;

/// Two stacks on a virtual link: a bulk transfer, every byte compared
#[derive(Parser)]
struct Args {
    /// How much to send, in bytes or with K, M, G
    #[arg(long, default_value = "64M", value_parser = units::size)]
    size: u64,

    /// The send and receive buffers of both sockets; at most one buffer is on its way at a time
    #[arg(long, value_name = "SIZE", default_value = "1M", value_parser = units::buffer_size)]
    buffer: usize,

    /// Where all random numbers start: the same seed, the same packets
    #[arg(long, default_value_t = 1)]
    seed: u64,

    #[command(flatten)]
    link: LinkOptions,

    #[command(flatten)]
    capture: CaptureOptions,
}

/// What happens to packets, in both directions.
#[derive(clap::Args)]
struct LinkOptions {
    /// Packets that are lost, each by itself
    #[arg(long, value_name = "PERCENT", default_value = "0", help_heading = "Link",
          value_parser = units::chance)]
    loss: Probability,

    /// How long a packet takes one way; us, ms or s
    #[arg(long, value_name = "TIME", default_value = "1ms", help_heading = "Link",
          value_parser = units::time)]
    delay: Duration,

    /// How much longer a packet may take, at random and without overtaking
    #[arg(long, value_name = "TIME", default_value = "0", help_heading = "Link",
          value_parser = units::time)]
    jitter: Duration,

    /// Bits per second, or with K, M, G; 0 for any number
    #[arg(long, value_name = "RATE", default_value = "1G", help_heading = "Link",
          value_parser = units::bit_rate)]
    bandwidth: u64,

    /// Packets that may wait for the bandwidth; more are dropped
    #[arg(
        long,
        value_name = "PACKETS",
        default_value_t = 1000,
        help_heading = "Link"
    )]
    queue: usize,

    /// Packets that arrive twice
    #[arg(long, value_name = "PERCENT", default_value = "0", help_heading = "Link",
          value_parser = units::chance)]
    duplicate: Probability,

    /// Packets that are held back until others have overtaken them
    #[arg(long, value_name = "PERCENT", default_value = "0", help_heading = "Link",
          value_parser = units::chance)]
    reorder: Probability,

    /// Packets with a flipped bit
    #[arg(long, value_name = "PERCENT", default_value = "0", help_heading = "Link",
          value_parser = units::chance)]
    corrupt: Probability,
}

/// The link's memory: as many frames as a long, fat network holds, 24 MiB.
static LINK: ConstStaticCell<Link<NoopRawMutex, 16_384, 1514>> = ConstStaticCell::new(Link::new());

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const PORT: u16 = 1234;

fn main() -> ExitCode {
    let args = arguments::<Args>();
    args.capture.start_logging();
    exit(run(&args))
}

fn run(args: &Args) -> Result<ExitCode, Error> {
    let mut simulation = Simulation::new();
    let clock = simulation.clock();
    let impairments = args.link.impairments(args.seed);
    let [near, far] = LINK.take().split(
        clock,
        [1, 2].map(|n| PortConfig::ethernet([2, 0, 0, 0, 0, n]).impairments(impairments)),
    );
    let control = near.control();
    let client = start(&mut simulation, near, CLIENT, args.seed, &args.capture)?;
    let quiet = CaptureOptions::default();
    let server = start(&mut simulation, far, SERVER, !args.seed, &quiet)?;

    let progress = progress_bar(args.size);
    let report = |event| match event {
        Event::Progress(bytes) => progress.set_position(bytes),
        event => progress.suspend(|| println!("{:10.6} {event}", seconds(clock))),
    };
    let buffer = || vec![0; args.buffer];
    let sender = TcpSocket::new(client, buffer(), buffer())?;
    let receiver = TcpSocket::new(server, buffer(), buffer())?;
    let at = IpEndpoint::from((SERVER, PORT));
    let started = Instant::now();
    simulation.run(transfer(sender, receiver, at, args.size, report))??;
    progress.finish_and_clear();

    let summary = Summary {
        size: args.size,
        seconds: seconds(clock),
        took: started.elapsed(),
    };
    summary.print([client, server], control);
    Ok(ExitCode::SUCCESS)
}

/// Starts a stack on one end of the link.
fn start(
    simulation: &mut Simulation,
    port: Port<'static, NoopRawMutex, &'static VirtualClock>,
    address: Ipv4Addr,
    seed: u64,
    capture: &CaptureOptions,
) -> Result<Stack<'static>, Error> {
    let middleware = Middleware {
        capture,
        faults: Default::default(),
        seed,
        clock: simulation.clock(),
        epoch: Duration::ZERO,
    };
    let address = StaticConfigV4::new(Ipv4Cidr::new(address, 24));
    let stack = StartStack::<4> {
        simulation,
        config: Config::ipv4_static(address),
        seed,
    };
    middleware.wrap(port, stack)
}

impl LinkOptions {
    fn impairments(&self, seed: u64) -> Impairments {
        // What is held back must be overtaken: by a frame or two at least.
        let held_back = self.delay.max(Duration::from_micros(100));
        Impairments::new()
            .seed(seed)
            .loss(self.loss)
            .delay(self.delay)
            .jitter(self.jitter)
            .bandwidth(self.bandwidth)
            .queue_limit(QueueLimit::Frames(self.queue))
            .duplication(self.duplicate)
            .reordering(self.reorder, held_back)
            .corruption(self.corrupt)
    }
}

/// How it went.
struct Summary {
    size: u64,
    seconds: f64,
    took: std::time::Duration,
}

impl Summary {
    fn print(&self, [client, server]: [Stack<'static>; 2], link: Control<'_, NoopRawMutex>) {
        let retransmits = client.stats().retransmits + server.stats().retransmits;
        let discarded = client.stats().discarded_total() + server.stats().discarded_total();
        println!();
        println!("data       {}", Direction(link.counters(0)));
        println!("answers    {}", Direction(link.counters(1)));
        println!("segments   {retransmits} sent again, {discarded} received and discarded");
        println!(
            "time       {:.3} s on the link, {:.3} s on this machine",
            self.seconds,
            self.took.as_secs_f64()
        );
        println!(
            "link: {} bytes arrived as they were sent, goodput {}",
            self.size,
            BitRate::new(self.size, self.seconds)
        );
    }
}

/// What happened to the packets of one direction.
struct Direction(Counters);

impl std::fmt::Display for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Counters {
            sent,
            delivered,
            lost,
            duplicated,
            reordered,
            corrupted,
            queue_drops,
            ..
        } = self.0;
        write!(
            f,
            "{sent} packets sent, {delivered} delivered: {lost} lost, {queue_drops} dropped by the queue, \
             {duplicated} duplicated, {reordered} reordered, {corrupted} corrupted"
        )
    }
}

fn progress_bar(size: u64) -> ProgressBar {
    let template = "{bar:40} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(size).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn seconds(clock: &VirtualClock) -> f64 {
    clock.now().as_micros() as f64 / 1e6
}
