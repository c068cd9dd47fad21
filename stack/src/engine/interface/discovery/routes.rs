//! Where packets go, and from where, as routers say it: advertisements, redirects, and who answers.

use core::net::Ipv6Addr;

use super::super::ndp::NdiscPacket;
use super::super::{INTERFACE, Interface, Path};
use crate::engine::Engine;
use crate::engine::received::Handled;
use crate::ip::{AddressState, Delivery, NextHop, PrefixFrom, Route};
use crate::link::{Solicit, SolicitTo};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::{IpAddress, IpCidr, NdiscOptions};

// What the interface asks.
impl Interface {
    /// The best route to a destination that a router told of, for packets from `source` if that is known.
    pub(in crate::engine::interface) fn learned_route(
        &self,
        destination: IpAddress,
        source: Option<Ipv6Addr>,
        now: Instant,
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

    /// Where packets go that routes send to `routed`. Whose source is not known come from that which is chosen for
    /// them.
    pub(in crate::engine::interface) fn redirected(
        &self,
        to: IpAddress,
        source: Option<Ipv6Addr>,
        routed: NextHop,
    ) -> NextHop {
        let (IpAddress::Ipv6(destination), Delivery::Neighbor) = (to, routed.delivery) else {
            return routed;
        };
        let source = || source.or_else(|| self.source_v6(&routed, to));
        match self.ipv6.discovery.redirects.lookup(destination, source) {
            Some(target) => NextHop {
                address: target.into(),
                ..routed
            },
            None => routed,
        }
    }

    /// The router for packets from `source` to a neighbor that may not be asked for its link address yet.
    ///
    /// RFC 4429 section 3.2: with a packet to send from an optimistic address to a neighbor of unknown link address,
    /// a node is to forward it to a default router, in the hope that it is redirected. That router has to be known
    /// itself. What has a link-local address no router passes on (RFC 4291 section 2.5.6).
    fn detour(
        &self,
        next_hop: &NextHop,
        destination: IpAddress,
        source: Option<Ipv6Addr>,
        now: Instant,
    ) -> Option<IpAddress> {
        if !self.ipv6.is_optimistic || next_hop.delivery != Delivery::Neighbor {
            return None;
        }
        let source = source.or_else(|| self.source_v6(next_hop, destination))?;
        let is_optimistic =
            self.addresses.state(INTERFACE, source.into()) == Some(AddressState::Optimistic);
        let stays = source.is_unicast_link_local() || destination.is_link_local();
        let is_known = |address| self.ethernet.neighbors.knows(INTERFACE, address);
        if !is_optimistic || stays || is_known(next_hop.address) {
            return None;
        }
        let routes = &self.ipv6.discovery.routes;
        let default = routes.lookup(now, Ipv6Addr::UNSPECIFIED, Some(source))?;
        let router = IpAddress::Ipv6(default.router?);
        is_known(router).then_some(router)
    }

    /// Lets a path lead through a router as long as the neighbor may not be asked for its link address. When the
    /// source is known to be unique, or a router redirects, all paths are routed anew.
    pub(in crate::engine::interface) fn take_detour(
        &self,
        destination: IpAddress,
        path: &mut Path,
        now: Instant,
    ) {
        if let Some(next_hop) = path.next_hop
            && let Some(address) = self.detour(&next_hop, destination, path.source(), now)
        {
            path.next_hop = Some(NextHop {
                address,
                ..next_hop
            });
        }
    }

    fn source_v6(&self, next_hop: &NextHop, destination: IpAddress) -> Option<Ipv6Addr> {
        match self.source(next_hop, destination)? {
            IpAddress::Ipv6(source) => Some(source),
            IpAddress::Ipv4(_) => None,
        }
    }

    /// Whether a router is the first hop of packets to `destination`: of those from `source`, or of those whose
    /// source is chosen when it is known where they go.
    fn is_first_hop(
        &self,
        router: IpAddress,
        (source, destination): (Ipv6Addr, IpAddress),
        now: Instant,
    ) -> bool {
        let is_it = |asked_from| {
            let Some(hop) = self.next_hop_from(destination, asked_from, now) else {
                return false;
            };
            let by_detour = || self.detour(&hop, destination, Some(source), now) == Some(router);
            hop.delivery == Delivery::Neighbor && (hop.address == router || by_detour())
        };
        is_it(Some(source)) || is_it(None)
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
        destination: IpAddress,
        now: Instant,
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
        address: IpAddress,
        now: Instant,
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
    ) -> Option<NdiscPacket> {
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
    /// current first-hop router for the specified ICMP Destination Address". It goes to where the packet came from
    /// that it is about (section 4.5).
    pub(in crate::engine::interface) fn on_redirect(
        &mut self,
        (router, source): (Ipv6Addr, Ipv6Addr),
        (target, destination): (Ipv6Addr, Ipv6Addr),
        options: NdiscOptions<'_>,
        now: Instant,
    ) -> Handled {
        let packets = (source, IpAddress::Ipv6(destination));
        let is_valid = router.is_unicast_link_local()
            && !source.is_multicast()
            && self.interface.is_first_hop(router.into(), packets, now)
            && destination != router
            && !destination.is_multicast()
            && (target == destination || target.is_unicast_link_local());
        let is_ours = |address: Ipv6Addr| {
            let state = self.interface.addresses.state(INTERFACE, address.into());
            state.is_some()
        };
        if !is_valid || is_ours(target) {
            return Err(Discard::InvalidNeighborMessage);
        }
        self.on_link_address(target, options.target_link_address(), now);
        let redirects = &mut self.interface.ipv6.discovery.redirects;
        if redirects.hear(source, destination, target) {
            self.interface.on_routes_changed();
        }
        Ok(())
    }
}
