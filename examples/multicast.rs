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
use cygnet::{IpAddress, MulticastSources, Stack, UdpPacketMetadata, UdpSocket};
use cygnet_examples::device::DeviceOptions;
use cygnet_examples::host::{self, Host};
use cygnet_examples::session::start_command;
use cygnet_examples::{Error, arguments, exit};

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
    exit(host::run(&args.device, HOST, async |stack| {
        listen(stack, &args).await
    }))
}

async fn listen(stack: Stack<'static>, args: &Args) -> Result<ExitCode, Error> {
    let metadata = || vec![UdpPacketMetadata::EMPTY; 16];
    let buffer = || vec![0; 1 << 17];
    let mut socket = UdpSocket::new(stack, metadata(), buffer(), metadata(), buffer())?;
    socket.bind(args.port)?;
    socket.set_multicast_hop_limit(args.ttl);
    let sources: Vec<IpAddress> = args.source.iter().map(|&source| source.into()).collect();
    let wanted = match sources.as_slice() {
        [] => MulticastSources::AllBut(&[]),
        sources => MulticastSources::Only(sources),
    };
    socket
        .listen_multicast(args.group, wanted)
        .map_err(|error| format!("cannot join {}: {error}", args.group))?;
    log::info!("listening to {} at port {}", args.group, args.port);

    let _command = start_command(&args.device)?;
    if let Some(text) = &args.say {
        socket
            .send_to(text.as_bytes(), (args.group, args.port))
            .await?;
    }
    let mut heard = 0;
    while args.count.is_none_or(|count| heard < count) {
        let print = |data: &mut [u8], meta: cygnet::UdpMetadata| {
            let text = data.escape_ascii();
            println!("{} bytes from {}: {text}", data.len(), meta.endpoint);
        };
        socket.recv_with(print).await?;
        heard += 1;
    }
    socket.leave_multicast_group(args.group)?;
    Ok(ExitCode::SUCCESS)
}
