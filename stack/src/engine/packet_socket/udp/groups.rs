//! Datagrams to multicast groups and to everybody, which go to many sockets at once (RFC 1112, section 6).

use super::{UDP, UdpMetadata};
use crate::engine::Engine;
use crate::engine::received::Handled;
use crate::engine::sockets::Body;
#[cfg(feature = "multicast")]
use crate::events::Events;
use crate::stats::Discard;
use crate::storage::Index;
#[cfg(feature = "multicast")]
use crate::wire::IpEndpoint;

impl Engine<'_> {
    /// A datagram to a group, or to everybody: each socket that has the port and is in the group gets it.
    pub(super) fn deliver_to_all(&mut self, port: u16, meta: &UdpMetadata, data: &[u8]) -> Handled {
        let hash = self.sockets.hash_port(UDP, port);
        let mut outcome = Err(Discard::NoSocket);
        let mut next = self.sockets.filed(hash, None);
        while let Some(index) = next {
            next = self.sockets.filed(hash, Some(index));
            if !self.hears(index, port, meta) {
                continue;
            }
            if let Err(reason) = self.deliver(index, meta, data) {
                self.stats.discard(reason);
            }
            outcome = Ok(());
        }
        outcome
    }

    /// Whether a socket is one of those that get a datagram to a group, or to everybody.
    fn hears(&self, index: Index, port: u16, meta: &UdpMetadata) -> bool {
        let (Body::Udp(udp), Some(group)) = (self.sockets.body(index), meta.local_address) else {
            return false;
        };
        if udp.local.port != port || udp.remote.is_some_and(|remote| remote != meta.endpoint) {
            return false;
        }
        if !group.is_multicast() {
            // A broadcast is for all addresses of the interface.
            return udp.local.addr.is_none_or(|bound| !bound.is_multicast());
        }
        udp.local.addr.is_none_or(|bound| bound == group)
            && self.is_in_group(index, group, meta.endpoint.addr)
    }
}

#[cfg(feature = "multicast")]
impl Engine<'_> {
    /// The datagram that was queued last goes to a group: those here who are in it get it now. RFC 1112,
    /// section 6.1: "by default, a copy of the datagram is looped back".
    pub(in crate::engine) fn loop_back(&mut self, sender: Index, sent: &UdpMetadata) {
        let group = sent.endpoint;
        let Body::Udp(udp) = self.sockets.body(sender) else {
            return;
        };
        let (port, source) = (udp.local.port, sent.local_address.or(udp.source()));
        // What goes to a link to ourselves comes back by itself.
        if !udp.loops_back || self.interface.loopback || !self.has_multicast_group(group.addr) {
            return;
        }
        let hop_limit = sent.hop_limit.unwrap_or(udp.multicast_hop_limit);
        let routed = || Some(self.interface.route(group.addr, self.now)?.1);
        let Some(source) = source.or_else(routed) else {
            return;
        };
        let meta = UdpMetadata {
            endpoint: IpEndpoint::new(source, port),
            local_address: Some(group.addr),
            hop_limit: Some(hop_limit),
        };
        let hash = self.sockets.hash_port(UDP, group.port);
        let mut next = self.sockets.filed(hash, None);
        while let Some(index) = next {
            next = self.sockets.filed(hash, Some(index));
            if !self.hears(index, group.port, &meta) {
                continue;
            }
            match self.copy_last(sender, index, &meta) {
                Ok(()) => self.sockets.notify(index, Events::RECEIVED),
                Err(reason) => self.stats.discard(reason),
            }
        }
    }

    /// Copies the datagram that was queued last from one socket to another, or to itself.
    fn copy_last(&mut self, from: Index, to: Index, meta: &UdpMetadata) -> Result<(), Discard> {
        if from == to {
            let Body::Udp(udp) = self.sockets.body_mut(from) else {
                return Err(Discard::NoSocket);
            };
            return udp.queues.receive_own(*meta);
        }
        match self.sockets.two_bodies(from, to) {
            Some([Body::Udp(from), Body::Udp(to)]) => {
                let data = from.queues.tx.back().unwrap_or_default();
                to.queues.receive(*meta, data)
            }
            _ => Err(Discard::NoSocket),
        }
    }
}
