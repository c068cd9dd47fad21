//! What a neighbor discovery message says beside its fixed part (RFC 4861 §4.6).

use core::net::Ipv6Addr;

use super::super::Malformed;
use super::super::address::Ipv6Cidr;
use super::super::dns::DnsName;
use super::super::ethernet::EthernetAddress;

/// The options of a message, whose lengths have been checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NdiscOptions<'a> {
    rest: &'a [u8],
}

/// An option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum NdiscOption<'a> {
    /// The link address of the sender (§4.6.1).
    SourceLinkAddress(EthernetAddress),
    /// The link address of the target (§4.6.1).
    TargetLinkAddress(EthernetAddress),
    /// A prefix that is on the link, or to make addresses from (§4.6.2).
    Prefix(PrefixInformation),
    /// The start of the packet that a redirect is about (§4.6.3).
    RedirectedHeader(&'a [u8]),
    /// How long packets on the link may be (§4.6.4).
    Mtu(MtuOption),
    /// A number by which the sender knows its own message again (RFC 3971 §5.3.2, RFC 7527 §4.1).
    Nonce(&'a [u8]),
    /// A route beside that to everywhere (RFC 4191 §2.3).
    Route(RouteInformation),
    /// Servers to ask for names (RFC 8106 §5.1).
    RecursiveDns(RecursiveDns<'a>),
    /// Domains to look for names of one label in (RFC 8106 §5.2).
    SearchList(SearchList<'a>),
    /// An option that the stack has no use for, or whose content is none of its kind.
    Other {
        /// Its type.
        kind: u8,
    },
}

/// A prefix (§4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PrefixInformation {
    /// The prefix; bits beyond its length do not matter.
    pub prefix: Ipv6Cidr,
    /// Addresses with the prefix are on the link.
    pub on_link: bool,
    /// Hosts make addresses from it by themselves.
    pub autonomous: bool,
    /// How long the prefix is on the link, in seconds; `u32::MAX` for ever.
    pub valid_lifetime: u32,
    /// How long its addresses are preferred, in seconds; `u32::MAX` for ever.
    pub preferred_lifetime: u32,
}

/// The MTU of the link (§4.6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MtuOption {
    /// In bytes.
    pub mtu: u32,
}

/// A route (RFC 4191 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RouteInformation {
    /// Where it leads.
    pub prefix: Ipv6Cidr,
    /// How much it is preferred: 1 high, 0 medium, -1 low.
    pub preference: i8,
    /// How long it is there, in seconds; `u32::MAX` for ever.
    pub lifetime: u32,
}

/// Name servers (RFC 8106 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RecursiveDns<'a> {
    /// How long they may be asked, in seconds; `u32::MAX` for ever.
    pub lifetime: u32,
    /// A multiple of sixteen bytes.
    servers: &'a [u8],
}

impl<'a> RecursiveDns<'a> {
    /// The servers, in order.
    pub fn servers(&self) -> impl Iterator<Item = Ipv6Addr> + use<'a> {
        self.servers
            .chunks_exact(16)
            .filter_map(|server| <[u8; 16]>::try_from(server).ok())
            .map(Ipv6Addr::from)
    }
}

/// Domains (RFC 8106 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SearchList<'a> {
    /// How long names may be looked for in them, in seconds; `u32::MAX` for ever.
    pub lifetime: u32,
    /// In the wire format of DNS, one after the other, then zeros.
    names: &'a [u8],
}

impl<'a> SearchList<'a> {
    /// The domains, in order, up to the first that is none.
    pub fn domains(&self) -> impl Iterator<Item = DnsName<'a>> + use<'a> {
        let (names, mut at) = (self.names, 0);
        core::iter::from_fn(move || {
            let (name, next) = DnsName::parse(names, at).ok()?;
            at = next;
            // What follows is padding.
            (!name.is_root()).then_some(name)
        })
    }
}

impl<'a> NdiscOptions<'a> {
    /// None.
    pub const NONE: Self = Self { rest: &[] };

    /// The options in these bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed::BadOption`] if one has length zero or reaches beyond the end.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (_, after) = split(rest).ok_or(Malformed::BadOption)?;
            rest = after;
        }
        Ok(Self { rest: bytes })
    }

    /// All of them as they are on the wire.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.rest
    }

    /// The sender's link address, if it is there.
    pub fn source_link_address(self) -> Option<EthernetAddress> {
        self.into_iter().find_map(|option| match option {
            NdiscOption::SourceLinkAddress(address) => Some(address),
            _ => None,
        })
    }

    /// The target's link address, if it is there.
    pub fn target_link_address(self) -> Option<EthernetAddress> {
        self.into_iter().find_map(|option| match option {
            NdiscOption::TargetLinkAddress(address) => Some(address),
            _ => None,
        })
    }

    /// The sender's nonce, if there is one.
    pub fn nonce(self) -> Option<&'a [u8]> {
        self.into_iter().find_map(|option| match option {
            NdiscOption::Nonce(nonce) => Some(nonce),
            _ => None,
        })
    }
}

impl<'a> IntoIterator for NdiscOptions<'a> {
    type Item = NdiscOption<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        Iter { rest: self.rest }
    }
}

/// Goes through the options of a message.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Iter<'a> {
    type Item = NdiscOption<'a>;

    fn next(&mut self) -> Option<NdiscOption<'a>> {
        let (option, rest) = split(self.rest)?;
        self.rest = rest;
        let [kind, _, body @ ..] = option else {
            return None;
        };
        Some(read(*kind, body).unwrap_or(NdiscOption::Other { kind: *kind }))
    }
}

