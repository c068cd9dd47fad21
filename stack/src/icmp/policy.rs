//! Which packets may be answered with an ICMP error (RFC 1122 section 3.2.2, RFC 1812 section
//! 4.3.2.7).
//!
//! The rules keep errors from answering errors, and one broadcast from drawing an error from every
//! host. `engine` asks before each error it would send, and the
//! [limiter](super::ErrorLimiter) after.

use core::net::Ipv4Addr;

use crate::wire::IpAddress;

/// Whether the packet may be answered with an ICMP error message. "An ICMP error message MUST NOT be
/// sent as the result of receiving" any of the five that [`ErrorSuppressed`] names.
pub(crate) fn may_send_error(offender: &Offender) -> Result<(), ErrorSuppressed> {
    match offender.payload {
        Payload::Icmp { message_type } if message_type.is_none_or(is_error) => {
            return Err(ErrorSuppressed::AboutError);
        }
        Payload::Icmp { .. } | Payload::Other => {}
    }
    if offender.is_to_group || is_group(offender.destination) {
        return Err(ErrorSuppressed::ToGroup);
    }
    if offender.is_link_group {
        return Err(ErrorSuppressed::LinkGroup);
    }
    if offender.fragment_offset != 0 {
        return Err(ErrorSuppressed::LaterFragment);
    }
    if !is_single_host(offender.source) {
        return Err(ErrorSuppressed::SourceNotOneHost);
    }
    Ok(())
}

/// What an error message would be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Offender {
    /// The header's source address, which the error would go to. That it is not the broadcast
    /// address of a subnet of ours has been checked before, with the martians.
    pub(crate) source: Ipv4Addr,
    /// The header's destination address.
    pub(crate) destination: Ipv4Addr,
    /// Whether `destination` is known to be a broadcast address or a group, as that of a subnet is.
    pub(crate) is_to_group: bool,
    /// Whether it came in a frame to a broadcast or multicast address.
    pub(crate) is_link_group: bool,
    /// The header's fragment offset, in any unit.
    pub(crate) fragment_offset: u16,
    /// What it carries.
    pub(crate) payload: Payload,
}

/// What a packet carries, as far as it matters for errors about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Payload {
    /// An ICMP message.
    #[cfg_attr(
        not(any(test, feature = "ip-fragments")),
        expect(dead_code, reason = "the errors sent today are not about ICMP")
    )]
    Icmp {
        /// Its type, `None` if the packet is too short to tell: it may have been an error.
        message_type: Option<u8>,
    },
    /// Anything else.
    Other,
}

/// Why a packet must not be answered with an ICMP error message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum ErrorSuppressed {
    /// "an ICMP error message"
    AboutError,
    /// "a datagram destined to an IP broadcast or IP multicast address"
    ToGroup,
    /// "a datagram sent as a link-layer broadcast"
    LinkGroup,
    /// "a non-initial fragment"
    LaterFragment,
    /// "a datagram whose source address does not define a single host -- e.g., a zero address, a
    /// loopback address, a broadcast address, a multicast address, or a Class E address"
    SourceNotOneHost,
}

/// The error messages of RFC 1122 section 3.2.2; every other type is a query or an answer to one.
fn is_error(message_type: u8) -> bool {
    matches!(
        message_type,
        DESTINATION_UNREACHABLE | SOURCE_QUENCH | REDIRECT | TIME_EXCEEDED | PARAMETER_PROBLEM
    )
}

fn is_group(address: Ipv4Addr) -> bool {
    IpAddress::Ipv4(address).is_multicast() || address.is_broadcast()
}

fn is_single_host(address: Ipv4Addr) -> bool {
    let [first, ..] = address.octets();
    !matches!(first, 0 | 127 | 224..=255)
}

const DESTINATION_UNREACHABLE: u8 = 3;
const SOURCE_QUENCH: u8 = 4;
const REDIRECT: u8 = 5;
const TIME_EXCEEDED: u8 = 11;
const PARAMETER_PROBLEM: u8 = 12;

#[cfg(test)]
mod tests {
    use super::*;

    const ECHO_REQUEST: u8 = 8;

    /// A UDP datagram to a closed port, which is what errors are for.
    fn offender() -> Offender {
        Offender {
            source: Ipv4Addr::new(192, 0, 2, 1),
            destination: Ipv4Addr::new(192, 0, 2, 2),
            is_to_group: false,
            is_link_group: false,
            fragment_offset: 0,
            payload: Payload::Other,
        }
    }

    fn icmp(message_type: Option<u8>) -> Offender {
        Offender {
            payload: Payload::Icmp { message_type },
            ..offender()
        }
    }

    #[test]
    fn an_ordinary_packet_may_be_answered() {
        assert_eq!(may_send_error(&offender()), Ok(()));
    }

    #[test]
    fn never_about_an_icmp_error() {
        for message_type in [3, 4, 5, 11, 12] {
            assert_eq!(
                may_send_error(&icmp(Some(message_type))),
                Err(ErrorSuppressed::AboutError),
                "type {message_type}"
            );
        }
    }

    #[test]
    fn an_icmp_query_may_be_answered() {
        for message_type in [0, ECHO_REQUEST, 13, 14] {
            assert_eq!(
                may_send_error(&icmp(Some(message_type))),
                Ok(()),
                "type {message_type}"
            );
        }
    }

    #[test]
    fn an_icmp_message_too_short_to_tell_counts_as_an_error() {
        assert_eq!(
            may_send_error(&icmp(None)),
            Err(ErrorSuppressed::AboutError)
        );
    }

    #[test]
    fn never_about_a_broadcast_or_multicast_destination() {
        for destination in [Ipv4Addr::BROADCAST, Ipv4Addr::new(224, 0, 0, 251)] {
            let offender = Offender {
                destination,
                ..offender()
            };
            assert_eq!(
                may_send_error(&offender),
                Err(ErrorSuppressed::ToGroup),
                "{destination}"
            );
        }
        let subnet_broadcast = Offender {
            destination: Ipv4Addr::new(192, 0, 2, 255),
            is_to_group: true,
            ..offender()
        };
        assert_eq!(
            may_send_error(&subnet_broadcast),
            Err(ErrorSuppressed::ToGroup)
        );
    }

    #[test]
    fn never_about_a_link_layer_broadcast() {
        let offender = Offender {
            is_link_group: true,
            ..offender()
        };
        assert_eq!(may_send_error(&offender), Err(ErrorSuppressed::LinkGroup));
    }

    #[test]
    fn never_about_a_non_initial_fragment() {
        let offender = Offender {
            fragment_offset: 185,
            ..offender()
        };
        assert_eq!(
            may_send_error(&offender),
            Err(ErrorSuppressed::LaterFragment)
        );
    }

    #[test]
    fn never_to_a_source_that_is_not_a_single_host() {
        let sources = [
            Ipv4Addr::UNSPECIFIED,
            Ipv4Addr::new(0, 1, 2, 3),
            Ipv4Addr::LOCALHOST,
            Ipv4Addr::BROADCAST,
            Ipv4Addr::new(239, 0, 0, 1),
            Ipv4Addr::new(240, 0, 0, 1),
        ];
        for source in sources {
            let offender = Offender {
                source,
                ..offender()
            };
            assert_eq!(
                may_send_error(&offender),
                Err(ErrorSuppressed::SourceNotOneHost),
                "{source}"
            );
        }
    }
}
