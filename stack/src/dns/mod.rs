//! The Domain Name System (RFC 1034, RFC 1035), from the side of who asks: a stub resolver.
//!
//! [`Query`] is one question on its way through servers, attempts and transports; [`Cache`] is what was
//! answered before; [`DnsAnswer`] reads an answer along its aliases. What they have in common is bytes:
//! a question is the message that goes out, an answer the message that came in.

mod answer;
mod cache;
mod query;

pub use answer::DnsAnswer;
pub(crate) use answer::{MAX_ALIASES, Outcome};
pub(crate) use cache::Cache;
pub(crate) use query::{Failure, Options, Phase, Query, Verdict, without_opt};
