//! The DHCPv6 client's place in the stack: its messages in and out, and what servers give on the interface.
//!
//! All it says goes from the link-local address to the group of all servers (RFC 8415, sections 13 and 14), so
//! that it begins when that address is known to be ours alone. Its addresses are those of hosts, without a
//! subnet: what else is on the link, and where the way out is, routers say.

use core::net::Ipv6Addr;

use cygnet_config::IFACE_MAX_ADDR_COUNT;
use heapless::Vec;

use crate::dhcp::v6::{Change, Dhcpv6Client, MAX_MESSAGE};
use crate::dhcp::{Dhcpv6Config, Dhcpv6Lease};
use crate::engine::config::{Config, ConfigV6, StaticConfigV6};
use crate::engine::flow_label::FlowLabel;
use crate::engine::interface::{INTERFACE, Interface, Path, Reach};
use crate::engine::outgoing::DEFAULT_HOP_LIMIT;
use crate::engine::received::{Handled, Received};
use crate::engine::services::datagram::ServiceDatagram;
use crate::engine::{Engine, Room};
use crate::ip::AddressState;
use crate::rand::Random;
use crate::stats::Discard;
use crate::time::{Instant, earlier};
use crate::wire::dhcpv6::{ALL_SERVERS, CLIENT_PORT, SERVER_PORT};
use crate::wire::{Dhcpv6Message, IpAddress, IpCidr, IpEndpoint, Ipv6Cidr};

/// The client, if there is one, and what is left of the one before.
pub(in crate::engine) struct Dhcpv6State {
    client: Option<Dhcpv6Client>,
    /// The last words of a client that is gone.
    farewell: Option<Farewell>,
    /// The way to the servers.
    path: Path,
    /// Where the link and the addresses stood when last looked at, and whether there was an address to ask
    /// from.
    known: Option<(bool, u16)>,
    source: Option<Ipv6Addr>,
    /// The addresses that are on the interface because a server gave them.
    given: Vec<Ipv6Addr, IFACE_MAX_ADDR_COUNT>,
}

/// A client that gives back what it had, and the address that it asked from.
struct Farewell {
    client: Dhcpv6Client,
    source: Ipv6Addr,
}

impl Dhcpv6State {
    pub(in crate::engine) fn new(
        interface: &Interface,
        config: &Config,
        random: &mut Random,
    ) -> Self {
        let client = match &config.ipv6 {
            ConfigV6::Dhcp(dhcp) => Some(client(interface, dhcp.clone(), random)),
            ConfigV6::None | ConfigV6::LinkLocal | ConfigV6::Static(_) => None,
            // When routers say so.
            #[cfg(feature = "slaac")]
            ConfigV6::Slaac(_) => None,
        };
        Self {
            client,
            farewell: None,
            path: Path::default(),
            known: None,
            source: None,
            given: Vec::new(),
        }
    }

    pub(in crate::engine) fn next_deadline(&self) -> Option<Instant> {
        let client = self.client.as_ref().and_then(Dhcpv6Client::next_deadline);
        let farewell = self.farewell.as_ref();
        earlier(client, farewell.and_then(|f| f.client.next_deadline()))
    }
}

fn client(interface: &Interface, config: Dhcpv6Config, random: &mut Random) -> Dhcpv6Client {
    Dhcpv6Client::new(config, interface.hardware_for_identifiers(), random)
}

