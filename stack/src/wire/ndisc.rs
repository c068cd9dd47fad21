//! Neighbor discovery messages (RFC 4861 §4): who is on the link, and who leads beyond it. They are
//! ICMPv6 messages.

mod option;

use core::net::Ipv6Addr;

use zerocopy::byteorder::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

pub use option::{
    LINK_ADDRESS_LEN, MtuOption, NONCE_LEN, NdiscOption, NdiscOptions, PrefixInformation,
    RecursiveDns, RouteInformation, SearchList, nonce, source_link_address, target_link_address,
};

use super::Malformed;
use super::address::IpAddress;
use super::checksum::{Sum, pseudo_header};
use super::icmpv6::CHECKSUM_OFFSET;
use super::ip::IpProtocol;

/// The hop limit of every message. One that arrives with less has passed a router, and is none of a
/// neighbor's (§3.1).
pub const HOP_LIMIT: u8 = 255;

/// A neighbor discovery message. Its checksum has been looked at before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum NdiscMessage<'a> {
    /// "Which routers are there?" (§4.1)
    RouterSolicitation {
        /// What else it says.
        options: NdiscOptions<'a>,
    },
    /// "I am a router." (§4.2)
    RouterAdvertisement {
        /// What it says about itself and the link.
        router: RouterAdvertisement,
        /// What else it says.
        options: NdiscOptions<'a>,
    },
    /// "Who has that address?" (§4.3)
    NeighborSolicitation {
        /// The address.
        target: Ipv6Addr,
        /// What else it says.
        options: NdiscOptions<'a>,
    },
    /// "I have that address." (§4.4)
    NeighborAdvertisement {
        /// The address.
        target: Ipv6Addr,
        /// How it was said.
        flags: NeighborFlags,
        /// What else it says.
        options: NdiscOptions<'a>,
    },
    /// "There is a better first hop." (§4.5)
    Redirect {
        /// The better first hop, or the destination if that is on the link.
        target: Ipv6Addr,
        /// Where packets were to go.
        destination: Ipv6Addr,
        /// What else it says.
        options: NdiscOptions<'a>,
    },
}

/// Whether an ICMPv6 message is one of neighbor discovery.
pub const fn is_ndisc(message: &[u8]) -> bool {
    matches!(message, [KIND_ROUTER_SOLICITATION..=KIND_REDIRECT, ..])
}

/// The fixed part of a router advertisement (§4.2; RFC 4191 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RouterAdvertisement {
    /// The hop limit to send packets with; 0 if the router does not say.
    pub hop_limit: u8,
    /// Managed, other, home agent, preference (2 bits), proxy.
    pub flags: u8,
    /// How long the router is a default router, in seconds; 0 if it is none.
    pub lifetime: u16,
    /// How long a neighbor counts as reachable, in milliseconds; 0 if the router does not say.
    pub reachable_time: u32,
    /// The time between two solicitations in milliseconds; 0 if the router does not say.
    pub retrans_timer: u32,
}

impl RouterAdvertisement {
    /// Addresses are to be had by DHCPv6.
    pub const fn managed(&self) -> bool {
        self.flags & 0x80 != 0
    }

    /// Something else than addresses is to be had by DHCPv6.
    pub const fn other(&self) -> bool {
        self.flags & 0x40 != 0
    }

    /// How much the router is preferred: 1 high, 0 medium, -1 low. RFC 4191 §2.2: "If the Reserved (10) value
    /// is received, the receiver MUST treat the value as if it were (00)."
    pub const fn preference(&self) -> i8 {
        match option::preference(self.flags) {
            Some(preference) => preference,
            None => 0,
        }
    }
}

/// How a neighbor advertisement was meant (§4.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NeighborFlags {
    /// The sender is a router.
    pub router: bool,
    /// It answers a solicitation.
    pub solicited: bool,
    /// It replaces the link address that is known.
    pub override_: bool,
}

