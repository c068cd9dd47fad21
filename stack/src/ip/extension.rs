//! What a host does about a packet's extension headers (RFC 8200 section 4, RFC 5095, RFC 6946).
//!
//! `engine` asks this for every IPv6 packet that is for us, before anything above it. No header has state
//! here, and no option is known: each says itself what is to be done about it.

use crate::wire::ipv6::{FragmentHeader, Ipv6Options, UnknownAction};
use crate::wire::{Extension, ExtensionHeaders, Icmpv6ParameterProblem, IpProtocol, Malformed};

/// Goes through the extension headers of a packet, `payload` being what follows its IPv6 header, which
/// announces `next_header`.
pub(crate) fn open(next_header: IpProtocol, payload: &[u8]) -> Result<Opened<'_>, HeaderProblem> {
    let mut headers = ExtensionHeaders::new(next_header, payload);
    let (mut is_first, mut in_fragment) = (true, false);
    loop {
        let announced_at = headers.pointer();
        let Some(extension) = headers.next() else {
            break;
        };
        match extension? {
            // "the Next Header value of zero in any header other than the IPv6 header" is one that the node
            // does not recognize.
            Extension::HopByHop(_) if !is_first => {
                return Err(HeaderProblem::report(
                    Icmpv6ParameterProblem::NextHeader,
                    announced_at,
                ));
            }
            Extension::HopByHop(options) | Extension::Destination(options) => check(options)?,
            // Section 4.4: with segments left, a routing header of a type that is not known has the packet
            // discarded; without, it is ignored. RFC 5095 section 3 makes type 0 one of them.
            Extension::Routing(routing) if routing.segments_left > 0 => {
                return Err(HeaderProblem::report(
                    Icmpv6ParameterProblem::Field,
                    routing.kind_offset,
                ));
            }
            Extension::Routing(_) => {}
            // RFC 6946 section 4: processed "in isolation from any other packets/fragments".
            Extension::Fragment(fragment) if fragment.is_atomic() => in_fragment = true,
            Extension::Fragment(fragment) => return Ok(Opened::Fragment(fragment)),
        }
        is_first = false;
    }
    Ok(Opened::Payload {
        protocol: headers.next_header(),
        payload: headers.rest(),
        announced_at: headers.pointer(),
        in_fragment,
    })
}

/// What is behind the extension headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Opened<'a> {
    /// A whole packet's payload.
    Payload {
        protocol: IpProtocol,
        payload: &'a [u8],
        /// Where in the packet the protocol is announced, in bytes.
        announced_at: usize,
        /// There is a fragment header.
        in_fragment: bool,
    },
    /// A piece of a packet.
    Fragment(FragmentHeader),
}

/// Why a packet is discarded for its extension headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum HeaderProblem {
    /// Nobody is told.
    Silent,
    /// A header is cut off.
    Truncated,
    /// The sender is told.
    Report {
        code: Icmpv6ParameterProblem,
        /// Which byte of the packet it is about.
        pointer: u32,
        /// Even if the packet was for a group.
        even_to_group: bool,
    },
}

impl HeaderProblem {
    fn report(code: Icmpv6ParameterProblem, at: usize) -> Self {
        Self::Report {
            code,
            pointer: at as u32,
            even_to_group: false,
        }
    }
}

impl From<Malformed> for HeaderProblem {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::Truncated => Self::Truncated,
            _ => Self::Silent,
        }
    }
}

