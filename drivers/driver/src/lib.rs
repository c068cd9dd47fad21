//! The seam between the cygnet TCP/IP stack and whatever carries its frames.
//!
//! A driver implements [`Driver`]; the stack's runner is its only caller. The trait is token based:
//! a token is the promise that one frame can be moved right now, and consuming it moves the frame
//! through the driver's own buffer, so nothing is copied in between.
//!
//! This crate depends on nothing, so that a driver survives releases of the stack. It also holds the
//! [`Instant`], [`Duration`] and [`Clock`] that drivers with a notion of time share with the stack.
#![no_std]
#![forbid(unsafe_code)]

mod clock;
mod meta;
mod time;

pub use clock::Clock;
pub use meta::{Checksums, PartialChecksum, RxChecksum, RxMeta, Segmentation, TxMeta};
pub use time::{Duration, Instant};

use core::task::Context;

/// A network device, or a thing that behaves like one.
///
/// The calls that take a [`Context`] register its waker when they have nothing to give: `receive` until a
/// frame is there, `transmit` and `transmit_room` until there is room, `link_state` until it changes.
/// A driver may wake spuriously, and all are called from one task, so one waker is enough.
pub trait Driver {
    /// The promise that one frame can be taken.
    type RxToken<'a>: RxToken
    where
        Self: 'a;
    /// The promise that one frame can be sent.
    type TxToken<'a>: TxToken
    where
        Self: 'a;

    /// The next received frame and, when there is room to send, a token for an answer to it.
    ///
    /// The answer is separate so that a full transmit side never stalls reception.
    fn receive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<(Self::RxToken<'_>, Option<Self::TxToken<'_>>)>;

    /// Room for one frame to send.
    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Self::TxToken<'_>>;

    /// For how many frames there is room: so many tokens [`Driver::transmit`] gives, one after the other is
    /// used. Registers the waker if there is none.
    ///
    /// A driver that can count spares the stack from asking again for each frame of a row. One that says more
    /// than it has loses frames: that for which [`Driver::transmit`] then has no token is not sent, and the stack
    /// hands over no more until it is woken.
    fn transmit_room(&mut self, cx: &mut Context<'_>) -> usize {
        usize::from(self.transmit(cx).is_some())
    }

    /// Whether the link carries frames now.
    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState;

    /// What the device can do. Must not change while a stack uses the driver.
    fn capabilities(&self) -> Capabilities;

    /// The address of this end of the link.
    fn hardware_address(&self) -> HardwareAddress;

    /// Which multicast frames the stack wants to see. A device without a filter passes all of them,
    /// which is what the default does.
    fn set_multicast_filter(&mut self, filter: MulticastFilter<'_>) {
        let _ = filter;
    }
}

impl<D: Driver + ?Sized> Driver for &mut D {
    type RxToken<'a>
        = D::RxToken<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = D::TxToken<'a>
    where
        Self: 'a;

    fn receive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<(Self::RxToken<'_>, Option<Self::TxToken<'_>>)> {
        D::receive(self, cx)
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Self::TxToken<'_>> {
        D::transmit(self, cx)
    }

    fn transmit_room(&mut self, cx: &mut Context<'_>) -> usize {
        D::transmit_room(self, cx)
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        D::link_state(self, cx)
    }

    fn capabilities(&self) -> Capabilities {
        D::capabilities(self)
    }

    fn hardware_address(&self) -> HardwareAddress {
        D::hardware_address(self)
    }

    fn set_multicast_filter(&mut self, filter: MulticastFilter<'_>) {
        D::set_multicast_filter(self, filter);
    }
}

/// One received frame, waiting in the driver.
pub trait RxToken {
    /// What the device found out about the frame while it came in.
    fn meta(&self) -> RxMeta {
        RxMeta::default()
    }

    /// Hands the frame to `f` and then frees its buffer. The slice is mutable so that decorators
    /// can work in place.
    fn consume<R>(self, f: impl FnOnce(&mut [u8]) -> R) -> R;
}

/// Room for one frame in the driver.
///
/// Dropping a token unused gives the room back.
pub trait TxToken {
    /// Work that the device is to do on the frame. Only set as far as [`Capabilities`] promise it.
    fn set_meta(&mut self, meta: TxMeta) {
        let _ = meta;
    }

    /// Lets `f` write a frame of `len` bytes, then sends it. `f` must write every byte: the buffer
    /// may hold an earlier frame. `len` is at most [`Capabilities::max_frame_len`], or at most
    /// [`Capabilities::max_segmented_len`] after a [`TxMeta`] that asks for segmentation.
    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R;
}

/// What a device is and can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Capabilities {
    /// What the frames look like.
    pub medium: Medium,
    /// The longest frame in bytes, with its link header and without a frame check sequence:
    /// 1514 for plain Ethernet, 1500 for an IP tunnel.
    pub max_frame_len: usize,
    /// The longest frame in bytes that the device cuts into segments itself, 0 if it does not.
    pub max_segmented_len: usize,
    /// The checksums the device computes and verifies.
    pub checksums: Checksums,
    /// How many frames the device takes in one go before it needs time; `None` if it does not say.
    pub max_burst: Option<usize>,
}

impl Capabilities {
    /// A device of that medium and frame length that leaves all the work to the stack.
    pub const fn new(medium: Medium, max_frame_len: usize) -> Self {
        Self {
            medium,
            max_frame_len,
            max_segmented_len: 0,
            checksums: Checksums::NONE,
            max_burst: None,
        }
    }

    /// The longest IP packet in bytes that fits a frame.
    pub const fn ip_mtu(&self) -> usize {
        self.max_frame_len.saturating_sub(self.medium.header_len())
    }
}

/// What the frames of a link look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Medium {
    /// Ethernet II frames without a frame check sequence.
    Ethernet,
    /// Bare IPv4 and IPv6 packets.
    Ip,
    /// IEEE 802.15.4 frames without a frame check sequence.
    Ieee802154,
}

impl Medium {
    /// The length in bytes of the link header in front of an IP packet; 0 where it varies.
    pub const fn header_len(self) -> usize {
        match self {
            Self::Ethernet => 14,
            Self::Ip | Self::Ieee802154 => 0,
        }
    }
}

/// Whether a link carries frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LinkState {
    /// Nothing passes.
    Down,
    /// Frames pass.
    Up,
}

/// The address of one end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum HardwareAddress {
    /// An IP tunnel's end has none.
    Ip,
    /// An IEEE 802 MAC-48 address.
    Ethernet([u8; 6]),
    /// An IEEE 802.15.4 extended address, most significant byte first.
    Ieee802154([u8; 8]),
}

/// Which multicast frames a device is to pass up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MulticastFilter<'a> {
    /// Every multicast frame.
    All,
    /// Only frames to these Ethernet addresses.
    Ethernet(&'a [[u8; 6]]),
}
