//! The DHCP client's place in the stack: its messages in and out, and its lease on the interface.
//!
//! Before there is an address, questions go from 0.0.0.0 to everybody, past routes and neighbors that
//! cannot be there yet. A lease is renewed with its server alone, along the routes, like any packet.

use cygnet_driver::Medium;

use crate::dhcp::{self, Change, DhcpClient, DhcpConfig, DhcpLease, Recipient};
use crate::engine::Engine;
use crate::engine::config::{AddressPolicy, Config, ConfigV4, DefensePolicy, StaticConfigV4};
use crate::engine::flow_label::FlowLabel;
use crate::engine::interface::{Care, Configuration, Interface, Path, Reach};
use crate::engine::outgoing::{DEFAULT_HOP_LIMIT, LinkHeader, Room};
use crate::engine::received::{Handled, Received};
use crate::engine::services::datagram::ServiceDatagram;
use crate::stats::Discard;
use crate::time::{Duration, Instant, earlier};
use crate::wire::dhcpv4::{CLIENT_PORT, SERVER_PORT};
use crate::wire::{DhcpMessage, EtherType, EthernetAddress, IpAddress, IpEndpoint};

/// The client, if there is one, and what is left of the one before.
pub(in crate::engine) struct DhcpState {
    client: Option<DhcpClient>,
    /// The way to the server.
    path: Path,
    /// The last message of a client that is gone.
    farewell: Option<Farewell>,
}

/// A release, with the client that writes it and the way to the server as it was.
struct Farewell {
    client: DhcpClient,
    path: Path,
    due: Instant,
}

impl DhcpState {
    pub(in crate::engine) fn new(interface: &Interface, config: &Config) -> Self {
        let client = match &config.ipv4 {
            ConfigV4::Dhcp(dhcp) => client(interface, dhcp.clone()),
            #[cfg(feature = "ipv4-link-local")]
            ConfigV4::DhcpOrLinkLocal(dhcp, _) => client(interface, dhcp.clone()),
            #[cfg(feature = "ipv4-link-local")]
            ConfigV4::LinkLocal(_) => None,
            ConfigV4::None | ConfigV4::Static(_) => None,
        };
        Self {
            client,
            path: Path::default(),
            farewell: None,
        }
    }

    pub(in crate::engine) fn next_deadline(&self) -> Option<Instant> {
        let client = self.client.as_ref().and_then(DhcpClient::next_deadline);
        earlier(client, self.farewell.as_ref().map(|farewell| farewell.due))
    }
}

/// RFC 2131 knows clients by their hardware address.
fn client(interface: &Interface, config: DhcpConfig) -> Option<DhcpClient> {
    (interface.medium == Medium::Ethernet)
        .then(|| DhcpClient::new(config, interface.ethernet.hardware))
}

