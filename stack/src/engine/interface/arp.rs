//! ARP (RFC 826), with RFC 5227's care for conflicts.

use core::net::Ipv4Addr;

use super::super::Engine;
use super::super::outgoing::{Content, LinkHeader, Outgoing, Room};
use super::super::received::Handled;
use super::INTERFACE;
use crate::ip::{AddressState, Delivery, NextHop};
use crate::link::{Claim, ClaimKind, Conflict, Learned, Solicit, SolicitTo};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::{ArpOperation, ArpPacket, EtherType, EthernetAddress, EthernetHeader, IpAddress};

impl Engine<'_> {
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(in crate::engine) fn on_arp(
        &mut self,
        frame: &EthernetHeader,
        payload: &[u8],
        room: &mut dyn Room,
        now: Instant,
    ) -> Handled {
        let packet = ArpPacket::parse(payload)?;
        if self.detect_conflict(&packet, now) {
            return Err(Discard::AddressConflict);
        }
        let sender = IpAddress::Ipv4(packet.sender_protocol);
        let for_us = self
            .interface
            .addresses
            .is_local(IpAddress::Ipv4(packet.target_protocol));
        let unicast = frame.dst == self.interface.ethernet.hardware;
        if !packet.sender_protocol.is_unspecified() && !self.interface.addresses.is_local(sender) {
            let kind = match packet.operation {
                // Whoever has a link-local address answers to all (RFC 3927 section 2.5).
                ArpOperation::Reply
                    if for_us && (unicast || packet.sender_protocol.is_link_local()) =>
                {
                    ClaimKind::Reply
                }
                ArpOperation::Request if for_us => ClaimKind::Request,
                _ => ClaimKind::Announcement,
            };
            self.learn(&packet, kind, now)?;
        }
        if packet.operation != ArpOperation::Request || !for_us {
            return Ok(());
        }
        let reply = ArpPacket {
            operation: ArpOperation::Reply,
            sender_hardware: self.interface.ethernet.hardware,
            sender_protocol: packet.target_protocol,
            target_hardware: packet.sender_hardware,
            target_protocol: packet.sender_protocol,
        };
        let to = arp_destination(reply.sender_protocol, &reply.target_hardware);
        let link = self.interface.header_to(to, EtherType::ARP);
        self.answer_frame(room, &arp_frame(&link, &reply));
        Ok(())
    }

    fn learn(&mut self, packet: &ArpPacket, kind: ClaimKind, now: Instant) -> Result<(), Discard> {
        let claim = Claim {
            interface: INTERFACE,
            address: IpAddress::Ipv4(packet.sender_protocol),
            hardware: packet.sender_hardware,
            kind,
        };
        match self.interface.ethernet.neighbors.on_claim(now, &claim) {
            Learned::Resolved(waiters) => {
                self.wake_waiters(waiters);
                Ok(())
            }
            Learned::Unchanged if kind == ClaimKind::Reply => Err(Discard::UnsolicitedNeighbor),
            Learned::Unchanged => Ok(()),
            Learned::Updated => {
                // It need not stay any more, if another is to be looked for.
                self.sockets.release_parked();
                Ok(())
            }
            #[cfg(feature = "neighbor-probes")]
            Learned::Contested => Ok(()),
            #[cfg(feature = "proto-ipv6")]
            Learned::Agreed => Ok(()),
        }
    }
}

impl Engine<'_> {
    /// Asks who has an address, everybody or who had it.
    pub(super) fn send_arp_request(
        &mut self,
        room: &mut dyn Room,
        solicit: &Solicit,
        target: Ipv4Addr,
    ) {
        let source = self.source_for_neighbor(solicit.target);
        let to = match &solicit.to {
            SolicitTo::Broadcast => &EthernetAddress::BROADCAST,
            #[cfg(feature = "neighbor-probes")]
            SolicitTo::Unicast(address) => arp_destination(source, address),
        };
        let packet = ArpPacket {
            operation: ArpOperation::Request,
            sender_hardware: self.interface.ethernet.hardware,
            sender_protocol: source,
            target_hardware: EthernetAddress([0; 6]),
            target_protocol: target,
        };
        self.send_arp(room, to, &packet);
    }

    /// The address of ours that a neighbor is asked from.
    fn source_for_neighbor(&self, neighbor: IpAddress) -> Ipv4Addr {
        let next_hop = NextHop {
            interface: INTERFACE,
            address: neighbor,
            delivery: Delivery::Neighbor,
        };
        match self.interface.addresses.source_for(&next_hop, neighbor) {
            Some(IpAddress::Ipv4(source)) => source,
            _ => Ipv4Addr::UNSPECIFIED,
        }
    }

    /// Sends an ARP packet for which there is room.
    pub(in crate::engine) fn send_arp(
        &mut self,
        room: &mut dyn Room,
        dst: &EthernetAddress,
        packet: &ArpPacket,
    ) {
        let link = self.interface.header_to(dst, EtherType::ARP);
        room.send(&arp_frame(&link, packet));
        self.on_sent();
    }
}

impl Engine<'_> {
    pub(super) fn poll_detector(&mut self, now: Instant) -> Option<ArpPacket> {
        let detectors = &mut self.interface.ethernet.detectors;
        let (packet, usable) = detectors.iter_mut().find_map(|detector| {
            let was_usable = detector.is_usable();
            let packet = detector.poll_arp(now)?;
            let usable = (!was_usable && detector.is_usable()).then(|| detector.address());
            Some((packet, usable))
        })?;
        if let Some(address) = usable {
            let address = IpAddress::Ipv4(address);
            self.interface
                .set_address_state(address, AddressState::Preferred);
            self.services_claimed(address);
        }
        Some(packet)
    }

    /// Shows an ARP packet to who watches for conflicts. True if it is one.
    pub(in crate::engine) fn detect_conflict(&mut self, packet: &ArpPacket, now: Instant) -> bool {
        let detectors = &mut self.interface.ethernet.detectors;
        let Some((address, conflict)) = detectors
            .iter_mut()
            .find_map(|d| Some((d.address(), d.on_arp(now, packet)?)))
        else {
            return false;
        };
        if conflict == Conflict::GiveUp {
            let address = IpAddress::Ipv4(address);
            self.interface
                .set_address_state(address, AddressState::Tentative);
            self.on_address_gone(address);
            self.services_conflict(address, now);
        }
        true
    }
}

fn arp_frame<'a>(link: &'a LinkHeader, packet: &'a ArpPacket) -> Outgoing<'a> {
    Outgoing {
        link,
        content: Content::Arp(packet),
    }
}

/// Where an ARP packet from `sender` goes that is meant for `hardware`.
///
/// RFC 3927 section 2.5: "All ARP packets (*replies* as well as requests) that contain a Link-Local
/// 'sender IP address' MUST be sent using link-layer broadcast instead of link-layer unicast."
fn arp_destination(sender: Ipv4Addr, hardware: &EthernetAddress) -> &EthernetAddress {
    match sender.is_link_local() {
        true => &EthernetAddress::BROADCAST,
        false => hardware,
    }
}
