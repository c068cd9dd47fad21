//! The system calls of packet sockets that no crate has in safe clothes: see packet(7).

use core::mem::size_of;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::net::addr::{SocketAddrArg, SocketAddrLen, SocketAddrOpaque};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

/// A non-blocking packet socket that hears nothing yet.
pub(super) fn socket() -> io::Result<OwnedFd> {
    let nothing = None;
    Ok(rustix::net::socket_with(
        AddressFamily::PACKET,
        SocketType::RAW,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        nothing,
    )?)
}

/// Lets the socket hear all of an interface, from now on.
pub(super) fn bind(socket: &OwnedFd, interface: u32) -> io::Result<()> {
    Ok(rustix::net::bind(socket, &LinkAddress { interface })?)
}

/// Has a header before each frame, see [`header`](super::header).
pub(super) fn put_headers(socket: &OwnedFd) -> io::Result<()> {
    set_option(socket.as_fd(), libc::PACKET_VNET_HDR, &1_i32.to_ne_bytes())
}

/// Leaves out what others on this host send through the interface (Linux 4.20).
pub(super) fn ignore_outgoing(socket: &OwnedFd) -> io::Result<()> {
    let on = 1_i32.to_ne_bytes();
    set_option(socket.as_fd(), libc::PACKET_IGNORE_OUTGOING, &on)
}

/// Has the interface pass up what is addressed to others, until the socket is closed.
pub(super) fn be_promiscuous(socket: &OwnedFd, interface: u32) -> io::Result<()> {
    // A `struct packet_mreq`: an index, a type, and an address that does not matter here.
    let mut request = [0; size_of::<libc::packet_mreq>()];
    request[..4].copy_from_slice(&interface.to_ne_bytes());
    request[4..6].copy_from_slice(&(libc::PACKET_MR_PROMISC as u16).to_ne_bytes());
    set_option(socket.as_fd(), libc::PACKET_ADD_MEMBERSHIP, &request)
}

fn set_option(socket: BorrowedFd<'_>, option: i32, value: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads `value.len()` bytes of `value`, and keeps nothing of it.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            value.as_ptr().cast(),
            value.len() as libc::socklen_t,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A `struct sockaddr_ll` as bind(2) wants it: all protocols of an interface.
struct LinkAddress {
    interface: u32,
}

// SAFETY: `f` gets a pointer to a `sockaddr_ll` that lives as long as the call, and its length.
unsafe impl SocketAddrArg for LinkAddress {
    unsafe fn with_sockaddr<R>(
        &self,
        f: impl FnOnce(*const SocketAddrOpaque, SocketAddrLen) -> R,
    ) -> R {
        let address = libc::sockaddr_ll {
            sll_family: libc::AF_PACKET as u16,
            sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
            sll_ifindex: self.interface.cast_signed(),
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        let len = size_of::<libc::sockaddr_ll>() as SocketAddrLen;
        f((&raw const address).cast(), len)
    }
}
