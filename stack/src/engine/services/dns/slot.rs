//! What a DNS socket is: its buffer, its question, and how that leaves.

#[cfg(feature = "mdns")]
use crate::dns::mdns::Versions;
use crate::dns::{Phase, Query};
use crate::engine::outgoing::{IpPacket, Marks, Payload};
use crate::engine::packet_socket::datagram::{Datagrams, Pending, RouteCache};
use crate::storage::Bytes;
#[cfg(feature = "mdns")]
use crate::wire::dns::mdns_group;
use crate::wire::dns::{MDNS_PORT, PORT};
use crate::wire::{IpAddress, IpEndpoint};

/// A slot that is used for DNS.
pub(crate) struct DnsSlot<'d> {
    /// The question, then the answer.
    pub(super) buffer: Bytes<'d>,
    pub(super) query_len: usize,
    pub(super) answer_len: usize,
    pub(super) query: Query,
    /// Where the answer is expected; 0 if none is.
    pub(super) port: u16,
    pub(super) route: RouteCache,
    /// It is asked as all are that ask for a name, so that its answer is good for others. A message of somebody's own
    /// may ask for what is not checked, or not known to be cached.
    pub(super) shared: bool,
    /// The cache is to be asked first.
    pub(super) fresh: bool,
    /// Over which versions of IP everybody is yet to be asked, if it is everybody.
    #[cfg(feature = "mdns")]
    pub(super) unasked: Versions,
    /// The question ends with an OPT record of ours.
    pub(super) has_opt: bool,
    pub(super) unreachable: bool,
}

impl DnsSlot<'_> {
    /// Whether a datagram is for it, as far as its addresses tell.
    pub(in crate::engine) fn expects(&self, port: u16, remote: IpEndpoint) -> bool {
        let is_asked = self.query.is_multicast() || self.query.server() == Some(remote.addr);
        self.port == port && remote.port == self.server_port() && is_asked
    }

    pub(super) fn server_port(&self) -> u16 {
        match self.query.is_multicast() {
            true => MDNS_PORT,
            false => PORT,
        }
    }

    pub(in crate::engine) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn answer(&self) -> &[u8] {
        let end = self.query_len + self.answer_len;
        self.buffer.get(self.query_len..end).unwrap_or_default()
    }

    pub(super) fn room(&self) -> usize {
        self.buffer.len().saturating_sub(self.query_len)
    }

    /// Whom the question goes to next.
    pub(super) fn destination(&self) -> Option<IpAddress> {
        #[cfg(feature = "mdns")]
        if let Some(version) = self.unasked.first() {
            return Some(mdns_group(version));
        }
        self.query.server()
    }
}

impl Datagrams for DnsSlot<'_> {
    fn next_packet(&self, from: usize) -> Option<Pending> {
        if from > 0 || self.unreachable || self.query.phase() != Phase::Due {
            return None;
        }
        Some(Pending {
            nth: 0,
            destination: self.destination()?,
            source: None,
        })
    }

    fn remove(&mut self, _: usize) -> bool {
        #[cfg(feature = "mdns")]
        {
            self.unasked = self.unasked.rest();
            if !self.unreachable && !self.unasked.is_empty() {
                return true;
            }
        }
        if !self.unreachable {
            self.query.on_sent();
        }
        self.next_packet(0).is_some()
    }

    fn on_unreachable(&mut self, _: IpAddress) {
        self.unreachable = true;
    }

    fn route(&mut self) -> &mut RouteCache {
        &mut self.route
    }

    fn source_port(&self) -> u16 {
        self.port
    }

    fn packet(&self, _: usize, src: IpAddress, marks: Marks) -> Option<IpPacket<'_>> {
        let payload = Payload::Udp {
            src_port: self.port,
            dst_port: self.server_port(),
            data: self.buffer.get(..self.query_len)?,
        };
        Some(IpPacket {
            src,
            dst: self.destination()?,
            hop_limit: match self.query.is_multicast() {
                true => u8::MAX,
                false => marks.hop_limit,
            },
            dscp_ecn: 0,
            ident: marks.ident,
            dont_fragment: false,
            flow_label: marks.flow_label,
            payload,
        })
    }
}