/// Does what the options ask of a host that knows none of them.
fn check(options: Ipv6Options<'_>) -> Result<(), HeaderProblem> {
    for option in options {
        let option = option?;
        let even_to_group = match option.if_unknown() {
            UnknownAction::Skip => continue,
            UnknownAction::Discard => return Err(HeaderProblem::Silent),
            UnknownAction::Report => true,
            UnknownAction::ReportUnlessGroup => false,
        };
        return Err(HeaderProblem::Report {
            code: Icmpv6ParameterProblem::Option,
            pointer: option.offset as u32,
            even_to_group,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn problem(next_header: u8, payload: &[u8]) -> HeaderProblem {
        open(IpProtocol(next_header), payload).unwrap_err()
    }

    fn option_of_type(kind: u8) -> [u8; 10] {
        [6, 0, kind, 4, 0, 0, 0, 0, 0xaa, 0xbb]
    }

    #[test]
    fn what_is_behind_the_headers_is_found() {
        let payload = [60, 0, 5, 2, 0, 0, 1, 0, 6, 0, 1, 4, 0, 0, 0, 0, 0xaa, 0xbb];
        let opened = Opened::Payload {
            protocol: IpProtocol::TCP,
            payload: &[0xaa, 0xbb],
            announced_at: 48,
            in_fragment: false,
        };
        assert_eq!(open(IpProtocol::HOP_BY_HOP, &payload), Ok(opened));
    }

    #[test]
    fn rfc8200_an_unknown_option_is_skipped_if_its_type_says_so() {
        let payload = option_of_type(0x1e);
        assert!(matches!(
            open(IpProtocol::DESTINATION_OPTIONS, &payload),
            Ok(Opened::Payload {
                protocol: IpProtocol::TCP,
                ..
            })
        ));
    }

    #[test]
    fn rfc8200_an_unknown_option_has_the_packet_discarded_if_its_type_says_so() {
        assert_eq!(problem(60, &option_of_type(0x5e)), HeaderProblem::Silent);
        assert_eq!(problem(0, &option_of_type(0x5e)), HeaderProblem::Silent);
    }

    #[test]
    fn rfc8200_an_unknown_option_is_reported_if_its_type_says_so() {
        for (kind, even_to_group) in [(0x9e, true), (0xde, false)] {
            let expected = HeaderProblem::Report {
                code: Icmpv6ParameterProblem::Option,
                pointer: 42,
                even_to_group,
            };
            assert_eq!(problem(60, &option_of_type(kind)), expected);
            assert_eq!(problem(0, &option_of_type(kind)), expected);
        }
    }

    #[test]
    fn rfc8200_hop_by_hop_options_come_first_or_not_at_all() {
        let payload = [0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0];
        let expected = HeaderProblem::Report {
            code: Icmpv6ParameterProblem::NextHeader,
            pointer: 40,
            even_to_group: false,
        };
        assert_eq!(problem(60, &payload), expected);
        assert_eq!(problem(0, &payload), expected);
    }

    #[test]
    fn rfc5095_a_routing_header_of_type_0_is_refused() {
        let payload = [
            6, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
        ];
        let expected = HeaderProblem::Report {
            code: Icmpv6ParameterProblem::Field,
            pointer: 42,
            even_to_group: false,
        };
        assert_eq!(problem(43, &payload), expected);
        let mut arrived = payload;
        arrived[3] = 0;
        assert!(open(IpProtocol::ROUTING, &arrived).is_ok());
    }

    #[test]
    fn rfc6946_an_atomic_fragment_is_a_whole_packet() {
        let payload = [6, 0, 0, 0, 1, 2, 3, 4, 0xaa];
        let opened = Opened::Payload {
            protocol: IpProtocol::TCP,
            payload: &[0xaa],
            announced_at: 40,
            in_fragment: true,
        };
        assert_eq!(open(IpProtocol::FRAGMENT, &payload), Ok(opened));
        let payload = [6, 0, 0, 1, 1, 2, 3, 4, 0xaa];
        assert!(matches!(
            open(IpProtocol::FRAGMENT, &payload),
            Ok(Opened::Fragment(FragmentHeader { more: true, .. }))
        ));
    }

    #[test]
    fn a_header_that_is_cut_off_is_told_from_one_that_is_refused() {
        assert_eq!(
            problem(60, &[6, 1, 1, 4, 0, 0, 0, 0]),
            HeaderProblem::Truncated
        );
        let endless: Vec<u8> = [60, 0, 1, 4, 0, 0, 0, 0].repeat(20);
        assert_eq!(problem(60, &endless), HeaderProblem::Silent);
    }

    proptest! {
        #[test]
        fn any_bytes_are_opened_or_refused(
            next_header in prop_oneof![Just(0_u8), Just(43), Just(44), Just(60)],
            payload in proptest::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(43), Just(44), Just(60), any::<u8>()], 0..300),
        ) {
            match open(IpProtocol(next_header), &payload) {
                Ok(Opened::Payload { payload: rest, announced_at, .. }) => {
                    prop_assert!(payload.ends_with(rest));
                    prop_assert!(announced_at < payload.len() + 40);
                }
                Ok(Opened::Fragment(fragment)) => {
                    prop_assert!(fragment.data_offset <= payload.len() + 40);
                }
                Err(HeaderProblem::Report { pointer, .. }) => {
                    prop_assert!((pointer as usize) < payload.len() + 40);
                }
                Err(HeaderProblem::Silent | HeaderProblem::Truncated) => {}
            }
        }
    }
}