impl Engine<'_> {
    /// What servers gave and said.
    pub(crate) fn dhcpv6_lease(&self) -> Option<Dhcpv6Lease> {
        self.services.dhcpv6.client.as_ref()?.lease()
    }

    /// The configuration that the lease amounts to.
    pub(in crate::engine) fn dhcpv6_config(&self) -> Option<StaticConfigV6> {
        let lease = self.dhcpv6_lease()?;
        let address = lease.addresses.first()?.address;
        Some(StaticConfigV6 {
            address: Ipv6Cidr::new(address, HOST),
            gateway: None,
            dns_servers: lease.dns_servers,
        })
    }

    /// Does what a router says of how addresses are had on its link (RFC 4861, section 4.2): from DHCP (M), or
    /// only other things from it (O), or nothing. For who hears routers and was not told otherwise.
    #[cfg(feature = "slaac")]
    pub(in crate::engine) fn dhcpv6_follow(&mut self, managed: bool, other: bool) {
        let mode = match (managed, other) {
            (true, _) => Some(Dhcpv6Config::stateful()),
            (false, true) => Some(Dhcpv6Config::stateless()),
            (false, false) => None,
        };
        let now = self.services.dhcpv6.client.as_ref();
        if now.map(Dhcpv6Client::mode) == mode.as_ref().map(|config| config.mode) {
            return;
        }
        self.stop_dhcpv6();
        if let Some(config) = mode {
            self.start_dhcpv6(config);
        }
    }

    pub(in crate::engine) fn start_dhcpv6(&mut self, config: Dhcpv6Config) {
        let client = client(&self.interface, config, &mut self.random);
        self.services.dhcpv6.client = Some(client);
        // Looks at the link and the addresses again.
        self.services.dhcpv6.known = None;
        self.services.dhcpv6.source = None;
        self.attention = true;
    }

    /// Gives back what servers gave. The addresses go at once: "The client MUST stop using all of the leases
    /// being released before the client begins the Release message exchange process" (section 18.2.7).
    pub(in crate::engine) fn stop_dhcpv6(&mut self) {
        let Some(mut client) = self.services.dhcpv6.client.take() else {
            return;
        };
        let was_there = client.lease().is_some();
        self.sync_dhcpv6();
        if was_there {
            self.notice_dhcpv6(Change::Lost);
        }
        let Some(source) = self.services.dhcpv6.source.take() else {
            return;
        };
        if client.release(self.now, &mut self.random) {
            self.services.dhcpv6.farewell = Some(Farewell { client, source });
            self.attention = true;
        }
    }

    /// Begins or stops to ask, when there is an address to ask from or none any more.
    pub(in crate::engine) fn dhcpv6_note_changes(&mut self) {
        let known = (self.interface.link_up, self.interface.epoch());
        if self.services.dhcpv6.known.replace(known) == Some(known) {
            return;
        }
        let source = self.dhcpv6_source();
        let before = core::mem::replace(&mut self.services.dhcpv6.source, source);
        if !self.interface.link_up {
            // Nobody hears it; what was given will be over by itself.
            self.services.dhcpv6.farewell = None;
        }
        if let Some(client) = &mut self.services.dhcpv6.client {
            match (before, source) {
                (None, Some(_)) => client.start(self.now, &mut self.random),
                (Some(_), None) => client.stop(),
                _ => {}
            }
        }
    }

    fn dhcpv6_source(&self) -> Option<Ipv6Addr> {
        let source = self.link_local_v6()?;
        let state = self.interface.addresses.state(INTERFACE, source.into());
        (self.interface.link_up && state.is_some_and(AddressState::is_usable)).then_some(source)
    }

    /// Somebody else has an address that was about to be ours.
    pub(in crate::engine) fn dhcpv6_conflict(&mut self, address: IpAddress, now: Instant) {
        let (Some(client), IpAddress::Ipv6(address)) = (&mut self.services.dhcpv6.client, address)
        else {
            return;
        };
        let change = client.on_duplicate(now, address, &mut self.random);
        self.on_dhcpv6_changed(change);
    }

    pub(in crate::engine) fn on_dhcpv6_timeout(&mut self, now: Instant) {
        let Self {
            services, random, ..
        } = self;
        if let Some(farewell) = &mut services.dhcpv6.farewell {
            let _ = farewell.client.on_timeout(now, random);
            if farewell.client.has_released() {
                services.dhcpv6.farewell = None;
            }
        }
        if let Some(client) = &mut services.dhcpv6.client {
            let change = client.on_timeout(now, random);
            self.on_dhcpv6_changed(change);
        }
    }

    /// Whether a datagram to that port is the client's.
    pub(in crate::engine) fn is_for_dhcpv6(&self, received: &Received<'_>, port: u16) -> bool {
        let state = &self.services.dhcpv6;
        let is_ours = matches!(received.dst, IpAddress::Ipv6(_)) && port == CLIENT_PORT;
        is_ours && (state.client.is_some() || state.farewell.is_some())
    }

    pub(in crate::engine) fn on_dhcpv6(&mut self, data: &[u8], now: Instant) -> Handled {
        let message = Dhcpv6Message::parse(data)?;
        crate::log::debug!("DHCPv6: {:?}", message.kind);
        let Self {
            services, random, ..
        } = self;
        if let Some(farewell) = &mut services.dhcpv6.farewell
            && farewell.client.on_message(now, &message, random).is_ok()
        {
            services.dhcpv6.farewell = None;
            return Ok(());
        }
        let client = services.dhcpv6.client.as_mut();
        let change = client
            .ok_or(Discard::UnmatchedDhcp)?
            .on_message(now, &message, random)
            .map_err(|_| Discard::UnmatchedDhcp)?;
        self.on_dhcpv6_changed(change);
        Ok(())
    }

    fn on_dhcpv6_changed(&mut self, change: Option<Change>) {
        let Some(change) = change else { return };
        self.sync_dhcpv6();
        self.notice_dhcpv6(change);
    }

    /// Puts the addresses and names that servers gave on the interface, and takes off those that are over.
    pub(in crate::engine) fn sync_dhcpv6(&mut self) {
        let (now, care) = (self.now, self.interface.care());
        let client = self.services.dhcpv6.client.as_ref();
        let wanted: Vec<_, IFACE_MAX_ADDR_COUNT> = client
            .into_iter()
            .flat_map(Dhcpv6Client::addresses)
            .take(IFACE_MAX_ADDR_COUNT)
            .collect();
        let names = client
            .and_then(Dhcpv6Client::lease)
            .map(|lease| (lease.dns_servers, lease.domains));
        #[cfg(feature = "socket-dns")]
        self.dns_forget();
        self.interface.set_dhcpv6_names(names.unwrap_or_default());
        let given = core::mem::take(&mut self.services.dhcpv6.given);
        for &old in &given {
            if !wanted.iter().any(|(address, _)| *address == old) {
                self.remove_address(old.into());
            }
        }
        for (address, is_deprecated) in wanted {
            let (cidr, was_given) = (Ipv6Cidr::new(address, HOST), given.contains(&address));
            let state = self.interface.addresses.state(INTERFACE, address.into());
            // One that is there for another reason stays as it is.
            if state.is_some() && !was_given {
                continue;
            }
            if state.is_none() {
                let cidr = IpCidr::Ipv6(cidr);
                let added = self
                    .interface
                    .add_address(cidr, care, &mut self.random, now);
                if added.is_err() {
                    crate::log::debug!("there is no room for an address that DHCPv6 gave");
                    continue;
                }
                #[cfg(feature = "multicast")]
                self.services.multicast.changed();
            }
            self.set_deprecated(address.into(), is_deprecated);
            let _ = self.services.dhcpv6.given.push(address);
        }
        self.attention = true;
    }

    /// An address is known to be ours alone; how long it is preferred, its server said.
    pub(in crate::engine) fn dhcpv6_claimed(&mut self, address: IpAddress) {
        let IpAddress::Ipv6(claimed) = address else {
            return;
        };
        let client = self.services.dhcpv6.client.as_ref();
        let is_over = client.is_some_and(|client| {
            let mut addresses = client.addresses();
            addresses.any(|(ours, is_deprecated)| ours == claimed && is_deprecated)
        });
        if is_over {
            self.set_deprecated(address, true);
        }
    }

    fn set_deprecated(&mut self, address: IpAddress, is_deprecated: bool) {
        let new = match is_deprecated {
            true => AddressState::Deprecated,
            false => AddressState::Preferred,
        };
        let state = self.interface.addresses.state(INTERFACE, address);
        if state.is_some_and(|state| state.is_usable() && state != new) {
            self.interface.set_address_state(address, new);
        }
    }

    fn notice_dhcpv6(&mut self, change: Change) {
        crate::log::debug!("DHCPv6: {:?}", change);
        #[cfg(feature = "config-events")]
        self.notice(match change {
            Change::Leased => crate::engine::ConfigEvent::Dhcpv6LeaseObtained,
            Change::Lost => crate::engine::ConfigEvent::Dhcpv6LeaseLost,
        });
    }

    /// Sends what the client has to send. False if that is nothing.
    pub(in crate::engine) fn transmit_dhcpv6(&mut self, room: &mut dyn Room, now: Instant) -> bool {
        let mut buffer = [0; MAX_MESSAGE];
        let Some((src, len)) = self.poll_dhcpv6(&mut buffer, now) else {
            return false;
        };
        let group = IpAddress::Ipv6(ALL_SERVERS);
        let path = &mut self.services.dhcpv6.path;
        // The group is on every link, so that it is in reach as long as IPv6 is spoken. A release goes where all
        // before it went.
        let reach = match self.interface.link_local_v6() {
            Some(_) => self.interface.reach(group, path, now),
            None => self.interface.reach_as_before(group, path, now),
        };
        let Reach::Now = reach else {
            return false;
        };
        let Some(link) = self.interface.link_header(path) else {
            return false;
        };
        let datagram = ServiceDatagram {
            from: IpEndpoint::new(IpAddress::Ipv6(src), CLIENT_PORT),
            to: IpEndpoint::new(group, SERVER_PORT),
            hop_limit: DEFAULT_HOP_LIMIT,
            flow_label: FlowLabel::NONE,
            data: &buffer[..len],
        };
        self.send_for_service(link, &datagram, room);
        true
    }

    /// The message that is due, written into `buffer`, with its source and length.
    fn poll_dhcpv6(&mut self, buffer: &mut [u8], now: Instant) -> Option<(Ipv6Addr, usize)> {
        let state = &mut self.services.dhcpv6;
        if let Some(farewell) = &mut state.farewell
            && let Some(len) = farewell.client.poll(now, &mut self.random, buffer)
        {
            let source = farewell.source;
            // Without its address it would not hear an answer.
            if state.source.is_none() && self.interface.link_local_v6() != Some(source) {
                state.farewell = None;
            }
            return Some((source, len));
        }
        let client = state.client.as_mut()?;
        let source = state.source?;
        Some((source, client.poll(now, &mut self.random, buffer)?))
    }
}

/// The prefix length of an address that says nothing of others.
const HOST: u8 = 128;
