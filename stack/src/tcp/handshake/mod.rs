//! What passes before there is a connection: who asks for one, and how little is kept of it until it is sure
//! that somebody is there.

#[cfg(feature = "tcp-syn-cookies")]
mod cookie;
#[cfg_attr(not(feature = "tcp-fast-open"), path = "no_fast_open.rs")]
mod fast_open;
mod half_open;

#[cfg(feature = "tcp-syn-cookies")]
pub(crate) use cookie::{CookieArrival, SynCookies};
pub(crate) use fast_open::FastOpen;
#[cfg(feature = "tcp-fast-open")]
pub(crate) use fast_open::{FastOpenCache, FastOpenKey};
pub(crate) use half_open::{HalfOpen, Offer, SynReply};
