//! cygnet and the Linux kernel on one wire: a tap or tun device, or a veth pair, in a network namespace that each test
//! makes for itself, cygnet on a tokio runtime at one end, the kernel's sockets and the usual programs
//! at the other.
//!
//! Without the privileges for that the tests fail, unless `CYGNET_SKIP_LINUX_TESTS` is set: then they
//! say loudly that they were skipped.
#![cfg(target_os = "linux")]

mod bulk;
mod ecn;
mod endings;
mod fast_open;
mod fragments;
mod groups;
mod ipv6;
mod ipv6_groups;
mod ipv6_neighbors;
mod ipv6_path_mtu;
mod packet_socket;
mod path_mtu;
mod ping;
mod programs;
mod raw;
mod wire;
