//! ICMPv4 messages (RFC 792): echo, and the errors that routers and hosts report about a packet.

use zerocopy::FromBytes;

use super::Malformed;
use super::checksum::Sum;
use super::icmp::{Header, Message, halves, pair};

/// The length in bytes of the header that all messages have.
pub const HEADER_LEN: usize = size_of::<Header>();
/// The code of [`Icmpv4Message::TimeExceeded`] from a router that may not pass the packet on.
pub const HOP_LIMIT_EXCEEDED: u8 = 0;
/// The code of [`Icmpv4Message::TimeExceeded`] from a host that misses fragments.
pub const REASSEMBLY_TIME_EXCEEDED: u8 = 1;

/// An ICMPv4 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Icmpv4Message<'a> {
    /// "Are you there?"
    EchoRequest {
        /// Which program asks.
        ident: u16,
        /// Which of its requests this is.
        seq: u16,
        /// What the reply is to repeat.
        data: &'a [u8],
    },
    /// "I am."
    EchoReply {
        /// As in the request.
        ident: u16,
        /// As in the request.
        seq: u16,
        /// As in the request.
        data: &'a [u8],
    },
    /// The packet did not get to its destination.
    DestinationUnreachable {
        /// Why.
        code: Icmpv4Unreachable,
        /// With [`Icmpv4Unreachable::FragmentationNeeded`] the MTU in bytes of the link that the packet
        /// did not fit, or 0 from a router that does not know RFC 1191; 0 with all others.
        next_hop_mtu: u16,
        /// The start of the packet, for [`Quote::parse`](super::Quote::parse).
        quote: &'a [u8],
    },
    /// The packet, or the rest of its fragments, took too long.
    TimeExceeded {
        /// [`HOP_LIMIT_EXCEEDED`] or [`REASSEMBLY_TIME_EXCEEDED`].
        code: u8,
        /// The start of the packet, for [`Quote::parse`](super::Quote::parse).
        quote: &'a [u8],
    },
    /// The packet's header made no sense (code 0).
    ParameterProblem {
        /// Which byte of the packet.
        pointer: u8,
        /// The start of the packet, for [`Quote::parse`](super::Quote::parse).
        quote: &'a [u8],
    },
    /// A message that the stack has no use for.
    Other {
        /// Its type.
        kind: u8,
        /// Its code.
        code: u8,
    },
}

impl<'a> Icmpv4Message<'a> {
    /// Reads a message. Without `verify` the checksum is not looked at.
    ///
    /// # Errors
    ///
    /// [`Malformed::Truncated`] if it is shorter than eight bytes, [`Malformed::BadChecksum`].
    pub fn parse(message: &'a [u8], verify: bool) -> Result<Self, Malformed> {
        let (raw, body) = Header::ref_from_prefix(message).map_err(|_| Malformed::Truncated)?;
        if verify && !Sum::of(message).is_valid() {
            return Err(Malformed::BadChecksum);
        }
        let (high, low) = halves(raw.word.get());
        Ok(match (raw.kind, raw.code) {
            (KIND_ECHO_REQUEST, 0) => Self::EchoRequest {
                ident: high,
                seq: low,
                data: body,
            },
            (KIND_ECHO_REPLY, 0) => Self::EchoReply {
                ident: high,
                seq: low,
                data: body,
            },
            (KIND_UNREACHABLE, code) => {
                let code = Icmpv4Unreachable::from(code);
                Self::DestinationUnreachable {
                    code,
                    next_hop_mtu: if code == Icmpv4Unreachable::FragmentationNeeded {
                        low
                    } else {
                        0
                    },
                    quote: body,
                }
            }
            (KIND_TIME_EXCEEDED, code) => Self::TimeExceeded { code, quote: body },
            (KIND_PARAMETER_PROBLEM, 0) => Self::ParameterProblem {
                pointer: (high >> 8) as u8,
                quote: body,
            },
            (kind, code) => Self::Other { kind, code },
        })
    }

    /// The length of the message in bytes.
    #[expect(clippy::len_without_is_empty, reason = "no message is empty")]
    pub const fn len(&self) -> usize {
        HEADER_LEN + self.body().len()
    }

    /// Writes the message with its checksum to the first [`len`](Self::len) bytes of `buf`, which the
    /// caller makes long enough. Of [`Icmpv4Message::Other`] only the header is written.
    pub fn emit(&self, buf: &mut [u8]) {
        self.to_send().emit(Sum::ZERO, buf);
    }

