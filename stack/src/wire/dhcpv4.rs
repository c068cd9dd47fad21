//! Messages of the Dynamic Host Configuration Protocol for IPv4 (RFC 2131 section 2, RFC 2132).
//!
//! A message is a fixed part and options. When those do not fit they go on in the fields for a file name
//! and a server name (RFC 2132 section 9.3), and an option longer than 255 bytes, or that reaches from one
//! field into the next, comes in parts that belong together (RFC 3396).

#[cfg(test)]
mod tests;

use core::iter;
use core::net::Ipv4Addr;

use zerocopy::byteorder::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::address::Ipv4Cidr;
use super::{EthernetAddress, Malformed};

/// The port of servers and relays.
pub const SERVER_PORT: u16 = 67;
/// The port of clients.
pub const CLIENT_PORT: u16 = 68;

/// A message as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DhcpMessage<'a> {
    /// Whether it is from a server.
    pub is_reply: bool,
    /// The number that ties answers to questions.
    pub xid: u32,
    /// Whether a client wants its answers broadcast.
    pub broadcast: bool,
    /// The client's address, if it has one that it can answer at.
    pub ciaddr: Ipv4Addr,
    /// "Your" address: the one that the server gives.
    pub yiaddr: Ipv4Addr,
    /// The relay that passed it on, if any.
    pub giaddr: Ipv4Addr,
    /// The client's hardware address.
    pub chaddr: EthernetAddress,
    /// What kind of message it is.
    pub kind: DhcpMessageKind,
    /// The options.
    pub options: DhcpOptions<'a>,
}

/// The kind of a message (RFC 2132 section 9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum DhcpMessageKind {
    /// A client looks for servers.
    Discover = 1,
    /// A server has an address for it.
    Offer = 2,
    /// A client takes an address, or wants to keep it.
    Request = 3,
    /// A client found that somebody else has the address.
    Decline = 4,
    /// The address is the client's.
    Ack = 5,
    /// It is not.
    Nak = 6,
    /// A client is done with its address.
    Release = 7,
    /// A client with an address wants to know the rest.
    Inform = 8,
}

/// The options of a message, wherever in it they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DhcpOptions<'a> {
    /// The options' own field, then the file name's and the server name's as far as they hold options:
    /// the order in which parts are put together (RFC 3396 section 5).
    fields: [&'a [u8]; 3],
}

impl<'a> DhcpMessage<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// - [`Malformed::Truncated`]: shorter than the fixed part
    /// - [`Malformed::Unsupported`]: not for Ethernet, or BOOTP without DHCP
    /// - [`Malformed::BadOption`]: an option reaches beyond its field
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let (fixed, options) = Fixed::ref_from_prefix(message).map_err(|_| Malformed::Truncated)?;
        if fixed.htype != HARDWARE_ETHERNET || fixed.hlen != 6 || fixed.cookie.get() != COOKIE {
            return Err(Malformed::Unsupported);
        }
        let options = DhcpOptions::parse(options, &fixed.file, &fixed.sname)?;
        let kind = options
            .first(option::MESSAGE_TYPE)
            .ok_or(Malformed::Unsupported)?;
        let [a, b, c, d, e, f, ..] = fixed.chaddr;
        Ok(Self {
            is_reply: match fixed.op {
                BOOTREQUEST => false,
                BOOTREPLY => true,
                _ => return Err(Malformed::Unsupported),
            },
            xid: fixed.xid.get(),
            broadcast: fixed.flags.get() & BROADCAST != 0,
            ciaddr: fixed.ciaddr.into(),
            yiaddr: fixed.yiaddr.into(),
            giaddr: fixed.giaddr.into(),
            chaddr: EthernetAddress([a, b, c, d, e, f]),
            kind: DhcpMessageKind::from_option(kind)?,
            options,
        })
    }
}

