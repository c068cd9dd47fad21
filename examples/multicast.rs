//! Listens to a multicast group, as the network host 192.168.69.1 with hardware address 02-00-00-00-00-02.
//!
//! ```sh
//! cargo run --release --example multicast -- --tap tap0             # what mDNS says on the link
//! cargo run --release --example multicast -- --sandbox --count 1 239.1.2.3 --port 5000 -- \
//!     sh -c 'sleep 1; echo hello | socat stdio udp4-datagram:239.1.2.3:5000,ip-multicast-if=192.168.69.100'
//! ```

use std::net::Ipv4Addr;
use std::process::ExitCode;

use clap::Parser;
use cygnet_examples::device::DeviceOptions;
use cygnet_examples::group::{Listening, listen};
use cygnet_examples::host::{self, Host};
use cygnet_examples::{arguments, exit};

/// Joins a multicast group and prints the datagrams that are sent to it
///
/// Routers on the link are told by IGMP, in the version that they speak. The group is left at the end.
#[derive(Parser)]
struct Args {
    /// The group
    #[arg(default_value = "224.0.0.251")]
    group: Ipv4Addr,

    /// The port that the group's datagrams come to
    #[arg(short, long, default_value_t = 5353, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,

    /// Take only what this host sends, or these [default: all]
    #[arg(long, value_name = "ADDRESS")]
    source: Vec<Ipv4Addr>,

    /// Say this to the group first
    #[arg(long, value_name = "TEXT")]
    say: Option<String>,

    /// How far that may go: the routers that pass it on, plus one
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    ttl: u8,

    /// End after so many datagrams [default: never]
    #[arg(short, long, value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,

    #[command(flatten)]
    device: DeviceOptions,
}

const HOST: Host = Host {
    hardware_address: [0x02, 0, 0, 0, 0, 0x02],
    ..host::SERVER
};

fn main() -> ExitCode {
    let args = arguments::<Args>();
    let wanted = Listening {
        group: args.group.into(),
        port: args.port,
        sources: args.source.iter().map(|&source| source.into()).collect(),
        say: args.say,
        hop_limit: args.ttl,
        count: args.count,
    };
    exit(host::run(&args.device, HOST, async |stack| {
        listen(stack, &args.device, &wanted).await
    }))
}
