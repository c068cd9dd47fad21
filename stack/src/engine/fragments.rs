//! Packets in pieces: fragments that arrive are put together, and what is longer than a path takes is cut.
//!
//! Sockets' packets are cut where they are queued: a fragment a turn, each read from the socket's own memory,
//! see [`Cut`]. An answer has no such memory. What is too long for one packet, and what answers a datagram
//! that was put together and whose memory is to be free again, goes through the one [`Outbox`].

#[cfg(feature = "proto-ipv6")]
mod v6;

use cygnet_config::{FRAGMENTATION_BUFFER_SIZE, REASSEMBLY_BUFFER_COUNT, REASSEMBLY_BUFFER_SIZE};

use super::flow_label::FlowLabel;
use super::icmp::MAX_QUOTE;
use super::outgoing::{Content, IpPacket, LinkHeader, Outgoing, Part, Payload, Room, Sending};
use super::received::{Back, Handled, Received};
use super::{Engine, Interface};
use crate::icmp::{Offender, Payload as OffenderPayload, may_send_error};
use crate::ip::{DatagramKey, Destination, Fragment, Reassembly, Rules};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::icmpv4::{self, Icmpv4Message};
use crate::wire::ipv4::MIN_HEADER_LEN;
use crate::wire::{Ecn, IpAddress, IpProtocol, Ipv4Header};

/// The memory for packets in pieces.
pub(crate) struct FragmentBuffers {
    arriving: [[u8; ARRIVING_LEN]; REASSEMBLY_BUFFER_COUNT],
    leaving: [u8; FRAGMENTATION_BUFFER_SIZE],
}

/// Datagrams whose fragments arrive, and an answer that leaves in fragments.
pub(super) struct FragmentState<'d> {
    pub(super) arriving: Reassembly<'d, LinkHeader>,
    leaving: Outbox<'d>,
}

/// Room for one answer, of which a fragment is sent at a time.
struct Outbox<'d> {
    /// Its payload, as it is behind the IP header.
    payload: &'d mut [u8],
    answer: Option<Answer>,
}

struct Answer {
    link: LinkHeader,
    src: IpAddress,
    dst: IpAddress,
    protocol: IpProtocol,
    hop_limit: u8,
    dscp_ecn: u8,
    dont_fragment: bool,
    ident: u32,
    len: usize,
    sent: usize,
}

/// How far a packet in a socket's queue has gone that does not fit one frame.
///
/// It goes on with the next turn of the socket, unless its neighbor is not in reach then: in that case it
/// starts over when it is, under another identification, and other packets go ahead.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cut(Option<Progress>);

#[derive(Clone, Copy, Debug)]
struct Progress {
    nth: usize,
    offset: usize,
    ident: u32,
    src: IpAddress,
}

impl FragmentBuffers {
    pub(crate) const fn new() -> Self {
        Self {
            arriving: [[0; ARRIVING_LEN]; REASSEMBLY_BUFFER_COUNT],
            leaving: [0; FRAGMENTATION_BUFFER_SIZE],
        }
    }
}

impl<'d> FragmentState<'d> {
    /// Without memory, everything in pieces is dropped.
    pub(super) fn new() -> Self {
        Self {
            arriving: Reassembly::new(),
            leaving: Outbox {
                payload: &mut [],
                answer: None,
            },
        }
    }

    fn lend(&mut self, buffers: &'d mut FragmentBuffers) {
        for bytes in &mut buffers.arriving {
            self.arriving.lend(bytes);
        }
        self.leaving.payload = &mut buffers.leaving;
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.arriving.next_deadline()
    }

    pub(super) fn wants_to_send(&self) -> bool {
        self.leaving.answer.is_some()
    }

    /// The link went, and with it where the answer was to go.
    pub(super) fn on_link_changed(&mut self) {
        self.leaving.answer = None;
    }
}

