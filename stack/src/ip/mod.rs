//! The IP layer's decisions: which addresses are ours, where a packet goes next and from which source,
//! and which received packets cannot be honest.
//!
//! Sans-io tables and pure functions; `engine` asks, and does the sending and dropping itself.

mod addresses;
#[cfg(feature = "proto-ipv6")]
mod extension;
mod forward;
mod ident;
#[cfg(feature = "proto-ipv6")]
mod identifier;
mod interface;
#[cfg(feature = "ipv4-link-local")]
mod link_local;
mod martian;
#[cfg(feature = "proto-ipv6")]
mod martian_v6;
#[cfg(feature = "multicast")]
mod multicast;
#[cfg_attr(not(feature = "path-mtu"), path = "no_path_mtu.rs")]
mod path_mtu;
#[cfg(feature = "ip-fragments")]
mod reassembly;
mod route;
#[cfg(feature = "proto-ipv6")]
mod scope;
#[cfg(feature = "proto-ipv6")]
mod selection;

pub use addresses::AddressState;
pub(crate) use addresses::{Addresses, InterfaceAddress};
#[cfg(feature = "proto-ipv6")]
pub(crate) use extension::{HeaderProblem, Opened, open};
pub(crate) use forward::{Delivery, Forwarding, NextHop};
pub(crate) use ident::{Flow, Identifications};
#[cfg(feature = "proto-ipv6")]
pub use identifier::InterfaceIdentifiers;
#[cfg(feature = "proto-ipv6")]
pub(crate) use identifier::interface_identifier;
pub(crate) use interface::InterfaceId;
#[cfg(feature = "ipv4-link-local")]
pub use link_local::LinkLocalConfig;
#[cfg(feature = "ipv4-link-local")]
pub(crate) use link_local::{LinkLocal, Step as LinkLocalStep};
pub(crate) use martian::{Arrival, ArrivalPath, Destination, Martian, classify};
#[cfg(feature = "proto-ipv6")]
pub(crate) use martian_v6::{ArrivalV6, classify_v6};
#[cfg(feature = "multicast")]
pub(crate) use multicast::{Filter, GroupTableFull, Member, Message, Multicast, Query, Version};
pub(crate) use path_mtu::{DISCOVERS_PATH_MTU, PathMtuCache, min_path_mtu, plateau_below};
#[cfg(feature = "ip-fragments")]
pub(crate) use reassembly::{DatagramKey, Fragment, Reassembly, Rules};
pub(crate) use route::{Route, RouteTable};
#[cfg(feature = "proto-ipv6")]
pub(crate) use scope::{ALL_NODES, is_group_of_all_nodes, solicited_node};
