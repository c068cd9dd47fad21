//! Neighbor discovery (RFC 4861, section 7) and duplicate address detection (RFC 4862, section 5.4).

use core::net::Ipv6Addr;

use super::super::Engine;
use super::super::outgoing::{Content, IpPacket, LinkHeader, Outgoing, Payload, Room};
use super::super::received::{Handled, Received};
use super::{INTERFACE, Interface};
#[cfg(feature = "slaac")]
use crate::ip::ALL_ROUTERS;
use crate::ip::{ALL_NODES, AddressState, Delivery, NextHop, solicited_node};
use crate::link::{
    Advertisement, Claim, ClaimKind, DuplicateDetector, Heard, Learned, Probe, Solicit, SolicitTo,
};
use crate::rand::Random;
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::ndisc::{self, NeighborFlags};
use crate::wire::{EtherType, EthernetAddress, IpAddress, NdiscMessage, NdiscOptions};

/// A neighbor discovery message of ours, which owns what it says.
#[derive(Clone, Copy, Debug)]
pub(super) struct NdiscPacket {
    /// Whose station it is for.
    hardware: EthernetAddress,
    src: Ipv6Addr,
    dst: Ipv6Addr,
    target: Ipv6Addr,
    kind: NdiscKind,
    /// An option; zeros if there is none.
    option: [u8; 8],
}

#[derive(Clone, Copy, Debug)]
enum NdiscKind {
    #[cfg(feature = "slaac")]
    RouterSolicitation,
    Solicitation,
    Advertisement(NeighborFlags),
}

impl NdiscPacket {
    fn message(&self) -> NdiscMessage<'_> {
        let target = self.target;
        // It was written by us, and is well formed, unless it is none.
        let options = NdiscOptions::parse(&self.option).unwrap_or_default();
        match self.kind {
            #[cfg(feature = "slaac")]
            NdiscKind::RouterSolicitation => NdiscMessage::RouterSolicitation { options },
            NdiscKind::Solicitation => NdiscMessage::NeighborSolicitation { target, options },
            NdiscKind::Advertisement(flags) => NdiscMessage::NeighborAdvertisement {
                target,
                flags,
                options,
            },
        }
    }
}

impl Interface {
    /// Finds out whether somebody else has an address, before it is used.
    pub(super) fn detect_duplicates(
        &mut self,
        address: Ipv6Addr,
        random: &mut Random,
        now: Instant,
    ) {
        self.forget_detector(address);
        let detector = DuplicateDetector::new(now, address, self.ipv6.probes, random.next_u64());
        // There is room for as many as there are addresses.
        let _ = self.ethernet.duplicates.push(detector);
    }

    pub(super) fn forget_detector(&mut self, address: Ipv6Addr) {
        let detectors = &mut self.ethernet.duplicates;
        detectors.retain(|detector| detector.address() != address);
    }

