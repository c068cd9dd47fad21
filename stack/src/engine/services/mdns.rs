//! The place of Multicast DNS in the stack: its messages in and out, and what it has to know of the link and
//! the addresses.

use heapless::{String, Vec};

use crate::dns::mdns::{self, Destination, Ignored, Responder, Versions};
use crate::dns::{MdnsError, MdnsService, MdnsServiceId};
use crate::engine::Engine;
use crate::engine::interface::{Path, Reach};
use crate::engine::multicast::MulticastSources;
use crate::engine::outgoing::{LinkHeader, Room};
use crate::engine::received::{Handled, Received};
use crate::engine::services::datagram::ServiceDatagram;
use crate::ip::{self, AddressState, Member};
use crate::stats::Discard;
use crate::storage::Index;
use crate::time::Instant;
#[cfg(feature = "proto-ipv6")]
use crate::wire::dns::MDNS_GROUP_V6;
use crate::wire::dns::{MDNS_GROUP, MDNS_PORT, MdnsMessage, mdns_group};
use crate::wire::{IpAddress, IpEndpoint};

/// The responder, and what it was told.
pub(in crate::engine) struct MdnsState {
    responder: Responder<LinkHeader>,
    /// The link and the addresses as the responder knows them.
    known: Option<(bool, u16)>,
    /// Over which versions of IP everybody could be asked then.
    asks: Versions,
    /// The slots with questions that go on.
    pub(in crate::engine) browsers: Vec<Index, { cygnet_config::MDNS_BROWSER_COUNT }>,
}

impl MdnsState {
    pub(in crate::engine) fn new() -> Self {
        Self {
            responder: Responder::new(),
            known: None,
            asks: Versions::NONE,
            browsers: Vec::new(),
        }
    }

    pub(in crate::engine) fn next_deadline(&self) -> Option<Instant> {
        self.responder.next_deadline()
    }
}

