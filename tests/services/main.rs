//! What a network gives its hosts: addresses and names.
//!
//! Stories on virtual networks, where a test plays the server word by word, and dnsmasq, Kea, radvd or Avahi at
//! the other end of a tap, in a network namespace that each test makes for itself.

#[cfg(target_os = "linux")]
mod avahi;
mod config_events;
mod connector;
mod dhcp;
mod dhcp_server;
mod dhcp_serving;
mod dhcpv6;
mod dns;
mod dns_server;
#[cfg(target_os = "linux")]
mod dnsmasq;
#[cfg(target_os = "linux")]
mod dnsmasq_v6;
#[cfg(target_os = "linux")]
mod kea;
#[cfg(target_os = "linux")]
mod kernel;
mod link_local;
mod mdns;
mod mdns_v6;
#[cfg(target_os = "linux")]
mod radvd;
