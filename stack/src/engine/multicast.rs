//! Multicast groups: who joins them, what is received for them, and what routers are told by IGMP (RFC 1112,
//! RFC 2236, RFC 3376).

use core::net::Ipv4Addr;

#[cfg(feature = "medium-ethernet")]
use cygnet_config::IFACE_MAX_MULTICAST_GROUP_COUNT;
use cygnet_driver::Medium;

use super::ingress::{Handled, Received};
use super::outgoing::{Content, GroupReport, LinkHeader, Outgoing, Room};
use super::{Config, Engine, Interface};
use crate::ip::{Delivery, Filter, GroupTableFull, Member, Message, Multicast, NextHop};
use crate::ip::{Query, Version};
use crate::stats::Discard;
use crate::storage::Index;
use crate::time::{Duration, Instant};
use crate::wire::igmp::{self, IgmpMessage, IgmpQuery, IgmpShort, ReportWriter};
#[cfg(feature = "medium-ethernet")]
use crate::wire::{EtherType, EthernetAddress, EthernetHeader};
use crate::wire::{IpAddress, IpProtocol, Ipv4Header, ipv4};

/// Which sources of a group are wanted (RFC 3376, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum MulticastSources<'a> {
    /// Only these. None of them at all is not to be in the group.
    Only(&'a [IpAddress]),
    /// All but these.
    AllBut(&'a [IpAddress]),
}

/// Why a group was not joined or left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum MulticastError {
    /// There is no room for another membership (`IFACE_MAX_MULTICAST_GROUP_COUNT`).
    GroupTableFull,
    /// More sources than a membership can name (`MULTICAST_SOURCE_COUNT`).
    TooManySources,
    /// Not the address of a group.
    Unaddressable,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for MulticastError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::GroupTableFull => {
                "no room for another membership (IFACE_MAX_MULTICAST_GROUP_COUNT)"
            }
            Self::TooManySources => "too many sources (MULTICAST_SOURCE_COUNT)",
            Self::Unaddressable => "not the address of a multicast group",
            Self::Reentrant => "the stack was called from within one of its own calls",
        })
    }
}

impl core::error::Error for MulticastError {}

/// The groups of the interface.
pub(super) struct MulticastState {
    ipv4: Multicast,
    /// There is somebody to report to: not on a link to oneself.
    is_shared: bool,
    /// And the link is up.
    reports: bool,
    /// The driver's filter has yet to hear of the latest.
    #[cfg(feature = "medium-ethernet")]
    is_filter_stale: bool,
}

/// The link addresses of groups.
#[cfg(feature = "medium-ethernet")]
pub(crate) type GroupAddresses = heapless::Vec<[u8; 6], { IFACE_MAX_MULTICAST_GROUP_COUNT + 1 }>;

impl MulticastState {
    pub(super) fn new(interface: &Interface, _: &Config) -> Self {
        Self {
            ipv4: Multicast::new(),
            reports: false,
            is_shared: !interface.loopback,
            #[cfg(feature = "medium-ethernet")]
            is_filter_stale: true,
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.ipv4.next_deadline().filter(|_| self.reports)
    }

    pub(super) fn wants_to_send(&self, now: Instant) -> bool {
        self.reports && self.ipv4.wants_to_send(now)
    }

    pub(super) fn on_timeout(&mut self, now: Instant) {
        self.ipv4.on_timeout(now);
    }

    pub(super) fn on_link_changed(&mut self, now: Instant, up: bool) {
        self.reports = up && self.is_shared;
        if up {
            self.ipv4.on_link_up(now);
        }
    }

    /// What the driver is to let through may be something else.
    pub(super) fn changed(&mut self) {
        #[cfg(feature = "medium-ethernet")]
        {
            self.is_filter_stale = true;
        }
    }
}

// What handles ask for.
impl Engine<'_> {
    /// Sets which sources of a group a member wants to hear.
    pub(crate) fn listen_multicast(
        &mut self,
        member: Member,
        group: IpAddress,
        sources: MulticastSources<'_>,
    ) -> Result<(), MulticastError> {
        if !group.is_multicast() {
            return Err(MulticastError::Unaddressable);
        }
        let filter = match sources {
            MulticastSources::Only(sources) => Filter::only(sources),
            MulticastSources::AllBut(sources) => Filter::all_but(sources),
        };
        let filter = filter.map_err(|_| MulticastError::TooManySources)?;
        if is_all_hosts(group) {
            // RFC 1112, section 4: every host is in it, always.
            return Ok(());
        }
        let now = self.now;
        let multicast = &mut self.services.multicast;
        multicast
            .ipv4
            .listen(now, (member, group), filter)
            .map_err(|GroupTableFull| MulticastError::GroupTableFull)?;
        multicast.changed();
        self.attention = true;
        Ok(())
    }

    /// Whether the host is in a group.
    pub(crate) fn has_multicast_group(&self, group: IpAddress) -> bool {
        is_all_hosts(group) || self.services.multicast.ipv4.is_member(group)
    }

    /// A socket is gone, or closed.
    pub(super) fn leave_groups(&mut self, index: Index) {
        let now = self.now;
        let multicast = &mut self.services.multicast;
        if multicast.ipv4.leave_all(now, Member::Socket(index)) {
            multicast.changed();
            self.attention = true;
        }
    }

    /// Whether packets of IPv6 come in, whose groups are more than the table of IPv4 knows.
    #[cfg(feature = "medium-ethernet")]
    pub(crate) fn speaks_v6(&self) -> bool {
        #[cfg(feature = "proto-ipv6")]
        return self.interface.speaks_v6();
        #[cfg(not(feature = "proto-ipv6"))]
        false
    }

