//! Extension headers (RFC 8200 §4) and the options in them (§4.2).
//!
//! Each step consumes at least eight bytes, and there are at most [`MAX_HEADERS`] steps: no packet keeps
//! an iterator going. What a header means for the packet is for the layer above to decide.

use super::super::Malformed;
use super::super::ip::IpProtocol;

/// The extension headers of a packet, up to its payload.
///
/// After the last one, or an error, [`Self::rest`] is what lies behind. An encrypted payload (ESP) and
/// "no next header" count as payloads.
#[derive(Clone, Debug)]
pub struct ExtensionHeaders<'a> {
    next_header: IpProtocol,
    rest: &'a [u8],
    /// Bytes from the start of the packet to `rest`.
    offset: usize,
    /// Where in the packet the field is that says what comes next.
    pointer: usize,
    count: u8,
}

/// An extension header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Extension<'a> {
    /// Options for every node on the way (§4.3); its place is right behind the IPv6 header.
    HopByHop(Ipv6Options<'a>),
    /// Options for the destination (§4.6).
    Destination(Ipv6Options<'a>),
    /// Where the packet is to pass (§4.4).
    Routing(RoutingHeader),
    /// The packet is a piece of a longer one (§4.5).
    Fragment(FragmentHeader),
}

/// A routing header, as far as a host looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RoutingHeader {
    /// Which kind of routing it asks for.
    pub kind: u8,
    /// How many more nodes the packet is to pass.
    pub segments_left: u8,
    /// Where in the packet the kind stands, in bytes.
    pub kind_offset: usize,
}

/// A fragment header (§4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FragmentHeader {
    /// What the fragments of one packet have in common.
    pub ident: u32,
    /// Where in the fragmented part the fragment belongs, in bytes: a multiple of eight.
    pub offset: u16,
    /// This is not the last fragment.
    pub more: bool,
    /// What the fragmented part begins with.
    pub next_header: IpProtocol,
    /// Where in the packet the fragment's data starts, in bytes.
    pub data_offset: usize,
}

impl FragmentHeader {
    /// Whether this is a whole packet that was given a fragment header all the same (RFC 6946).
    pub const fn is_atomic(&self) -> bool {
        self.offset == 0 && !self.more
    }

    /// Writes the header to the first [`FRAGMENT_HEADER_LEN`] bytes of `buf`, which the caller makes long
    /// enough.
    pub fn emit(&self, buf: &mut [u8]) {
        let Some(buf) = buf.first_chunk_mut::<FRAGMENT_HEADER_LEN>() else {
            debug_assert!(false, "no room for a fragment header");
            return;
        };
        let [high, low] = (self.offset & !7 | u16::from(self.more)).to_be_bytes();
        let [i0, i1, i2, i3] = self.ident.to_be_bytes();
        *buf = [self.next_header.0, 0, high, low, i0, i1, i2, i3];
    }
}

impl<'a> ExtensionHeaders<'a> {
    /// The headers in `payload`, which follows an IPv6 header that announces `next_header`.
    pub const fn new(next_header: IpProtocol, payload: &'a [u8]) -> Self {
        Self {
            next_header,
            rest: payload,
            offset: super::HEADER_LEN,
            pointer: NEXT_HEADER_OFFSET,
            count: 0,
        }
    }

    /// What [`Self::rest`] is: at the end, the protocol of the payload.
    pub const fn next_header(&self) -> IpProtocol {
        self.next_header
    }

    /// What is left of the packet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Where in the packet that starts, in bytes.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Where in the packet the field stands that announces [`Self::next_header`], in bytes: what a
    /// parameter problem about it points to.
    pub const fn pointer(&self) -> usize {
        self.pointer
    }

    fn step(&mut self) -> Result<Extension<'a>, Malformed> {
        if self.count == MAX_HEADERS {
            return Err(Malformed::TooManyHeaders);
        }
        self.count += 1;
        let [next_header, len, ..] = *self.rest else {
            return Err(Malformed::Truncated);
        };
        let len = match self.next_header {
            // What other headers have their length in is reserved here.
            IpProtocol::FRAGMENT => FRAGMENT_HEADER_LEN,
            _ => usize::from(len) * 8 + 8,
        };
        let (header, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(Malformed::Truncated)?;
        let extension = self.read(header)?;
        self.pointer = self.offset;
        self.offset += len;
        self.rest = rest;
        self.next_header = IpProtocol(next_header);
        Ok(extension)
    }

