//! In place of `discovery`, where no router is listened to.

use core::net::Ipv6Addr;

#[cfg(feature = "proto-ipv6")]
pub(super) use v6::Discovery;

use super::super::outgoing::DEFAULT_HOP_LIMIT;
use super::Interface;
use crate::ip::{NextHop, Route};
use crate::time::Instant;
use crate::wire::IpAddress;

impl Interface {
    #[inline]
    pub(super) fn learned_route(
        &self,
        _destination: IpAddress,
        _source: Option<Ipv6Addr>,
        _now: Instant,
    ) -> Option<Route> {
        None
    }

    #[inline]
    pub(super) fn source(&self, next_hop: &NextHop, destination: IpAddress) -> Option<IpAddress> {
        self.addresses.source_for(next_hop, destination)
    }

    #[inline]
    pub(super) fn probe_router(&mut self, _destination: IpAddress, _now: Instant) {}

    #[inline]
    pub(super) fn redirected(
        &self,
        _destination: IpAddress,
        _source: Option<Ipv6Addr>,
        routed: NextHop,
    ) -> NextHop {
        routed
    }

    #[inline]
    pub(in crate::engine) fn hop_limit(&self, _destination: IpAddress) -> u8 {
        DEFAULT_HOP_LIMIT
    }

    pub(super) fn on_neighbor_failed(&mut self, _address: IpAddress, _now: Instant) {}

    pub(super) fn wants_router_solicitation(&self, _now: Instant) -> bool {
        false
    }

    pub(in crate::engine) fn announced_domain(
        &self,
        _nth: usize,
    ) -> Option<crate::wire::dns::Name> {
        None
    }
}

#[cfg(feature = "proto-ipv6")]
mod v6 {
    use core::iter;
    use core::net::Ipv6Addr;

    use super::super::Interface;
    use crate::engine::Engine;
    use crate::engine::config::StaticConfigV6;
    use crate::engine::received::Handled;
    use crate::rand::Random;
    use crate::stats::Discard;
    use crate::time::Instant;
    use crate::wire::NdiscOptions;
    use crate::wire::ndisc::RouterAdvertisement;

    /// Nothing.
    #[derive(Default)]
    pub(in crate::engine::interface) struct Discovery(());

    impl Interface {
        pub(in crate::engine::interface) fn mtu_v6(&self) -> usize {
            self.link_mtu.into()
        }

        pub(in crate::engine::interface) fn announced_servers(
            &self,
        ) -> impl Iterator<Item = Ipv6Addr> {
            iter::empty()
        }

        pub(in crate::engine::interface) fn discovered_config(
            &self,
            _now: Instant,
        ) -> Option<StaticConfigV6> {
            None
        }

        pub(in crate::engine::interface) fn is_past_preference(&self, _address: Ipv6Addr) -> bool {
            false
        }

        pub(in crate::engine::interface) fn stop_discovery(&mut self) {}

        pub(in crate::engine::interface) fn is_suspect_router(&self, _address: Ipv6Addr) -> bool {
            false
        }

        pub(in crate::engine::interface) fn on_neighbor_answered(
            &mut self,
            _address: Ipv6Addr,
            _is_router: bool,
        ) {
        }

        pub(in crate::engine::interface) fn retry_autoconf(
            &mut self,
            _address: Ipv6Addr,
            _random: &mut Random,
            _now: Instant,
        ) -> bool {
            false
        }
    }

    impl Engine<'_> {
        pub(in crate::engine::interface) fn on_router_advertisement(
            &mut self,
            _src: Ipv6Addr,
            _router: RouterAdvertisement,
            _options: NdiscOptions<'_>,
            _now: Instant,
        ) -> Handled {
            Err(Discard::UnknownIcmp)
        }

        pub(in crate::engine::interface) fn on_redirect(
            &mut self,
            _from_and_to: (Ipv6Addr, Ipv6Addr),
            _hops: (Ipv6Addr, Ipv6Addr),
            _options: NdiscOptions<'_>,
            _now: Instant,
        ) -> Handled {
            Err(Discard::UnknownIcmp)
        }
    }
}