    /// A message of ours with the headers in front of it.
    fn frame_of<'a>(&self, message: &'a NdiscPacket) -> (LinkHeader, IpPacket<'a>) {
        let link = self.header_to(&message.hardware, EtherType::IPV6);
        let (src, dst) = (message.src.into(), message.dst.into());
        let mut packet = self.own_packet(src, dst, Payload::Ndisc(message.message()));
        packet.hop_limit = ndisc::HOP_LIMIT;
        (link, packet)
    }

    /// RFC 4862, section 5.4.2: from the unspecified address to the solicited-node group.
    fn probe(&self, probe: Probe) -> NdiscPacket {
        let group = solicited_node(probe.target);
        NdiscPacket {
            hardware: EthernetAddress::for_ipv6_multicast(group),
            src: Ipv6Addr::UNSPECIFIED,
            dst: group,
            target: probe.target,
            kind: NdiscKind::Solicitation,
            option: ndisc::nonce(probe.nonce),
        }
    }

    /// RFC 4861, section 7.2.2: to the target's solicited-node group, or to it alone when its link address is
    /// to be confirmed.
    pub(super) fn neighbor_solicitation(
        &self,
        solicit: &Solicit,
        target: Ipv6Addr,
    ) -> Option<NdiscPacket> {
        let next_hop = NextHop {
            interface: INTERFACE,
            address: solicit.target,
            delivery: Delivery::Neighbor,
        };
        // RFC 4429, section 3.2: it does not come from an optimistic address. With no other nothing is asked until
        // that is known to be unique.
        let is_settled = |src: &IpAddress| {
            let state = self.addresses.state(INTERFACE, *src);
            state.is_some_and(|state| !state.is_in_doubt())
        };
        let src = self.addresses.source_for(&next_hop, solicit.target);
        let src = src.filter(is_settled).or(self.settled_link_local());
        let Some(IpAddress::Ipv6(src)) = src else {
            return None;
        };
        let (hardware, dst) = match solicit.to {
            SolicitTo::Broadcast => {
                let group = solicited_node(target);
                (EthernetAddress::for_ipv6_multicast(group), group)
            }
            SolicitTo::Unicast(hardware) => (hardware, target),
        };
        Some(NdiscPacket {
            hardware,
            src,
            dst,
            target,
            kind: NdiscKind::Solicitation,
            option: ndisc::source_link_address(self.ethernet.hardware),
        })
    }

    /// RFC 4861, section 6.3.7: from the link-local address as soon as it is known to be unique, and with our link
    /// address then, which is not said from the unspecified one (section 4.1).
    #[cfg(feature = "slaac")]
    pub(super) fn router_solicitation(&self) -> NdiscPacket {
        let link_local = self.settled_link_local();
        NdiscPacket {
            hardware: EthernetAddress::for_ipv6_multicast(ALL_ROUTERS),
            src: match link_local {
                Some(IpAddress::Ipv6(link_local)) => link_local,
                _ => Ipv6Addr::UNSPECIFIED,
            },
            dst: ALL_ROUTERS,
            target: Ipv6Addr::UNSPECIFIED,
            kind: NdiscKind::RouterSolicitation,
            option: match link_local {
                Some(_) => ndisc::source_link_address(self.ethernet.hardware),
                None => [0; 8],
            },
        }
    }

    /// RFC 4861, section 7.2.4: the answer to who asks for one of our addresses. Who has none yet is answered
    /// in everybody's hearing.
    fn advertisement(
        &self,
        target: Ipv6Addr,
        to: Option<(Ipv6Addr, EthernetAddress)>,
    ) -> NdiscPacket {
        let (dst, hardware) =
            to.unwrap_or((ALL_NODES, EthernetAddress::for_ipv6_multicast(ALL_NODES)));
        // RFC 4429, section 3.3: nobody is to forget who had an optimistic address before.
        let state = self.addresses.state(INTERFACE, target.into());
        let flags = NeighborFlags {
            router: false,
            solicited: to.is_some(),
            override_: state != Some(AddressState::Optimistic),
        };
        NdiscPacket {
            hardware,
            src: target,
            dst,
            target,
            kind: NdiscKind::Advertisement(flags),
            option: ndisc::target_link_address(self.ethernet.hardware),
        }
    }
}

