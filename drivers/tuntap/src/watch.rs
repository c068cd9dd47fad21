//! Notices that an interface goes up, goes down or disappears, by the kernel's link notifications:
//! see rtnetlink(7), group `RTMGRP_LINK`.
//!
//! The device itself says nothing when its interface goes down, and asking before each frame would
//! cost a system call.

use core::task::{Context, Poll};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::readiness::register;

/// A subscription to the changes of all interfaces in the namespace it was made in.
#[derive(Debug)]
pub(crate) struct LinkWatch {
    socket: AsyncFd<OwnedFd>,
}

impl LinkWatch {
    /// Subscribes in the calling thread's network namespace.
    pub(crate) fn new() -> std::io::Result<Self> {
        let netlink_route = None;
        let socket = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            netlink_route,
        )?;
        let kernel_assigns_port = 0;
        let groups = libc::RTMGRP_LINK.unsigned_abs();
        rustix::net::bind(
            &socket,
            &SocketAddrNetlink::new(kernel_assigns_port, groups),
        )?;
        let socket = register(socket, Interest::READABLE)?;
        Ok(Self { socket })
    }

    /// Whether some interface changed since the last call; if none did, the waker is registered.
    pub(crate) fn poll_changed(&self, cx: &mut Context<'_>) -> bool {
        let mut changed = false;
        // Which interface it was does not matter, so the messages are cut short and thrown away.
        let mut message = [0; 16];
        while let Poll::Ready(Ok(mut guard)) = self.socket.poll_read_ready(cx) {
            let received = guard.try_io(|socket| {
                let (_, len) = rustix::net::recv(socket, &mut message, RecvFlags::empty())?;
                Ok(len)
            });
            match received {
                Ok(Ok(_)) => changed = true,
                // Notifications were lost, so anything may have happened.
                Ok(Err(error)) if Errno::from_io_error(&error) == Some(Errno::NOBUFS) => {
                    changed = true;
                }
                Ok(Err(_)) => {
                    guard.clear_ready();
                }
                Err(_would_block) => {}
            }
        }
        changed
    }
}

impl AsFd for LinkWatch {
    /// A socket in the watched namespace, for questions about its interfaces.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.get_ref().as_fd()
    }
}
