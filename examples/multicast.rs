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
use cygnet_examples::arguments;
use cygnet_examples::group::{self, GroupOptions, Listening};

/// Joins a multicast group and prints the datagrams that are sent to it
///
/// Routers on the link are told by IGMP, in the version that they speak. The group is left at the end.
#[derive(Parser)]
struct Args {
    /// The group
    #[arg(default_value = "224.0.0.251")]
    group: Ipv4Addr,

    /// Take only what this host sends, or these [default: all]
    #[arg(long, value_name = "ADDRESS")]
    source: Vec<Ipv4Addr>,

    /// How far what is said may go: the routers that pass it on, plus one
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    ttl: u8,

    #[command(flatten)]
    options: GroupOptions,
}

fn main() -> ExitCode {
    let args = arguments::<Args>();
    let wanted = Listening {
        group: args.group.into(),
        sources: args.source.iter().map(|&source| source.into()).collect(),
        hop_limit: args.ttl,
    };
    group::run(&args.options, &wanted)
}
