//! TCP (RFC 9293), sans-io: what a connection does with a segment, a timeout and a request of its user.
//!
//! A [`Connection`] is driven by the engine with four kinds of call and knows neither clock nor waker:
//!
//! ```text
//!   on_segment(segment, now)      connection/input.rs, in the order of RFC 9293, section 3.10.7.4
//!   on_timeout(now)               connection/timeout.rs
//!   poll_segment(now, mss)        connection/output.rs: the next segment to send, if any
//!   connect, listen, accept       connection/opening.rs
//!   write, read, set_* ...        connection/calls.rs
//!   close, abort, detach          connection/closing.rs
//! ```
//!
//! Where there are more arguments than the time, what is a pointer comes before it: on processors of 32 bits the time
//! takes two registers, of which the first has an even number, and nothing goes into one that was left out before.
//!
//! What is not a connection yet, or no longer, is a record without buffers: [`HalfOpen`] and
//! [`TimeWait`], kept by the engine in tables of fixed size.
//!
//! Only what is in `connection/` knows the connection. It asks the others, and they ask nobody above them:
//!
//! ```text
//!   connection/                   what happens, and what follows from it
//!   handshake/                    before there is a connection: half open, SYN cookies, Fast Open
//!   congestion/   recovery/       how much may be in flight; what is lost, and when
//!   sender  receiver/             the two sequence spaces, and the bytes in them
//! ```

mod challenge;
mod clock;
mod congestion;
mod connection;
mod handshake;
mod isn;
mod options;
mod receiver;
mod recovery;
mod reset;
mod rtt;
#[cfg_attr(not(feature = "tcp-sack"), path = "no_sack.rs")]
mod sack;
mod sender;
mod state;
mod time_wait;
#[cfg_attr(not(feature = "tcp-timestamps"), path = "no_timestamps.rs")]
mod timestamps;

pub(crate) use clock::Soon;
pub(crate) use connection::{Connection, Disposition, FollowUp, Opening, PathMss, SegmentPlan};
#[cfg(feature = "tcp-syn-cookies")]
pub(crate) use handshake::{CookieArrival, SynCookies};
pub(crate) use handshake::{FastOpen, HalfOpen, Offer, SynReply};
#[cfg(feature = "tcp-fast-open")]
pub(crate) use handshake::{FastOpenCache, FastOpenKey};
pub(crate) use isn::{IsnGenerator, LastHash, TupleHash};
pub use options::CongestionControl;
pub(crate) use options::Options;
pub use recovery::send_buffer_len;
pub(crate) use reset::reset_for;
pub(crate) use rtt::MinRto;
pub use state::{ConnectionError, Info, State};
pub(crate) use time_wait::{TimeWait, TimeWaitVerdict};
pub(crate) use timestamps::TimestampOffset;
#[cfg(feature = "tcp-syn-cookies")]
pub(crate) use timestamps::timestamp_value;

use crate::wire::{IpAddress, IpEndpoint, SeqNum, TcpFlags, TcpHeader};

/// What identifies a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FourTuple {
    pub(crate) local: IpEndpoint,
    pub(crate) remote: IpEndpoint,
}

impl FourTuple {
    /// Whether it is `other`, for the many who look for one.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn is(&self, other: &Self) -> bool {
        self == other
    }

    /// A header from here to there, without a window and without options.
    fn header(&self, flags: TcpFlags, seq: SeqNum, ack: SeqNum) -> TcpHeader {
        TcpHeader {
            src_port: self.local.port,
            dst_port: self.remote.port,
            seq,
            ack,
            flags,
            ..TcpHeader::default()
        }
    }
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
