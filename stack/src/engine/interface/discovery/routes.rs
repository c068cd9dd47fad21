//! Where packets go, and from where, as routers say it: advertisements, redirects, and who answers.

use core::net::Ipv6Addr;

use super::super::{INTERFACE, Interface};
use crate::engine::Engine;
use crate::engine::egress::Inline;
use crate::engine::ingress::Handled;
use crate::ip::{Delivery, NextHop, PrefixFrom, Route};
use crate::link::{Solicit, SolicitTo};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::{IpAddress, IpCidr, NdiscOptions};

// What the interface asks.
impl Interface {
    /// The best route to a destination that a router told of, for packets from `source` if that is known.
    pub(in crate::engine::interface) fn learned_route(
        &self,
        now: Instant,
        destination: IpAddress,
        source: Option<Ipv6Addr>,
    ) -> Option<Route> {
        let IpAddress::Ipv6(destination) = destination else {
            return None;
        };
        let routes = &self.ipv6.discovery.routes;
        let route = routes.lookup(now, destination, source)?;
        Some(Route {
            destination: IpCidr::Ipv6(route.destination),
            gateway: route.router.map(IpAddress::Ipv6),
            interface: INTERFACE,
            mtu: None,
        })
    }

    /// Where packets go that routes send to `routed`.
    pub(in crate::engine::interface) fn redirected(
        &self,
        destination: IpAddress,
        routed: NextHop,
    ) -> NextHop {
        let (IpAddress::Ipv6(destination), Delivery::Neighbor) = (destination, routed.delivery)
        else {
            return routed;
        };
        match self.ipv6.discovery.redirects.lookup(destination) {
            Some(target) => NextHop {
                address: target.into(),
                ..routed
            },
            None => routed,
        }
    }

    /// The source of packets to `destination` through `next_hop`.
    pub(in crate::engine::interface) fn source(
        &self,
        next_hop: &NextHop,
        destination: IpAddress,
    ) -> Option<IpAddress> {
        let routes = &self.ipv6.discovery.routes;
        let prefix_from = |ours| match next_hop.address {
            IpAddress::Ipv6(router) => routes.prefix_from(ours, router),
            IpAddress::Ipv4(_) => PrefixFrom::Nobody,
        };
        self.addresses.source_by(next_hop, destination, prefix_from)
    }
}

// What the interface tells.
impl Interface {
    /// A packet goes to a destination, and was routed anew. The router that would take it if it answered is asked
    /// now and then.
    pub(in crate::engine::interface) fn probe_router(
        &mut self,
        now: Instant,
        destination: IpAddress,
    ) {
        if let IpAddress::Ipv6(destination) = destination
            && !destination.is_multicast()
            && self.routes.lookup(destination.into(), None).is_none()
        {
            let discovery = &mut self.ipv6.discovery;
            let probe = discovery.routes.poll_probe(now, destination);
            discovery.probe = probe.or(discovery.probe);
        }
    }

    /// A neighbor does not answer any more.
    pub(in crate::engine::interface) fn on_neighbor_failed(
        &mut self,
        now: Instant,
        address: IpAddress,
    ) {
        let IpAddress::Ipv6(address) = address else {
            return;
        };
        let discovery = &mut self.ipv6.discovery;
        let redirects = discovery.redirects.forget_target(address);
        if discovery.routes.on_unreachable(now, address) || redirects {
            self.on_routes_changed();
        }
    }

    /// A neighbor answers. RFC 4861, section 7.2.5: one that says it is no router any more, and was one, is
    /// none from now on.
    pub(in crate::engine::interface) fn on_neighbor_answered(
        &mut self,
        address: Ipv6Addr,
        is_router: bool,
    ) {
        let discovery = &mut self.ipv6.discovery;
        let changed = match is_router {
            true => discovery.routes.on_reachable(address),
            false => {
                let redirects = discovery.redirects.forget_router(address);
                discovery.routes.forget_router(address) || redirects
            }
        };
        if changed {
            self.on_configuration_changed();
        }
    }

    /// Whether somebody is a router that did not answer of late, and whose answer to a probe is all there need be known
    /// of it.
    pub(in crate::engine::interface) fn is_suspect_router(&self, address: Ipv6Addr) -> bool {
        self.ipv6.discovery.routes.is_suspect(address)
    }

    pub(in crate::engine::interface) fn wants_router_solicitation(&self, now: Instant) -> bool {
        let discovery = &self.ipv6.discovery;
        let due = discovery.solicitor.next_deadline();
        discovery.probe.is_some() || due.is_some_and(|at| at <= now)
    }
}

impl Engine<'_> {
    /// Asks for routers, or one that did not answer.
    pub(in crate::engine::interface) fn poll_router_solicitation(
        &mut self,
        now: Instant,
    ) -> Option<Inline<'static>> {
        let discovery = &mut self.interface.ipv6.discovery;
        if let Some(router) = discovery.probe.take() {
            let solicit = Solicit {
                interface: INTERFACE,
                target: router.into(),
                to: SolicitTo::Broadcast,
            };
            return self.interface.neighbor_solicitation(&solicit, router);
        }
        let is_due = discovery.solicitor.poll(now, &mut self.random);
        is_due.then(|| self.interface.router_solicitation())
    }

    /// A redirect, if it is valid (section 8.1): its source is a link-local address and "the same as the
    /// current first-hop router for the specified ICMP Destination Address".
    pub(in crate::engine::interface) fn on_redirect<'f>(
        &mut self,
        now: Instant,
        src: Ipv6Addr,
        (target, destination): (Ipv6Addr, Ipv6Addr),
        options: NdiscOptions<'_>,
    ) -> Handled<'f> {
        let is_first_hop = (self.interface.next_hop(now, destination.into()))
            .is_some_and(|hop| hop.delivery == Delivery::Neighbor && hop.address == src.into());
        let is_valid = src.is_unicast_link_local()
            && is_first_hop
            && destination != src
            && !destination.is_multicast()
            && (target == destination || target.is_unicast_link_local());
        let is_ours = |address: Ipv6Addr| {
            let state = self.interface.addresses.state(INTERFACE, address.into());
            state.is_some()
        };
        if !is_valid || is_ours(target) {
            return Err(Discard::InvalidNeighborMessage);
        }
        self.on_link_address(now, target, options.target_link_address());
        let redirects = &mut self.interface.ipv6.discovery.redirects;
        if redirects.hear(destination, target) {
            self.interface.on_routes_changed();
        }
        Ok(None)
    }
}