impl Engine<'_> {
    /// The lease in use.
    pub(crate) fn dhcp_lease(&self) -> Option<&DhcpLease> {
        self.services.dhcp.client.as_ref()?.lease()
    }

    pub(in crate::engine) fn start_dhcp(&mut self, config: DhcpConfig, now: Instant) {
        self.services.dhcp.client = client(&self.interface, config);
        if self.interface.link_up {
            self.dhcp_link_changed(true, now);
        }
        self.attention = true;
    }

    /// Gives the lease back. The address can go at once: the message takes the way that leads to the server
    /// now.
    pub(in crate::engine) fn stop_dhcp(&mut self) {
        let Some(client) = self.services.dhcp.client.take() else {
            return;
        };
        #[cfg(feature = "config-events")]
        if client.lease().is_some() {
            self.notice(crate::engine::ConfigEvent::LeaseLost);
        }
        let Some(lease) = client.lease().filter(|_| self.interface.link_up) else {
            return;
        };
        let (now, server) = (self.now, IpAddress::Ipv4(lease.server));
        let mut path = core::mem::take(&mut self.services.dhcp.path);
        // Routes it, and begins to look for its neighbor if need be.
        self.interface.reach(server, &mut path, now);
        let due = now;
        self.services.dhcp.farewell = Some(Farewell { client, path, due });
        self.attention = true;
    }

    pub(in crate::engine) fn dhcp_link_changed(&mut self, up: bool, now: Instant) {
        match &mut self.services.dhcp.client {
            Some(client) if up => client.on_link_up(now, &mut self.random),
            Some(client) => client.on_link_down(),
            None => {}
        }
        if !up {
            // Nobody hears it; the lease will be over by itself.
            self.services.dhcp.farewell = None;
        }
    }

    /// Somebody else uses an address of ours.
    pub(in crate::engine) fn dhcp_conflict(&mut self, address: IpAddress, now: Instant) {
        let Some(client) = &mut self.services.dhcp.client else {
            return;
        };
        let leased = client.lease().map(|lease| lease.address.address());
        if leased.map(IpAddress::Ipv4) == Some(address) {
            let change = client.on_conflict();
            self.on_lease_changed(change, now);
        }
    }

    pub(in crate::engine) fn on_dhcp_timeout(&mut self, now: Instant) {
        if let Some(client) = &mut self.services.dhcp.client {
            let change = client.on_timeout(now, &mut self.random);
            self.on_lease_changed(change, now);
        }
    }

    /// Whether a datagram to that port is the client's, wherever it is addressed to.
    pub(in crate::engine) fn is_for_dhcp(&self, port: u16) -> bool {
        port == CLIENT_PORT && self.services.dhcp.client.is_some()
    }

    /// Whether a packet to an address that is not ours may be the client's: a server that is not asked to
    /// broadcast sends to the address that it gives.
    pub(in crate::engine) fn expects_dhcp(&self) -> bool {
        let client = self.services.dhcp.client.as_ref();
        client.is_some_and(DhcpClient::expects_answer)
    }

    pub(in crate::engine) fn on_dhcp(
        &mut self,
        received: &Received<'_>,
        src_port: u16,
        data: &[u8],
        now: Instant,
    ) -> Handled {
        let message = DhcpMessage::parse(data)?;
        let Some(client) = &mut self.services.dhcp.client else {
            return Err(Discard::NoSocket);
        };
        if src_port != SERVER_PORT {
            return Err(Discard::UnmatchedDhcp);
        }
        crate::log::debug!("DHCP: {:?} from {:?}", message.kind, received.src);
        let change = client
            .on_message(now, &message, &mut self.random)
            .map_err(|_| Discard::UnmatchedDhcp)?;
        self.on_lease_changed(change, now);
        Ok(())
    }

    fn on_lease_changed(&mut self, change: Option<Change>, now: Instant) {
        let Some(change) = change else { return };
        let lease = self
            .services
            .dhcp
            .client
            .as_ref()
            .and_then(DhcpClient::lease);
        let (Change::Leased, Some(lease)) = (change, lease) else {
            crate::log::debug!("the lease of the IPv4 address is over");
            let _ = self.configure(None, now);
            #[cfg(feature = "config-events")]
            self.notice(crate::engine::ConfigEvent::LeaseLost);
            #[cfg(feature = "ipv4-link-local")]
            self.link_local_step_in(now);
            return;
        };
        let config = StaticConfigV4 {
            address: lease.address,
            gateway: lease.gateway,
            dns_servers: lease.dns_servers.clone(),
            domains: lease.domains.clone(),
        };
        let (routes, mtu) = (lease.routes.clone(), lease.mtu);
        if self.interface.is_configured_as(&config, &routes, mtu) {
            return;
        }
        #[cfg(feature = "config-events")]
        self.notice(crate::engine::ConfigEvent::LeaseObtained);
        #[cfg(feature = "ipv4-link-local")]
        self.link_local_give_way(now);
        let policy = match self
            .services
            .dhcp
            .client
            .as_ref()
            .is_some_and(DhcpClient::probes)
        {
            true => AddressPolicy::Probe,
            false => AddressPolicy::Announce,
        };
        // A host with a fixed address may insist on it; one that was given it asks for another.
        let defense = DefensePolicy::DefendOnce;
        let configured = self.configure(
            Some(Configuration {
                config,
                routes: &routes,
                mtu,
                care: Some(Care { policy, defense }),
            }),
            now,
        );
        if configured.is_err() {
            crate::log::debug!("there is no room for all of the lease");
        }
    }

    /// Sends what the client has to send. False if that is nothing.
    pub(in crate::engine) fn transmit_dhcp(&mut self, room: &mut dyn Room, now: Instant) -> bool {
        let mut buffer = [0; dhcp::MAX_MESSAGE];
        let Some((link, message, len)) = self.poll_dhcp(&mut buffer, now) else {
            return false;
        };
        let datagram = ServiceDatagram {
            from: IpEndpoint::new(IpAddress::Ipv4(message.ciaddr), CLIENT_PORT),
            to: IpEndpoint::new(message.recipient(), SERVER_PORT),
            hop_limit: DEFAULT_HOP_LIMIT,
            flow_label: FlowLabel::NONE,
            data: &buffer[..len],
        };
        self.send_for_service(link, &datagram, room);
        true
    }

    /// The message that is due, written into `buffer`, with its link header and length.
    fn poll_dhcp(
        &mut self,
        buffer: &mut [u8],
        now: Instant,
    ) -> Option<(LinkHeader, dhcp::Outgoing, usize)> {
        let mtu = usize::from(self.interface.ip_mtu);
        if let Some(mut farewell) = self
            .services
            .dhcp
            .farewell
            .take_if(|farewell| farewell.due <= now)
        {
            let message = farewell.client.release(now, &mut self.random)?;
            let (server, path) = (message.recipient(), &mut farewell.path);
            match self.interface.reach_as_before(server, path, now) {
                Reach::Now => {
                    let link = self.interface.link_header(path)?;
                    let len = farewell.client.emit(&message, mtu, buffer);
                    return Some((link, message, len));
                }
                Reach::Pending(_) | Reach::Exhausted => {
                    farewell.due = now + NEIGHBOR_PAUSE;
                    self.services.dhcp.farewell = Some(farewell);
                }
                // The lease will be over by itself.
                Reach::Unreachable | Reach::NoRoute => {}
            }
            return None;
        }
        let client = self.services.dhcp.client.as_mut()?;
        let message = client.poll(now, &mut self.random)?;
        let link = match message.to {
            Recipient::Everybody => self
                .interface
                .header_to(&EthernetAddress::BROADCAST, EtherType::IPV4),
            Recipient::Server(_) => {
                let path = &mut self.services.dhcp.path;
                match self.interface.reach(message.recipient(), path, now) {
                    Reach::Now => self.interface.link_header(path)?,
                    Reach::Pending(_) | Reach::Exhausted => {
                        client.postpone(now + NEIGHBOR_PAUSE);
                        return None;
                    }
                    // Nobody to talk to; the client tries again, and in the end asks everybody.
                    Reach::Unreachable | Reach::NoRoute => return None,
                }
            }
        };
        Some((link, message, client.emit(&message, mtu, buffer)))
    }
}

/// Until it is looked again whether the next hop to the server is known.
const NEIGHBOR_PAUSE: Duration = Duration::from_millis(100);