    /// The link addresses that the driver is to let through, if they have changed since the last call.
    #[cfg(feature = "medium-ethernet")]
    pub(crate) fn take_multicast_filter(&mut self) -> Option<GroupAddresses> {
        let multicast = &mut self.services.multicast;
        let is_stale = core::mem::take(&mut multicast.is_filter_stale);
        if !is_stale || self.interface.medium != Medium::Ethernet {
            return None;
        }
        let mut addresses = GroupAddresses::new();
        let all_hosts = IpAddress::Ipv4(igmp::ALL_HOSTS);
        for group in multicast.ipv4.groups().chain([all_hosts]) {
            let address = match group {
                IpAddress::Ipv4(group) => EthernetAddress::for_ipv4_multicast(group),
                #[cfg(feature = "proto-ipv6")]
                IpAddress::Ipv6(_) => continue,
            };
            let _ = addresses.push(address.0);
        }
        Some(addresses)
    }
}

// Packets in.
impl Engine<'_> {
    /// Whether a packet to a group is for anybody here.
    pub(super) fn check_group(&self, header: &Ipv4Header) -> Result<(), Discard> {
        let groups = &self.services.multicast.ipv4;
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

    /// Whether a socket is to get what `source` sends to a group.
    pub(super) fn is_in_group(&self, index: Index, group: IpAddress, source: IpAddress) -> bool {
        let groups = &self.services.multicast.ipv4;
        is_all_hosts(group) || groups.wants_for(Member::Socket(index), group, source)
    }

    /// A group management message.
    pub(super) fn on_igmp<'f>(
        &mut self,
        now: Instant,
        received: &Received<'f>,
        payload: &'f [u8],
    ) -> Handled<'f> {
        let message = IgmpMessage::parse(payload)?;
        // RFC 3376, section 4: all are "sent with an IP Time-to-Live of 1", so that none is from afar.
        if received.hop_limit != 1 {
            return Err(Discard::IgnoredIgmp);
        }
        match message {
            IgmpMessage::Query(query) => self.on_igmp_query(now, received, &query),
            IgmpMessage::ReportV1(group) | IgmpMessage::ReportV2(group) => {
                self.services.multicast.ipv4.on_report(now, group.into());
                Ok(None)
            }
            IgmpMessage::Leave(_) | IgmpMessage::ReportV3 | IgmpMessage::Other(_) => {
                Err(Discard::IgnoredIgmp)
            }
        }
    }

    fn on_igmp_query<'f>(
        &mut self,
        now: Instant,
        received: &Received<'f>,
        query: &IgmpQuery<'_>,
    ) -> Handled<'f> {
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
        let groups = &mut self.services.multicast.ipv4;
        groups.on_query(now, &mut self.random, &question, sources);
        Ok(None)
    }
}

// Reports out.
impl Engine<'_> {
    /// Sends what a router is to be told. False if that is nothing.
    pub(super) fn transmit_group_report(&mut self, now: Instant, room: &mut dyn Room) -> bool {
        if !self.services.multicast.wants_to_send(now) {
            return false;
        }
        let mut buffer = [0; LONGEST_REPORT];
        let mut writer = ReportWriter::new(&mut buffer);
        let groups = &mut self.services.multicast.ipv4;
        let Some(message) = groups.poll(now, &mut self.random, &mut writer) else {
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
            #[cfg(feature = "proto-ipv6")]
            Message::Report(_, IpAddress::Ipv6(_)) | Message::Leave(IpAddress::Ipv6(_)) => {
                return false;
            }
        };
        let report = GroupReport {
            src: self.report_source(dst),
            dst,
            message,
        };
        let link = self.group_link_header(dst);
        let content = Content::GroupReport(report);
        room.send(&Outgoing { link, content });
        self.on_sent();
        true
    }

    /// RFC 3376, section 4.2.13: 0.0.0.0 where there is no address yet.
    fn report_source(&self, dst: Ipv4Addr) -> Ipv4Addr {
        let next_hop = NextHop {
            interface: super::interface::INTERFACE,
            address: dst.into(),
            delivery: Delivery::Multicast,
        };
        match self.interface.addresses.source_for(&next_hop, dst.into()) {
            Some(IpAddress::Ipv4(source)) => source,
            _ => Ipv4Addr::UNSPECIFIED,
        }
    }

    fn group_link_header(&self, dst: Ipv4Addr) -> LinkHeader {
        match self.interface.medium {
            #[cfg(feature = "medium-ethernet")]
            Medium::Ethernet => LinkHeader::Ethernet(EthernetHeader {
                dst: EthernetAddress::for_ipv4_multicast(dst),
                src: self.interface.ethernet.hardware,
                ethertype: EtherType::IPV4,
            }),
            _ => LinkHeader::None,
        }
    }
}

fn is_all_hosts(group: IpAddress) -> bool {
    match group {
        IpAddress::Ipv4(group) => group == igmp::ALL_HOSTS,
        #[cfg(feature = "proto-ipv6")]
        IpAddress::Ipv6(group) => crate::ip::is_group_of_all_nodes(group),
    }
}

/// The longest report in bytes, for any link; what does not fit goes into the next.
const LONGEST_REPORT: usize = 512;

/// All that can be told of one group fits: two records, for the sources of two lists.
const _: () =
    assert!(LONGEST_REPORT >= igmp::LEN + 2 * (8 + 4 * cygnet_config::MULTICAST_SOURCE_COUNT));
