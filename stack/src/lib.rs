//! An async TCP/IP stack for firmware and for user-space networking, without a heap.
//!
//! One task runs the [`Runner`], which owns the driver and moves packets; everything else talks to it
//! through handles: `TcpSocket`, `TcpListener`, `UdpSocket`, `IcmpSocket`, `RawSocket`, `DnsSocket`. They implement
//! [`embedded_io_async`]'s `Read` and `Write`.
//!
//! ```no_run
//! use cygnet::{Config, Ipv4Cidr, Resources, StaticConfigV4, TcpListener, TcpPool};
//! # async fn example(driver: impl cygnet::Driver, seed: [u8; 32]) -> Result<(), Box<dyn std::error::Error>> {
//! let mut pool = TcpPool::<4, 1024, 1024>::new();
//! let mut resources = Resources::<8>::new();
//!
//! let address = Ipv4Cidr::new([192, 168, 69, 1].into(), 24);
//! let config = Config::ipv4_static(StaticConfigV4::new(address));
//! let (stack, mut runner) = cygnet::new(driver, config, &mut resources, seed);
//!
//! let listener = TcpListener::bind(stack, 6969, stack.add_pool(&mut pool)?)?;
//! let serve = async {
//!     loop {
//!         let mut socket = listener.accept().await?;
//!         socket.write(b"hello\n").await.ok();
//!     } // Dropping a socket closes its connection in the background.
//!     # #[allow(unreachable_code)]
//!     # Ok::<(), cygnet::AcceptError>(())
//! };
//! embassy_futures::join::join(runner.run(), serve).await;
//! # Ok(()) }
//! ```
//!
//! # Features
//!
//! See the README for what each feature brings, and the crate `cygnet-config` for the compile-time sizes.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
// A stack of fewer parts leaves functions without a caller, at no cost. What nobody needs at all shows in
// the whole set.
#![cfg_attr(
    not(all(
        feature = "proto-ipv4",
        feature = "medium-ethernet",
        feature = "medium-ip",
        feature = "socket-tcp",
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw",
        feature = "socket-dhcpv4",
        feature = "socket-dhcpv6",
        feature = "socket-dns",
        feature = "icmp-echo-reply",
        feature = "ipv4-link-local",
        feature = "dhcpv4-server",
        feature = "config-events",
        feature = "mdns",
        feature = "embedded-nal-async",
    )),
    allow(
        dead_code,
        unused_assignments,
        unused_imports,
        clippy::needless_update,
        clippy::never_loop,
        unused_macros,
        unused_mut,
        unused_variables
    )
)]
// With one version of IP there, a pattern that asks for it always matches.
#![cfg_attr(
    not(feature = "proto-ipv6"),
    allow(irrefutable_let_patterns, clippy::infallible_destructuring_match)
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod log;

#[cfg(any(
    feature = "socket-dhcpv4",
    feature = "socket-dhcpv6",
    feature = "dhcpv4-server"
))]
mod dhcp;
#[cfg(any(feature = "socket-dns", feature = "mdns"))]
mod dns;
mod engine;
mod events;
mod icmp;
mod ip;
mod link;
mod rand;
mod socket;
mod stats;
mod storage;
#[cfg(feature = "socket-tcp")]
mod tcp;
pub mod time;
pub mod wire;

