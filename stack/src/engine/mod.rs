//! Composes the layers. Sans-io: no clock, no waker, no driver.
//!
//! The runner and the handles drive it with a few kinds of call:
//!
//! - the world happened: [`Engine::receive`], [`Engine::on_timeout`], [`Engine::set_link_up`];
//! - have you something to send: [`Engine::transmit`], with room for a frame;
//! - when to call again: [`Engine::next_deadline`];
//! - what sockets are to hear: [`Engine::poll_event`];
//! - and the requests of the handles, in one file per kind of socket.
//!
//! The time comes last among arguments, but for a closure: it is two words, and ahead of pointers and numbers it would
//! take the registers that those have to be in.
//!
//! Nothing here looks at all sockets, but when an address of ours or the link goes: a packet finds its socket by hash,
//! work and events are in lists, deadlines in a heap.

mod config;
mod egress;
mod flow_label;
#[cfg(feature = "ip-fragments")]
mod fragments;
mod icmp;
mod ingress;
mod interface;
#[cfg(feature = "multicast")]
mod multicast;
#[cfg(not(feature = "ip-fragments"))]
mod no_fragments;
#[cfg(not(feature = "multicast"))]
mod no_multicast;
#[cfg(not(feature = "socket-raw"))]
mod no_raw_socket;
#[cfg(feature = "config-events")]
mod notices;
mod outgoing;
mod own;
#[cfg(any(
    feature = "socket-udp",
    feature = "socket-icmp",
    feature = "socket-raw"
))]
mod packet_socket;
#[cfg(any(feature = "socket-tcp", feature = "socket-udp"))]
mod ports;
mod received;
mod services;
mod slots;
mod socket_key;
mod sockets;
#[cfg(feature = "socket-tcp")]
mod tcp;

#[cfg(test)]
mod tests;

use cygnet_driver::{Capabilities, HardwareAddress};
#[cfg(feature = "ip-fragments")]
use fragments::{Cut, FragmentState};
#[cfg(not(feature = "ip-fragments"))]
use no_fragments::{Cut, FragmentState};
use services::Services;

#[cfg(feature = "multicast")]
pub(crate) use crate::ip::Member;
#[cfg(feature = "slaac")]
pub use config::SlaacConfig;
pub use config::{AddressPolicy, Config, ConfigV4, DefensePolicy, EcnPolicy, StaticConfigV4};
#[cfg(feature = "proto-ipv6")]
pub use config::{ConfigV6, InterfaceIdentifiers, StaticConfigV6};
#[cfg(feature = "ip-fragments")]
pub(crate) use fragments::FragmentBuffers;
pub use interface::ConfigError;
pub(crate) use interface::Interface;
#[cfg(feature = "slaac")]
pub use interface::RouterFlags;
#[cfg(feature = "multicast")]
pub use multicast::{MulticastError, MulticastSources};
#[cfg(feature = "config-events")]
pub use notices::ConfigEvent;
pub(crate) use outgoing::Outgoing;
pub(crate) use outgoing::Room;
#[cfg(any(
    feature = "socket-udp",
    feature = "socket-icmp",
    feature = "socket-raw"
))]
pub use packet_socket::BindError;
#[cfg(feature = "socket-icmp")]
pub(crate) use packet_socket::icmp::Icmp;
#[cfg(feature = "socket-icmp")]
pub use packet_socket::icmp::{IcmpEndpoint, IcmpMetadata, IcmpPacketMetadata};
#[cfg(feature = "socket-raw")]
pub(crate) use packet_socket::raw::{Kind as RawKind, Raw};
#[cfg(feature = "socket-raw")]
pub use packet_socket::raw::{RawMetadata, RawPacketMetadata};
#[cfg(feature = "socket-udp")]
pub(crate) use packet_socket::udp::{Udp, UdpSocketState};
#[cfg(all(feature = "embedded-nal-async", feature = "socket-udp"))]
pub(crate) use packet_socket::udp::{UdpBuffers, UdpPoolId};
#[cfg(feature = "socket-udp")]
pub use packet_socket::udp::{UdpMetadata, UdpPacketMetadata};
#[cfg(any(
    feature = "socket-udp",
    feature = "socket-icmp",
    feature = "socket-raw"
))]
pub(crate) use packet_socket::{Fault, PacketKind, QueueError};
#[cfg(feature = "socket-dns")]
pub(crate) use services::destinations::MAX_FOUND;
#[cfg(feature = "socket-dns")]
pub(crate) use services::dns::AskError;
pub(crate) use slots::Deed;
pub(crate) use socket_key::SocketKey;
pub(crate) use sockets::{LANES, Slot, Sockets};
#[cfg(feature = "socket-tcp")]
pub use tcp::ConnectError;
#[cfg(feature = "socket-tcp")]
pub use tcp::listen::ListenError;
#[cfg(feature = "socket-tcp")]
pub(crate) use tcp::pool::{BufferPair, PoolId};
#[cfg(feature = "socket-tcp")]
pub(crate) use tcp::{TcpState, TcpTables};

