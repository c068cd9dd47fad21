use super::*;
use crate::ip::addresses::AddressesFull;
use crate::ip::route::RouteTableFull;
use crate::ip::{AddressState, Route};
use crate::wire::{IpCidr, Ipv4Cidr};

const ETH: InterfaceId = InterfaceId(0);
const WAN: InterfaceId = InterfaceId(1);

fn ip(text: &str) -> IpAddress {
    text.parse().unwrap()
}

fn cidr(address: &str, prefix_len: u8) -> IpCidr {
    IpCidr::Ipv4(Ipv4Cidr::new(address.parse().unwrap(), prefix_len))
}

/// A small host: `192.0.2.7/24` and `198.51.100.7/30` on `ETH`, `10.0.0.7/8` on `WAN`, the default
/// gateway on `ETH`.
struct Host {
    addresses: Addresses<4>,
    routes: RouteTable<4>,
    learned: Option<Route>,
}

impl Host {
    fn unconfigured() -> Self {
        Self {
            addresses: Addresses::new(),
            routes: RouteTable::new(),
            learned: None,
        }
    }

    fn configured() -> Self {
        let mut host = Self::unconfigured();
        host.add_address(ETH, cidr("192.0.2.7", 24));
        host.add_address(ETH, cidr("198.51.100.5", 30));
        host.add_address(WAN, cidr("10.0.0.7", 8));
        host.routes
            .set_default_gateway(ip("192.0.2.1"), ETH)
            .unwrap();
        host
    }

    fn add_address(&mut self, interface: InterfaceId, cidr: IpCidr) {
        self.addresses
            .add(InterfaceAddress {
                cidr,
                interface,
                state: AddressState::Preferred,
                origin: crate::ip::AddressOrigin::Configured,
            })
            .unwrap();
    }

    fn add_route(&mut self, destination: IpCidr, gateway: &str, interface: InterfaceId) {
        let route = Route {
            destination,
            gateway: Some(ip(gateway)),
            interface,
            mtu: None,
        };
        self.routes.add(route).unwrap();
    }

    fn resolve(&self, destination: &str, via: Option<InterfaceId>) -> Result<NextHop, NoRoute> {
        let forwarding = Forwarding {
            addresses: &self.addresses,
            routes: &self.routes,
            learned: self.learned,
        };
        forwarding.resolve(ip(destination), via)
    }

    fn source(&self, destination: &str) -> Option<IpAddress> {
        let next_hop = self.resolve(destination, None).unwrap();
        self.addresses.source_for(&next_hop, ip(destination))
    }
}

fn hop(interface: InterfaceId, address: &str, delivery: Delivery) -> Result<NextHop, NoRoute> {
    Ok(NextHop {
        interface,
        address: ip(address),
        delivery,
    })
}

mod next_hop {
    use super::*;

    #[test]
    fn a_host_on_the_link_is_sent_to_directly() {
        let host = Host::configured();

        let next = host.resolve("192.0.2.9", None);

        assert_eq!(next, hop(ETH, "192.0.2.9", Delivery::Neighbor));
    }

    #[test]
    fn everything_else_goes_to_the_default_gateway() {
        let host = Host::configured();

        let next = host.resolve("203.0.113.1", None);

        assert_eq!(next, hop(ETH, "192.0.2.1", Delivery::Neighbor));
    }

    #[test]
    fn link_local_hosts_are_sent_to_directly_whatever_routes_there_are() {
        let mut host = Host::configured();
        host.add_route(cidr("169.254.0.0", 16), "192.0.2.1", ETH);
        let next = host.resolve("169.254.9.9", None);
        assert_eq!(next, hop(ETH, "169.254.9.9", Delivery::Neighbor));
        let all = host.resolve("169.254.255.255", None);
        assert_eq!(all, hop(ETH, "169.254.255.255", Delivery::Broadcast));

        host.add_address(WAN, cidr("169.254.1.1", 16));
        let next = host.resolve("169.254.9.9", None);
        assert_eq!(next, hop(WAN, "169.254.9.9", Delivery::Neighbor));
        assert_eq!(
            Host::unconfigured().resolve("169.254.9.9", None),
            Err(NoRoute)
        );
    }

