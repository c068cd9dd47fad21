//! A packet socket as driver: the frames of an interface that is there, a wire's or a virtual one, see packet(7).
//!
//! The kernel's own stack sees them as well. To have an interface to itself a stack needs one without addresses of
//! the kernel's, or a hardware address of its own and [`PacketOptions::promiscuous`].

mod error;
pub(crate) mod header;
#[expect(unsafe_code)]
mod sys;

pub use error::PacketSocketError;

use std::os::fd::{AsFd, BorrowedFd};

use cygnet_driver::{Capabilities, HardwareAddress, LinkState, Medium};
use rustix::io::Errno;
use rustix::net::netdevice::{index_to_name, name_to_index};
use tokio::io::Interest;

use crate::port::{Interface, Port};
use crate::sides::{RxSide, TxSide};
use crate::watch::LinkWatch;
use crate::{interface, readiness};

/// A [driver](cygnet_driver::Driver) on an interface of the kernel's, of Ethernet or bare IP packets.
///
/// It belongs to the tokio runtime it was made in, whichever task or thread of it polls the driver. Frames whose
/// checksum the kernel left out, since they never left this host, say so in their metadata; so do those that the
/// kernel or a device put together from several, which may have up to 64 KiB.
pub type PacketSocket = Port<Binding>;

/// The interface that a packet socket is bound to.
#[derive(Debug)]
pub struct Binding {
    index: u32,
}

/// What a [`PacketSocket`] hears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketOptions {
    /// Frames to other hardware addresses too, as far as they come by. The interface is promiscuous until the
    /// socket is dropped.
    pub promiscuous: bool,
    /// What others on this host send through the interface as well. On a loopback interface everything would come
    /// twice, so that there it makes no difference.
    pub outgoing: bool,
}

impl Port<Binding> {
    /// Listens on the interface `name` in the calling thread's network namespace, and takes its MTU and hardware
    /// address as they are now. It needs `CAP_NET_RAW` there.
    ///
    /// # Errors
    ///
    /// Each says in one line what to do about it: there is no such interface, its frames are of another kind, or
    /// this user may not listen.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O enabled.
    pub fn open(name: &str, options: PacketOptions) -> Result<Self, PacketSocketError> {
        let failed = |action| move |error| PacketSocketError::from_os(action, name, error);
        let watch = LinkWatch::new().map_err(failed("watch the state of"))?;
        let questions = watch.as_fd();
        let ask = |error: Errno| failed("look at")(error.into());
        let index = name_to_index(questions, name).map_err(ask)?;
        let mtu = interface::mtu(questions, name).map_err(ask)?;
        let (kind, address) = interface::hardware(questions, name).map_err(ask)?;
        let (medium, hardware_address) = match kind {
            libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => {
                (Medium::Ethernet, HardwareAddress::Ethernet(address))
            }
            libc::ARPHRD_NONE | libc::ARPHRD_PPP => (Medium::Ip, HardwareAddress::Ip),
            kind => {
                let name = name.to_owned();
                return Err(PacketSocketError::UnsupportedMedium { name, kind });
            }
        };
        let socket = sys::socket().map_err(failed("listen on"))?;
        sys::put_headers(&socket).map_err(failed("listen on"))?;
        if !options.outgoing || kind == libc::ARPHRD_LOOPBACK {
            sys::ignore_outgoing(&socket).map_err(failed("listen on"))?;
        }
        if options.promiscuous {
            sys::be_promiscuous(&socket, index).map_err(failed("listen to all of"))?;
        }
        sys::bind(&socket, index).map_err(failed("listen on"))?;
        let io = readiness::register(socket, Interest::READABLE | Interest::WRITABLE)
            .map_err(failed("poll"))?;
        let max_frame_len = mtu.saturating_add(medium.header_len());
        let mut capabilities = Capabilities::new(medium, max_frame_len);
        capabilities.checksums.receive = true;
        let driver = Self {
            io,
            rx: RxSide::new(header::LEN, max_frame_len.max(LONGEST_COALESCED)),
            tx: TxSide::new(header::LEN, max_frame_len),
            watch,
            link: LinkState::Down,
            capabilities,
            hardware_address,
            interface: Binding { index },
        };
        Ok(driver.with_link_state())
    }
}

impl Interface for Binding {
    fn present_name(&self, _: BorrowedFd<'_>, questions: BorrowedFd<'_>) -> Result<String, Errno> {
        index_to_name(questions, self.index)
    }
}

/// The longest IP packet that segments are put together to, with a link header and a VLAN tag.
const LONGEST_COALESCED: usize = 65_535 + 18;