// What handles ask for.
impl Engine<'_> {
    pub(crate) fn set_mdns_host(&mut self, name: Option<&str>) -> Result<(), MdnsError> {
        self.attention = true;
        if name.is_some() {
            self.mdns_join()?;
        }
        let responder = &mut self.services.mdns.responder;
        let set = responder.set_host(self.now, name, &mut self.random);
        self.mdns_leave_unwanted();
        set
    }

    /// Joins or leaves the groups.
    fn mdns_listen(&mut self, to: MulticastSources<'_>) -> Result<(), MdnsError> {
        for &group in GROUPS {
            // There are no sources to be too many, and it is a group.
            self.listen_multicast(Member::Mdns, group, to)
                .map_err(|_| MdnsError::GroupTableFull)?;
        }
        Ok(())
    }

    /// Joins the groups, all or none.
    pub(in crate::engine) fn mdns_join(&mut self) -> Result<(), MdnsError> {
        let joined = self.mdns_listen(MulticastSources::AllBut(&[]));
        if joined.is_err() {
            self.mdns_leave_unwanted();
        }
        joined
    }

    /// Leaves the groups if nobody listens.
    pub(in crate::engine) fn mdns_leave_unwanted(&mut self) {
        let mdns = &self.services.mdns;
        if mdns.responder.host().is_none() && mdns.browsers.is_empty() {
            // Who leaves needs no room.
            let _ = self.mdns_listen(MulticastSources::Only(&[]));
        }
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
    pub(in crate::engine) fn mdns_note_changes(&mut self) {
        let known = (self.interface.link_up, self.interface.epoch());
        if self.services.mdns.known.replace(known) != Some(known) {
            let is_up = self.interface.link_up;
            let addresses = self.interface.addresses.usable();
            // RFC 3927 section 1.9: a link-local address that was replaced is not made known any more. Nor is one
            // by which nobody shall know this host.
            let told = addresses.filter(|ours| {
                is_up && ours.state == AddressState::Preferred && !ours.origin.is_temporary()
            });
            let told = told.map(|ours| ours.cidr.address());
            let versions = self.mdns_versions();
            let responder = &mut self.services.mdns.responder;
            responder.set_addresses(self.now, told, versions, &mut self.random);
            // Whatever else changed, questions go on.
            if core::mem::replace(&mut self.services.mdns.asks, versions) != versions {
                self.browse_start_all(versions);
            }
        }
        if self.services.mdns.responder.take_changed() {
            self.on_news();
        }
    }

    /// Over which versions of IP everybody can be asked.
    pub(in crate::engine) fn mdns_versions(&self) -> Versions {
        let addresses = self.interface.addresses.usable();
        let addresses = addresses.filter(|_| self.interface.link_up);
        Versions::of(addresses.map(|ours| ours.cidr.address()))
    }

    /// Whether a datagram to that port is for the responder, or for who asks everybody.
    pub(in crate::engine) fn is_for_mdns(&self, port: u16) -> bool {
        let mdns = &self.services.mdns;
        port == MDNS_PORT && (mdns.responder.is_on() || !mdns.browsers.is_empty())
    }

    pub(in crate::engine) fn on_mdns(
        &mut self,
        received: &Received<'_>,
        src_port: u16,
        data: &[u8],
        now: Instant,
    ) -> Handled {
        let multicast = match received.destination {
            ip::Destination::Multicast if GROUPS.contains(&received.dst) => true,
            ip::Destination::Local => false,
            _ => return Err(Discard::NoSocket),
        };
        let src = received.src;
        // What is sent to everybody comes in without an address of that version, too. There is nothing to say to
        // those who sent it.
        if !self.services.mdns.asks.has(src.version()) {
            return Err(Discard::NoSocket);
        }
        let from = mdns::From {
            endpoint: IpEndpoint::new(src, src_port),
            link: self.interface.link_back(&received.back),
            multicast,
            on_link: self.interface.addresses.is_neighbor(src),
        };
        let message = MdnsMessage::parse(data)?;
        let is_heard = multicast || from.on_link;
        if message.is_response() && src_port == MDNS_PORT && is_heard {
            self.browse_response(&message, now);
        }
        if !self.services.mdns.responder.is_on() {
            return Ok(());
        }
        let responder = &mut self.services.mdns.responder;
        responder.on_message(now, &message, &from, &mut self.random)?;
        Ok(())
    }

    /// Sends what the responder has to send. False if that is nothing.
    pub(in crate::engine) fn transmit_mdns(&mut self, room: &mut dyn Room, now: Instant) -> bool {
        let mut buffer = [0; MESSAGE];
        let most = self.mdns_most();
        match self.services.mdns.responder.poll(now, &mut buffer[..most]) {
            Some((len, to)) => self.send_mdns(&buffer[..len], to, room, now),
            None => false,
        }
    }

    /// The longest message that the link takes, within that which there is room for.
    pub(in crate::engine) fn mdns_most(&self) -> usize {
        MESSAGE.min(usize::from(self.interface.ip_mtu).saturating_sub(HEADERS))
    }

    /// Sends a message. False if nothing leads there.
    pub(in crate::engine) fn send_mdns(
        &mut self,
        message: &[u8],
        to: Destination<LinkHeader>,
        room: &mut dyn Room,
        now: Instant,
    ) -> bool {
        let path = &mut Path::default();
        let group = match to {
            Destination::Everybody(version) => mdns_group(version),
            Destination::One(to, _) => mdns_group(to.addr.version()),
        };
        let Reach::Now = self.interface.reach(group, path, now) else {
            return false;
        };
        let (link, to) = match to {
            Destination::Everybody(_) => (
                self.interface.link_header(path),
                IpEndpoint::new(group, MDNS_PORT),
            ),
            Destination::One(to, link) => (Some(link), to),
        };
        let (Some(link), Some(src)) = (link, self.interface.source_on(path, to.addr)) else {
            return false;
        };
        let from = IpEndpoint::new(src, MDNS_PORT);
        let datagram = ServiceDatagram {
            from,
            to,
            // RFC 6762 section 11: "All Multicast DNS responses [...] SHOULD be sent with IP TTL set to 255."
            hop_limit: 255,
            flow_label: self.interface.flow_label_on(path, from, to),
            data: message,
        };
        self.send_for_service(link, &datagram, room);
        true
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
pub(in crate::engine) const MESSAGE: usize = 1024;

/// Those of IP and UDP.
const HEADERS: usize = if cfg!(feature = "proto-ipv6") { 48 } else { 28 };

/// Everybody, of each version of IP.
const GROUPS: &[IpAddress] = &[
    #[cfg(feature = "proto-ipv4")]
    IpAddress::Ipv4(MDNS_GROUP),
    #[cfg(feature = "proto-ipv6")]
    IpAddress::Ipv6(MDNS_GROUP_V6),
];