    #[test]
    fn a_deprecated_address_is_the_last_choice() {
        let mut host = Host::unconfigured();
        host.add_address(ETH, cidr("169.254.1.1", 16));
        let old = ip("169.254.1.1");
        host.addresses.set_state(ETH, old, AddressState::Deprecated);
        assert_eq!(host.source("169.254.9.9"), Some(old), "there is no other");
        host.add_address(ETH, cidr("192.0.2.7", 24));
        assert_eq!(host.source("169.254.9.9"), Some(ip("192.0.2.7")));
        assert!(host.addresses.is_local(old));
    }

    #[test]
    fn the_longest_prefix_wins() {
        let mut host = Host::configured();
        host.add_route(cidr("203.0.113.0", 24), "192.0.2.2", ETH);
        host.add_route(cidr("203.0.113.128", 25), "10.0.0.1", WAN);

        let short = host.resolve("203.0.113.1", None);
        assert_eq!(short, hop(ETH, "192.0.2.2", Delivery::Neighbor));
        let long = host.resolve("203.0.113.129", None);
        assert_eq!(long, hop(WAN, "10.0.0.1", Delivery::Neighbor));
    }

    #[test]
    fn a_route_into_the_subnet_wins_only_if_it_is_longer() {
        let mut host = Host::configured();
        host.add_route(cidr("192.0.2.0", 24), "10.0.0.1", WAN);
        host.add_route(cidr("192.0.2.128", 25), "10.0.0.2", WAN);

        let connected = host.resolve("192.0.2.9", None);
        assert_eq!(connected, hop(ETH, "192.0.2.9", Delivery::Neighbor));
        let routed = host.resolve("192.0.2.129", None);
        assert_eq!(routed, hop(WAN, "10.0.0.2", Delivery::Neighbor));
    }

    #[test]
    fn a_route_without_a_gateway_reaches_its_prefix_on_the_link() {
        let mut host = Host::configured();
        let route = Route {
            destination: cidr("203.0.113.0", 24),
            gateway: None,
            interface: WAN,
            mtu: None,
        };
        host.routes.add(route).unwrap();

        let next = host.resolve("203.0.113.5", None);

        assert_eq!(next, hop(WAN, "203.0.113.5", Delivery::Neighbor));
    }

    #[test]
    fn without_a_route_there_is_none() {
        let mut host = Host::configured();
        host.routes.flush(ETH);

        assert_eq!(host.resolve("203.0.113.1", None), Err(NoRoute));
    }

    #[test]
    fn a_chosen_interface_is_kept_to() {
        let host = Host::configured();

        assert_eq!(host.resolve("192.0.2.9", Some(WAN)), Err(NoRoute));
        assert_eq!(host.resolve("203.0.113.1", Some(WAN)), Err(NoRoute));
        let next = host.resolve("10.1.1.1", Some(WAN));
        assert_eq!(next, hop(WAN, "10.1.1.1", Delivery::Neighbor));
    }

    #[test]
    fn a_tentative_address_connects_nothing() {
        let mut host = Host::unconfigured();
        host.add_address(ETH, cidr("192.0.2.7", 24));
        let before = host
            .addresses
            .set_state(ETH, ip("192.0.2.7"), AddressState::Tentative);

        assert_eq!(before, Some(AddressState::Preferred));
        assert_eq!(host.resolve("192.0.2.9", None), Err(NoRoute));
        assert_eq!(host.resolve("192.0.2.7", None), Err(NoRoute));
    }

    #[test]
    fn our_own_addresses_are_local() {
        let host = Host::configured();

        let next = host.resolve("10.0.0.7", Some(ETH));

        assert_eq!(next, hop(WAN, "10.0.0.7", Delivery::Local));
    }