    /// As it is sent.
    #[inline]
    pub(crate) fn to_send(self) -> Message<'a> {
        let (kind, code, word) = match self {
            Self::EchoRequest { ident, seq, .. } => (KIND_ECHO_REQUEST, 0, pair(ident, seq)),
            Self::EchoReply { ident, seq, .. } => (KIND_ECHO_REPLY, 0, pair(ident, seq)),
            Self::DestinationUnreachable {
                code, next_hop_mtu, ..
            } => {
                let mtu = if code == Icmpv4Unreachable::FragmentationNeeded {
                    next_hop_mtu
                } else {
                    0
                };
                (KIND_UNREACHABLE, code.into(), pair(0, mtu))
            }
            Self::TimeExceeded { code, .. } => (KIND_TIME_EXCEEDED, code, 0),
            Self::ParameterProblem { pointer, .. } => {
                (KIND_PARAMETER_PROBLEM, 0, u32::from(pointer) << 24)
            }
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
            | Self::TimeExceeded { quote, .. }
            | Self::ParameterProblem { quote, .. } => quote,
            Self::Other { .. } => &[],
        }
    }
}

const KIND_ECHO_REPLY: u8 = 0;
const KIND_UNREACHABLE: u8 = 3;
const KIND_ECHO_REQUEST: u8 = 8;
const KIND_TIME_EXCEEDED: u8 = 11;
const KIND_PARAMETER_PROBLEM: u8 = 12;

/// Why a packet did not get to its destination: the codes of RFC 792 and RFC 1122 §3.2.2.1, and of
/// RFC 1812 §5.2.7.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Icmpv4Unreachable {
    /// No route to the network.
    Net,
    /// The last router does not find the host.
    Host,
    /// The host does not speak the protocol.
    Protocol,
    /// Nobody listens at the port.
    Port,
    /// The packet is too long for the next link and must not be fragmented (RFC 1191).
    FragmentationNeeded,
    /// The route that the packet demands does not work.
    SourceRouteFailed,
    /// There is no such network.
    NetUnknown,
    /// There is no such host.
    HostUnknown,
    /// The sender is cut off.
    SourceHostIsolated,
    /// The network is off limits.
    NetProhibited,
    /// The host is off limits.
    HostProhibited,
    /// No route to the network for this type of service.
    NetForTypeOfService,
    /// No route to the host for this type of service.
    HostForTypeOfService,
    /// A filter does not let the packet pass.
    Prohibited,
    /// The packet's precedence is not permitted.
    HostPrecedenceViolation,
    /// The packet's precedence is below the network's minimum.
    PrecedenceCutoff,
    /// A code above 15.
    Other(u8),
}

impl From<u8> for Icmpv4Unreachable {
    fn from(code: u8) -> Self {
        match code {
            0 => Self::Net,
            1 => Self::Host,
            2 => Self::Protocol,
            3 => Self::Port,
            4 => Self::FragmentationNeeded,
            5 => Self::SourceRouteFailed,
            6 => Self::NetUnknown,
            7 => Self::HostUnknown,
            8 => Self::SourceHostIsolated,
            9 => Self::NetProhibited,
            10 => Self::HostProhibited,
            11 => Self::NetForTypeOfService,
            12 => Self::HostForTypeOfService,
            13 => Self::Prohibited,
            14 => Self::HostPrecedenceViolation,
            15 => Self::PrecedenceCutoff,
            other => Self::Other(other),
        }
    }
}

impl From<Icmpv4Unreachable> for u8 {
    fn from(code: Icmpv4Unreachable) -> Self {
        match code {
            Icmpv4Unreachable::Net => 0,
            Icmpv4Unreachable::Host => 1,
            Icmpv4Unreachable::Protocol => 2,
            Icmpv4Unreachable::Port => 3,
            Icmpv4Unreachable::FragmentationNeeded => 4,
            Icmpv4Unreachable::SourceRouteFailed => 5,
            Icmpv4Unreachable::NetUnknown => 6,
            Icmpv4Unreachable::HostUnknown => 7,
            Icmpv4Unreachable::SourceHostIsolated => 8,
            Icmpv4Unreachable::NetProhibited => 9,
            Icmpv4Unreachable::HostProhibited => 10,
            Icmpv4Unreachable::NetForTypeOfService => 11,
            Icmpv4Unreachable::HostForTypeOfService => 12,
            Icmpv4Unreachable::Prohibited => 13,
            Icmpv4Unreachable::HostPrecedenceViolation => 14,
            Icmpv4Unreachable::PrecedenceCutoff => 15,
            Icmpv4Unreachable::Other(other) => other,
        }
    }
}

#[cfg(test)]
mod tests;
