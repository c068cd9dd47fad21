//! ICMPv6 messages (RFC 4443): echo, and the errors that routers and hosts report about a packet. Those of
//! neighbor discovery are in `ndisc.rs`.

use zerocopy::FromBytes;

use super::Malformed;
use super::address::IpAddress;
use super::checksum::{Sum, pseudo_header};
use super::icmp::{Header, Message, halves, pair};
use super::ip::IpProtocol;

/// The length in bytes of the header that all messages have.
pub const HEADER_LEN: usize = size_of::<Header>();
/// Where the checksum field is, in bytes from the start of the message.
pub const CHECKSUM_OFFSET: usize = 2;
/// The code of [`Icmpv6Message::TimeExceeded`] from a router that may not pass the packet on.
pub const HOP_LIMIT_EXCEEDED: u8 = 0;
/// The code of [`Icmpv6Message::TimeExceeded`] from a host that misses fragments.
pub const REASSEMBLY_TIME_EXCEEDED: u8 = 1;

/// An ICMPv6 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Icmpv6Message<'a> {
    /// The packet did not get to its destination (§3.1).
    DestinationUnreachable {
        /// Why.
        code: Icmpv6Unreachable,
        /// The start of the packet, for [`Quote::parse`](super::Quote::parse).
        quote: &'a [u8],
    },
    /// The packet did not fit the next link (§3.2).
    PacketTooBig {
        /// The MTU of that link in bytes.
        mtu: u32,
        /// The start of the packet, for [`Quote::parse`](super::Quote::parse).
        quote: &'a [u8],
    },
    /// The packet, or the rest of its fragments, took too long (§3.3).
    TimeExceeded {
        /// [`HOP_LIMIT_EXCEEDED`] or [`REASSEMBLY_TIME_EXCEEDED`].
        code: u8,
        /// The start of the packet, for [`Quote::parse`](super::Quote::parse).
        quote: &'a [u8],
    },
    /// The packet's headers made no sense (§3.4).
    ParameterProblem {
        /// What about them.
        code: Icmpv6ParameterProblem,
        /// Which byte of the packet.
        pointer: u32,
        /// The start of the packet, for [`Quote::parse`](super::Quote::parse).
        quote: &'a [u8],
    },
    /// "Are you there?" (§4.1)
    EchoRequest {
        /// Which program asks.
        ident: u16,
        /// Which of its requests this is.
        seq: u16,
        /// What the reply is to repeat.
        data: &'a [u8],
    },
    /// "I am." (§4.2)
    EchoReply {
        /// As in the request.
        ident: u16,
        /// As in the request.
        seq: u16,
        /// As in the request.
        data: &'a [u8],
    },
    /// Another message: of neighbor discovery, see [`NdiscMessage`](super::NdiscMessage), or one that the
    /// stack has no use for.
    Other {
        /// Its type.
        kind: u8,
        /// Its code.
        code: u8,
    },
}

impl<'a> Icmpv6Message<'a> {
    /// Reads a message of a packet from `src` to `dst`. Without `verify` the checksum is not looked at.
    ///
    /// # Errors
    ///
    /// [`Malformed::Truncated`] if it is shorter than eight bytes, [`Malformed::BadChecksum`].
    pub fn parse(
        message: &'a [u8],
        src: IpAddress,
        dst: IpAddress,
        verify: bool,
    ) -> Result<Self, Malformed> {
        let (raw, body) = Header::ref_from_prefix(message).map_err(|_| Malformed::Truncated)?;
        if verify {
            let pseudo = pseudo_header(src, dst, IpProtocol::ICMPV6, message.len());
            if !pseudo.add(Sum::of(message)).is_valid() {
                return Err(Malformed::BadChecksum);
            }
        }
        let word = raw.word.get();
        let (ident, seq) = halves(word);
        Ok(match (raw.kind, raw.code) {
            (KIND_UNREACHABLE, code) => Self::DestinationUnreachable {
                code: code.into(),
                quote: body,
            },
            // §3.2: the code is "ignored by the receiver".
            (KIND_TOO_BIG, _) => Self::PacketTooBig {
                mtu: word,
                quote: body,
            },
            (KIND_TIME_EXCEEDED, code) => Self::TimeExceeded { code, quote: body },
            (KIND_PARAMETER_PROBLEM, code) => Self::ParameterProblem {
                code: code.into(),
                pointer: word,
                quote: body,
            },
            (KIND_ECHO_REQUEST, 0) => Self::EchoRequest {
                ident,
                seq,
                data: body,
            },
            (KIND_ECHO_REPLY, 0) => Self::EchoReply {
                ident,
                seq,
                data: body,
            },
            (kind, code) => Self::Other { kind, code },
        })
    }

    /// The length of the message in bytes.
    #[expect(clippy::len_without_is_empty, reason = "no message is empty")]
    pub const fn len(&self) -> usize {
        HEADER_LEN + self.body().len()
    }

