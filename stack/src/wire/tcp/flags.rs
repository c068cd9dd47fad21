//! The control bits of a TCP header (RFC 9293 §3.1).

use core::fmt;
use core::ops::BitOr;

/// A set of control bits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TcpFlags(u8);

impl TcpFlags {
    /// No bit at all.
    pub const NONE: Self = Self(0);
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronize sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push: hand the data to the application now.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgment number means something.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer means something.
    pub const URG: Self = Self(0x20);
    /// The network reported congestion (RFC 3168 §6.1).
    pub const ECE: Self = Self(0x40);
    /// The sender reduced its congestion window (RFC 3168 §6.1).
    pub const CWR: Self = Self(0x80);

    /// The set in the header's byte of control bits.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The header's byte of control bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all bits of `other` are in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any bit of `other` is in this set.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The bits that are in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The bits of this set that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether no bit is in this set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of the bits in this set, in the order people say them.
    fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES
            .into_iter()
            .filter_map(move |(flag, name)| self.contains(flag).then_some(name))
    }
}

impl BitOr for TcpFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl fmt::Debug for TcpFlags {
    /// Writes `SYN|ACK`, and `-` for no bit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("-");
        }
        for (i, name) in self.names().enumerate() {
            if i > 0 {
                f.write_str("|")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for TcpFlags {
    fn format(&self, f: defmt::Formatter<'_>) {
        if self.is_empty() {
            defmt::write!(f, "-");
        }
        for (i, name) in self.names().enumerate() {
            if i > 0 {
                defmt::write!(f, "|");
            }
            defmt::write!(f, "{=str}", name);
        }
    }
}

const NAMES: [(TcpFlags, &str); 8] = [
    (TcpFlags::SYN, "SYN"),
    (TcpFlags::FIN, "FIN"),
    (TcpFlags::RST, "RST"),
    (TcpFlags::PSH, "PSH"),
    (TcpFlags::ACK, "ACK"),
    (TcpFlags::URG, "URG"),
    (TcpFlags::ECE, "ECE"),
    (TcpFlags::CWR, "CWR"),
];
