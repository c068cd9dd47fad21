//! Listens to a multicast group of IPv6, as the network host fdaa::1 with hardware address 02-00-00-00-00-02.
//!
//! ```sh
//! cargo run --release --example multicast6 -- --tap tap0            # what mDNS says on the link
//! cargo run --release --example multicast6 -- --sandbox --count 1 ff15::1234 --port 5000 -- \
//!     sh -c 'sleep 1; echo hello | socat stdio udp6-sendto:[ff15::1234]:5000'
//! ```

use std::net::Ipv6Addr;
use std::process::ExitCode;

use clap::Parser;
use cygnet_examples::arguments;
use cygnet_examples::group::{self, GroupOptions, Listening};

/// Joins a multicast group of IPv6 and prints the datagrams that are sent to it
///
/// Routers on the link are told by MLD, in the version that they speak. The group is left at the end.
#[derive(Parser)]
struct Args {
    /// The group
    #[arg(default_value = "ff02::fb")]
    group: Ipv6Addr,

    /// Take only what this host sends, or these [default: all]
    #[arg(long, value_name = "ADDRESS")]
    source: Vec<Ipv6Addr>,

    /// How far what is said may go: the routers that pass it on, plus one
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    hops: u8,

    #[command(flatten)]
    options: GroupOptions,
}

fn main() -> ExitCode {
    let args = arguments::<Args>();
    let wanted = Listening {
        group: args.group.into(),
        sources: args.source.iter().map(|&source| source.into()).collect(),
        hop_limit: args.hops,
    };
    group::run(&args.options, &wanted)
}
