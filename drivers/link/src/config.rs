//! What one port looks like to the stack behind it.

use cygnet_driver::{Capabilities, HardwareAddress, Medium};

use crate::Impairments;

/// What a port is: its medium, address and longest frame, and what happens to the frames it sends.
///
/// The ports of one network should have the same medium; the network itself never looks into frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortConfig {
    medium: Medium,
    address: HardwareAddress,
    max_frame_len: usize,
    pub(crate) impairments: Impairments,
}

impl PortConfig {
    /// An Ethernet port with that address, frames of up to 1514 bytes and no impairments.
    pub const fn ethernet(address: [u8; 6]) -> Self {
        Self {
            medium: Medium::Ethernet,
            address: HardwareAddress::Ethernet(address),
            max_frame_len: 1514,
            impairments: Impairments::new(),
        }
    }

    /// A port for bare IP packets of up to 1500 bytes, without impairments.
    pub const fn ip() -> Self {
        Self {
            medium: Medium::Ip,
            address: HardwareAddress::Ip,
            max_frame_len: 1500,
            impairments: Impairments::new(),
        }
    }

    /// The longest frame in bytes that the stack may send, with its link header. The network's
    /// buffers limit it further.
    pub const fn max_frame_len(mut self, len: usize) -> Self {
        self.max_frame_len = len;
        self
    }

    /// What happens to the frames that this port sends.
    pub const fn impairments(mut self, impairments: Impairments) -> Self {
        self.impairments = impairments;
        self
    }

    /// What the port can do with buffers of that length.
    pub(crate) fn capabilities(&self, buffer_len: usize) -> Capabilities {
        Capabilities::new(self.medium, self.max_frame_len.min(buffer_len))
    }

    pub(crate) const fn address(&self) -> HardwareAddress {
        self.address
    }
}