use crate::events::Events;
use crate::icmp::ErrorLimiter;
use crate::rand::{Random, Seed};
use crate::stats::Stats;
use crate::storage::{Index, Presence};
use crate::time::{Instant, earlier};
use crate::wire::IpAddress;

/// The stack without its async skin.
// The sockets first, as nearly everything is about them: where they are the engine is.
#[repr(C)]
pub(crate) struct Engine<'d> {
    sockets: Sockets<'d>,
    /// The time of the last call that knew it. Handles have no clock; what they ask for takes effect
    /// when the runner, which has one, comes by.
    now: Instant,
    #[cfg(feature = "socket-tcp")]
    tcp: TcpState<'d>,
    interface: Interface,
    random: Random,
    icmp_errors: ErrorLimiter,
    services: Services,
    fragments: FragmentState<'d>,
    #[cfg(feature = "socket-dns")]
    dns: services::dns::DnsState,
    /// The socket that the last datagram was for.
    #[cfg(all(feature = "many-sockets", feature = "socket-udp"))]
    last_udp: Index,
    #[cfg(all(feature = "embedded-nal-async", feature = "socket-udp"))]
    udp_pools: packet_socket::udp::UdpPools<'d>,
    /// A handle asked for something that only the runner can begin.
    attention: bool,
    /// Nothing but sockets has something to send, for now.
    only_sockets_send: bool,
    /// Grows with whatever tasks may wait for that is neither a socket's nor the configuration's.
    news: u16,
    #[cfg(feature = "config-events")]
    notices: notices::Notices,
    stats: Stats,
    _presence: Presence,
}

impl<'d> Engine<'d> {
    pub(crate) fn new(
        capabilities: Capabilities,
        hardware: HardwareAddress,
        config: &Config,
        sockets: Sockets<'d>,
        #[cfg(feature = "socket-tcp")] tables: &'d mut TcpTables,
        seed: Seed,
    ) -> Self {
        let (mut random, hash_key) = seed.split();
        let hardware = (capabilities, hardware);
        let interface = Interface::new(hardware, config, hash_key, &mut random);
        let services = Services::new(&interface, config, &mut random);
        Self {
            now: Instant::ZERO,
            services,
            fragments: FragmentState::new(),
            #[cfg(feature = "socket-dns")]
            dns: services::dns::DnsState::new(),
            #[cfg(all(feature = "many-sockets", feature = "socket-udp"))]
            last_udp: 0,
            #[cfg(all(feature = "embedded-nal-async", feature = "socket-udp"))]
            udp_pools: packet_socket::udp::UdpPools::new(),
            attention: false,
            only_sockets_send: false,
            news: 0,
            #[cfg(feature = "config-events")]
            notices: notices::Notices::new(),
            sockets,
            #[cfg(feature = "socket-tcp")]
            tcp: TcpState::new(interface.hash_key(), config, tables),
            icmp_errors: ErrorLimiter::new(),
            stats: Stats::default(),
            _presence: Presence::There,
            interface,
            random,
        }
    }