    /// `header` is eight bytes long or more.
    fn read(&self, header: &'a [u8]) -> Result<Extension<'a>, Malformed> {
        let [next_header, _, kind, low, i0, i1, i2, i3, ..] = *header else {
            return Err(Malformed::Truncated);
        };
        let options = Ipv6Options {
            rest: header.get(2..).unwrap_or_default(),
            offset: self.offset + 2,
            count: 0,
            padding: 0,
        };
        Ok(match self.next_header {
            IpProtocol::HOP_BY_HOP => Extension::HopByHop(options),
            IpProtocol::ROUTING => Extension::Routing(RoutingHeader {
                kind,
                segments_left: low,
                kind_offset: self.offset + 2,
            }),
            IpProtocol::FRAGMENT => Extension::Fragment(FragmentHeader {
                ident: u32::from_be_bytes([i0, i1, i2, i3]),
                offset: u16::from_be_bytes([kind, low]) & !7,
                more: low & 1 != 0,
                next_header: IpProtocol(next_header),
                data_offset: self.offset + FRAGMENT_HEADER_LEN,
            }),
            _ => Extension::Destination(options),
        })
    }
}

impl<'a> Iterator for ExtensionHeaders<'a> {
    type Item = Result<Extension<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_header {
            IpProtocol::HOP_BY_HOP
            | IpProtocol::ROUTING
            | IpProtocol::FRAGMENT
            | IpProtocol::DESTINATION_OPTIONS => {}
            _ => return None,
        }
        let step = self.step();
        if step.is_err() {
            self.next_header = IpProtocol::NO_NEXT_HEADER;
        }
        Some(step)
    }
}

/// The options of a hop-by-hop or destination options header, without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ipv6Options<'a> {
    rest: &'a [u8],
    /// Bytes from the start of the packet to `rest`.
    offset: usize,
    count: u8,
    /// Bytes of padding in a row.
    padding: u8,
}

/// An option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ipv6Option<'a> {
    /// Which one it is.
    pub kind: u8,
    /// What it says.
    pub data: &'a [u8],
    /// Where in the packet it starts, in bytes.
    pub offset: usize,
}

/// What a node does with a packet because of an option that it does not know, as the two upper bits of
/// the option's type say (§4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum UnknownAction {
    /// Passes over the option.
    Skip,
    /// Discards the packet.
    Discard,
    /// Discards it and says so, even if it was for a group.
    Report,
    /// Discards it and says so, unless it was for a group.
    ReportUnlessGroup,
}

impl Ipv6Option<'_> {
    /// What its type asks of those who do not know it.
    pub const fn if_unknown(&self) -> UnknownAction {
        match self.kind >> 6 {
            0 => UnknownAction::Skip,
            1 => UnknownAction::Discard,
            2 => UnknownAction::Report,
            _ => UnknownAction::ReportUnlessGroup,
        }
    }
}

impl<'a> Ipv6Options<'a> {
    fn step(&mut self) -> Result<Option<Ipv6Option<'a>>, Malformed> {
        // Padding ends this loop or is passed over: it is at most seven bytes in a row.
        loop {
            let (kind, data, len) = match *self.rest {
                [] => return Ok(None),
                [PAD_1, ..] => (PAD_1, [].as_slice(), 1),
                [kind, len, ref rest @ ..] => {
                    let data = rest.get(..usize::from(len)).ok_or(Malformed::BadOption)?;
                    (kind, data, data.len() + 2)
                }
                _ => return Err(Malformed::BadOption),
            };
            let offset = self.offset;
            self.offset += len;
            self.rest = self.rest.get(len..).unwrap_or_default();
            if kind != PAD_1 && kind != PAD_N {
                self.padding = 0;
                self.count += 1;
                return match self.count > MAX_OPTIONS {
                    true => Err(Malformed::TooManyHeaders),
                    false => Ok(Some(Ipv6Option { kind, data, offset })),
                };
            }
            let len = u8::try_from(len).unwrap_or(u8::MAX);
            self.padding = self.padding.saturating_add(len);
            if self.padding > MAX_PADDING || data.iter().any(|&byte| byte != 0) {
                return Err(Malformed::BadOption);
            }
        }
    }
}

impl<'a> Iterator for Ipv6Options<'a> {
    type Item = Result<Ipv6Option<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step().transpose();
        if matches!(step, Some(Err(_))) {
            self.rest = &[];
        }
        step
    }
}

impl IpProtocol {
    /// Hop-by-hop options (RFC 8200 §4.3).
    pub const HOP_BY_HOP: Self = Self(0);
    /// A routing header (RFC 8200 §4.4).
    pub const ROUTING: Self = Self(43);
    /// A fragment header (RFC 8200 §4.5).
    pub const FRAGMENT: Self = Self(44);
    /// Nothing follows (RFC 8200 §4.7).
    pub const NO_NEXT_HEADER: Self = Self(59);
    /// Destination options (RFC 8200 §4.6).
    pub const DESTINATION_OPTIONS: Self = Self(60);
}

/// The length in bytes of a fragment header.
pub const FRAGMENT_HEADER_LEN: usize = 8;

/// A packet with every header that RFC 8200 §4.1 knows, in its order, has five of these.
const MAX_HEADERS: u8 = 8;

/// RFC 8504 §5.3: of the limit on options other than padding, "the default value SHOULD be set to 8".
const MAX_OPTIONS: u8 = 8;

/// RFC 8504 §5.3: "A host MAY limit the number of consecutive PAD1 options in destination options or
/// hop-by-hop options to 7", and the bytes of PADN as well: more than seven align nothing.
const MAX_PADDING: u8 = 7;

/// Where the IPv6 header says what comes next.
const NEXT_HEADER_OFFSET: usize = 6;

const PAD_1: u8 = 0;
const PAD_N: u8 = 1;
