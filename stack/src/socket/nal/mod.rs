//! The traits of embedded-nal-async, which drivers and protocol crates that know no stack are written for:
//! connections and UDP sockets when they are asked for, on buffers that pools lend them.
//!
//! `Dns` is with [`super::DnsSocket`].

#[cfg(feature = "socket-tcp")]
mod tcp;
#[cfg(feature = "socket-udp")]
mod udp;
#[cfg(feature = "socket-udp")]
mod udp_pool;

#[cfg(feature = "socket-tcp")]
pub use tcp::{TcpClient, TcpClientError, TcpConnection};
#[cfg(feature = "socket-udp")]
pub use udp::{BoundUdp, PeerUdp, UdpSockets, UdpSocketsError};
#[cfg(feature = "socket-udp")]
pub use udp_pool::{UdpBufferPool, UdpPool};