impl DhcpMessageKind {
    fn from_option(value: &[u8]) -> Result<Self, Malformed> {
        Ok(match value {
            [1] => Self::Discover,
            [2] => Self::Offer,
            [3] => Self::Request,
            [4] => Self::Decline,
            [5] => Self::Ack,
            [6] => Self::Nak,
            [7] => Self::Release,
            [8] => Self::Inform,
            [_] => return Err(Malformed::Unsupported),
            _ => return Err(Malformed::BadOption),
        })
    }
}

impl<'a> DhcpOptions<'a> {
    fn parse(options: &'a [u8], file: &'a [u8], sname: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = [options, &[], &[]];
        check(options)?;
        let overload = Self { fields }.first(option::OVERLOAD);
        match overload {
            None => {}
            Some([1]) => fields[1] = file,
            Some([2]) => fields[2] = sname,
            Some([3]) => fields = [options, file, sname],
            Some(_) => return Err(Malformed::BadOption),
        }
        check(fields[1])?;
        check(fields[2])?;
        Ok(Self { fields })
    }

    /// All parts of the options with that code.
    pub fn parts(&self, code: u8) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.fields
            .into_iter()
            .flat_map(walk)
            .filter_map(Result::ok)
            .filter(move |(found, _)| *found == code)
            .map(|(_, value)| value)
    }

    /// The first part of the option: all of one that has a fixed size.
    pub fn first(&self, code: u8) -> Option<&'a [u8]> {
        self.parts(code).next()
    }

    /// The bytes of the option, its parts one after the other.
    pub fn bytes(&self, code: u8) -> impl Iterator<Item = u8> + use<'a> {
        self.parts(code).flatten().copied()
    }

    /// The option as one number of 32 bits.
    pub fn u32(&self, code: u8) -> Option<u32> {
        let value = self.first(code)?.try_into().ok()?;
        Some(u32::from_be_bytes(value))
    }

    /// The option as one number of 16 bits.
    pub fn u16(&self, code: u8) -> Option<u16> {
        let value = self.first(code)?.try_into().ok()?;
        Some(u16::from_be_bytes(value))
    }

    /// The option as one address.
    pub fn address(&self, code: u8) -> Option<Ipv4Addr> {
        let value: [u8; 4] = self.first(code)?.try_into().ok()?;
        Some(value.into())
    }

    /// The option as a list of addresses.
    pub fn addresses(&self, code: u8) -> impl Iterator<Item = Ipv4Addr> + use<'a> {
        let mut bytes = self.bytes(code);
        iter::from_fn(move || take_address(&mut bytes))
    }

    /// The subnet mask as the length of a prefix; `None` if there is none, or it has gaps.
    pub fn prefix_len(&self) -> Option<u8> {
        let mask = self.address(option::SUBNET_MASK)?.to_bits();
        let len = mask.leading_ones();
        (mask.count_ones() == len && len > 0).then_some(len as u8)
    }

    /// The classless static routes (RFC 3442): destination and router, which is 0.0.0.0 if the destination
    /// is on the link. Ends early where the option is not what it should be.
    pub fn classless_routes(&self) -> impl Iterator<Item = (Ipv4Cidr, Ipv4Addr)> + use<'a> {
        let mut bytes = self.bytes(option::CLASSLESS_ROUTES);
        iter::from_fn(move || {
            let width = bytes.next()?;
            let mut network = [0; 4];
            if width > 32 {
                return None;
            }
            let significant = usize::from(width.div_ceil(8));
            for octet in network.iter_mut().take(significant) {
                *octet = bytes.next()?;
            }
            let destination = Ipv4Cidr::new(network.into(), width).network();
            Some((destination, take_address(&mut bytes)?))
        })
    }
}

fn take_address(bytes: &mut impl Iterator<Item = u8>) -> Option<Ipv4Addr> {
    let octets = [bytes.next()?, bytes.next()?, bytes.next()?, bytes.next()?];
    Some(octets.into())
}

