//! What the drivers have in common: a descriptor through which the frames of an interface come and go, and an eye on
//! that interface.

use core::fmt::Debug;
use core::task::Context;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use cygnet_driver::{Capabilities, Driver, HardwareAddress, LinkState};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;

use crate::interface;
use crate::sides::{Rx, RxSide, Stats, Tx, TxSide, last_error};
use crate::watch::LinkWatch;

/// A [`Driver`] that moves frames between the stack and an interface of the kernel's, one system call each: a
/// [`TunTap`](crate::TunTap) or a [`PacketSocket`](crate::PacketSocket).
#[derive(Debug)]
pub struct Port<I> {
    pub(crate) io: AsyncFd<OwnedFd>,
    pub(crate) rx: RxSide,
    pub(crate) tx: TxSide,
    pub(crate) watch: LinkWatch,
    pub(crate) link: LinkState,
    pub(crate) capabilities: Capabilities,
    pub(crate) hardware_address: HardwareAddress,
    pub(crate) interface: I,
}

/// Which interface it is. Nobody else has any.
pub trait Interface: Debug {
    /// Its name now, since it may have been renamed: as the driver's own descriptor knows it, or one that is for
    /// questions about interfaces.
    fn present_name(&self, io: BorrowedFd<'_>, questions: BorrowedFd<'_>) -> Result<String, Errno>;
}

impl<I: Interface> Port<I> {
    /// The same driver with another hardware address, whose frames a packet socket hears if it is promiscuous. Where
    /// there are bare IP packets, there is none, and it stays so.
    #[must_use]
    pub fn with_hardware_address(mut self, address: [u8; 6]) -> Self {
        if let HardwareAddress::Ethernet(own) = &mut self.hardware_address {
            *own = address;
        }
        self
    }

    /// What became of the frames so far.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.rx, &self.tx)
    }

    /// Why a frame was refused last, or else why a read failed last.
    pub fn last_error(&self) -> Option<io::Error> {
        last_error(&self.rx, &self.tx)
    }

    /// The same driver with the link as it is now.
    pub(crate) fn with_link_state(mut self) -> Self {
        self.link = self.read_link_state();
        self
    }

    fn read_link_state(&self) -> LinkState {
        let questions = self.watch.as_fd();
        let name = self.interface.present_name(self.io.as_fd(), questions);
        let running = name.and_then(|name| interface::is_running(questions, &name));
        match running {
            Ok(true) => LinkState::Up,
            Ok(false) | Err(_) => LinkState::Down,
        }
    }
}

impl<I: Interface> Driver for Port<I> {
    type RxToken<'a>
        = Rx<'a>
    where
        I: 'a;
    type TxToken<'a>
        = Tx<'a>
    where
        I: 'a;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Rx<'_>, Option<Tx<'_>>)> {
        let rx = self.rx.poll_frame(&self.io, cx)?;
        Some((rx, self.tx.poll_room(&self.io, cx)))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Tx<'_>> {
        self.tx.poll_room(&self.io, cx)
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        if self.watch.poll_changed(cx) {
            self.link = self.read_link_state();
        }
        self.link
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        self.hardware_address
    }
}
