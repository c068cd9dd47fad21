//! The IP layer's decisions: which addresses are ours, where a packet goes next and from which source,
//! and which received packets cannot be honest.
//!
//! Sans-io tables and pure functions; `engine` asks, and does the sending and dropping itself.

mod addresses;
#[cfg(feature = "slaac")]
mod advertisers;
#[cfg(feature = "slaac")]
mod announced;
#[cfg(feature = "slaac")]
mod autoconf;
#[cfg(all(feature = "proto-ipv6", feature = "socket-dns"))]
mod destination;
#[cfg(feature = "proto-ipv6")]
mod extension;
#[cfg(all(feature = "socket-dns", feature = "socket-tcp"))]
mod eyeballs;
mod forward;
mod ident;
#[cfg(feature = "proto-ipv6")]
mod identifier;
mod interface;
#[cfg(feature = "slaac")]
mod learned;
#[cfg(feature = "ipv4-link-local")]
mod link_local;
mod martian;
#[cfg(feature = "proto-ipv6")]
mod martian_v6;
#[cfg(feature = "multicast")]
mod multicast;
#[cfg_attr(not(feature = "path-mtu"), path = "no_path_mtu.rs")]
mod path_mtu;
#[cfg(feature = "proto-ipv6")]
mod policy;
#[cfg(feature = "ip-fragments")]
mod reassembly;
#[cfg(feature = "slaac")]
mod redirect;
mod route;
#[cfg(feature = "proto-ipv6")]
mod scope;
#[cfg(feature = "proto-ipv6")]
mod selection;
#[cfg(feature = "slaac")]
mod solicitor;

#[cfg(all(test, feature = "proto-ipv6", feature = "socket-dns"))]
mod tests;

pub use addresses::AddressState;
pub(crate) use addresses::{AddressOrigin, Addresses, InterfaceAddress, PrefixFrom};
#[cfg(feature = "slaac")]
pub(crate) use advertisers::Advertisers;
#[cfg(feature = "slaac")]
pub(crate) use announced::AnnouncedNames;
#[cfg(feature = "slaac")]
pub(crate) use autoconf::{Autoconf, Lifetimes, Step as AutoconfStep};
#[cfg(all(feature = "proto-ipv6", feature = "socket-dns"))]
pub(crate) use destination::{Candidate, sort as sort_destinations};
#[cfg(feature = "proto-ipv6")]
pub(crate) use extension::{HeaderProblem, Opened, open};
#[cfg(all(feature = "socket-dns", feature = "socket-tcp"))]
pub(crate) use eyeballs::Eyeballs;
pub(crate) use forward::{Delivery, Forwarding, NextHop};
pub(crate) use ident::{Flow, Identifications};
#[cfg(feature = "proto-ipv6")]
pub(crate) use identifier::Identity;
#[cfg(feature = "proto-ipv6")]
pub use identifier::InterfaceIdentifiers;
pub(crate) use interface::InterfaceId;
#[cfg(feature = "slaac")]
pub(crate) use learned::{LearnedRoute, LearnedRoutes};
#[cfg(feature = "ipv4-link-local")]
pub use link_local::LinkLocalConfig;
#[cfg(feature = "ipv4-link-local")]
pub(crate) use link_local::{LinkLocal, Step as LinkLocalStep};
pub(crate) use martian::{Arrival, ArrivalPath, Destination, Martian, classify};
#[cfg(feature = "proto-ipv6")]
pub(crate) use martian_v6::{ArrivalV6, classify_v6};
#[cfg(feature = "multicast")]
pub(crate) use multicast::{
    Filter, GROUP_COUNT, GroupTableFull, Member, Message, Multicast, Query, Version,
};
#[cfg(feature = "path-mtu")]
pub(crate) use path_mtu::plateau_below;
pub(crate) use path_mtu::{DISCOVERS_PATH_MTU, PathMtuCache, min_path_mtu};
#[cfg(feature = "proto-ipv6")]
pub use policy::{DEFAULT_POLICY_TABLE, PolicyTableEntry};
#[cfg(feature = "ip-fragments")]
pub(crate) use reassembly::{DatagramKey, Fragment, Reassembly, Rules};
#[cfg(feature = "slaac")]
pub(crate) use redirect::Redirects;
pub(crate) use route::{Route, RouteTable};
#[cfg(feature = "slaac")]
pub(crate) use scope::ALL_ROUTERS;
#[cfg(feature = "proto-ipv6")]
pub(crate) use scope::{ALL_NODES, is_group_of_all_nodes, leaves_host, solicited_node};
#[cfg(feature = "slaac")]
pub(crate) use solicitor::RouterSolicitor;
