//! The two halves of a descriptor through which frames come and go, one system call each, and what became of
//! them. A packet socket puts a header of the kernel's own before each frame, a tap or tun device does not.

use core::task::{Context, Poll};
use std::io;
use std::os::fd::OwnedFd;

use cygnet_driver::{RxMeta, RxToken, TxToken};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;

use crate::packet::header;
use crate::readiness;

/// What became of the frames of a driver since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Frames read.
    pub received: u64,
    /// Frames longer than the driver's maximum, and so discarded: the interface's MTU was raised
    /// after the driver had read it, or a VLAN sits on top of it.
    pub receive_oversized: u64,
    /// Reads that failed; see [`TunTap::last_error`](crate::TunTap::last_error).
    pub receive_errors: u64,
    /// Frames that the kernel took.
    pub sent: u64,
    /// Frames dropped because the interface was down or its queue was full.
    pub send_dropped: u64,
    /// Frames that the kernel refused, or longer than the driver's maximum; see
    /// [`TunTap::last_error`](crate::TunTap::last_error).
    pub send_errors: u64,
}

impl Stats {
    pub(crate) fn of(rx: &RxSide, tx: &TxSide) -> Self {
        Self {
            received: rx.received,
            receive_oversized: rx.oversized,
            receive_errors: rx.errors,
            sent: tx.sent,
            send_dropped: tx.dropped,
            send_errors: tx.errors,
        }
    }
}

/// Why a frame was refused last, or else why a read failed last.
pub(crate) fn last_error(rx: &RxSide, tx: &TxSide) -> Option<io::Error> {
    tx.last_error.or(rx.last_error).map(io::Error::from)
}

/// A received frame, waiting in the driver until it is consumed.
#[derive(Debug)]
pub struct Rx<'a>(&'a mut RxSide);

impl RxToken for Rx<'_> {
    fn meta(&self) -> RxMeta {
        header::read(&self.0.buffer[..self.0.header_len])
    }

    fn consume<R>(self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let end = self.0.waiting.take().unwrap_or(0);
        let frame = self.0.buffer.get_mut(self.0.header_len..end);
        f(frame.unwrap_or(&mut []))
    }
}

/// Room for one frame.
#[derive(Debug)]
pub struct Tx<'a> {
    side: &'a mut TxSide,
    fd: &'a OwnedFd,
}

impl TxToken for Tx<'_> {
    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let end = self.side.header_len + len;
        if self.side.buffer.len() < end {
            self.side.buffer.resize(end, 0);
        }
        let frame = &mut self.side.buffer[self.side.header_len..end];
        let result = f(frame);
        self.side.send(self.fd, end);
        result
    }
}

/// The receiving half: one buffer and at most one frame in it.
#[derive(Debug)]
pub(crate) struct RxSide {
    /// One byte longer than the longest frame with its header, so that a longer one is told from one that
    /// fits.
    buffer: Box<[u8]>,
    /// The length of what the kernel puts before each frame.
    header_len: usize,
    /// The end of the frame in the buffer that nobody has consumed yet.
    waiting: Option<usize>,
    /// The last read failed.
    failing: bool,
    received: u64,
    oversized: u64,
    errors: u64,
    last_error: Option<Errno>,
}

impl RxSide {
    pub(crate) fn new(header_len: usize, max_frame_len: usize) -> Self {
        let longest = max_frame_len.saturating_add(header_len);
        Self {
            buffer: vec![0; longest.saturating_add(1)].into(),
            header_len,
            waiting: None,
            failing: false,
            received: 0,
            oversized: 0,
            errors: 0,
            last_error: None,
        }
    }

    /// The frame that is waiting; if none is, the waker is registered.
    pub(crate) fn poll_frame(
        &mut self,
        io: &AsyncFd<OwnedFd>,
        cx: &mut Context<'_>,
    ) -> Option<Rx<'_>> {
        let waits = self.waiting.is_some() || self.poll_read(io, cx);
        waits.then_some(Rx(self))
    }

    fn poll_read(&mut self, io: &AsyncFd<OwnedFd>, cx: &mut Context<'_>) -> bool {
        match readiness::poll_read(io, &mut self.buffer, cx) {
            Poll::Pending => {
                self.failing = false;
                false
            }
            Poll::Ready(Ok(len)) if len < self.buffer.len() => {
                self.received += 1;
                self.failing = false;
                self.waiting = Some(len);
                true
            }
            Poll::Ready(Ok(_)) => {
                self.oversized += 1;
                cx.waker().wake_by_ref();
                false
            }
            Poll::Ready(Err(error)) => {
                self.errors += 1;
                self.last_error = Errno::from_io_error(&error);
                // A read fails when the interface is gone, which the link state tells. One more
                // look, lest a passing error costs a wake-up, but no second one in a row.
                if !self.failing {
                    cx.waker().wake_by_ref();
                }
                self.failing = true;
                false
            }
        }
    }
}

/// The sending half: one buffer, which a token's user fills and the kernel empties at once.
#[derive(Debug)]
pub(crate) struct TxSide {
    /// Begins with the header, which says nothing: the frame is to go as it is.
    buffer: Vec<u8>,
    header_len: usize,
    max_frame_len: usize,
    /// The last write found no room, or the interface down.
    blocked: bool,
    sent: u64,
    dropped: u64,
    errors: u64,
    last_error: Option<Errno>,
}

impl TxSide {
    pub(crate) fn new(header_len: usize, max_frame_len: usize) -> Self {
        Self {
            buffer: vec![0; header_len.saturating_add(max_frame_len)],
            header_len,
            max_frame_len,
            blocked: false,
            sent: 0,
            dropped: 0,
            errors: 0,
            last_error: None,
        }
    }

    /// Room for a frame; if there is none, the waker is registered.
    ///
    /// A device has room until a write says otherwise, so the usual case costs nothing.
    pub(crate) fn poll_room<'a>(
        &'a mut self,
        io: &'a AsyncFd<OwnedFd>,
        cx: &mut Context<'_>,
    ) -> Option<Tx<'a>> {
        if self.blocked && readiness::poll_writable(io, cx).is_ready() {
            self.blocked = false;
        }
        (!self.blocked).then_some(Tx {
            side: self,
            fd: io.get_ref(),
        })
    }

    /// Writes the buffer up to `end` as one frame; a frame that finds no room is lost.
    fn send(&mut self, fd: &OwnedFd, end: usize) {
        if end > self.header_len + self.max_frame_len {
            self.errors += 1;
            self.last_error = Some(Errno::MSGSIZE);
            return;
        }
        let write = || rustix::io::write(fd, &self.buffer[..end]);
        // That an interface was down is told once, in place of sending, when it is up again.
        let written = match write() {
            Err(Errno::NETDOWN) => write(),
            other => other,
        };
        match written {
            Ok(_) => self.sent += 1,
            // What is down answers EIO if it is a tap or tun device and ENETDOWN if it is another, and of
            // another a queue that is full answers ENOBUFS.
            Err(Errno::AGAIN | Errno::IO | Errno::NETDOWN | Errno::NOBUFS) => {
                self.dropped += 1;
                self.blocked = true;
            }
            Err(errno) => {
                self.errors += 1;
                self.last_error = Some(errno);
            }
        }
    }
}