/// The first option, which is eight bytes long or more, and what follows it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match *bytes {
        [_, len, ..] if len > 0 => bytes.split_at_checked(usize::from(len) * 8),
        _ => None,
    }
}

/// The option with that body, which is what follows type and length. `None` if it is none of the kind.
fn read(kind: u8, body: &[u8]) -> Option<NdiscOption<'_>> {
    let word = |at: usize| Some(u32::from_be_bytes(body.get(at..at + 4)?.try_into().ok()?));
    Some(match kind {
        // On Ethernet, the option is one unit long (RFC 2464 §6).
        KIND_SOURCE_LINK_ADDRESS => {
            NdiscOption::SourceLinkAddress(EthernetAddress::from_bytes(body)?)
        }
        KIND_TARGET_LINK_ADDRESS => {
            NdiscOption::TargetLinkAddress(EthernetAddress::from_bytes(body)?)
        }
        KIND_PREFIX if body.len() == 30 => {
            let address: [u8; 16] = body.get(14..30)?.try_into().ok()?;
            let flags = *body.get(1)?;
            NdiscOption::Prefix(PrefixInformation {
                prefix: Ipv6Cidr::try_new(address.into(), *body.first()?)?,
                on_link: flags & 0x80 != 0,
                autonomous: flags & 0x40 != 0,
                valid_lifetime: word(2)?,
                preferred_lifetime: word(6)?,
            })
        }
        KIND_REDIRECTED_HEADER => NdiscOption::RedirectedHeader(body.get(6..)?),
        KIND_MTU if body.len() == 6 => NdiscOption::Mtu(MtuOption { mtu: word(2)? }),
        KIND_NONCE => NdiscOption::Nonce(body),
        KIND_ROUTE => NdiscOption::Route(read_route(body)?),
        KIND_RECURSIVE_DNS => {
            let servers = body.get(6..).filter(|servers| !servers.is_empty())?;
            // The length is odd: one unit, and two for each address.
            if !servers.len().is_multiple_of(16) {
                return None;
            }
            NdiscOption::RecursiveDns(RecursiveDns {
                lifetime: word(2)?,
                servers,
            })
        }
        KIND_SEARCH_LIST => NdiscOption::SearchList(SearchList {
            lifetime: word(2)?,
            names: body.get(6..).filter(|names| !names.is_empty())?,
        }),
        _ => return None,
    })
}

/// RFC 4191 §2.3: as much of the prefix as its length needs, in units of eight bytes.
fn read_route(body: &[u8]) -> Option<RouteInformation> {
    let [prefix_len, flags, l0, l1, l2, l3, given @ ..] = body else {
        return None;
    };
    let mut address = [0; 16];
    address.get_mut(..given.len())?.copy_from_slice(given);
    if usize::from(*prefix_len) > given.len() * 8 {
        return None;
    }
    // "If the Reserved (10) value is received, the Route Information Option MUST be ignored."
    let preference = preference(*flags)?;
    Some(RouteInformation {
        prefix: Ipv6Cidr::try_new(address.into(), *prefix_len)?,
        preference,
        lifetime: u32::from_be_bytes([*l0, *l1, *l2, *l3]),
    })
}

/// RFC 4191 §2.1: how much a router or a route is preferred, in two bits of its flags. `None` for the reserved
/// value.
pub(super) const fn preference(flags: u8) -> Option<i8> {
    match flags >> 3 & 3 {
        0 => Some(0),
        1 => Some(1),
        3 => Some(-1),
        _ => None,
    }
}

/// A link address option of that kind.
fn link_address(kind: u8, address: EthernetAddress) -> [u8; LINK_ADDRESS_LEN] {
    let [a, b, c, d, e, f] = address.0;
    [kind, 1, a, b, c, d, e, f]
}

/// A source link address option, as it stands in a message.
pub fn source_link_address(address: EthernetAddress) -> [u8; LINK_ADDRESS_LEN] {
    link_address(KIND_SOURCE_LINK_ADDRESS, address)
}

/// A target link address option, as it stands in a message.
pub fn target_link_address(address: EthernetAddress) -> [u8; LINK_ADDRESS_LEN] {
    link_address(KIND_TARGET_LINK_ADDRESS, address)
}

/// A nonce option, as it stands in a message.
pub fn nonce(nonce: [u8; NONCE_LEN]) -> [u8; NONCE_LEN + 2] {
    let [a, b, c, d, e, f] = nonce;
    [KIND_NONCE, 1, a, b, c, d, e, f]
}

/// The length in bytes of a nonce that is sent, the shortest that RFC 3971 §5.3.2 allows.
pub const NONCE_LEN: usize = 6;
/// The length in bytes of a link address option on Ethernet.
pub const LINK_ADDRESS_LEN: usize = 8;

const KIND_SOURCE_LINK_ADDRESS: u8 = 1;
const KIND_TARGET_LINK_ADDRESS: u8 = 2;
const KIND_PREFIX: u8 = 3;
const KIND_REDIRECTED_HEADER: u8 = 4;
const KIND_MTU: u8 = 5;
const KIND_NONCE: u8 = 14;
const KIND_ROUTE: u8 = 24;
const KIND_RECURSIVE_DNS: u8 = 25;
const KIND_SEARCH_LIST: u8 = 31;