pub use cygnet_driver::{Clock, Driver};
#[cfg(feature = "socket-dhcpv4")]
pub use dhcp::{DhcpConfig, DhcpLease};
#[cfg(feature = "dhcpv4-server")]
pub use dhcp::{DhcpGrant, DhcpServerConfig, DhcpServerEvent};
#[cfg(feature = "socket-dhcpv6")]
pub use dhcp::{Dhcpv6Address, Dhcpv6Config, Dhcpv6Lease, Dhcpv6Mode, Dhcpv6Prefix};
#[cfg(feature = "socket-dns")]
pub use dns::DnsAnswer;
#[cfg(feature = "mdns")]
pub use dns::{MdnsError, MdnsFound, MdnsService, MdnsServiceId};
#[cfg(any(
    feature = "socket-udp",
    feature = "socket-icmp",
    feature = "socket-raw"
))]
pub use engine::BindError;
#[cfg(feature = "config-events")]
pub use engine::ConfigEvent;
pub use engine::{
    AddressPolicy, Config, ConfigError, ConfigV4, DefensePolicy, EcnPolicy, StaticConfigV4,
};
#[cfg(feature = "proto-ipv6")]
pub use engine::{ConfigV6, InterfaceIdentifiers, StaticConfigV6};
#[cfg(feature = "socket-tcp")]
pub use engine::{ConnectError, ListenError};
#[cfg(feature = "socket-icmp")]
pub use engine::{IcmpEndpoint, IcmpMetadata, IcmpPacketMetadata};
#[cfg(feature = "multicast")]
pub use engine::{MulticastError, MulticastSources};
#[cfg(feature = "socket-raw")]
pub use engine::{RawMetadata, RawPacketMetadata};
#[cfg(feature = "slaac")]
pub use engine::{RouterFlags, SlaacConfig};
#[cfg(feature = "socket-udp")]
pub use engine::{UdpMetadata, UdpPacketMetadata};
pub use ip::AddressState;
#[cfg(feature = "ipv4-link-local")]
pub use ip::LinkLocalConfig;
#[cfg(feature = "proto-ipv6")]
pub use ip::{DEFAULT_POLICY_TABLE, PolicyTableEntry};
pub use rand::Seed;
#[cfg(feature = "config-events")]
pub use socket::ConfigEvents;
#[cfg(feature = "dhcpv4-server")]
pub use socket::DhcpServerError;
#[cfg(feature = "mdns")]
pub use socket::MdnsBrowser;
#[cfg(any(
    feature = "socket-tcp",
    all(feature = "embedded-nal-async", feature = "socket-udp")
))]
pub use socket::PoolError;
#[cfg(feature = "socket-raw")]
pub use socket::RawSocket;
#[cfg(feature = "socket-tcp")]
pub use socket::{
    AcceptError, BufferPool, OwnedReadHalf, OwnedWriteHalf, TcpError, TcpListener, TcpPool,
    TcpReader, TcpSocket, TcpWriter,
};
#[cfg(all(feature = "embedded-nal-async", feature = "socket-udp"))]
pub use socket::{BoundUdp, PeerUdp, UdpBufferPool, UdpPool, UdpSockets, UdpSocketsError};
#[cfg(all(feature = "socket-dns", feature = "socket-tcp"))]
pub use socket::{ConnectHostError, TcpConnector};
#[cfg(feature = "socket-dns")]
pub use socket::{DnsError, DnsSocket};
pub use socket::{EmbassyClock, Reentrant, Resources, Runner, Stack, new, new_with_clock};
#[cfg(feature = "socket-icmp")]
pub use socket::{IcmpError, IcmpSocket};
#[cfg(any(
    feature = "socket-udp",
    feature = "socket-icmp",
    feature = "socket-raw"
))]
pub use socket::{RecvError, SendError};
#[cfg(all(feature = "embedded-nal-async", feature = "socket-tcp"))]
pub use socket::{TcpClient, TcpClientError, TcpConnection};
#[cfg(feature = "socket-udp")]
pub use socket::{UdpIoError, UdpSocket};
#[cfg(any(feature = "stats", feature = "log", feature = "defmt", test))]
pub use stats::Discard;
#[cfg(feature = "stats")]
pub use stats::Stats;
pub use storage::{Buffer, Bytes};
#[cfg(feature = "socket-tcp")]
pub use tcp::{
    CongestionControl, ConnectionError, Info as TcpInfo, State as TcpState,
    send_buffer_len as tcp_send_buffer_len,
};
pub use time::{Duration, Instant};
#[cfg(feature = "socket-dhcpv6")]
pub use wire::Duid;
#[cfg(feature = "proto-ipv6")]
pub use wire::Ipv6Cidr;
pub use wire::{IpAddress, IpCidr, IpEndpoint, IpListenEndpoint, Ipv4Cidr};
