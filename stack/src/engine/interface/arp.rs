//! ARP (RFC 826), with RFC 5227's care for conflicts.

use core::net::Ipv4Addr;

use super::super::Engine;
use super::super::inline::{Inline, InlinePacket};
use super::super::outgoing::LinkHeader;
use super::super::received::Handled;
use super::INTERFACE;
use crate::ip::{AddressState, Delivery, NextHop};
use crate::link::{Claim, ClaimKind, Conflict, Learned, Solicit, SolicitTo};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::{ArpOperation, ArpPacket, EtherType, EthernetAddress, EthernetHeader, IpAddress};

impl Engine<'_> {
    pub(in crate::engine) fn on_arp<'f>(
        &mut self,
        now: Instant,
        frame: &EthernetHeader,
        payload: &[u8],
    ) -> Handled<'f> {
        let packet = ArpPacket::parse(payload)?;
        if self.detect_conflict(now, &packet) {
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
            self.learn(now, &packet, kind)?;
        }
        if packet.operation != ArpOperation::Request || !for_us {
            return Ok(None);
        }
        Ok(Some(self.arp_reply(&packet)))
    }

    fn learn(&mut self, now: Instant, packet: &ArpPacket, kind: ClaimKind) -> Result<(), Discard> {
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
            Learned::Unchanged | Learned::Updated => Ok(()),
            #[cfg(feature = "neighbor-probes")]
            Learned::Contested => Ok(()),
            #[cfg(feature = "proto-ipv6")]
            Learned::Agreed => Ok(()),
        }
    }

    fn arp_reply<'f>(&self, request: &ArpPacket) -> Inline<'f> {
        let hardware = self.interface.ethernet.hardware;
        Inline {
            link: LinkHeader::Ethernet(EthernetHeader {
                dst: self.arp_destination(request.target_protocol, request.sender_hardware),
                src: hardware,
                ethertype: EtherType::ARP,
            }),
            packet: InlinePacket::Arp(ArpPacket {
                operation: ArpOperation::Reply,
                sender_hardware: hardware,
                sender_protocol: request.target_protocol,
                target_hardware: request.sender_hardware,
                target_protocol: request.sender_protocol,
            }),
        }
    }
}

impl Engine<'_> {
    /// The question who has an address, to everybody or to who had it.
    pub(super) fn arp_request(&self, solicit: &Solicit, target: Ipv4Addr) -> Inline<'static> {
        let source = self.source_for_neighbor(solicit.target);
        let to = match solicit.to {
            SolicitTo::Broadcast => EthernetAddress::BROADCAST,
            #[cfg(feature = "neighbor-probes")]
            SolicitTo::Unicast(address) => self.arp_destination(source, address),
        };
        let packet = ArpPacket {
            operation: ArpOperation::Request,
            sender_hardware: self.interface.ethernet.hardware,
            sender_protocol: source,
            target_hardware: EthernetAddress([0; 6]),
            target_protocol: target,
        };
        self.arp_to(to, packet)
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

    /// Where an ARP packet from `sender` goes that is meant for `hardware`.
    ///
    /// RFC 3927 section 2.5: "All ARP packets (*replies* as well as requests) that contain a Link-Local
    /// 'sender IP address' MUST be sent using link-layer broadcast instead of link-layer unicast."
    pub(in crate::engine) fn arp_destination(
        &self,
        sender: Ipv4Addr,
        hardware: EthernetAddress,
    ) -> EthernetAddress {
        match sender.is_link_local() {
            true => EthernetAddress::BROADCAST,
            false => hardware,
        }
    }

    pub(in crate::engine) fn arp_to(
        &self,
        dst: EthernetAddress,
        packet: ArpPacket,
    ) -> Inline<'static> {
        Inline {
            link: LinkHeader::Ethernet(EthernetHeader {
                dst,
                src: self.interface.ethernet.hardware,
                ethertype: EtherType::ARP,
            }),
            packet: InlinePacket::Arp(packet),
        }
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
    pub(in crate::engine) fn detect_conflict(&mut self, now: Instant, packet: &ArpPacket) -> bool {
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
            self.services_conflict(now, address);
        }
        true
    }
}