// Messages in.
impl Engine<'_> {
    /// A neighbor discovery message, whose checksum is right. Sections 6.1 and 7.1 and 8.1: one with a hop
    /// limit other than 255 is silently discarded.
    pub(in crate::engine) fn on_ndisc(
        &mut self,
        received: &mut Received<'_>,
        message: &NdiscMessage<'_>,
        now: Instant,
    ) -> Handled {
        let (IpAddress::Ipv6(src), IpAddress::Ipv6(dst)) = (received.src, received.dst) else {
            return Err(Discard::UnknownIcmp);
        };
        if received.hop_limit != ndisc::HOP_LIMIT {
            return Err(Discard::InvalidNeighborMessage);
        }
        match *message {
            NdiscMessage::NeighborSolicitation { target, options } => {
                // Section 7.1.1.
                let is_probe = src.is_unspecified();
                let is_odd_probe = is_probe
                    && (dst != solicited_node(target) || options.source_link_address().is_some());
                if target.is_multicast() || is_odd_probe {
                    return Err(Discard::InvalidNeighborMessage);
                }
                if is_probe {
                    self.on_probe(received, target, options, now)
                } else {
                    self.on_solicitation(received, (src, target), options, now)
                }
            }
            NdiscMessage::NeighborAdvertisement {
                target,
                flags,
                options,
            } => {
                // Section 7.1.2.
                if target.is_multicast() || dst.is_multicast() && flags.solicited {
                    return Err(Discard::InvalidNeighborMessage);
                }
                self.on_advertisement(target, flags, options, now)
            }
            NdiscMessage::RouterAdvertisement { router, options } => {
                self.on_router_advertisement(src, router, options, now)
            }
            NdiscMessage::Redirect {
                target,
                destination,
                options,
            } => self.on_redirect((src, dst), (target, destination), options, now),
            // Section 6.2.6: "Hosts MUST silently discard Router Solicitation Messages."
            NdiscMessage::RouterSolicitation { .. } => Err(Discard::UnknownIcmp),
        }
    }

    /// Somebody is about to take an address.
    fn on_probe(
        &mut self,
        received: &mut Received<'_>,
        target: Ipv6Addr,
        options: NdiscOptions<'_>,
        now: Instant,
    ) -> Handled {
        match self.interface.addresses.state(INTERFACE, target.into()) {
            Some(state) if state.is_in_doubt() => {
                let detectors = &mut self.interface.ethernet.duplicates;
                let detector = detectors.iter_mut().find(|d| d.address() == target);
                let heard = detector.map(|detector| detector.on_solicitation(options.nonce()));
                match heard {
                    Some(Heard::Duplicate) => self.on_duplicate(target, now),
                    Some(Heard::Echo) | None => Ok(()),
                }
            }
            Some(state) if state.is_usable() => {
                self.advertise(received, target, None);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Somebody asks for an address.
    fn on_solicitation(
        &mut self,
        received: &mut Received<'_>,
        (src, target): (Ipv6Addr, Ipv6Addr),
        options: NdiscOptions<'_>,
        now: Instant,
    ) -> Handled {
        // RFC 4862, section 5.4.3: one for a tentative address is ignored.
        if !self.interface.addresses.is_local(target.into()) {
            return Ok(());
        }
        let named = options.source_link_address();
        self.on_link_address(src, named, now);
        let hardware = match (named, self.interface.link_back(&received.back)) {
            (Some(hardware), _) if hardware.is_unicast() => hardware,
            (_, LinkHeader::Ethernet(back)) => back.dst,
            (_, LinkHeader::None) => return Ok(()),
        };
        self.advertise(received, target, Some((src, hardware)));
        Ok(())
    }

    /// Answers who asks for one of our addresses.
    fn advertise(
        &mut self,
        received: &mut Received<'_>,
        target: Ipv6Addr,
        to: Option<(Ipv6Addr, EthernetAddress)>,
    ) {
        let Some(room) = &mut received.back.room else {
            return;
        };
        let message = self.interface.advertisement(target, to);
        let (link, packet) = &self.interface.frame_of(&message);
        let content = Content::Ip(packet);
        self.answer_frame(*room, &Outgoing { link, content });
    }

    /// A message names the link address of its sender or its target in passing.
    pub(super) fn on_link_address(
        &mut self,
        address: Ipv6Addr,
        named: Option<EthernetAddress>,
        now: Instant,
    ) {
        let Some(hardware) = named else {
            return;
        };
        let claim = Claim {
            interface: INTERFACE,
            address: address.into(),
            hardware,
            kind: ClaimKind::Solicitation,
        };
        match self.interface.ethernet.neighbors.on_claim(now, &claim) {
            Learned::Resolved(waiters) => self.wake_waiters(waiters),
            Learned::Updated => self.sockets.release_parked(),
            Learned::Unchanged | Learned::Agreed | Learned::Contested => {}
        }
    }

    /// Somebody says that it has an address.
    fn on_advertisement(
        &mut self,
        target: Ipv6Addr,
        flags: NeighborFlags,
        options: NdiscOptions<'_>,
        now: Instant,
    ) -> Handled {
        match self.interface.addresses.state(INTERFACE, target.into()) {
            Some(state) if state.is_in_doubt() => return self.on_duplicate(target, now),
            // RFC 4862, section 5.4.4: more than one host has it, but it was ours before.
            Some(state) if state.is_usable() => return Err(Discard::AddressConflict),
            _ => {}
        }
        let advertisement = Advertisement {
            interface: INTERFACE,
            address: target.into(),
            hardware: options.target_link_address(),
            solicited: flags.solicited,
            override_: flags.override_,
        };
        let neighbors = &mut self.interface.ethernet.neighbors;
        let learned = neighbors.on_advertisement(now, &advertisement);
        match learned {
            Learned::Resolved(_) | Learned::Updated => {
                self.interface.on_neighbor_answered(target, flags.router);
            }
            // Section 7.2.5: whether it is a router is believed as well, and nothing else is new.
            Learned::Agreed if !flags.router => self.interface.on_neighbor_answered(target, false),
            Learned::Unchanged if flags.solicited && self.interface.is_suspect_router(target) => {
                self.interface.on_neighbor_answered(target, flags.router);
                return Ok(());
            }
            Learned::Agreed | Learned::Unchanged | Learned::Contested => {}
        }
        match learned {
            Learned::Resolved(waiters) => {
                self.wake_waiters(waiters);
                Ok(())
            }
            Learned::Updated => {
                self.sockets.release_parked();
                Ok(())
            }
            Learned::Unchanged => Err(Discard::UnsolicitedNeighbor),
            Learned::Agreed | Learned::Contested => Ok(()),
        }
    }

    /// RFC 4862, section 5.4.5: an address that somebody else has "MUST NOT be assigned".
    fn on_duplicate(&mut self, address: Ipv6Addr, now: Instant) -> Handled {
        crate::log::debug!("another host has the address {:?}", address.octets());
        self.services_conflict(address.into(), now);
        // It may have been in use before the link came back.
        self.on_address_gone(address.into());
        self.interface.forget_detector(address);
        self.interface.on_duplicate(address, &mut self.random, now);
        Err(Discard::AddressConflict)
    }
}

// What is due.
impl Engine<'_> {
    /// Sends a message for which there is room.
    pub(super) fn send_ndisc(&mut self, room: &mut dyn Room, message: &NdiscPacket) {
        let (link, packet) = self.interface.frame_of(message);
        self.send_own(room, &link, &packet);
    }

    /// Addresses for which nobody spoke up are ours.
    pub(super) fn on_duplicates_timeout(&mut self, now: Instant) {
        loop {
            let detectors = &mut self.interface.ethernet.duplicates;
            let Some(done) = detectors.iter().position(|d| d.is_unique(now)) else {
                return;
            };
            let address = detectors.swap_remove(done).address();
            let state = match self.interface.is_past_preference(address) {
                true => AddressState::Deprecated,
                false => AddressState::Preferred,
            };
            self.interface.set_address_state(address.into(), state);
            self.interface.changes = self.interface.changes.wrapping_add(1);
            self.services_claimed(address.into());
        }
    }

    pub(super) fn poll_probe(&mut self, now: Instant) -> Option<NdiscPacket> {
        let ethernet = &mut self.interface.ethernet;
        let retrans_timer = ethernet.neighbors.ndp_timing_mut().retrans_timer();
        let mut detectors = ethernet.duplicates.iter_mut();
        let probe = detectors.find_map(|d| d.poll_probe(now, retrans_timer))?;
        Some(self.interface.probe(probe))
    }
}