/// The options in a field, up to its end or the first that is malformed.
fn walk(mut field: &[u8]) -> impl Iterator<Item = Result<(u8, &[u8]), Malformed>> {
    iter::from_fn(move || {
        loop {
            let (&code, rest) = field.split_first()?;
            field = rest;
            match code {
                option::PAD => {}
                option::END => {
                    field = &[];
                    return None;
                }
                _ => break Some(take_option(code, &mut field)),
            }
        }
    })
}

fn take_option<'a>(code: u8, field: &mut &'a [u8]) -> Result<(u8, &'a [u8]), Malformed> {
    let taken = field
        .split_first()
        .and_then(|(&len, rest)| rest.split_at_checked(usize::from(len)));
    let Some((value, rest)) = taken else {
        *field = &[];
        return Err(Malformed::BadOption);
    };
    *field = rest;
    Ok((code, value))
}

fn check(field: &[u8]) -> Result<(), Malformed> {
    walk(field).try_for_each(|option| option.map(|_| ()))
}

/// What a client says beside the options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DhcpRequest {
    /// The number that ties answers to questions.
    pub xid: u32,
    /// Seconds since the client began to look for an address.
    pub secs: u16,
    /// Answers must be broadcast, because the client does not hear others yet.
    pub broadcast: bool,
    /// The client's address, if it has one that it can answer at.
    pub ciaddr: Ipv4Addr,
    /// The client's hardware address.
    pub chaddr: EthernetAddress,
}

/// What a server says beside the options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DhcpReply {
    /// The client's number.
    pub xid: u32,
    /// Whether the client, or its relay, is to broadcast it on.
    pub broadcast: bool,
    /// The client's address, if it has one.
    pub ciaddr: Ipv4Addr,
    /// The address that it is given.
    pub yiaddr: Ipv4Addr,
    /// The relay that asked.
    pub giaddr: Ipv4Addr,
    /// The client's hardware address.
    pub chaddr: EthernetAddress,
}

/// Writes a message: the fixed part, then options one by one.
///
/// An option that does not fit is left out, which [`Self::finish`] does not tell: size the buffer for all
/// of them, [`MIN_LEN`] at least.
#[derive(Debug)]
pub struct DhcpWriter<'b> {
    buffer: &'b mut [u8],
    len: usize,
}

impl<'b> DhcpWriter<'b> {
    /// Writes the fixed part of a client's message.
    pub fn new(buffer: &'b mut [u8], request: &DhcpRequest) -> Self {
        let fixed = Fixed {
            op: BOOTREQUEST,
            xid: request.xid.into(),
            secs: request.secs.into(),
            flags: flags(request.broadcast),
            ciaddr: request.ciaddr.octets(),
            ..Fixed::for_client(request.chaddr)
        };
        Self::begin(buffer, &fixed)
    }

    /// Writes the fixed part of a server's message.
    pub fn reply(buffer: &'b mut [u8], reply: &DhcpReply) -> Self {
        let fixed = Fixed {
            op: BOOTREPLY,
            xid: reply.xid.into(),
            flags: flags(reply.broadcast),
            ciaddr: reply.ciaddr.octets(),
            yiaddr: reply.yiaddr.octets(),
            giaddr: reply.giaddr.octets(),
            ..Fixed::for_client(reply.chaddr)
        };
        Self::begin(buffer, &fixed)
    }

    fn begin(buffer: &'b mut [u8], fixed: &Fixed) -> Self {
        buffer.fill(0);
        let written = fixed.write_to_prefix(buffer);
        debug_assert!(written.is_ok(), "no room for a DHCP message");
        Self {
            buffer,
            len: FIXED_LEN,
        }
    }

    /// Writes an option of at most 255 bytes.
    #[must_use]
    pub fn option(mut self, code: u8, value: &[u8]) -> Self {
        let end = self.len + 2 + value.len();
        // One more for the end mark.
        let room = self.buffer.get_mut(self.len..end + 1);
        if let (Some([c, l, rest @ ..]), Ok(len)) = (room, u8::try_from(value.len())) {
            (*c, *l) = (code, len);
            if let Some(room) = rest.get_mut(..value.len()) {
                room.copy_from_slice(value);
            }
            self.len = end;
        } else {
            debug_assert!(false, "no room for a DHCP option");
        }
        self
    }

