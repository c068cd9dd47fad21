//! What `multicast` and `multicast6` do alike: they listen to a group.

use std::process::ExitCode;

use clap::Args;
use cygnet::{IpAddress, MulticastSources, Stack, UdpPacketMetadata, UdpSocket};

use crate::device::DeviceOptions;
use crate::host::{self, Host};
use crate::session::start_command;
use crate::{Error, exit};

/// Their options, but for those that an address of one version is in.
#[derive(Args, Clone, Debug)]
pub struct GroupOptions {
    /// The port that the group's datagrams come to
    #[arg(short, long, default_value_t = 5353, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,

    /// Say this to the group first
    #[arg(long, value_name = "TEXT")]
    say: Option<String>,

    /// End after so many datagrams [default: never]
    #[arg(short, long, value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,

    #[command(flatten)]
    device: DeviceOptions,
}

/// A group, and what is wanted of it.
#[derive(Clone, Debug)]
pub struct Listening {
    /// The group.
    pub group: IpAddress,
    /// Whose datagrams are taken; none for everybody's.
    pub sources: Vec<IpAddress>,
    /// How far goes what is said to it.
    pub hop_limit: u8,
}

const HOST: Host = Host {
    hardware_address: [0x02, 0, 0, 0, 0, 0x02],
    ..host::SERVER
};

/// Starts a stack, joins the group, prints what is sent to it, and leaves it at the end.
///
/// Call it first thing in `main`, before any thread exists.
pub fn run(options: &GroupOptions, wanted: &Listening) -> ExitCode {
    exit(host::run(&options.device, HOST, async |stack| {
        listen(stack, options, wanted).await
    }))
}

async fn listen(
    stack: Stack<'static>,
    options: &GroupOptions,
    wanted: &Listening,
) -> Result<ExitCode, Error> {
    let (group, port) = (wanted.group, options.port);
    let metadata = || vec![UdpPacketMetadata::EMPTY; 16];
    let buffer = || vec![0; 1 << 17];
    let mut socket = UdpSocket::new(stack, metadata(), buffer(), metadata(), buffer())?;
    socket.bind(port)?;
    socket.set_multicast_hop_limit(wanted.hop_limit);
    let sources = match wanted.sources.as_slice() {
        [] => MulticastSources::AllBut(&[]),
        sources => MulticastSources::Only(sources),
    };
    socket
        .listen_multicast(group, sources)
        .map_err(|error| format!("cannot join {group}: {error}"))?;
    if matches!(group, IpAddress::Ipv6(_)) {
        host::wait_for_ipv6(stack).await;
    }
    log::info!("listening to {group} at port {port}");

    let _command = start_command(&options.device)?;
    if let Some(text) = &options.say {
        socket.send_to(text.as_bytes(), (group, port)).await?;
    }
    let mut heard = 0;
    while options.count.is_none_or(|count| heard < count) {
        let print = |data: &mut [u8], meta: cygnet::UdpMetadata| {
            let text = data.escape_ascii();
            println!("{} bytes from {}: {text}", data.len(), meta.endpoint);
        };
        socket.recv_with(print).await?;
        heard += 1;
    }
    socket.leave_multicast_group(group)?;
    Ok(ExitCode::SUCCESS)
}
