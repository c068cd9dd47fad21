//! What routers are told of the groups of IPv6, by MLD (RFC 2710, RFC 9777, whose sections are cited as those of
//! RFC 3810), and the groups that come with addresses.

use core::net::Ipv6Addr;

use cygnet_config::IFACE_MAX_ADDR_COUNT;
use heapless::Vec;

use super::super::Engine;
use super::super::outgoing::{GroupReport, Room};
use super::super::received::{Handled, Received};
use super::{LONGEST_REPORT, is_all_hosts};
use crate::ip::{Destination, Message, Query, Version, solicited_node};
use crate::stats::Discard;
use crate::time::{Duration, Instant};
use crate::wire::group_report::ReportWriter;
use crate::wire::mld::{self, MldMessage, MldQuery, MldShort};
use crate::wire::{IpAddress, IpProtocol, IpVersion, ipv6};

/// What was last seen of the interface's addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KnownAddresses {
    /// In which epoch; none if the link has changed since.
    epoch: Option<u16>,
    /// There are any, so that there is something to hear.
    speaks: bool,
    /// And somebody to report to.
    reports: bool,
    /// Reports come from an address.
    has_source: bool,
}

impl Engine<'_> {
    /// Keeps the solicited-node groups in step with the addresses (RFC 4291, section 2.8), and the reports with
    /// the link-local one.
    pub(in crate::engine) fn mld_note_changes(&mut self) {
        let known = self.services.multicast.addresses;
        let epoch = Some(self.interface.epoch());
        if known.epoch == epoch {
            return;
        }
        let now = self.now;
        let mut wanted = Vec::<Ipv6Addr, IFACE_MAX_ADDR_COUNT>::new();
        for ours in self.interface.addresses.iter() {
            if let IpAddress::Ipv6(address) = ours.cidr.address()
                && !wanted.contains(&solicited_node(address))
            {
                let _ = wanted.push(solicited_node(address));
            }
        }
        let speaks = self.interface.speaks_v6();
        let link_up = self.interface.link_up;
        let has_source = self.mld_source().is_some();
        let multicast = &mut self.services.multicast;
        let reports = speaks && link_up && multicast.is_shared;
        if multicast.groups.set_solicited_nodes(now, &wanted) || speaks != known.speaks {
            multicast.changed();
            self.attention = true;
        }
        if !reports {
            multicast.groups.stop_reports(IpVersion::Ipv6);
        } else if !known.reports {
            multicast.groups.start_reports(now, IpVersion::Ipv6);
            self.attention = true;
        } else if has_source && !known.has_source {
            // RFC 3590, section 4: what was told from no address is not heeded by routers.
            multicast.groups.report_anew(now, IpVersion::Ipv6);
            self.attention = true;
        }
        multicast.addresses = KnownAddresses {
            epoch,
            speaks,
            reports,
            has_source,
        };
    }

    /// The address that reports come from: a link-local one that is in use.
    fn mld_source(&self) -> Option<Ipv6Addr> {
        match self.interface.settled_link_local()? {
            IpAddress::Ipv6(address) => Some(address),
            IpAddress::Ipv4(_) => None,
        }
    }

    /// Whether somebody here is in a group.
    pub(in crate::engine) fn is_member_v6(&self, group: Ipv6Addr) -> bool {
        let groups = &self.services.multicast.groups;
        self.interface.is_member(group) || groups.is_member(group.into())
    }

    /// Whether what came to a group is from a source that somebody wants to hear. Messages of ICMPv6 are not
    /// filtered: queries come from routers, which are no sources.
    pub(in crate::engine) fn check_source(
        &self,
        received: &Received<'_>,
        protocol: IpProtocol,
    ) -> Result<(), Discard> {
        let is_filtered = received.destination == Destination::Multicast
            && protocol != IpProtocol::ICMPV6
            && !is_all_hosts(received.dst);
        let groups = &self.services.multicast.groups;
        if is_filtered && !groups.wants(received.dst, received.src) {
            return Err(Discard::UnwantedSource);
        }
        Ok(())
    }

    /// An ICMPv6 message that is not known to be of another kind.
    pub(in crate::engine) fn on_mld(
        &mut self,
        received: &Received<'_>,
        payload: &[u8],
        now: Instant,
    ) -> Handled {
        let message = MldMessage::parse(payload)?;
        // Section 6.2: "if the source address of the message is a valid link-local address, if the Hop Limit is
        // set to 1, and if the Router Alert option is present [...]. If any of these checks fails, the packet is
        // dropped."
        let is_from_link =
            matches!(received.src, IpAddress::Ipv6(src) if src.is_unicast_link_local());
        let is_valid =
            || is_from_link && received.hop_limit == 1 && ipv6::has_router_alert(received.packet);
        match message {
            MldMessage::Query(query) if is_valid() => self.on_mld_query(&query, now)?,
            MldMessage::ReportV1(group) if is_valid() => {
                let groups = &mut self.services.multicast.groups;
                groups.on_report(now, group.into());
            }
            MldMessage::Other(_) => return Err(Discard::UnknownIcmp),
            MldMessage::Query(_)
            | MldMessage::ReportV1(_)
            | MldMessage::Done(_)
            | MldMessage::ReportV2 => return Err(Discard::IgnoredMld),
        }
        Ok(())
    }

    fn on_mld_query(&mut self, query: &MldQuery<'_>, now: Instant) -> Result<(), Discard> {
        let group = match query.group {
            Ipv6Addr::UNSPECIFIED => None,
            group if group.is_multicast() => Some(group.into()),
            _ => return Err(Discard::IgnoredMld),
        };
        let question = Query {
            ip: IpVersion::Ipv6,
            version: match query.version {
                1 => Version::V2,
                _ => Version::V3,
            },
            group,
            max_response: Duration::from_millis(query.max_response.into()),
            robustness: query.robustness,
            interval: Duration::from_secs(query.interval.into()),
        };
        let sources = query.sources().map(IpAddress::Ipv6);
        let groups = &mut self.services.multicast.groups;
        groups.on_query(now, &mut self.random, &question, sources);
        Ok(())
    }

    /// Sends what a router is to be told. False if that is nothing.
    pub(super) fn transmit_mld(&mut self, room: &mut dyn Room, now: Instant) -> bool {
        let mut buffer = [0; LONGEST_REPORT];
        let mut writer = ReportWriter::new(&mut buffer);
        let groups = &mut self.services.multicast.groups;
        let due = (now, IpVersion::Ipv6);
        let Some(message) = groups.poll(due, &mut self.random, &mut writer) else {
            return false;
        };
        let short;
        let (dst, message) = match message {
            Message::Records => {
                let len = writer.finish_mld();
                (mld::V2_ROUTERS, buffer.get(..len).unwrap_or_default())
            }
            Message::Report(_, IpAddress::Ipv6(group)) => {
                short = mld::emit_v1(MldShort::Report, group);
                (group, short.as_slice())
            }
            Message::Leave(IpAddress::Ipv6(group)) => {
                short = mld::emit_v1(MldShort::Done, group);
                (mld::ALL_ROUTERS, short.as_slice())
            }
            // They have their own.
            Message::Report(_, IpAddress::Ipv4(_)) | Message::Leave(IpAddress::Ipv4(_)) => {
                return false;
            }
        };
        // Section 5.2.13: "or the unspecified address (::), if the sending interface has not acquired a valid
        // link-local address yet".
        let src = self.mld_source().unwrap_or(Ipv6Addr::UNSPECIFIED);
        let report = GroupReport {
            src: src.into(),
            dst: dst.into(),
            message,
        };
        self.send_group_report(report, room);
        true
    }
}