    #[test]
    fn loopback_addresses_never_leave_the_host() {
        let mut host = Host::configured();
        assert_eq!(host.resolve("127.0.0.1", None), Err(NoRoute));

        host.addresses.remove(WAN, ip("10.0.0.7"));
        host.add_address(WAN, cidr("127.0.0.1", 8));

        let next = host.resolve("127.1.2.3", None);
        assert_eq!(next, hop(WAN, "127.1.2.3", Delivery::Local));
        assert_eq!(host.source("127.1.2.3"), Some(ip("127.0.0.1")));
    }

    #[test]
    fn nobodys_addresses_have_no_route() {
        let host = Host::configured();

        for destination in ["0.0.0.0", "0.1.2.3", "240.0.0.1", "255.255.255.254"] {
            let next = host.resolve(destination, None);
            assert_eq!(next, Err(NoRoute), "{destination}");
        }
    }
}

mod groups {
    use super::*;

    #[test]
    fn the_broadcast_address_of_a_subnet_goes_to_everybody_on_it() {
        let host = Host::configured();

        let next = host.resolve("192.0.2.255", None);
        assert_eq!(next, hop(ETH, "192.0.2.255", Delivery::Broadcast));
        let next = host.resolve("198.51.100.7", None);
        assert_eq!(next, hop(ETH, "198.51.100.7", Delivery::Broadcast));
    }

    #[test]
    fn a_point_to_point_subnet_has_no_broadcast_address() {
        let mut host = Host::unconfigured();
        host.add_address(ETH, cidr("192.0.2.6", 31));

        let next = host.resolve("192.0.2.7", None);

        assert_eq!(next, hop(ETH, "192.0.2.7", Delivery::Neighbor));
    }

    #[test]
    fn a_remote_subnets_broadcast_address_goes_to_its_gateway() {
        let mut host = Host::configured();
        host.add_route(cidr("203.0.113.0", 24), "192.0.2.2", ETH);

        let next = host.resolve("203.0.113.255", None);

        assert_eq!(next, hop(ETH, "192.0.2.2", Delivery::Neighbor));
    }

    #[test]
    fn groups_leave_where_the_default_route_does() {
        let mut host = Host::configured();
        host.routes
            .set_default_gateway(ip("10.0.0.1"), WAN)
            .unwrap();

        let next = host.resolve("255.255.255.255", None);
        assert_eq!(next, hop(WAN, "255.255.255.255", Delivery::Broadcast));
        let next = host.resolve("224.0.0.251", None);
        assert_eq!(next, hop(WAN, "224.0.0.251", Delivery::Multicast));
    }

    #[test]
    fn a_multicast_route_has_no_gateway_in_the_way() {
        let mut host = Host::configured();
        host.add_route(cidr("239.0.0.0", 8), "10.0.0.1", WAN);

        let next = host.resolve("239.1.2.3", None);

        assert_eq!(next, hop(WAN, "239.1.2.3", Delivery::Multicast));
    }

    #[test]
    fn groups_without_a_route_leave_by_the_first_address() {
        let mut host = Host::configured();
        host.routes.flush(ETH);

        let next = host.resolve("224.0.0.251", None);

        assert_eq!(next, hop(ETH, "224.0.0.251", Delivery::Multicast));
    }

    #[test]
    fn an_unconfigured_host_can_broadcast_on_a_chosen_interface() {
        let host = Host::unconfigured();

        let next = host.resolve("255.255.255.255", Some(WAN));
        assert_eq!(next, hop(WAN, "255.255.255.255", Delivery::Broadcast));
        assert_eq!(host.resolve("255.255.255.255", None), Err(NoRoute));
        assert_eq!(
            host.addresses
                .source_for(&next.unwrap(), ip("255.255.255.255")),
            None
        );
    }
}

mod source_selection {
    use super::*;

    #[test]
    fn the_source_is_on_the_subnet_of_the_next_hop() {
        let mut host = Host::configured();
        host.add_route(cidr("203.0.113.0", 24), "198.51.100.6", ETH);

        assert_eq!(host.source("192.0.2.9"), Some(ip("192.0.2.7")));
        assert_eq!(host.source("198.51.100.6"), Some(ip("198.51.100.5")));
        assert_eq!(host.source("203.0.113.1"), Some(ip("198.51.100.5")));
        assert_eq!(host.source("10.1.1.1"), Some(ip("10.0.0.7")));
        assert_eq!(host.source("198.51.100.7"), Some(ip("198.51.100.5")));
    }