impl Outbox<'_> {
    fn put(&mut self, link: &LinkHeader, packet: &IpPacket<'_>, ident: u32) -> Result<(), Discard> {
        if self.answer.is_some() {
            return Err(Discard::NoRoomToReply);
        }
        let len = packet.payload.len();
        let room = self.payload.get_mut(..len);
        let room = room
            .filter(|_| packet.len() <= FRAGMENTATION_BUFFER_SIZE)
            .ok_or(Discard::ReplyTooLong)?;
        packet.payload.emit(room, packet.src, packet.dst);
        self.answer = Some(Answer {
            link: *link,
            src: packet.src,
            dst: packet.dst,
            protocol: packet.payload.protocol(packet.dst),
            hop_limit: packet.hop_limit,
            dscp_ecn: packet.dscp_ecn,
            dont_fragment: packet.dont_fragment,
            ident,
            len,
            sent: 0,
        });
        Ok(())
    }

    /// Sends the next fragment of packets of up to `mtu` bytes.
    /// False if there is none.
    fn send(&mut self, mtu: usize, room: &mut dyn Room) -> bool {
        let Some(answer) = &mut self.answer else {
            return false;
        };
        let payload = self.payload.get(..answer.len).unwrap_or_default();
        let packet = IpPacket {
            src: answer.src,
            dst: answer.dst,
            hop_limit: answer.hop_limit,
            dscp_ecn: answer.dscp_ecn,
            ident: answer.ident as u16,
            dont_fragment: answer.dont_fragment,
            flow_label: FlowLabel::NONE,
            payload: Payload::Written(answer.protocol, payload),
        };
        let link = &{ answer.link };
        let content = match Part::of(&packet, mtu, answer.sent, answer.ident) {
            None => {
                answer.sent = answer.len;
                Content::Ip(&packet)
            }
            Some(part) => {
                answer.sent += part.len;
                Content::Fragment(&packet, part)
            }
        };
        if answer.sent >= answer.len {
            self.answer = None;
        }
        room.send(&Outgoing { link, content });
        true
    }
}

impl<'f> Received<'f> {
    /// What is known of a datagram when the last of its fragments has arrived, which this is.
    fn reassembled<'a>(&self, hop_limit: u8, ecn: Ecn, packet: &'a [u8]) -> Received<'a>
    where
        'f: 'a,
    {
        Received {
            hop_limit,
            ecn,
            packet,
            // A device that looks at checksums cannot have looked at this one.
            verify: true,
            src: self.src,
            dst: self.dst,
            destination: self.destination,
            path: self.path,
            // An answer may repeat what lies in the datagram's memory, so it is written down at once.
            back: Back {
                header: self.back.header,
                room: None,
            },
        }
    }
}

impl Cut {
    /// The number of the packet to go on with; 0, as good as any, if there is none.
    pub(super) fn nth(&self) -> usize {
        self.0.map_or(0, |progress| progress.nth)
    }

    /// Gives up on what is under way. True if there was something.
    pub(super) fn reset(&mut self) -> bool {
        self.0.take().is_some()
    }

    /// Identification and source of the packet that is under way: they stay as they are.
    pub(super) fn under_way(&self) -> Option<(u32, IpAddress)> {
        self.0.map(|progress| (progress.ident, progress.src))
    }

    /// Sends the packet or the next part of it, and returns how far it has come, and what [`Room::send`] does.
    pub(super) fn send(self, outgoing: Sending<'_>, room: &mut dyn Room) -> (Self, bool) {
        let Sending {
            link,
            packet,
            nth,
            mtu,
            ident,
        } = outgoing;
        let offset = self.0.map_or(0, |progress| progress.offset);
        let Some(part) = Part::of(packet, mtu, offset, ident) else {
            let content = Content::Ip(packet);
            return (Self(None), room.send(&Outgoing { link, content }));
        };
        let src = packet.src;
        let content = Content::Fragment(packet, part);
        let has_more = room.send(&Outgoing { link, content });
        let progress = part.more.then_some(Progress {
            nth,
            offset: offset + part.len,
            ident,
            src,
        });
        (Self(progress), has_more)
    }

    /// Whether all of the packet has been sent.
    pub(super) fn is_done(&self) -> bool {
        self.0.is_none()
    }
}

impl<'d> Engine<'d> {
    /// Gives it memory for packets in pieces.
    pub(crate) fn lend_fragments(&mut self, buffers: &'d mut FragmentBuffers) {
        self.fragments.lend(buffers);
    }

    /// Part of a datagram arrived, with a header that was found in order.
    #[cold]
    pub(super) fn on_fragment(
        &mut self,
        received: &mut Received<'_>,
        header: &Ipv4Header,
        payload: &[u8],
        now: Instant,
    ) -> Handled {
        if received.destination == Destination::Elsewhere {
            return Err(Discard::NotOurAddress);
        }
        let mut kept = [0; MIN_HEADER_LEN];
        header.emit(&mut kept);
        let fragment = Fragment {
            key: DatagramKey {
                src: received.src,
                dst: received.dst,
                protocol: Some(header.protocol),
                ident: header.ident.into(),
            },
            rules: Rules::V4,
            offset: header.fragment_offset.into(),
            more: header.more_fragments,
            ecn: header.ecn(),
            header: &kept,
            payload,
            back: self.interface.link_back(&received.back),
        };
        let Some(mut whole) = self.fragments.arriving.on_fragment(now, &fragment)? else {
            return Ok(());
        };
        let (ecn, payload_len) = (whole.ecn(), whole.payload_len());
        if let Ok((first, _)) = Ipv4Header::parse(whole.packet(), false) {
            Ipv4Header {
                dscp_ecn: first.dscp_ecn & !3 | ecn.0,
                more_fragments: false,
                payload_len,
                ..first
            }
            .emit(whole.packet_mut());
        }
        let handled = self.on_reassembled(received, whole.packet(), now);
        self.fragments.arriving.give_back(whole);
        handled
    }

