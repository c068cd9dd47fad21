//! What routers and peers report by ICMP about datagrams of UDP sockets.

use super::UDP;
use crate::engine::Engine;
use crate::engine::icmp::IcmpError;
use crate::engine::packet_socket::Fault;
use crate::engine::sockets::Body;
use crate::events::Events;
use crate::wire::{IpEndpoint, Quote};

impl Engine<'_> {
    /// An ICMP error quotes a datagram of ours.
    pub(in crate::engine) fn udp_icmp_error(
        &mut self,
        quote: &Quote<'_>,
        error: IcmpError,
    ) -> bool {
        #[cfg(feature = "socket-dns")]
        if self.dns_icmp_error(quote, error) {
            return true;
        }
        let remote = IpEndpoint::new(quote.dst, quote.dst_port());
        let hash = self.sockets.hash_port(UDP, quote.src_port());
        let Some(index) = self.sockets.find(hash, |body| match body {
            Body::Udp(udp) => udp.local.port == quote.src_port() && udp.remote == Some(remote),
            _ => false,
        }) else {
            return false;
        };
        let Some(fault) = Fault::of(error) else {
            return true;
        };
        if let Body::Udp(udp) = self.sockets.body_mut(index) {
            udp.queues.fault = Some(fault);
            self.sockets.notify(index, Events::RECEIVED);
        }
        true
    }
}