    /// The length of the message in bytes.
    pub fn finish(self) -> usize {
        if let Some(end) = self.buffer.get_mut(self.len) {
            *end = option::END;
        }
        (self.len + 1).max(MIN_LEN).min(self.buffer.len())
    }
}

/// The options' codes.
pub mod option {
    #![allow(missing_docs, reason = "RFC 2132 and those that it names explain them")]
    pub const PAD: u8 = 0;
    pub const SUBNET_MASK: u8 = 1;
    pub const ROUTER: u8 = 3;
    pub const DNS_SERVERS: u8 = 6;
    pub const HOSTNAME: u8 = 12;
    pub const DOMAIN_NAME: u8 = 15;
    pub const INTERFACE_MTU: u8 = 26;
    pub const NTP_SERVERS: u8 = 42;
    pub const REQUESTED_ADDRESS: u8 = 50;
    pub const LEASE_TIME: u8 = 51;
    pub const OVERLOAD: u8 = 52;
    pub const MESSAGE_TYPE: u8 = 53;
    pub const SERVER_ID: u8 = 54;
    pub const PARAMETER_LIST: u8 = 55;
    pub const MAX_MESSAGE_SIZE: u8 = 57;
    pub const RENEWAL_TIME: u8 = 58;
    pub const REBINDING_TIME: u8 = 59;
    pub const VENDOR_CLASS: u8 = 60;
    pub const CLIENT_ID: u8 = 61;
    /// RFC 3046.
    pub const RELAY_AGENT: u8 = 82;
    /// RFC 3397.
    pub const DOMAIN_SEARCH: u8 = 119;
    /// RFC 3442.
    pub const CLASSLESS_ROUTES: u8 = 121;
    pub const END: u8 = 255;
}

/// The fixed part as it stands in a message, with the cookie that opens the options.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Fixed {
    op: u8,
    htype: u8,
    hlen: u8,
    hops: u8,
    xid: U32,
    secs: U16,
    flags: U16,
    ciaddr: [u8; 4],
    yiaddr: [u8; 4],
    siaddr: [u8; 4],
    giaddr: [u8; 4],
    chaddr: [u8; 16],
    sname: [u8; 64],
    file: [u8; 128],
    cookie: U32,
}

impl Fixed {
    fn for_client(hardware: EthernetAddress) -> Self {
        let mut chaddr = [0; 16];
        chaddr[..6].copy_from_slice(&hardware.0);
        Self {
            op: BOOTREQUEST,
            htype: HARDWARE_ETHERNET,
            hlen: 6,
            hops: 0,
            xid: 0.into(),
            secs: 0.into(),
            flags: 0.into(),
            ciaddr: [0; 4],
            yiaddr: [0; 4],
            siaddr: [0; 4],
            giaddr: [0; 4],
            chaddr,
            sname: [0; 64],
            file: [0; 128],
            cookie: COOKIE.into(),
        }
    }
}

fn flags(broadcast: bool) -> U16 {
    U16::new(if broadcast { BROADCAST } else { 0 })
}

/// The length of the fixed part in bytes, the cookie included.
const FIXED_LEN: usize = size_of::<Fixed>();

/// The length that shorter messages are padded to: what BOOTP's fixed format had (RFC 951, RFC 1542
/// section 2.1), which some relays insist on.
pub const MIN_LEN: usize = 300;

const BOOTREQUEST: u8 = 1;
const BOOTREPLY: u8 = 2;
const HARDWARE_ETHERNET: u8 = 1;
const BROADCAST: u16 = 0x8000;
/// RFC 2131 section 3: "99, 130, 83 and 99".
const COOKIE: u32 = 0x6382_5363;
