//! A frame arrives: from the link header up to the socket it is for.
//!
//! Each layer either passes on what is inside it, answers, or names the reason why the packet goes no
//! further. An answer borrows from the received frame, so that an echo of any size needs no buffer, and is sent while
//! that is at hand.

use cygnet_driver::{Medium, RxChecksum, RxMeta};

use super::interface::INTERFACE;
use super::received::{Back, Handled, Received};
use super::{Engine, Room};
use crate::ip::{Arrival, ArrivalPath, Destination, Martian};
#[cfg(feature = "proto-ipv6")]
use crate::ip::{ArrivalV6, HeaderProblem, Opened, classify_v6, open};
use crate::stats::{Counted, Discard};
use crate::time::Instant;
use crate::wire::Malformed;
#[cfg(feature = "medium-ethernet")]
use crate::wire::{EtherType, EthernetHeader};
use crate::wire::{IpProtocol, Ipv4Header};
#[cfg(feature = "proto-ipv6")]
use crate::wire::{Ipv6Header, ipv6, ndisc};

impl Engine<'_> {
    /// A frame arrived. It is answered if there is room for that, and not if there is none. Why a packet went no
    /// further has been counted.
    pub(crate) fn receive(
        &mut self,
        frame: &[u8],
        meta: RxMeta,
        room: &mut dyn Room,
        now: Instant,
    ) -> Result<(), Discard> {
        self.now = now;
        self.only_sockets_send = false;
        self.stats.count(Counted::Received);
        let handled = self.on_frame(frame, meta, room, now);
        if let Err(reason) = &handled {
            self.stats.discard(*reason);
            crate::log::trace!("dropped a packet: {:?}", reason);
        }
        handled
    }

    /// A frame was sent.
    pub(super) fn on_sent(&mut self) {
        self.stats.count(Counted::Sent);
    }

    /// The driver did not take the frame that was sent last.
    pub(crate) fn on_refused(&mut self) {
        self.stats.count(Counted::Refused);
    }

    fn on_frame(
        &mut self,
        frame: &[u8],
        meta: RxMeta,
        room: &mut dyn Room,
        now: Instant,
    ) -> Handled {
        match self.interface.medium {
            #[cfg(feature = "medium-ethernet")]
            Medium::Ethernet => self.on_ethernet(frame, meta, room, now),
            #[cfg(feature = "medium-ip")]
            Medium::Ip => {
                let path = self.arrival_path(true);
                let back = Back {
                    header: None,
                    room: Some(room),
                };
                match frame.first().map(|b| b >> 4) {
                    #[cfg(feature = "proto-ipv4")]
                    Some(4) => self.on_ipv4(frame, meta, path, back, now),
                    #[cfg(feature = "proto-ipv6")]
                    Some(6) => self.on_ipv6(frame, meta, path, back, now),
                    Some(_) => Err(Discard::UnknownProtocol),
                    None => Err(Discard::Malformed),
                }
            }
            _ => {
                let _ = (now, frame, meta, room);
                Err(Discard::UnsupportedMedium)
            }
        }
    }

    #[cfg(feature = "medium-ethernet")]
    fn on_ethernet(
        &mut self,
        frame: &[u8],
        meta: RxMeta,
        room: &mut dyn Room,
        now: Instant,
    ) -> Handled {
        let (header, payload) = EthernetHeader::parse(frame)?;
        // Compared where it lies: six bytes are not moved well.
        let ours = frame.starts_with(&self.interface.ethernet.hardware.0);
        if !ours && header.dst.is_unicast() {
            return Err(Discard::NotForUs);
        }
        let path = self.arrival_path(ours);
        #[cfg(feature = "proto-ipv4")]
        if header.ethertype == EtherType::ARP {
            return self.on_arp(&header, payload, room, now);
        }
        let back = Back {
            header: frame.first_chunk(),
            room: Some(room),
        };
        match header.ethertype {
            #[cfg(feature = "proto-ipv4")]
            EtherType::IPV4 => self.on_ipv4(payload, meta, path, back, now),
            #[cfg(feature = "proto-ipv6")]
            EtherType::IPV6 => self.on_ipv6(payload, meta, path, back, now),
            _ => {
                let _ = (now, payload, meta, path, back);
                Err(Discard::UnknownEtherType)
            }
        }
    }

    /// How a packet came in, in a frame to this station or to many.
    fn arrival_path(&self, to_us: bool) -> ArrivalPath {
        match (self.interface.loopback, to_us) {
            (true, _) => ArrivalPath::Loopback,
            (false, true) => ArrivalPath::LinkUnicast,
            (false, false) => ArrivalPath::LinkGroup,
        }
    }

    fn on_ipv4<'f>(
        &mut self,
        packet: &'f [u8],
        meta: RxMeta,
        path: ArrivalPath,
        back: Back<'f>,
        now: Instant,
    ) -> Handled {
        let verify = meta.checksum == RxChecksum::Unverified;
        let (header, payload) = Ipv4Header::parse(packet, verify)?;
        let arrival = Arrival {
            interface: INTERFACE,
            path,
            source: header.src,
            destination: header.dst,
        };
        let destination = match self.interface.classify(&arrival) {
            #[cfg(feature = "socket-dhcpv4")]
            Ok(Destination::Elsewhere)
                if header.protocol == IpProtocol::UDP && self.expects_dhcp() =>
            {
                Destination::Elsewhere
            }
            Ok(Destination::Elsewhere) => return Err(Discard::NotOurAddress),
            Ok(Destination::Multicast) => {
                self.check_group(&header)?;
                Destination::Multicast
            }
            Ok(destination) => destination,
            Err(Martian::UnicastToLinkGroup) => return Err(Discard::NotForUs),
            Err(_) => return Err(Discard::Martian),
        };
        let mut received = Received {
            packet: packet
                .get(..header.header_len + payload.len())
                .unwrap_or(packet),
            src: header.src.into(),
            dst: header.dst.into(),
            hop_limit: header.hop_limit,
            ecn: header.ecn(),
            destination,
            path,
            back,
            verify,
        };
        if header.more_fragments || header.fragment_offset != 0 {
            return self.on_fragment(&mut received, &header, payload, now);
        }
        self.on_datagram(&mut received, header.protocol, payload, now)
    }

    /// The payload of a packet that is whole.
    #[inline]
    pub(super) fn on_datagram(
        &mut self,
        received: &mut Received<'_>,
        protocol: IpProtocol,
        payload: &[u8],
        now: Instant,
    ) -> Handled {
        let is_taken = self.raw_to_socket(received, protocol);
        match protocol {
            IpProtocol::ICMP => self.on_icmpv4(received, payload, now),
            IpProtocol::IGMP => self.on_igmp(received, payload, now),
            #[cfg(feature = "socket-tcp")]
            IpProtocol::TCP => self.on_tcp(received, payload, now),
            #[cfg(feature = "socket-udp")]
            IpProtocol::UDP => self.on_udp(received, payload, now),
            _ if is_taken => Ok(()),
            _ => self.protocol_unreachable(received, now),
        }
    }
}

