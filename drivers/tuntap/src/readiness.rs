//! Waits for descriptors, for the driver and its link watch.
//!
//! Readiness comes from tokio, which learns of it by edge-triggered epoll and remembers it until told
//! otherwise. So that no edge is lost, each wait keeps to one order: register the waker first, then
//! look at the descriptor, and only then say that there is nothing.

use core::task::{Context, Poll};
use std::io;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Gives a descriptor to the current tokio runtime to watch.
pub(crate) fn register(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    #[expect(unsafe_code)]
    // SAFETY: an `OwnedFd` is open and stays the same descriptor until it is dropped, and the
    // `AsyncFd`, which this crate uses by shared reference only, drops it last.
    let registered = unsafe { AsyncFd::register_with_interest(fd, interest) };
    Ok(registered?)
}

/// Reads one frame, or registers the waker.
pub(crate) fn poll_read(
    io: &AsyncFd<OwnedFd>,
    buffer: &mut [u8],
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut found_empty = false;
    loop {
        match io.poll_read_ready(cx) {
            Poll::Ready(Ok(mut guard)) => match guard.try_io(|io| read(io, buffer)) {
                Ok(result) => return Poll::Ready(result),
                Err(_would_block) => found_empty = true,
            },
            Poll::Ready(Err(runtime_gone)) => return Poll::Ready(Err(runtime_gone)),
            Poll::Pending if found_empty => return Poll::Pending,
            Poll::Pending => break,
        }
    }
    // Nobody has asked epoll since the descriptor was last empty. Often the kernel answers within
    // our own write, so a look at the descriptor saves the way round by epoll.
    match read(io, buffer) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        result => Poll::Ready(result),
    }
}

/// Finds a descriptor writable, or registers the waker.
///
/// Tokio's own idea of readiness may be older than the write that found no room, so only poll(2)
/// counts.
pub(crate) fn poll_writable(io: &AsyncFd<OwnedFd>, cx: &mut Context<'_>) -> Poll<()> {
    loop {
        let interest = io.poll_write_ready(cx);
        let events = look_to_write(io.get_ref());
        if events.contains(PollFlags::OUT) {
            return Poll::Ready(());
        }
        match interest {
            // Tokio never forgets that, and so registers no waker any more. A device without an interface says
            // nothing but that it fails; a packet socket said so once, while its interface was down.
            Poll::Ready(Ok(guard)) if guard.ready().is_write_closed() => {
                if !events.contains(PollFlags::ERR) {
                    cx.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
            Poll::Ready(Ok(mut guard)) => guard.clear_ready(),
            Poll::Ready(Err(_)) | Poll::Pending => return Poll::Pending,
        }
    }
}

fn read(io: &AsyncFd<OwnedFd>, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::io::read(io.get_ref(), buffer)?)
}

fn look_to_write(fd: &OwnedFd) -> PollFlags {
    let mut fds = [PollFd::new(fd, PollFlags::OUT)];
    let at_once = Timespec::default();
    match rustix::event::poll(&mut fds, Some(&at_once)) {
        Ok(_) => fds[0].revents(),
        Err(_) => PollFlags::empty(),
    }
}
