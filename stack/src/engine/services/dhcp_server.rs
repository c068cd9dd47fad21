//! The DHCP server's place in the stack: its messages in and out.
//!
//! Answers go to the station that asked, past the neighbor cache: a client without an address answers no ARP.

use cygnet_driver::Medium;

use crate::dhcp::{
    DhcpGrant, DhcpServer, DhcpServerConfig, DhcpServerEvent, Ignored, MAX_REPLY, Origin, PoolError,
};
use crate::engine::Engine;
use crate::engine::flow_label::FlowLabel;
use crate::engine::outgoing::{DEFAULT_HOP_LIMIT, LinkHeader, Room};
use crate::engine::received::{Handled, Received};
use crate::engine::services::datagram::ServiceDatagram;
use crate::ip::Destination;
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::dhcpv4::SERVER_PORT;
use crate::wire::{DhcpMessage, EtherType, EthernetAddress, IpAddress, IpEndpoint, Ipv4Cidr};

/// The server, if there is one.
#[derive(Default)]
pub(in crate::engine) struct DhcpServerState {
    server: Option<DhcpServer>,
}

impl DhcpServerState {
    pub(in crate::engine) fn next_deadline(&self) -> Option<Instant> {
        let server = self.server.as_ref()?;
        match server.has_replies() {
            true => Some(Instant::ZERO),
            false => server.next_deadline(),
        }
    }

    pub(in crate::engine) fn wants_to_send(&self) -> bool {
        self.server.as_ref().is_some_and(DhcpServer::has_replies)
    }
}

// What handles ask for.
impl Engine<'_> {
    /// Starts a server in place of the one before, whose leases are forgotten.
    pub(crate) fn start_dhcp_server(&mut self, config: DhcpServerConfig) -> Result<(), PoolError> {
        let server = DhcpServer::new(config, self.interface.hash_key())?;
        self.services.dhcp_server.server = Some(server);
        Ok(())
    }

    pub(crate) fn stop_dhcp_server(&mut self) {
        self.services.dhcp_server.server = None;
    }

    pub(crate) fn dhcp_server_event(&mut self) -> Option<DhcpServerEvent> {
        self.services.dhcp_server.server.as_mut()?.poll_event()
    }

    pub(crate) fn dhcp_server_leases(&self) -> impl Iterator<Item = DhcpGrant> {
        let server = self.services.dhcp_server.server.as_ref();
        server.into_iter().flat_map(DhcpServer::leases)
    }
}

impl Engine<'_> {
    /// Answers that nobody can hear are none.
    pub(in crate::engine) fn dhcp_server_link_changed(&mut self, up: bool) {
        if let (Some(server), false) = (&mut self.services.dhcp_server.server, up) {
            server.drop_replies();
        }
    }

    pub(in crate::engine) fn on_dhcp_server_timeout(&mut self, now: Instant) {
        if let Some(server) = &mut self.services.dhcp_server.server
            && server.on_timeout(now)
        {
            self.on_news();
        }
    }

    /// Whether a datagram to that port is the server's.
    pub(in crate::engine) fn is_for_dhcp_server(&self, port: u16) -> bool {
        port == SERVER_PORT
            && self.services.dhcp_server.server.is_some()
            && self.interface.medium == Medium::Ethernet
    }

    pub(in crate::engine) fn on_dhcp_request(
        &mut self,
        received: &Received<'_>,
        data: &[u8],
        now: Instant,
    ) -> Handled {
        let message = DhcpMessage::parse(data)?;
        if !self.interface.link_up {
            // It lay with the driver. An answer would be due until the link is back, and of no use then.
            return Err(Discard::NoRoomToReply);
        }
        let LinkHeader::Ethernet(back) = self.interface.link_back(&received.back) else {
            return Err(Discard::UnsupportedMedium);
        };
        let is_ours = matches!(
            received.destination,
            Destination::Local | Destination::Broadcast
        );
        let (Some(address), true) = (self.dhcp_server_address(), is_ours) else {
            return Err(Discard::NotOurAddress);
        };
        let Some(server) = &mut self.services.dhcp_server.server else {
            return Err(Discard::NoSocket);
        };
        let station = back.dst;
        let origin = Origin { address, station };
        crate::log::debug!("DHCP: {:?} from {:?}", message.kind, message.chaddr);
        let own = self.interface.addresses.iter();
        server.set_own(own.map(|own| own.cidr.address()));
        if server.on_message(now, &message, &origin)? {
            self.on_news();
        }
        Ok(())
    }

    /// The address that clients know the server by.
    fn dhcp_server_address(&self) -> Option<Ipv4Cidr> {
        let address = self.interface.config()?.address;
        let ip = IpAddress::Ipv4(address.address());
        self.interface.addresses.is_local(ip).then_some(address)
    }

    /// Sends the next answer. False if there is none.
    pub(in crate::engine) fn transmit_dhcp_reply(&mut self, room: &mut dyn Room) -> bool {
        let address = self.dhcp_server_address();
        let Some(server) = &mut self.services.dhcp_server.server else {
            return false;
        };
        let (Some(reply), Some(address)) = (server.poll_reply(), address) else {
            return false;
        };
        let origin = Origin {
            address,
            station: EthernetAddress::BROADCAST,
        };
        let mut buffer = [0; MAX_REPLY];
        let len = reply.emit(server.config(), &origin, &mut buffer);
        let datagram = ServiceDatagram {
            from: IpEndpoint::new(IpAddress::Ipv4(address.address()), SERVER_PORT),
            to: IpEndpoint::new(IpAddress::Ipv4(reply.to), reply.port),
            hop_limit: DEFAULT_HOP_LIMIT,
            flow_label: FlowLabel::NONE,
            data: &buffer[..len],
        };
        let link = self.interface.header_to(&reply.hardware, EtherType::IPV4);
        self.send_for_service(link, &datagram, room);
        true
    }
}

impl From<Ignored> for Discard {
    fn from(ignored: Ignored) -> Self {
        match ignored {
            Ignored::NotForUs | Ignored::Unknown | Ignored::TooLong => Self::UnmatchedDhcp,
            Ignored::Exhausted => Self::DhcpPoolExhausted,
            Ignored::Busy => Self::NoRoomToReply,
        }
    }
}
