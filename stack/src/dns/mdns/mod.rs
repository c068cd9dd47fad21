//! Multicast DNS (RFC 6762) and DNS-based service discovery (RFC 6763): names and services of hosts that
//! nobody serves.
//!
//! [`Responder`] answers for this host and the services on it. `engine` shows it the messages that come in on
//! port 5353, and sends those that it writes.

mod browse;
mod claim;
mod records;
mod responder;
mod service;
mod tie_break;
mod versions;

pub(crate) use browse::Browse;
pub use browse::MdnsFound;
pub(crate) use responder::{Destination, From, Ignored, Responder};
pub use service::{MdnsError, MdnsService, MdnsServiceId};
pub(crate) use versions::Versions;