    /// The runner has come by, and sees to whatever handles asked for: true if that may be due already.
    #[inline]
    pub(crate) fn on_runner(&mut self, now: Instant) -> bool {
        self.now = now;
        self.only_sockets_send = false;
        let attention = core::mem::take(&mut self.attention);
        #[cfg(feature = "socket-tcp")]
        if attention && !self.interface.link_up {
            self.tcp_waits_for_link(now);
        }
        attention
    }

    /// The clock reached [`Self::next_deadline`], or passed it; or may have, as it does no harm if it has not.
    pub(crate) fn on_timeout(&mut self, now: Instant) {
        self.now = now;
        self.only_sockets_send = false;
        self.on_interface_timeout(now);
        self.on_services_timeout(now);
        self.on_fragment_timeout(now);
        #[cfg(feature = "socket-tcp")]
        self.on_listen_timeout(now);
        #[cfg(any(
            feature = "socket-tcp",
            feature = "socket-udp",
            feature = "socket-icmp",
            feature = "socket-raw"
        ))]
        for _ in 0..TIMEOUT_BURST {
            let Some(index) = self.sockets.pop_due(now) else {
                break;
            };
            #[cfg(feature = "socket-tcp")]
            self.on_tcp_timeout(index, now);
            #[cfg(feature = "socket-dns")]
            self.on_dns_timeout(index, now);
            #[cfg(feature = "mdns")]
            self.on_browse_timeout(index, now);
            #[cfg(any(
                feature = "socket-udp",
                feature = "socket-icmp",
                feature = "socket-raw"
            ))]
            self.on_lingering_timeout(index, now);
        }
    }

    /// When [`Self::on_timeout`] is to be called; [`Instant::FAR_FUTURE`] if never.
    pub(crate) fn next_deadline(&self) -> Instant {
        let other = earlier(
            self.fragments.next_deadline(),
            self.services.next_deadline(),
        );
        let next = (self.interface.next_deadline())
            .min(self.sockets.next_deadline())
            .min(other.unwrap_or(Instant::FAR_FUTURE));
        #[cfg(feature = "socket-tcp")]
        let next = next.min(self.tcp.next_deadline());
        next
    }

    /// Whether [`Self::poll_event`] has something.
    #[inline]
    pub(crate) fn has_events(&self) -> bool {
        self.sockets.has_events()
    }

    /// The number of the next socket that something happened to.
    pub(crate) fn poll_event(&mut self) -> Option<(Index, Events)> {
        self.sockets.poll_event()
    }

    /// A number that is another after something happened that tasks may wait for, apart from sockets'
    /// events: to the link, the configuration, a service.
    pub(crate) fn news(&self) -> u16 {
        self.news.wrapping_add(self.interface.changes())
    }

    fn on_news(&mut self) {
        self.news = self.news.wrapping_add(1);
    }

    /// The counters.
    #[cfg(feature = "stats")]
    pub(crate) fn stats(&self) -> Stats {
        self.stats
    }

    /// An address that was ours is not any more: what is bound to it hears of it.
    fn on_address_gone(&mut self, address: IpAddress) {
        #[cfg(feature = "socket-tcp")]
        self.tcp_address_gone(address);
        #[cfg(feature = "socket-udp")]
        self.udp_address_gone(address);
        #[cfg(not(any(feature = "socket-tcp", feature = "socket-udp")))]
        let _ = address;
    }
}

/// The most sockets whose timers are handled in one go; the rest is due at once, and comes next.
#[cfg(any(
    feature = "socket-tcp",
    feature = "socket-udp",
    feature = "socket-icmp",
    feature = "socket-raw"
))]
const TIMEOUT_BURST: usize = 32;
