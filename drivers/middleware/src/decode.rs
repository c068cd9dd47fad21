//! Just enough decoding to print a frame the way tcpdump does.
//!
//! It takes any bytes: whatever is cut off or makes no sense is shown as such, `[|tcp]` for a header
//! that ends too early. Nothing here checks a checksum or believes a length.

mod arp;
mod bytes;
mod hexdump;
mod icmp;
mod ip;
mod link;
mod tcp;

use core::fmt;

use cygnet_driver::Medium;

use hexdump::HexDump;

/// Prints a frame: on one line with `{}`; with its link and IP headers and a hex dump below with `{:#}`.
#[derive(Clone, Copy, Debug)]
pub struct FrameSummary<'a> {
    medium: Medium,
    frame: &'a [u8],
}

impl<'a> FrameSummary<'a> {
    /// A frame of that medium.
    pub fn new(medium: Medium, frame: &'a [u8]) -> Self {
        Self { medium, frame }
    }
}

impl fmt::Display for FrameSummary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packet = match self.medium {
            Medium::Ethernet => link::write_line(f, self.frame)?,
            Medium::Ip => {
                ip::write_line(f, self.frame)?;
                Some(self.frame)
            }
            _ => {
                write!(f, "frame, length {}", self.frame.len())?;
                None
            }
        };
        if !f.alternate() {
            return Ok(());
        }
        if self.medium == Medium::Ethernet {
            link::write_header(f, self.frame)?;
        }
        if let Some(packet) = packet {
            ip::write_header(f, packet)?;
        }
        write!(f, "{}", HexDump(self.frame))
    }
}

#[cfg(test)]
mod tests;
