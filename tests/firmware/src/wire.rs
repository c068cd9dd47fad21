//! A Unix datagram socket as an Ethernet device: each datagram is a frame.

use std::io;
use std::task::{Context, Poll};

use cygnet_driver::{Capabilities, Driver, HardwareAddress, LinkState, Medium, RxToken, TxToken};
use tokio::net::UnixDatagram;

/// The device, whose link is always up.
pub(crate) struct Wire {
    socket: UnixDatagram,
    received: [u8; FRAME],
    to_send: [u8; FRAME],
}

impl Wire {
    /// On a socket that is connected to the other end.
    pub(crate) fn new(socket: UnixDatagram) -> Self {
        Self {
            socket,
            received: [0; FRAME],
            to_send: [0; FRAME],
        }
    }

    /// The length of the next frame, which is taken.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Option<usize> {
        loop {
            match self.socket.try_recv(&mut self.received) {
                Ok(len) => return Some(len),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let Poll::Ready(Ok(())) = self.socket.poll_recv_ready(cx) else {
                        return None;
                    };
                }
                // The emulator is gone, which others find out.
                Err(_) => return None,
            }
        }
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> bool {
        matches!(self.socket.poll_send_ready(cx), Poll::Ready(Ok(())))
    }
}

impl Driver for Wire {
    type RxToken<'a> = Rx<'a>;
    type TxToken<'a> = Tx<'a>;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Rx<'_>, Option<Tx<'_>>)> {
        let len = self.poll_frame(cx)?;
        let room = self.poll_room(cx);
        let rx = Rx(&mut self.received[..len]);
        let tx = room.then_some(Tx {
            socket: &self.socket,
            buffer: &mut self.to_send,
        });
        Some((rx, tx))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Tx<'_>> {
        self.poll_room(cx).then_some(Tx {
            socket: &self.socket,
            buffer: &mut self.to_send,
        })
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Medium::Ethernet, 1514)
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet([0x02, 0, 0, 0, 0x69, 0x64])
    }
}

/// A received frame.
pub(crate) struct Rx<'a>(&'a mut [u8]);

impl RxToken for Rx<'_> {
    fn consume<R>(self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        f(self.0)
    }
}

/// Room for a frame.
pub(crate) struct Tx<'a> {
    socket: &'a UnixDatagram,
    buffer: &'a mut [u8; FRAME],
}

impl TxToken for Tx<'_> {
    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let frame = &mut self.buffer[..len.min(FRAME)];
        let result = f(frame);
        // A frame that finds no room is lost, as on any wire.
        let _ = self.socket.try_send(frame);
        result
    }
}

/// Longer than any frame.
const FRAME: usize = 2048;
