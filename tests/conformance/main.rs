//! What a TCP/IP host does on the wire, requirement by requirement: stories told to cygnet and, where
//! the kernel's behaviour can be seen, to Linux as well, so that an expectation we got wrong shows up.
//!
//! Each story is two tests, `NAME::cygnet` and `NAME::linux`. A story that Linux does not share says
//! why where it is listed.

#[macro_use]
mod stories;

mod acceptability;
mod arp;
mod calls;
mod closing;
mod crowds;
mod ecn;
mod fast_open;
mod fragments;
mod groups;
mod handshake;
mod icmp;
mod icmp_errors;
mod ipv4;
mod ipv6;
mod liveness;
mod opening;
mod path_mtu;
mod paws;
mod reassembly;
mod recovery;
mod retransmission;
mod scaling;
mod segments;
mod sending;
mod shrinking;
mod tail;
mod time_wait;
mod timing;
mod udp;
mod windows;
