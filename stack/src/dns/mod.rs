//! The Domain Name System (RFC 1034, RFC 1035), from the side of who asks: a stub resolver; and names without
//! servers, in `mdns`.
//!
//! [`Query`] is one question on its way through servers, attempts and transports; [`Cache`] is what was
//! answered before; [`DnsAnswer`] reads an answer along its aliases. What they have in common is bytes:
//! a question is the message that goes out, an answer the message that came in.

#[cfg(feature = "socket-dns")]
mod answer;
#[cfg(feature = "socket-dns")]
mod cache;
#[cfg(feature = "mdns")]
pub(crate) mod mdns;
#[cfg(feature = "socket-dns")]
mod query;

#[cfg(feature = "socket-dns")]
pub use answer::DnsAnswer;
#[cfg(feature = "socket-dns")]
pub(crate) use answer::{MAX_ALIASES, Outcome};
#[cfg(feature = "socket-dns")]
pub(crate) use cache::Cache;
#[cfg(feature = "mdns")]
pub use mdns::{MdnsError, MdnsFound, MdnsService, MdnsServiceId};
#[cfg(feature = "socket-dns")]
pub(crate) use query::{Failure, Options, Phase, Query, Verdict, is_local, without_opt};
