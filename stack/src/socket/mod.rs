//! The async skin: handles that applications hold, and the runner that moves packets.
//!
//! Only this layer knows wakers. A handle locks the stack, asks the engine, and either has its answer or
//! leaves a waker. It wakes the runner alone, which drives the engine and wakes whoever it has news for. Wakers are
//! woken and dropped after unlocking, so an executor may do what it likes in its waker.

mod clock;
#[cfg(feature = "config-events")]
mod config_events;
#[cfg(all(feature = "socket-dns", feature = "socket-tcp"))]
mod connector;
#[cfg(feature = "dhcpv4-server")]
mod dhcp_server;
#[cfg(feature = "socket-dns")]
mod dns;
#[cfg(feature = "socket-icmp")]
mod icmp;
mod lane;
#[cfg(feature = "socket-tcp")]
mod listener;
#[cfg(feature = "mdns")]
mod mdns;
#[cfg(feature = "embedded-nal-async")]
mod nal;
mod new;
#[cfg(any(
    feature = "socket-udp",
    feature = "socket-icmp",
    feature = "socket-raw"
))]
mod packets;
#[cfg(feature = "socket-tcp")]
mod pool;
#[cfg(any(
    feature = "socket-tcp",
    all(feature = "embedded-nal-async", feature = "socket-udp")
))]
mod pool_error;
#[cfg(feature = "socket-raw")]
mod raw;
mod resources;
mod runner;
mod shared;
mod stack;
#[cfg(feature = "socket-tcp")]
mod tcp;
#[cfg(feature = "socket-udp")]
mod udp;
#[cfg(any(
    feature = "socket-tcp",
    feature = "socket-udp",
    feature = "socket-icmp",
    feature = "socket-raw"
))]
mod waiting;
mod wakers;

pub use clock::EmbassyClock;
#[cfg(feature = "config-events")]
pub use config_events::ConfigEvents;
#[cfg(all(feature = "socket-dns", feature = "socket-tcp"))]
pub use connector::{ConnectHostError, TcpConnector};
#[cfg(feature = "dhcpv4-server")]
pub use dhcp_server::DhcpServerError;
#[cfg(feature = "socket-dns")]
pub use dns::{DnsError, DnsSocket};
#[cfg(feature = "socket-icmp")]
pub use icmp::{IcmpError, IcmpSocket};
#[cfg(feature = "socket-tcp")]
pub use listener::{AcceptError, TcpListener};
#[cfg(feature = "mdns")]
pub use mdns::MdnsBrowser;
#[cfg(all(feature = "embedded-nal-async", feature = "socket-udp"))]
pub use nal::{BoundUdp, PeerUdp, UdpBufferPool, UdpPool, UdpSockets, UdpSocketsError};
#[cfg(all(feature = "embedded-nal-async", feature = "socket-tcp"))]
pub use nal::{TcpClient, TcpClientError, TcpConnection};
pub use new::{new, new_with_clock};
#[cfg(any(
    feature = "socket-udp",
    feature = "socket-icmp",
    feature = "socket-raw"
))]
pub use packets::{RecvError, SendError};
#[cfg(feature = "socket-tcp")]
pub use pool::{BufferPool, TcpPool};
#[cfg(any(
    feature = "socket-tcp",
    all(feature = "embedded-nal-async", feature = "socket-udp")
))]
pub use pool_error::PoolError;
#[cfg(feature = "socket-raw")]
pub use raw::RawSocket;
pub use resources::Resources;
pub use runner::Runner;
pub use stack::{Reentrant, Stack};
#[cfg(feature = "socket-tcp")]
pub use tcp::{OwnedReadHalf, OwnedWriteHalf, TcpError, TcpReader, TcpSocket, TcpWriter};
#[cfg(feature = "socket-udp")]
pub use udp::{UdpIoError, UdpSocket};