/// IPv6 (RFC 8200).
#[cfg(feature = "proto-ipv6")]
impl Engine<'_> {
    fn on_ipv6<'f>(
        &mut self,
        packet: &'f [u8],
        meta: RxMeta,
        path: ArrivalPath,
        back: Back<'f>,
        now: Instant,
    ) -> Handled {
        if !self.interface.speaks_v6() {
            return Err(Discard::UnknownProtocol);
        }
        let (header, payload) = Ipv6Header::parse(packet)?;
        let destination = self.classify_v6(&header, path)?;
        let mut received = Received {
            packet: packet
                .get(..ipv6::HEADER_LEN + payload.len())
                .unwrap_or(packet),
            src: header.src.into(),
            dst: header.dst.into(),
            hop_limit: header.hop_limit,
            ecn: header.ecn(),
            destination,
            path,
            back,
            verify: meta.checksum == RxChecksum::Unverified,
        };
        match open(header.next_header, payload) {
            Ok(Opened::Fragment(fragment)) => {
                self.on_fragment_v6(&mut received, &header, &fragment, now)
            }
            opened => self.on_opened(&mut received, opened, now),
        }
    }

    /// A packet that is whole, whose extension headers have been looked at.
    pub(super) fn on_opened(
        &mut self,
        received: &mut Received<'_>,
        opened: Result<Opened<'_>, HeaderProblem>,
        now: Instant,
    ) -> Handled {
        let (protocol, payload, announced_at) = match opened {
            // RFC 6980: in a fragment it could not be filtered on its way.
            Ok(Opened::Payload {
                protocol: IpProtocol::ICMPV6,
                payload,
                in_fragment: true,
                ..
            }) if ndisc::is_ndisc(payload) => return Err(Discard::InvalidNeighborMessage),
            Ok(Opened::Payload {
                protocol,
                payload,
                announced_at,
                ..
            }) => (protocol, payload, announced_at),
            Ok(Opened::Fragment(_)) => return Err(Discard::Fragment),
            Err(problem) => return self.on_header_problem(received, problem, now),
        };
        self.check_source(received, protocol)?;
        let is_taken = self.raw_to_socket(received, protocol);
        match protocol {
            IpProtocol::ICMPV6 => self.on_icmpv6(received, payload, now),
            #[cfg(feature = "socket-tcp")]
            IpProtocol::TCP => self.on_tcp(received, payload, now),
            #[cfg(feature = "socket-udp")]
            IpProtocol::UDP => self.on_udp(received, payload, now),
            _ if is_taken => Ok(()),
            IpProtocol::NO_NEXT_HEADER => Err(Discard::UnknownProtocol),
            _ => self.next_header_unknown(received, announced_at, now),
        }
    }

    /// Whom a packet is for, if it is for us.
    fn classify_v6(&self, header: &Ipv6Header, path: ArrivalPath) -> Result<Destination, Discard> {
        let arrival = ArrivalV6 {
            path,
            source: header.src,
            destination: header.dst,
        };
        match classify_v6(&arrival, &self.interface.addresses) {
            Ok(Destination::Elsewhere) => Err(Discard::NotOurAddress),
            Ok(Destination::Multicast) if !self.is_member_v6(header.dst) => {
                Err(Discard::NotOurGroup)
            }
            Ok(destination) => Ok(destination),
            Err(Martian::UnicastToLinkGroup) => Err(Discard::NotForUs),
            Err(_) => Err(Discard::Martian),
        }
    }
}

impl From<Malformed> for Discard {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::BadChecksum | Malformed::MissingChecksum => Self::BadChecksum,
            _ => Self::Malformed,
        }
    }
}
