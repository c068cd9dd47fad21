//! Packets of IPv6 in pieces (RFC 8200, section 4.5; RFC 7112).
//!
//! What was put together is an atomic fragment (RFC 6946): a header, the fragment header, and all that was
//! behind it.

use crate::engine::Engine;
use crate::engine::Interface;
use crate::engine::icmp::{MAX_QUOTE_V6, is_icmp_error};
use crate::engine::outgoing::{IpPacket, Payload};
use crate::engine::received::{Handled, Received};
use crate::icmp::{ErrorReach, OffenderV6, may_send_error_v6};
use crate::ip::{DatagramKey, Fragment, HeaderProblem, Opened, Rules, open};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::icmpv6;
use crate::wire::ipv6::{FRAGMENT_HEADER_LEN, FragmentHeader, HEADER_LEN};
use crate::wire::{Icmpv6Message, Icmpv6ParameterProblem, IpProtocol, Ipv6Header};

impl Engine<'_> {
    /// Part of a packet arrived, with headers in front of it that were found in order.
    #[cold]
    pub(in crate::engine) fn on_fragment_v6(
        &mut self,
        received: &mut Received<'_>,
        header: &Ipv6Header,
        fragment: &FragmentHeader,
        now: Instant,
    ) -> Handled {
        let payload = received.packet.get(fragment.data_offset..);
        let payload = payload.unwrap_or_default();
        if let Some(problem) = problem_of(fragment, payload) {
            return self.on_header_problem(received, problem, now);
        }
        let mut kept = [0; HEADER_LEN + FRAGMENT_HEADER_LEN];
        let whole_header = Ipv6Header {
            next_header: IpProtocol::FRAGMENT,
            payload_len: FRAGMENT_HEADER_LEN + payload.len(),
            ..*header
        };
        let (front, back) = kept.split_at_mut(HEADER_LEN);
        whole_header.emit(front);
        fragment.emit(back);
        let arrived = Fragment {
            key: DatagramKey {
                src: received.src,
                dst: received.dst,
                protocol: None,
                ident: fragment.ident,
            },
            rules: Rules::V6,
            offset: fragment.offset.into(),
            more: fragment.more,
            ecn: header.ecn(),
            header: &kept,
            payload,
            back: self.interface.link_back(&received.back),
        };
        let Some(mut whole) = self.fragments.arriving.on_fragment(now, &arrived)? else {
            return Ok(());
        };
        let (ecn, payload_len) = (whole.ecn(), whole.payload_len());
        make_atomic(whole.packet_mut(), ecn.0, payload_len);
        let handled = self.on_reassembled_v6(received, whole.packet(), now);
        self.fragments.arriving.give_back(whole);
        handled
    }

    /// A packet is whole. An answer to it may repeat what lies in its memory, so it is written down now.
    fn on_reassembled_v6(
        &mut self,
        last: &Received<'_>,
        packet: &[u8],
        now: Instant,
    ) -> Result<(), Discard> {
        let (header, payload) = Ipv6Header::parse(packet)?;
        let mut received = last.reassembled(header.hop_limit, header.ecn(), packet);
        self.on_opened(&mut received, open(header.next_header, payload), now)
    }
}

/// What section 4.5 has the sender told about.
fn problem_of(fragment: &FragmentHeader, payload: &[u8]) -> Option<HeaderProblem> {
    let report = |code, pointer| HeaderProblem::Report {
        code,
        pointer,
        even_to_group: false,
    };
    if fragment.more && !payload.len().is_multiple_of(8) {
        return Some(report(Icmpv6ParameterProblem::Field, PAYLOAD_LENGTH_OFFSET));
    }
    if usize::from(fragment.offset) + payload.len() > usize::from(u16::MAX) {
        let pointer = fragment.data_offset.saturating_sub(6) as u32;
        return Some(report(Icmpv6ParameterProblem::Field, pointer));
    }
    // RFC 7112: "the first fragment [...] MUST contain the entire IPv6 Header Chain". All that is behind it can
    // be looked at then.
    if fragment.offset == 0 {
        return match open(fragment.next_header, payload) {
            Ok(Opened::Payload {
                protocol, payload, ..
            }) if payload.len() >= shortest_header(protocol) => None,
            Ok(Opened::Payload { .. }) | Err(HeaderProblem::Truncated) => {
                Some(report(INCOMPLETE_CHAIN, 0))
            }
            // What is wrong with it is found out again when all is there.
            Ok(Opened::Fragment(_)) | Err(_) => None,
        };
    }
    None
}

/// The length in bytes of an upper-layer header.
fn shortest_header(protocol: IpProtocol) -> usize {
    match protocol {
        IpProtocol::TCP => 20,
        IpProtocol::UDP | IpProtocol::ICMPV6 => 8,
        _ => 0,
    }
}

/// Makes the headers in front of a whole packet those of an atomic fragment.
fn make_atomic(packet: &mut [u8], ecn: u8, payload_len: usize) {
    let Some((front, back)) = packet.split_at_mut_checked(HEADER_LEN) else {
        return;
    };
    let mut bytes = [0; HEADER_LEN];
    bytes.copy_from_slice(front);
    // The payload is not there: the header is read by itself.
    let Some(first) = Ipv6Header::peek(&bytes) else {
        return;
    };
    let header = Ipv6Header {
        dscp_ecn: first.dscp_ecn & !3 | ecn,
        payload_len: FRAGMENT_HEADER_LEN + payload_len,
        ..first
    };
    header.emit(front);
    // Offset and flags.
    if let Some(field) = back.get_mut(2..4) {
        field.fill(0);
    }
}

/// The error about a packet of which the first fragment is there, if there may be one.
pub(in crate::engine) fn time_exceeded<'a>(
    first: &'a [u8],
    interface: &Interface,
) -> Option<IpPacket<'a>> {
    let (header, _) = Ipv6Header::parse(first).ok()?;
    let offender = OffenderV6 {
        source: header.src,
        is_to_group: !interface.addresses.is_local(header.dst.into()),
        is_link_group: false,
        is_error: is_icmp_error(first),
        reach: ErrorReach::OneHost,
    };
    may_send_error_v6(&offender).ok()?;
    let message = Icmpv6Message::TimeExceeded {
        code: icmpv6::REASSEMBLY_TIME_EXCEEDED,
        quote: first.get(..MAX_QUOTE_V6).unwrap_or(first),
    };
    let (src, dst) = (header.dst.into(), header.src.into());
    Some(interface.own_packet(src, dst, Payload::Icmpv6(message)))
}

/// RFC 7112, section 5.
const INCOMPLETE_CHAIN: Icmpv6ParameterProblem = Icmpv6ParameterProblem::Other(3);

/// Where the IPv6 header says how long what follows is.
const PAYLOAD_LENGTH_OFFSET: u32 = 4;
