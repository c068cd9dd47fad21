//! Packet scripts: stories that a peer made of raw frames tells to a TCP/IP implementation, which is
//! the same story whether cygnet listens or the Linux kernel does.
//!
//! ```text
//!   story ── Peer::send / Peer::expect ──▶ Script ──frames──▶ Target: CygnetTarget | LinuxTarget
//!         ── Script::listen / write / read ─────────────────▶   (its application side)
//! ```
//!
//! Numbers in a story are relative to the initial sequence numbers, as tcpdump prints them. On cygnet
//! time is virtual and stands still unless the story lets it pass, so "at once" means no time at all;
//! the kernel lives in real time and gets some slack. A mismatch prints the whole conversation.

mod cygnet_target;
#[cfg(target_os = "linux")]
mod linux_target;
mod packet;
mod peer;
mod segment;
mod story;
mod target;

pub use packet::{
    PEER, PEER_MAC, Packet, TARGET, TARGET_MAC, arp, icmp, ip_packet, raw_ipv4, to_target, udp,
};
pub use peer::{Peer, Timing};
pub use segment::{
    Heard, Segment, ack, data, fin, pattern, reset, rst, rst_ack, segment, syn, syn_ack, urgent,
};
#[cfg(target_os = "linux")]
pub use story::on_linux;
pub use story::{Script, on_cygnet};
pub use target::{Failure, ListenerId, SocketId, SocketOption, SocketOptions, UdpId};
