//! ICMP's own rules: when an error message may be sent, and how often.
//!
//! The messages' formats are in `wire`; `engine` asks here before it answers a packet with an error.

mod limiter;
mod policy;
#[cfg(feature = "proto-ipv6")]
mod policy_v6;

pub(crate) use limiter::ErrorLimiter;
pub(crate) use policy::{Offender, Payload, may_send_error};
#[cfg(feature = "proto-ipv6")]
pub(crate) use policy_v6::{ErrorReach, OffenderV6, may_send_error_v6};
