//! The IP layer's decisions: which addresses are ours, where a packet goes next and from which source,
//! and which received packets cannot be honest.
//!
//! Sans-io tables and pure functions; `engine` asks, and does the sending and dropping itself.

mod addresses;
mod forward;
mod ident;
mod interface;
#[cfg(feature = "ipv4-link-local")]
mod link_local;
mod martian;
#[cfg(feature = "multicast")]
mod multicast;
#[cfg_attr(not(feature = "path-mtu"), path = "no_path_mtu.rs")]
mod path_mtu;
#[cfg(feature = "ip-fragments")]
mod reassembly;
mod route;

pub(crate) use addresses::{AddressState, Addresses, InterfaceAddress};
pub(crate) use forward::{Delivery, Forwarding, NextHop};
pub(crate) use ident::{Flow, Identifications};
pub(crate) use interface::InterfaceId;
#[cfg(feature = "ipv4-link-local")]
pub use link_local::LinkLocalConfig;
#[cfg(feature = "ipv4-link-local")]
pub(crate) use link_local::{LinkLocal, Step as LinkLocalStep};
pub(crate) use martian::{Arrival, ArrivalPath, Destination, Martian, classify};
#[cfg(feature = "multicast")]
pub(crate) use multicast::{Filter, GroupTableFull, Member, Message, Multicast, Query, Version};
pub(crate) use path_mtu::{DISCOVERS_PATH_MTU, MIN_PATH_MTU, PathMtuCache, plateau_below};
#[cfg(feature = "ip-fragments")]
pub(crate) use reassembly::{DatagramKey, Fragment, Reassembly, Rules};
pub(crate) use route::{Route, RouteTable};
