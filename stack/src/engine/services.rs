//! What the stack does on the network by itself, beside its sockets: where each service that is compiled in
//! has its turn. `engine` drives them together; each has its own file.

#[cfg(feature = "mdns")]
pub(super) mod browse;
#[cfg(any(
    feature = "socket-dhcpv4",
    feature = "socket-dhcpv6",
    feature = "dhcpv4-server",
    feature = "mdns"
))]
mod datagram;
#[cfg(feature = "socket-dns")]
pub(super) mod destinations;
#[cfg(feature = "socket-dhcpv4")]
pub(super) mod dhcp;
#[cfg(feature = "dhcpv4-server")]
pub(super) mod dhcp_server;
#[cfg(feature = "socket-dhcpv6")]
pub(super) mod dhcpv6;
#[cfg(feature = "socket-dns")]
pub(super) mod dns;
#[cfg(feature = "ipv4-link-local")]
pub(super) mod link_local;
#[cfg(feature = "mdns")]
pub(super) mod mdns;

#[cfg(feature = "slaac")]
use super::RouterFlags;
#[cfg(feature = "multicast")]
use super::multicast::MulticastState;
use super::{Config, Engine, Interface, Room};
use crate::rand::Random;
use crate::time::Instant;
use crate::wire::IpAddress;
#[cfg(feature = "socket-dhcpv4")]
use dhcp::DhcpState;
#[cfg(feature = "dhcpv4-server")]
use dhcp_server::DhcpServerState;
#[cfg(feature = "socket-dhcpv6")]
use dhcpv6::Dhcpv6State;
#[cfg(feature = "ipv4-link-local")]
use link_local::LinkLocalState;
#[cfg(feature = "mdns")]
use mdns::MdnsState;

/// The state of all of them.
pub(super) struct Services {
    #[cfg(feature = "socket-dhcpv4")]
    pub(super) dhcp: DhcpState,
    #[cfg(feature = "socket-dhcpv6")]
    pub(super) dhcpv6: Dhcpv6State,
    #[cfg(feature = "ipv4-link-local")]
    pub(super) link_local: LinkLocalState,
    #[cfg(feature = "dhcpv4-server")]
    pub(super) dhcp_server: DhcpServerState,
    #[cfg(feature = "mdns")]
    pub(super) mdns: MdnsState,
    #[cfg(feature = "multicast")]
    pub(super) multicast: MulticastState,
}

impl Services {
    pub(super) fn new(interface: &Interface, config: &Config, random: &mut Random) -> Self {
        #[cfg(not(feature = "socket-dhcpv6"))]
        let _ = random;
        Self {
            #[cfg(feature = "socket-dhcpv4")]
            dhcp: DhcpState::new(interface, config),
            #[cfg(feature = "socket-dhcpv6")]
            dhcpv6: Dhcpv6State::new(interface, config, random),
            #[cfg(feature = "ipv4-link-local")]
            link_local: LinkLocalState::new(interface, config),
            #[cfg(feature = "dhcpv4-server")]
            dhcp_server: DhcpServerState::default(),
            #[cfg(feature = "mdns")]
            mdns: MdnsState::new(),
            #[cfg(feature = "multicast")]
            multicast: MulticastState::new(interface, config),
        }
    }

    /// When one of them has something to do or to send.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let deadlines: &[Option<Instant>] = &[
            #[cfg(feature = "socket-dhcpv4")]
            self.dhcp.next_deadline(),
            #[cfg(feature = "socket-dhcpv6")]
            self.dhcpv6.next_deadline(),
            #[cfg(feature = "ipv4-link-local")]
            self.link_local.next_deadline(),
            #[cfg(feature = "dhcpv4-server")]
            self.dhcp_server.next_deadline(),
            #[cfg(feature = "mdns")]
            self.mdns.next_deadline(),
            #[cfg(feature = "multicast")]
            self.multicast.next_deadline(),
        ];
        deadlines.iter().flatten().min().copied()
    }

    /// Whether [`Engine::transmit_services`] has something.
    pub(super) fn want_to_send(&self, now: Instant) -> bool {
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        #[cfg(feature = "socket-dhcpv4")]
        if is_due(self.dhcp.next_deadline()) {
            return true;
        }
        #[cfg(feature = "socket-dhcpv6")]
        if is_due(self.dhcpv6.next_deadline()) {
            return true;
        }
        #[cfg(feature = "dhcpv4-server")]
        if self.dhcp_server.wants_to_send() {
            return true;
        }
        #[cfg(feature = "mdns")]
        if is_due(self.mdns.next_deadline()) {
            return true;
        }
        #[cfg(feature = "multicast")]
        if self.multicast.wants_to_send(now) {
            return true;
        }
        false
    }
}