impl<'a> NdiscMessage<'a> {
    /// Reads an ICMPv6 message. `None` if it is none of neighbor discovery.
    ///
    /// # Errors
    ///
    /// - [`Malformed::Truncated`]: shorter than its kind has to be
    /// - [`Malformed::Unsupported`]: a code other than 0
    /// - [`Malformed::BadOption`]: an option of length zero, or one that reaches beyond the message. §4.6:
    ///   "Nodes MUST silently discard an ND packet that contains an option with length zero."
    pub fn parse(message: &'a [u8]) -> Result<Option<Self>, Malformed> {
        let [kind, code, _, _, ..] = *message else {
            return Err(Malformed::Truncated);
        };
        if !is_ndisc(message) {
            return Ok(None);
        }
        if code != 0 {
            return Err(Malformed::Unsupported);
        }
        let body = message.get(4..).unwrap_or_default();
        Ok(Some(match kind {
            KIND_ROUTER_SOLICITATION => {
                let (_, options) = U32::ref_from_prefix(body).map_err(|_| Malformed::Truncated)?;
                let options = NdiscOptions::parse(options)?;
                Self::RouterSolicitation { options }
            }
            KIND_ROUTER_ADVERTISEMENT => {
                let (raw, options) =
                    RawRouter::ref_from_prefix(body).map_err(|_| Malformed::Truncated)?;
                let router = RouterAdvertisement {
                    hop_limit: raw.hop_limit,
                    flags: raw.flags,
                    lifetime: raw.lifetime.get(),
                    reachable_time: raw.reachable_time.get(),
                    retrans_timer: raw.retrans_timer.get(),
                };
                let options = NdiscOptions::parse(options)?;
                Self::RouterAdvertisement { router, options }
            }
            KIND_REDIRECT => {
                let (raw, options) =
                    RawRedirect::ref_from_prefix(body).map_err(|_| Malformed::Truncated)?;
                Self::Redirect {
                    target: raw.target.into(),
                    destination: raw.destination.into(),
                    options: NdiscOptions::parse(options)?,
                }
            }
            _ => Self::parse_neighbor(kind, body)?,
        }))
    }

    fn parse_neighbor(kind: u8, body: &'a [u8]) -> Result<Self, Malformed> {
        let (raw, options) =
            RawNeighbor::ref_from_prefix(body).map_err(|_| Malformed::Truncated)?;
        let target = raw.target.into();
        let options = NdiscOptions::parse(options)?;
        if kind == KIND_NEIGHBOR_SOLICITATION {
            return Ok(Self::NeighborSolicitation { target, options });
        }
        let has = |flag: u8| raw.flags & flag != 0;
        let flags = NeighborFlags {
            router: has(FLAG_ROUTER),
            solicited: has(FLAG_SOLICITED),
            override_: has(FLAG_OVERRIDE),
        };
        Ok(Self::NeighborAdvertisement {
            target,
            flags,
            options,
        })
    }

    /// The length of the message in bytes.
    #[expect(clippy::len_without_is_empty, reason = "no message is empty")]
    pub const fn len(&self) -> usize {
        let (fixed, options) = match self {
            Self::RouterSolicitation { options } => (4, options),
            Self::RouterAdvertisement { options, .. } => (size_of::<RawRouter>(), options),
            Self::NeighborSolicitation { options, .. }
            | Self::NeighborAdvertisement { options, .. } => (size_of::<RawNeighbor>(), options),
            Self::Redirect { options, .. } => (size_of::<RawRedirect>(), options),
        };
        4 + fixed + options.as_bytes().len()
    }

