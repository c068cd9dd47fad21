//! What routers and peers report by ICMP about segments of connections.

use crate::engine::Engine;
use crate::engine::icmp::IcmpError;
#[cfg(feature = "path-mtu")]
use crate::engine::interface::{INTERFACE, mss_of};
#[cfg(feature = "path-mtu")]
use crate::ip::{min_path_mtu, plateau_below};
#[cfg(feature = "path-mtu")]
use crate::storage::Index;
use crate::tcp::{ConnectionError, FourTuple};
use crate::time::Instant;
use crate::wire::{IpEndpoint, Quote};

impl Engine<'_> {
    /// An ICMP error quotes a segment of ours.
    pub(in crate::engine) fn tcp_icmp_error(
        &mut self,
        quote: &Quote<'_>,
        error: IcmpError,
        now: Instant,
    ) -> bool {
        let tuple = FourTuple {
            local: IpEndpoint::new(quote.src, quote.src_port()),
            remote: IpEndpoint::new(quote.dst, quote.dst_port()),
        };
        let Ok(index) = self.find_connection(&tuple) else {
            return false;
        };
        let (error, hard) = match error {
            #[cfg(not(feature = "path-mtu"))]
            IcmpError::TooLong { .. } => return false,
            #[cfg(feature = "path-mtu")]
            IcmpError::TooLong { next_hop_mtu } => {
                return self.on_too_long(index, quote, next_hop_mtu, now);
            }
            IcmpError::Refused => (ConnectionError::Refused, true),
            IcmpError::Unreachable | IcmpError::Soft => (ConnectionError::Unreachable, false),
        };
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return false;
        };
        let matched = tcp.connection.on_icmp_error(quote.tcp_seq(), error, hard);
        self.settle_tcp(index);
        matched
    }

    /// A router did not pass a segment on, because the next link takes shorter packets only (RFC 1191). If
    /// that is credible, all connections to the destination take note when they send next; this one sends
    /// what was too long again at once.
    #[cfg(feature = "path-mtu")]
    fn on_too_long(
        &mut self,
        index: Index,
        quote: &Quote<'_>,
        next_hop_mtu: u16,
        now: Instant,
    ) -> bool {
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return false;
        };
        let mtu = match next_hop_mtu {
            0 => plateau_below(quote.total_len),
            mtu => mtu,
        };
        let mtu = mtu.max(min_path_mtu(quote.dst));
        let mss = mss_of(mtu, quote.dst);
        if quote.total_len <= mtu || !tcp.connection.believes_path(quote.tcp_seq(), mss) {
            return false;
        }
        tcp.connection.on_narrower_path();
        let interface = &mut self.interface;
        interface
            .path_mtus
            .on_report(now, INTERFACE, quote.dst, mtu);
        interface.on_routes_changed();
        self.settle_tcp(index);
        true
    }
}