    /// A datagram is whole. An answer to it may repeat what lies in its memory, so it is written down now.
    fn on_reassembled(
        &mut self,
        last: &Received<'_>,
        packet: &[u8],
        now: Instant,
    ) -> Result<(), Discard> {
        let (header, payload) = Ipv4Header::parse(packet, false)?;
        let mut received = last.reassembled(header.hop_limit, header.ecn(), packet);
        self.on_datagram(&mut received, header.protocol, payload, now)
    }

    /// Keeps an answer that leaves in fragments: because it is too long for one packet, or because it is to what came
    /// in some. False if it is to be sent at once.
    pub(super) fn keep_answer(
        &mut self,
        back: &Back<'_>,
        link: &LinkHeader,
        packet: &IpPacket<'_>,
    ) -> bool {
        let may_be_cut = packet.may_be_cut();
        let is_cut = may_be_cut && packet.len() > self.interface.cut_at(packet.dst);
        if back.room.is_some() && !is_cut {
            return false;
        }
        let ident = match may_be_cut {
            true => self.interface.next_ident(packet.dst),
            false => 0,
        };
        if let Err(reason) = self.fragments.leaving.put(link, packet, ident) {
            self.stats.discard(reason);
        }
        true
    }

    /// Sends a fragment of an answer. False if there is none.
    pub(super) fn transmit_fragment(&mut self, room: &mut dyn Room) -> bool {
        let Some(answer) = &self.fragments.leaving.answer else {
            return false;
        };
        let mtu = self.interface.cut_at(answer.dst);
        let sent = self.fragments.leaving.send(mtu, room);
        if sent {
            self.on_sent();
        }
        sent
    }

    /// Gives up on datagrams whose rest did not come. RFC 1122, section 3.3.2: "If this timeout expires, the
    /// partially-reassembled datagram MUST be discarded and an ICMP Time Exceeded message sent to the source
    /// host (if fragment zero has been received)."
    pub(super) fn on_fragment_timeout(&mut self, now: Instant) {
        while let Some(expired) = self.fragments.arriving.on_timeout(now) {
            self.stats.discard(Discard::ReassemblyTimeout);
            let error = expired.first;
            let Some(error) = error.and_then(|first| time_exceeded(first, &self.interface)) else {
                continue;
            };
            if !self.icmp_errors.allow(now) {
                self.stats.discard(Discard::RateLimited);
                continue;
            }
            if let Err(reason) = self.fragments.leaving.put(&expired.back, &error, 0) {
                self.stats.discard(reason);
            }
        }
    }
}

/// The error about a datagram of which the first fragment is there, if there may be one.
fn time_exceeded<'a>(first: &'a [u8], interface: &Interface) -> Option<IpPacket<'a>> {
    #[cfg(feature = "proto-ipv6")]
    if first.first()? >> 4 == 6 {
        return v6::time_exceeded(first, interface);
    }
    let (header, payload) = Ipv4Header::parse(first, false).ok()?;
    let is_icmp = header.protocol == IpProtocol::ICMP;
    let offender = Offender {
        source: header.src,
        destination: header.dst,
        is_to_group: !interface.addresses.is_local(header.dst.into()),
        is_link_group: false,
        fragment_offset: 0,
        payload: if is_icmp {
            OffenderPayload::Icmp {
                message_type: payload.first().copied(),
            }
        } else {
            OffenderPayload::Other
        },
    };
    may_send_error(&offender).ok()?;
    let message = Icmpv4Message::TimeExceeded {
        code: icmpv4::REASSEMBLY_TIME_EXCEEDED,
        quote: first.get(..MAX_QUOTE).unwrap_or(first),
    };
    let (src, dst) = (header.dst.into(), header.src.into());
    Some(interface.own_packet(src, dst, Payload::Icmpv4(message.to_send())))
}

/// RFC 8200, section 5: a packet of IPv6 may be as long as one of IPv4, and is kept with its fragment header.
const ARRIVING_LEN: usize = if cfg!(feature = "proto-ipv6") {
    REASSEMBLY_BUFFER_SIZE + FRAGMENT_HEADER_LEN
} else {
    REASSEMBLY_BUFFER_SIZE
};

/// Of IPv6, in bytes.
const FRAGMENT_HEADER_LEN: usize = 8;