    /// Writes the message of a packet from `src` to `dst` with its checksum to the first
    /// [`len`](Self::len) bytes of `buf`, which the caller makes long enough. Of
    /// [`Icmpv6Message::Other`] only the header is written.
    pub fn emit(&self, buf: &mut [u8], src: IpAddress, dst: IpAddress) {
        let pseudo = pseudo_header(src, dst, IpProtocol::ICMPV6, self.len());
        self.to_send().emit(pseudo, buf);
    }

    /// As it is sent.
    #[inline]
    pub(crate) fn to_send(self) -> Message<'a> {
        let (kind, code, word) = match self {
            Self::DestinationUnreachable { code, .. } => (KIND_UNREACHABLE, code.into(), 0),
            Self::PacketTooBig { mtu, .. } => (KIND_TOO_BIG, 0, mtu),
            Self::TimeExceeded { code, .. } => (KIND_TIME_EXCEEDED, code, 0),
            Self::ParameterProblem { code, pointer, .. } => {
                (KIND_PARAMETER_PROBLEM, code.into(), pointer)
            }
            Self::EchoRequest { ident, seq, .. } => (KIND_ECHO_REQUEST, 0, pair(ident, seq)),
            Self::EchoReply { ident, seq, .. } => (KIND_ECHO_REPLY, 0, pair(ident, seq)),
            Self::Other { kind, code } => (kind, code, 0),
        };
        Message {
            kind,
            code,
            word,
            body: self.body(),
        }
    }

    /// What follows the header.
    const fn body(&self) -> &'a [u8] {
        match self {
            Self::EchoRequest { data, .. } | Self::EchoReply { data, .. } => data,
            Self::DestinationUnreachable { quote, .. }
            | Self::PacketTooBig { quote, .. }
            | Self::TimeExceeded { quote, .. }
            | Self::ParameterProblem { quote, .. } => quote,
            Self::Other { .. } => &[],
        }
    }
}

/// Whether a message of that type is an error: their types have the upper bit clear (§2.1).
pub const fn is_error(kind: u8) -> bool {
    kind < 128
}

const KIND_UNREACHABLE: u8 = 1;
const KIND_TOO_BIG: u8 = 2;
const KIND_TIME_EXCEEDED: u8 = 3;
const KIND_PARAMETER_PROBLEM: u8 = 4;
const KIND_ECHO_REQUEST: u8 = 128;
const KIND_ECHO_REPLY: u8 = 129;

/// Why a packet did not get to its destination (§3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Icmpv6Unreachable {
    /// No route to the destination.
    NoRoute,
    /// A filter does not let the packet pass.
    Prohibited,
    /// The packet would leave the scope of its source address.
    BeyondScope,
    /// The last router does not find the host.
    Address,
    /// Nobody listens at the port.
    Port,
    /// The source address may not come from there.
    SourcePolicy,
    /// The destination is off limits.
    RejectRoute,
    /// A source routing header has an error (RFC 6554).
    SourceRoutingHeader,
    /// A code above 7.
    Other(u8),
}

impl From<u8> for Icmpv6Unreachable {
    fn from(code: u8) -> Self {
        match code {
            0 => Self::NoRoute,
            1 => Self::Prohibited,
            2 => Self::BeyondScope,
            3 => Self::Address,
            4 => Self::Port,
            5 => Self::SourcePolicy,
            6 => Self::RejectRoute,
            7 => Self::SourceRoutingHeader,
            other => Self::Other(other),
        }
    }
}

impl From<Icmpv6Unreachable> for u8 {
    fn from(code: Icmpv6Unreachable) -> Self {
        match code {
            Icmpv6Unreachable::NoRoute => 0,
            Icmpv6Unreachable::Prohibited => 1,
            Icmpv6Unreachable::BeyondScope => 2,
            Icmpv6Unreachable::Address => 3,
            Icmpv6Unreachable::Port => 4,
            Icmpv6Unreachable::SourcePolicy => 5,
            Icmpv6Unreachable::RejectRoute => 6,
            Icmpv6Unreachable::SourceRoutingHeader => 7,
            Icmpv6Unreachable::Other(other) => other,
        }
    }
}

/// What is wrong with a packet's headers (§3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Icmpv6ParameterProblem {
    /// A field has a value that it cannot have.
    Field,
    /// A header, or the payload's protocol, is not known.
    NextHeader,
    /// An option is not known.
    Option,
    /// A code above 2.
    Other(u8),
}

impl From<u8> for Icmpv6ParameterProblem {
    fn from(code: u8) -> Self {
        match code {
            0 => Self::Field,
            1 => Self::NextHeader,
            2 => Self::Option,
            other => Self::Other(other),
        }
    }
}

impl From<Icmpv6ParameterProblem> for u8 {
    fn from(code: Icmpv6ParameterProblem) -> Self {
        match code {
            Icmpv6ParameterProblem::Field => 0,
            Icmpv6ParameterProblem::NextHeader => 1,
            Icmpv6ParameterProblem::Option => 2,
            Icmpv6ParameterProblem::Other(other) => other,
        }
    }
}

#[cfg(test)]
mod tests;
