//! The place of Multicast DNS in the stack: its messages in and out, and what it has to know of the link and
//! the addresses.

use core::net::Ipv4Addr;

use cygnet_driver::TxToken;
use heapless::{String, Vec};

use super::Engine;
use super::ingress::{Handled, Received};
use super::interface::{Path, Reach};
use super::outgoing::{Content, IpPacket, LinkHeader, Outgoing, Payload};
use crate::dns::mdns::{self, Destination, Ignored, Responder};
use crate::dns::{MdnsError, MdnsService, MdnsServiceId};
use crate::ip::{self, AddressState};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::dns::{MDNS_GROUP, MDNS_PORT, MdnsMessage};
use crate::wire::{IpAddress, IpEndpoint};

/// The responder, and the way to everybody.
pub(super) struct MdnsState {
    responder: Responder<LinkHeader>,
    path: Path,
    /// The link and the addresses as the responder knows them.
    known: Option<(bool, u16)>,
}

impl MdnsState {
    pub(super) fn new() -> Self {
        Self {
            responder: Responder::new(),
            path: Path::default(),
            known: None,
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.responder.next_deadline()
    }
}

// What handles ask for.
impl Engine<'_> {
    pub(crate) fn set_mdns_host(&mut self, name: Option<&str>) -> Result<(), MdnsError> {
        self.attention = true;
        let responder = &mut self.services.mdns.responder;
        responder.set_host(self.now, name, &mut self.random)
    }

    pub(crate) fn mdns_host(&self) -> Option<String<63>> {
        self.services.mdns.responder.host()
    }

    pub(crate) fn add_mdns_service(
        &mut self,
        service: &MdnsService<'_>,
    ) -> Result<MdnsServiceId, MdnsError> {
        self.attention = true;
        let responder = &mut self.services.mdns.responder;
        responder.add_service(self.now, service, &mut self.random)
    }

    pub(crate) fn remove_mdns_service(&mut self, service: MdnsServiceId) -> bool {
        self.attention = true;
        self.services.mdns.responder.remove_service(service)
    }

    pub(crate) fn mdns_instance(&self, service: MdnsServiceId) -> Option<String<63>> {
        self.services.mdns.responder.instance(service)
    }

    pub(crate) fn is_mdns_settled(&self) -> bool {
        self.services.mdns.responder.is_settled()
    }
}

impl Engine<'_> {
    /// Tells the responder of the link and the addresses, when they changed, and others of its names.
    pub(super) fn mdns_note_changes(&mut self) {
        let known = (self.interface.link_up, self.interface.epoch());
        if self.services.mdns.known.replace(known) != Some(known) {
            let mut addresses = Vec::<Ipv4Addr, { cygnet_config::IFACE_MAX_ADDR_COUNT }>::new();
            for ours in self.interface.addresses.usable() {
                // RFC 3927 section 1.9: a link-local address that was replaced is not made known any more.
                if let (IpAddress::Ipv4(address), AddressState::Usable, true) =
                    (ours.cidr.address(), ours.state, self.interface.link_up)
                {
                    let _ = addresses.push(address);
                }
            }
            let responder = &mut self.services.mdns.responder;
            responder.set_addresses(self.now, addresses.into_iter(), &mut self.random);
        }
        if self.services.mdns.responder.take_changed() {
            self.on_news();
        }
    }

    /// Whether a datagram to that port is the responder's.
    pub(super) fn is_for_mdns(&self, port: u16) -> bool {
        port == MDNS_PORT && self.services.mdns.responder.is_on()
    }

    pub(super) fn on_mdns<'f>(
        &mut self,
        now: Instant,
        received: &Received<'_>,
        src_port: u16,
        data: &[u8],
    ) -> Handled<'f> {
        let multicast = match received.destination {
            ip::Destination::Multicast if received.header.dst == MDNS_GROUP => true,
            ip::Destination::Local => false,
            _ => return Err(Discard::NoSocket),
        };
        let src = received.src();
        let from = mdns::From {
            endpoint: IpEndpoint::new(src, src_port),
            link: received.back,
            multicast,
            on_link: self.interface.addresses.is_neighbor(src),
        };
        let message = MdnsMessage::parse(data)?;
        let responder = &mut self.services.mdns.responder;
        responder.on_message(now, &message, &from, &mut self.random)?;
        Ok(None)
    }

    /// Sends what the responder has to send. Gives the room back if that is nothing.
    pub(super) fn transmit_mdns<T: TxToken>(&mut self, now: Instant, tx: T) -> Result<(), T> {
        let mut buffer = [0; MESSAGE];
        let most = MESSAGE.min(self.interface.ip_mtu.saturating_sub(HEADERS));
        let Some((len, to)) = self.services.mdns.responder.poll(now, &mut buffer[..most]) else {
            return Err(tx);
        };
        let path = &mut self.services.mdns.path;
        let group = IpAddress::Ipv4(MDNS_GROUP);
        let Reach::Now = self.interface.reach(now, group, path) else {
            return Err(tx);
        };
        let link = match to {
            Destination::Everybody => self.interface.link_header(path),
            Destination::One(_, link) => Some(link),
        };
        let (Some(link), Some(src)) = (link, self.interface.source_on(path)) else {
            return Err(tx);
        };
        let to = match to {
            Destination::Everybody => IpEndpoint::new(group, MDNS_PORT),
            Destination::One(to, _) => to,
        };
        let packet = IpPacket {
            src,
            dst: to.addr,
            // RFC 6762 section 11: "All Multicast DNS responses [...] SHOULD be sent with IP TTL set to 255."
            hop_limit: 255,
            dscp_ecn: 0,
            ident: self.interface.next_ident(to.addr) as u16,
            dont_fragment: false,
            payload: Payload::Udp {
                src_port: MDNS_PORT,
                dst_port: to.port,
                data: &buffer[..len],
            },
        };
        let content = Content::Ip(packet);
        Outgoing { link, content }.send(tx);
        self.stats.sent = self.stats.sent.wrapping_add(1);
        Ok(())
    }
}

impl From<Ignored> for Discard {
    fn from(ignored: Ignored) -> Self {
        match ignored {
            Ignored::NotMdns => Self::UnmatchedDns,
            Ignored::Busy => Self::NoRoomToReply,
        }
    }
}

/// The longest message that is sent.
const MESSAGE: usize = 1024;

/// Those of IPv4 and UDP.
const HEADERS: usize = 28;
