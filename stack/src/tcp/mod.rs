//! TCP (RFC 9293), sans-io: what a connection does with a segment, a timeout and a request of its user.
//!
//! A [`Connection`] is driven by the engine with four kinds of call and knows neither clock nor waker:
//!
//! ```text
//!   on_segment(now, segment)      input.rs, in the order of RFC 9293, section 3.10.7.4
//!   on_timeout(now)               timeout.rs
//!   poll_segment(now, mss)        output.rs: the next segment to send, if any
//!   connect, write, read, close, abort ...    connection.rs
//! ```
//!
//! What is not a connection yet, or no longer, is a record without buffers: [`HalfOpen`] and
//! [`TimeWait`], kept by the engine in tables of fixed size.

mod congestion;
mod connection;
#[cfg(feature = "tcp-syn-cookies")]
mod cookie;
#[cfg(feature = "tcp-ecn")]
mod ecn;
#[cfg(feature = "tcp-fast-open")]
mod fast_open;
#[cfg(not(feature = "tcp-fast-open"))]
#[path = "no_fast_open.rs"]
mod fast_open;
mod half_open;
mod input;
mod isn;
#[cfg_attr(not(feature = "tcp-keep-alive"), path = "no_keep_alive.rs")]
mod keep_alive;
mod loss;
mod options;
#[cfg_attr(not(feature = "tcp-many-gaps"), path = "few_gaps.rs")]
mod out_of_order;
mod output;
#[cfg_attr(
    not(any(feature = "tcp-cubic", feature = "tcp-bbr")),
    path = "unpaced.rs"
)]
mod pacing;
mod path_mtu;
#[cfg(feature = "tcp-plpmtud")]
mod plpmtud;
#[cfg_attr(not(feature = "tcp-rack"), path = "no_probing.rs")]
mod probing;
mod receiver;
mod recovery;
mod rtt;
mod sender;
mod state;
mod time_wait;
mod timeout;
mod timers;
#[cfg_attr(not(feature = "tcp-timestamps"), path = "no_timestamps.rs")]
mod timestamps;

pub(crate) use connection::{Connection, Opening};
#[cfg(feature = "tcp-syn-cookies")]
pub(crate) use cookie::{CookieArrival, SynCookies};
pub(crate) use fast_open::FastOpen;
#[cfg(feature = "tcp-fast-open")]
pub(crate) use fast_open::{FastOpenCache, FastOpenKey};
pub(crate) use half_open::{HalfOpen, Offer, SynReply};
pub(crate) use input::{Disposition, reset_for};
pub(crate) use isn::{IsnGenerator, hash_tuple};
pub use options::CongestionControl;
pub(crate) use options::Options;
pub(crate) use output::SegmentPlan;
pub(crate) use path_mtu::PathMss;
pub use recovery::send_buffer_len;
pub(crate) use rtt::MinRto;
pub use state::{ConnectionError, Info, State};
pub(crate) use time_wait::{TimeWait, TimeWaitVerdict};
#[cfg(feature = "tcp-syn-cookies")]
pub(crate) use timestamps::timestamp_value;

use crate::wire::{IpAddress, IpEndpoint};

/// What identifies a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FourTuple {
    pub(crate) local: IpEndpoint,
    pub(crate) remote: IpEndpoint,
}

/// RFC 9293, section 3.7.1, MUST-15: what a peer that names no MSS takes.
const fn default_mss(peer: IpAddress) -> u16 {
    match peer {
        IpAddress::Ipv4(_) => DEFAULT_MSS,
        #[cfg(feature = "proto-ipv6")]
        IpAddress::Ipv6(_) => DEFAULT_MSS_V6,
    }
}

/// 576 - 40.
const DEFAULT_MSS: u16 = 536;
/// 1280 - 60.
#[cfg(feature = "proto-ipv6")]
const DEFAULT_MSS_V6: u16 = 1220;

/// A peer that claims less would make every byte cost forty.
const MIN_MSS: u16 = 48;

/// RFC 7323, section 2.3: a larger shift is used as 14.
const MAX_WINDOW_SHIFT: u8 = 14;
