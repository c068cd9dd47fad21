//! A small `ping`, as the network host 192.168.69.1 and fdaa::1 with hardware address 02-00-00-00-00-02.
//!
//! ```sh
//! cargo run --release --example ping -- --tap tap0 192.168.69.100
//! cargo run --release --example ping -- --sandbox 192.168.69.100
//! cargo run --release --example ping -- --sandbox fdaa::100
//! ```

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use cygnet::wire::{Icmpv4Message, Icmpv6Message, IpAddress};
use cygnet::{IcmpEndpoint, IcmpError, IcmpPacketMetadata, IcmpSocket, Stack};
use cygnet_examples::device::DeviceOptions;
use cygnet_examples::host::{self, Host};
use cygnet_examples::session::start_command;
use cygnet_examples::{Error, arguments, exit, units};
use tokio::time::{MissedTickBehavior, interval, sleep_until};

/// Sends ICMP echo requests to a host and prints the replies
///
/// The exit code is 0 if there was any reply, and 1 otherwise.
#[derive(Parser)]
struct Args {
    /// The address to ping, or a name that the host at 192.168.69.100 knows
    address: String,

    /// How many requests to send
    #[arg(short, long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    count: u16,

    /// The time between requests; us, ms or s
    #[arg(short, long, value_name = "TIME", default_value = "1s", value_parser = units::time)]
    interval: cygnet::Duration,

    /// How long to wait for the last replies
    #[arg(short, long, value_name = "TIME", default_value = "5s", value_parser = units::time)]
    timeout: cygnet::Duration,

    #[command(flatten)]
    device: DeviceOptions,
}

const HOST: Host = Host {
    hardware_address: [0x02, 0, 0, 0, 0, 0x02],
    ..host::SERVER
};

/// What each request carries and each reply repeats.
const PAYLOAD: [u8; 40] = *b"The quick brown fox jumps over the dog. ";

fn main() -> ExitCode {
    let args = arguments::<Args>();
    exit(host::run(&args.device, HOST, async |stack| {
        ping(stack, &args).await
    }))
}

async fn ping(stack: Stack<'static>, args: &Args) -> Result<ExitCode, Error> {
    let peer = start_command(&args.device)?;
    let address = host::resolve(stack, &args.address, peer.is_some()).await?;
    let ident = getrandom::u32()? as u16;
    let socket = bind(stack, ident)?;
    let mut pings = Pings::new(address, ident);

    let mut due = interval(args.interval.max(cygnet::Duration::from_millis(1)).into());
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while pings.sent < args.count || pings.are_pending() {
        let give_up = tokio::time::Instant::from_std(pings.last + args.timeout.into());
        let mut message = [0; 1500];
        tokio::select! {
            _ = due.tick(), if pings.sent < args.count => pings.send(&socket).await?,
            received = socket.recv_from(&mut message) => match received {
                Ok((len, meta)) => {
                    let ttl = meta.hop_limit.unwrap_or(0);
                    pings.on_message(&message[..len], meta.address, ttl);
                }
                Err(IcmpError::Unreachable) => pings.on_unreachable(),
                Err(error) => return Err(error.into()),
            },
            () = sleep_until(give_up), if pings.sent == args.count => break,
        }
    }
    pings.print_summary();
    Ok(if pings.times.is_empty() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn bind(stack: Stack<'static>, ident: u16) -> Result<IcmpSocket<'static>, Error> {
    let records = || vec![IcmpPacketMetadata::EMPTY; 8];
    let bytes = || vec![0; 4096];
    let mut socket = IcmpSocket::new(stack, records(), bytes(), records(), bytes())?;
    socket.bind(IcmpEndpoint::Ident(ident))?;
    Ok(socket)
}

/// The requests under way, and what came of the others.
struct Pings {
    address: IpAddress,
    ident: u16,
    sent: u16,
    last: Instant,
    pending: HashMap<u16, Instant>,
    times: Vec<Duration>,
}

impl Pings {
    fn new(address: IpAddress, ident: u16) -> Self {
        Self {
            address,
            ident,
            sent: 0,
            last: Instant::now(),
            pending: HashMap::new(),
            times: Vec::new(),
        }
    }

    fn are_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    async fn send(&mut self, socket: &IcmpSocket<'static>) -> Result<(), Error> {
        let (ident, seq, data) = (self.ident, self.sent, &PAYLOAD);
        let to = self.address;
        // The stack fills in the checksum.
        let mut message = [0; 8 + PAYLOAD.len()];
        match to {
            IpAddress::Ipv4(_) => {
                Icmpv4Message::EchoRequest { ident, seq, data }.emit(&mut message);
            }
            IpAddress::Ipv6(_) => {
                Icmpv6Message::EchoRequest { ident, seq, data }.emit(&mut message, to, to);
            }
        }
        self.last = Instant::now();
        self.pending.insert(self.sent, self.last);
        self.sent += 1;
        socket
            .send_to(&message, to)
            .await
            .map_err(|error| format!("cannot ping {}: {error}", self.address).into())
    }

    fn on_message(&mut self, message: &[u8], from: IpAddress, ttl: u8) {
        match echo_reply(message, from) {
            Ok((seq, data)) if data == PAYLOAD => {
                let Some(sent) = self.pending.remove(&seq) else {
                    println!(
                        "{} bytes from {from}: icmp_seq={seq} (again)",
                        message.len()
                    );
                    return;
                };
                let time = sent.elapsed();
                self.times.push(time);
                let (len, time) = (message.len(), millis(time));
                println!("{len} bytes from {from}: icmp_seq={seq} ttl={ttl} time={time:.3} ms");
            }
            Ok((seq, _)) => println!("from {from}: icmp_seq={seq} with other data"),
            Err(other) => println!("from {from}: {other}"),
        }
    }

    /// The next hop does not answer. One such notice stands for all requests so far.
    fn on_unreachable(&mut self) {
        println!("{}: the host cannot be reached", self.address);
        self.pending.clear();
    }

    fn print_summary(&self) {
        let (sent, received) = (self.sent, self.times.len());
        let lost = 100.0 * (1.0 - received as f64 / f64::from(sent));
        println!("--- {} ---", self.address);
        println!("{sent} requests sent, {received} replies received, {lost:.0}% lost");
        let (Some(min), Some(max)) = (self.times.iter().min(), self.times.iter().max()) else {
            return;
        };
        let average = self.times.iter().sum::<Duration>() / received as u32;
        let [min, average, max] = [*min, average, *max].map(millis);
        println!("round trip min/avg/max = {min:.3}/{average:.3}/{max:.3} ms");
    }
}

/// The number and data of a reply, or what else the message is.
fn echo_reply(message: &[u8], from: IpAddress) -> Result<(u16, &[u8]), String> {
    // The stack has looked at the checksum.
    match from {
        IpAddress::Ipv4(_) => match Icmpv4Message::parse(message, false) {
            Ok(Icmpv4Message::EchoReply { seq, data, .. }) => Ok((seq, data)),
            other => Err(format!("{other:?}")),
        },
        IpAddress::Ipv6(_) => match Icmpv6Message::parse(message, from, from, false) {
            Ok(Icmpv6Message::EchoReply { seq, data, .. }) => Ok((seq, data)),
            other => Err(format!("{other:?}")),
        },
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
