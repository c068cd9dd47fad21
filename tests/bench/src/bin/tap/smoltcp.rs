//! smoltcp with its own tap device, in the loop of its own benchmark: poll, let the application act,
//! wait for the device or the next deadline.
//!
//! It is as it comes by default, and so does without TCP timestamps: its frames carry twelve more bytes
//! of data than those of cygnet, and the kernel has less to look at.

use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::phy::{self, Medium, TunTapInterface};
use smoltcp::socket::tcp;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{EthernetAddress, IpCidr};
use tokio::sync::oneshot::error::TryRecvError;

use crate::kernel::Done;
use crate::{BUFFER, Contender, Direction, Error, PORT, PREFIX_LEN, Transfer};

pub(crate) fn serve(
    contender: &Contender,
    device: OwnedFd,
    transfer: Transfer,
    mut done: Done,
) -> Result<(), Error> {
    // It closes the descriptor when it is dropped.
    let mut device = TunTapInterface::from_fd(device.into_raw_fd(), Medium::Ethernet, FRAME_LEN)?;
    let fd = device.as_raw_fd();
    let mut config = Config::new(EthernetAddress(contender.mac()).into());
    config.random_seed = contender.mac()[5].into();
    let mut interface = Interface::new(config, &mut device, Instant::now());
    interface.update_ip_addrs(|addresses| {
        let address = IpCidr::new(contender.address.into(), PREFIX_LEN);
        addresses.push(address).expect("room for one address");
    });

    let ring = || tcp::SocketBuffer::new(vec![0; BUFFER]);
    let mut socket = tcp::Socket::new(ring(), ring());
    // As the kernel and cygnet do: without, its segments would carry twelve bytes more of data.
    socket.set_tsval_generator(Some(timestamp));
    socket.listen(PORT)?;
    let mut sockets = SocketSet::new(Vec::new());
    let handle = sockets.add(socket);
    let mut left = transfer.size;
    while done.try_recv() == Err(TryRecvError::Empty) {
        let now = Instant::now();
        interface.poll(now, &mut device, &mut sockets);
        let socket = sockets.get_mut(handle);
        match transfer.direction {
            Direction::Reader => send(socket, &mut left)?,
            Direction::Writer => receive(socket)?,
        }
        // As in its own benchmark, what the application did is polled out when it is due, and that
        // is at once: `poll_at` says so.
        let wait = match interface.poll_at(now, &sockets) {
            Some(at) if at <= now => continue,
            Some(at) => (at - now).min(LONGEST_WAIT),
            None => LONGEST_WAIT,
        };
        phy::wait(fd, Some(wait))?;
    }
    Ok(())
}

/// Sends whatever the buffer holds: making up data is not what is measured.
fn send(socket: &mut tcp::Socket<'_>, left: &mut u64) -> Result<(), Error> {
    while socket.can_send() && *left > 0 {
        *left -= socket.send(|room| {
            let count = room.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
            (count, count as u64)
        })?;
    }
    if *left == 0 {
        socket.close();
    }
    Ok(())
}

fn receive(socket: &mut tcp::Socket<'_>) -> Result<(), Error> {
    while socket.can_recv() {
        socket.recv(|data| (data.len(), ()))?;
    }
    if socket.state() == tcp::State::CloseWait {
        socket.close();
    }
    Ok(())
}

/// The longest frame of the device, with its Ethernet header.
const FRAME_LEN: usize = 1514;
/// How soon to see, at the latest, that the kernel's side is done.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// The time in a TCP timestamp, in milliseconds.
fn timestamp() -> u32 {
    Instant::now().total_millis() as u32
}