impl Engine<'_> {
    /// Ends what came with the configuration before.
    pub(super) fn stop_configuring(&mut self) {
        #[cfg(feature = "socket-dhcpv4")]
        self.stop_dhcp();
        #[cfg(feature = "ipv4-link-local")]
        self.stop_link_local();
    }

    pub(super) fn services_link_changed(&mut self, up: bool, now: Instant) {
        #[cfg(feature = "socket-dhcpv4")]
        self.dhcp_link_changed(up, now);
        #[cfg(feature = "ipv4-link-local")]
        self.link_local_link_changed(up, now);
        #[cfg(feature = "dhcpv4-server")]
        self.dhcp_server_link_changed(up);
        #[cfg(feature = "multicast")]
        self.services.multicast.on_link_changed(up, now);
    }

    /// Somebody else uses an address of ours, or would have been ours.
    pub(super) fn services_conflict(&mut self, address: IpAddress, now: Instant) {
        #[cfg(feature = "config-events")]
        self.notice(super::ConfigEvent::AddressConflict(address));
        #[cfg(feature = "socket-dhcpv4")]
        self.dhcp_conflict(address, now);
        #[cfg(feature = "socket-dhcpv6")]
        self.dhcpv6_conflict(address, now);
        #[cfg(feature = "ipv4-link-local")]
        self.link_local_conflict(address, now);
    }

    /// Routers say something else about what is to be had by DHCPv6.
    #[cfg(feature = "slaac")]
    pub(super) fn services_router_flags_changed(&mut self, flags: RouterFlags) {
        #[cfg(feature = "config-events")]
        self.notice(super::ConfigEvent::RouterFlags(flags));
        #[cfg(feature = "socket-dhcpv6")]
        self.dhcpv6_follow(flags.managed, flags.other);
        #[cfg(not(any(feature = "config-events", feature = "socket-dhcpv6")))]
        let _ = flags;
    }

    /// Nobody else uses an address that was looked at.
    pub(super) fn services_claimed(&mut self, address: IpAddress) {
        #[cfg(feature = "socket-dhcpv6")]
        self.dhcpv6_claimed(address);
        #[cfg(feature = "ipv4-link-local")]
        self.link_local_claimed(address);
    }

    /// Takes note of what changed since the last call: after whatever may have changed the link or the
    /// configuration.
    pub(crate) fn note_changes(&mut self) {
        #[cfg(feature = "socket-dhcpv6")]
        self.dhcpv6_note_changes();
        #[cfg(feature = "config-events")]
        self.note_config_changes();
        #[cfg(feature = "mdns")]
        self.mdns_note_changes();
        #[cfg(all(feature = "multicast", feature = "proto-ipv6"))]
        self.mld_note_changes();
    }

    pub(super) fn on_services_timeout(&mut self, now: Instant) {
        #[cfg(feature = "socket-dhcpv4")]
        self.on_dhcp_timeout(now);
        #[cfg(feature = "socket-dhcpv6")]
        self.on_dhcpv6_timeout(now);
        #[cfg(feature = "ipv4-link-local")]
        self.on_link_local_timeout(now);
        #[cfg(feature = "dhcpv4-server")]
        self.on_dhcp_server_timeout(now);
        #[cfg(feature = "multicast")]
        self.services.multicast.on_timeout(now);
    }

    /// Sends what one of them has to send. False if that is nothing.
    pub(super) fn transmit_services(&mut self, room: &mut dyn Room, now: Instant) -> bool {
        let _ = (now, &room);
        #[cfg(feature = "socket-dhcpv4")]
        if self.transmit_dhcp(room, now) {
            return true;
        }
        #[cfg(feature = "socket-dhcpv6")]
        if self.transmit_dhcpv6(room, now) {
            return true;
        }
        #[cfg(feature = "dhcpv4-server")]
        if self.transmit_dhcp_reply(room) {
            return true;
        }
        #[cfg(feature = "mdns")]
        if self.transmit_mdns(room, now) {
            return true;
        }
        false
    }
}