    /// Writes the message of a packet from `src` to `dst` with its checksum to the first
    /// [`len`](Self::len) bytes of `buf`, which the caller makes long enough.
    pub fn emit(&self, buf: &mut [u8], src: IpAddress, dst: IpAddress) {
        let len = self.len();
        let Some(message) = buf.get_mut(..len) else {
            debug_assert!(false, "no room for a neighbor discovery message");
            return;
        };
        let Some((header, body)) = message.split_first_chunk_mut::<4>() else {
            return;
        };
        let written = match *self {
            Self::RouterSolicitation { options } => {
                *header = [KIND_ROUTER_SOLICITATION, 0, 0, 0];
                write(body, U32::new(0).as_bytes(), options)
            }
            Self::RouterAdvertisement { router, options } => {
                *header = [KIND_ROUTER_ADVERTISEMENT, 0, 0, 0];
                let raw = RawRouter {
                    hop_limit: router.hop_limit,
                    flags: router.flags,
                    lifetime: router.lifetime.into(),
                    reachable_time: router.reachable_time.into(),
                    retrans_timer: router.retrans_timer.into(),
                };
                write(body, raw.as_bytes(), options)
            }
            Self::NeighborSolicitation { target, options } => {
                *header = [KIND_NEIGHBOR_SOLICITATION, 0, 0, 0];
                let raw = RawNeighbor::new(0, target);
                write(body, raw.as_bytes(), options)
            }
            Self::NeighborAdvertisement {
                target,
                flags,
                options,
            } => {
                *header = [KIND_NEIGHBOR_ADVERTISEMENT, 0, 0, 0];
                let raw = RawNeighbor::new(flags.bits(), target);
                write(body, raw.as_bytes(), options)
            }
            Self::Redirect {
                target,
                destination,
                options,
            } => {
                *header = [KIND_REDIRECT, 0, 0, 0];
                let raw = RawRedirect {
                    reserved: [0; 4],
                    target: target.octets(),
                    destination: destination.octets(),
                };
                write(body, raw.as_bytes(), options)
            }
        };
        debug_assert!(written.is_some(), "the parts are as long as the message");
        let sum = pseudo_header(src, dst, IpProtocol::ICMPV6, len).add(Sum::of(message));
        let checksum = sum.finish().to_be_bytes();
        if let Some(field) = message.get_mut(CHECKSUM_OFFSET..CHECKSUM_OFFSET + 2) {
            field.copy_from_slice(&checksum);
        }
    }
}

impl NeighborFlags {
    const fn bits(self) -> u8 {
        let mut bits = 0;
        if self.router {
            bits |= FLAG_ROUTER;
        }
        if self.solicited {
            bits |= FLAG_SOLICITED;
        }
        if self.override_ {
            bits |= FLAG_OVERRIDE;
        }
        bits
    }
}

/// Writes the fixed part of a message and its options, which together are as long as `body`.
fn write(body: &mut [u8], fixed: &[u8], options: NdiscOptions<'_>) -> Option<()> {
    let (head, tail) = body.split_at_mut_checked(fixed.len())?;
    head.copy_from_slice(fixed);
    let options = options.as_bytes();
    tail.get_mut(..options.len())?.copy_from_slice(options);
    Some(())
}

/// A router advertisement behind type, code and checksum.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RawRouter {
    hop_limit: u8,
    flags: u8,
    lifetime: U16,
    reachable_time: U32,
    retrans_timer: U32,
}

/// A neighbor solicitation or advertisement behind type, code and checksum.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RawNeighbor {
    flags: u8,
    reserved: [u8; 3],
    target: [u8; 16],
}

impl RawNeighbor {
    fn new(flags: u8, target: Ipv6Addr) -> Self {
        Self {
            flags,
            reserved: [0; 3],
            target: target.octets(),
        }
    }
}

/// A redirect behind type, code and checksum.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RawRedirect {
    reserved: [u8; 4],
    target: [u8; 16],
    destination: [u8; 16],
}

const KIND_ROUTER_SOLICITATION: u8 = 133;
const KIND_ROUTER_ADVERTISEMENT: u8 = 134;
const KIND_NEIGHBOR_SOLICITATION: u8 = 135;
const KIND_NEIGHBOR_ADVERTISEMENT: u8 = 136;
const KIND_REDIRECT: u8 = 137;

const FLAG_ROUTER: u8 = 0x80;
const FLAG_SOLICITED: u8 = 0x40;
const FLAG_OVERRIDE: u8 = 0x20;

#[cfg(test)]
mod tests;
