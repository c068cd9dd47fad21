//! What `multicast` and `multicast6` do alike: they listen to a group.

use std::process::ExitCode;

use cygnet::{IpAddress, MulticastSources, Stack, UdpPacketMetadata, UdpSocket};

use crate::device::DeviceOptions;
use crate::session::start_command;
use crate::{Error, host};

/// A group, and what is wanted of it.
#[derive(Clone, Debug)]
pub struct Listening {
    /// The group.
    pub group: IpAddress,
    /// The port that its datagrams come to.
    pub port: u16,
    /// Whose datagrams are taken; none for everybody's.
    pub sources: Vec<IpAddress>,
    /// What is said to the group first.
    pub say: Option<String>,
    /// How far that may go.
    pub hop_limit: u8,
    /// After how many datagrams it ends, if ever.
    pub count: Option<u32>,
}

/// Joins the group, prints what is sent to it, and leaves it at the end.
///
/// # Errors
///
/// The group cannot be joined, or the program that is to be talked to not be started.
pub async fn listen(
    stack: Stack<'static>,
    options: &DeviceOptions,
    wanted: &Listening,
) -> Result<ExitCode, Error> {
    let Listening { group, port, .. } = *wanted;
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

    let _command = start_command(options)?;
    if let Some(text) = &wanted.say {
        socket.send_to(text.as_bytes(), (group, port)).await?;
    }
    let mut heard = 0;
    while wanted.count.is_none_or(|count| heard < count) {
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
