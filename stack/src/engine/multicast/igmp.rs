//! What routers are told of the groups of IPv4, by IGMP (RFC 2236, RFC 9776).

use core::net::Ipv4Addr;

use super::super::Engine;
use super::super::interface::INTERFACE;
use super::super::outgoing::{GroupReport, Room};
use super::super::received::{Handled, Received};
use super::{LONGEST_REPORT, is_all_hosts};
use crate::ip::{Delivery, Message, NextHop, Query, Version};
use crate::stats::Discard;
use crate::time::{Duration, Instant};
use crate::wire::group_report::ReportWriter;
use crate::wire::igmp::{self, IgmpMessage, IgmpQuery, IgmpShort};
use crate::wire::{IpAddress, IpProtocol, IpVersion, Ipv4Header, ipv4};

// Packets in.
impl Engine<'_> {
    /// Whether a packet to a group is for anybody here.
    pub(in crate::engine) fn check_group(&self, header: &Ipv4Header) -> Result<(), Discard> {
        let groups = &self.services.multicast.groups;
        let (group, source) = (header.dst.into(), header.src.into());
        if !is_all_hosts(group) && !groups.is_member(group) {
            return Err(Discard::NotOurGroup);
        }
        // RFC 3376, section 4.1.12: a host "MUST accept and process any Query" to an address of its own, and
        // routers are no sources.
        let is_filtered = !is_all_hosts(group) && header.protocol != IpProtocol::IGMP;
        if is_filtered && !groups.wants(group, source) {
            return Err(Discard::UnwantedSource);
        }
        Ok(())
    }

    /// A group management message.
    pub(in crate::engine) fn on_igmp(
        &mut self,
        received: &Received<'_>,
        payload: &[u8],
        now: Instant,
    ) -> Handled {
        let message = IgmpMessage::parse(payload)?;
        // RFC 3376, section 4: all are "sent with an IP Time-to-Live of 1", so that none is from afar.
        if received.hop_limit != 1 {
            return Err(Discard::IgnoredIgmp);
        }
        match message {
            IgmpMessage::Query(query) => self.on_igmp_query(received, &query, now),
            IgmpMessage::ReportV1(group) | IgmpMessage::ReportV2(group) => {
                self.services.multicast.groups.on_report(now, group.into());
                Ok(())
            }
            IgmpMessage::Leave(_) | IgmpMessage::ReportV3 | IgmpMessage::Other(_) => {
                Err(Discard::IgnoredIgmp)
            }
        }
    }

    fn on_igmp_query(
        &mut self,
        received: &Received<'_>,
        query: &IgmpQuery<'_>,
        now: Instant,
    ) -> Handled {
        // In units of four bytes, in the lower half of the first byte.
        let header_len = received.packet.first().map_or(0, |ihl| ihl & 0xf) * 4;
        let options = received.packet.get(ipv4::MIN_HEADER_LEN..header_len.into());
        // RFC 3376, section 9.1: "Hosts SHOULD ignore v2 or v3 Queries without the Router-Alert option".
        if query.version > 1 && !ipv4::has_router_alert(options.unwrap_or_default()) {
            return Err(Discard::IgnoredIgmp);
        }
        let group = match query.group {
            Ipv4Addr::UNSPECIFIED => None,
            group if group.is_multicast() => Some(group.into()),
            _ => return Err(Discard::IgnoredIgmp),
        };
        let question = Query {
            ip: IpVersion::Ipv4,
            version: match query.version {
                1 => Version::V1,
                2 => Version::V2,
                _ => Version::V3,
            },
            group,
            max_response: Duration::from_millis(query.max_response.into()),
            robustness: query.robustness,
            interval: Duration::from_secs(query.interval.into()),
        };
        let sources = query.sources().map(IpAddress::Ipv4);
        let groups = &mut self.services.multicast.groups;
        groups.on_query(now, &mut self.random, &question, sources);
        Ok(())
    }
}

// Reports out.
impl Engine<'_> {
    /// Sends what a router is to be told. False if that is nothing.
    pub(super) fn transmit_igmp(&mut self, room: &mut dyn Room, now: Instant) -> bool {
        let mut buffer = [0; LONGEST_REPORT];
        let mut writer = ReportWriter::new(&mut buffer);
        let groups = &mut self.services.multicast.groups;
        let due = (now, IpVersion::Ipv4);
        let Some(message) = groups.poll(due, &mut self.random, &mut writer) else {
            return false;
        };
        let short;
        let (dst, message) = match message {
            Message::Records => {
                let len = writer.finish_igmp();
                (igmp::V3_ROUTERS, buffer.get(..len).unwrap_or_default())
            }
            Message::Report(version, IpAddress::Ipv4(group)) => {
                short = match version {
                    Version::V1 => IgmpShort::ReportV1,
                    Version::V2 | Version::V3 => IgmpShort::ReportV2,
                }
                .emit(group);
                (group, short.as_slice())
            }
            Message::Leave(IpAddress::Ipv4(group)) => {
                short = IgmpShort::Leave.emit(group);
                (igmp::ALL_ROUTERS, short.as_slice())
            }
            // They have their own.
            #[cfg(feature = "proto-ipv6")]
            Message::Report(_, IpAddress::Ipv6(_)) | Message::Leave(IpAddress::Ipv6(_)) => {
                return false;
            }
        };
        let report = GroupReport {
            src: self.report_source(dst).into(),
            dst: dst.into(),
            message,
        };
        self.send_group_report(report, room);
        true
    }

    /// RFC 3376, section 4.2.13: 0.0.0.0 where there is no address yet.
    fn report_source(&self, dst: Ipv4Addr) -> Ipv4Addr {
        let next_hop = NextHop {
            interface: INTERFACE,
            address: dst.into(),
            delivery: Delivery::Multicast,
        };
        match self.interface.addresses.source_for(&next_hop, dst.into()) {
            Some(IpAddress::Ipv4(source)) => source,
            _ => Ipv4Addr::UNSPECIFIED,
        }
    }
}