    #[test]
    fn or_else_the_first_of_the_interface() {
        let mut host = Host::configured();
        host.add_route(cidr("203.0.113.0", 24), "172.16.0.1", WAN);

        assert_eq!(host.source("203.0.113.1"), Some(ip("10.0.0.7")));
        assert_eq!(host.source("224.0.0.251"), Some(ip("192.0.2.7")));
    }

    #[test]
    fn or_else_none() {
        let mut host = Host::configured();
        host.addresses.remove(WAN, ip("10.0.0.7"));
        host.add_route(cidr("203.0.113.0", 24), "10.0.0.1", WAN);

        assert_eq!(host.source("203.0.113.1"), None);
    }

    #[test]
    fn packets_to_ourselves_come_from_ourselves() {
        let host = Host::configured();

        assert_eq!(host.source("198.51.100.5"), Some(ip("198.51.100.5")));
    }

    #[test]
    fn a_tentative_address_is_no_source() {
        let mut host = Host::configured();
        host.addresses
            .set_state(ETH, ip("192.0.2.7"), AddressState::Tentative);

        assert_eq!(host.source("203.0.113.1"), Some(ip("198.51.100.5")));
    }
}

mod tables {
    use super::*;

    fn route(destination: IpCidr, gateway: &str) -> Route {
        Route {
            destination,
            gateway: Some(ip(gateway)),
            interface: ETH,
            mtu: None,
        }
    }

    #[test]
    fn one_prefix_has_one_route() {
        let mut routes = RouteTable::<2>::new();
        let first = route(cidr("203.0.113.0", 24), "192.0.2.1");
        // The bits behind the prefix do not make it another one.
        let second = route(cidr("203.0.113.9", 24), "192.0.2.2");

        assert_eq!(routes.add(first), Ok(()));
        assert_eq!(routes.add(second), Ok(()));
        assert_eq!(routes.iter().count(), 1);
        assert_eq!(routes.remove(cidr("203.0.113.0", 24)), Some(second));
        assert_eq!(routes.remove(cidr("203.0.113.0", 24)), None);
    }

    #[test]
    fn a_full_table_refuses() {
        let mut routes = RouteTable::<1>::new();
        routes.add(route(cidr("10.0.0.0", 8), "192.0.2.1")).unwrap();

        let refused = routes.set_default_gateway(ip("192.0.2.1"), ETH);

        assert_eq!(refused, Err(RouteTableFull));
    }

    #[test]
    fn an_address_is_added_once_per_interface() {
        let mut addresses = Addresses::<2>::new();
        let address = InterfaceAddress {
            cidr: cidr("192.0.2.7", 24),
            interface: ETH,
            state: AddressState::Preferred,
            origin: crate::ip::AddressOrigin::Configured,
        };
        let wider = InterfaceAddress {
            cidr: cidr("192.0.2.7", 16),
            ..address
        };
        let elsewhere = InterfaceAddress {
            interface: WAN,
            ..address
        };

        assert_eq!(addresses.add(address), Ok(()));
        assert_eq!(addresses.add(wider), Ok(()));
        assert_eq!(addresses.add(elsewhere), Ok(()));
        assert_eq!(addresses.add(address), Ok(()));
        let third = InterfaceAddress {
            cidr: cidr("192.0.2.8", 24),
            ..address
        };
        assert_eq!(addresses.add(third), Err(AddressesFull));
        assert_eq!(addresses.remove(ETH, ip("192.0.2.7")), Some(address));
        assert!(addresses.iter().eq([&elsewhere]));
    }

    #[test]
    fn a_broadcast_address_belongs_to_its_interface() {
        let host = Host::configured();
        let broadcast = "192.0.2.255".parse().unwrap();

        assert!(host.addresses.is_subnet_broadcast(ETH, broadcast));
        assert!(!host.addresses.is_subnet_broadcast(WAN, broadcast));
    }
}
