//! SYN cookies (RFC 4987, section 3.6): a request that finds no room is answered all the same, and what a
//! record would have kept travels in the answer. The peer brings it back with its acknowledgment.
//!
//! ```text
//!   our ISN    =  (slot : 5 | MSS : 3 | MAC : 24)  +  F(four-tuple)
//!   our TSval  =  milliseconds, the lowest six bits replaced by  (ECN : 1 | SACK : 1 | shift : 4)
//! ```
//!
//! A slot is 64 seconds long, and a cookie is good in its own and in the next. The MAC is over the four-tuple,
//! the peer's initial number, the whole slot, and all that is remembered, our own window shift included, so
//! that nobody is held to an offer that was never made. F hides the slot and the MSS: a guess at an
//! acknowledgment number hits with a chance of 2^-28 (two slots, eight sizes), for a connection on which
//! the attacker sees nothing that is sent to it. As slots pass the numbers grow by 2 MiB a second,
//! as RFC 9293, section 3.4.1 wants of initial numbers.
//!
//! A peer without timestamps gives no place to remember its window shift and selective acknowledgments.
//! Then neither is offered. A peer with timestamps loses nothing but the exact MSS: it gets the next smaller
//! in the table. Its first round-trip time is taken for up to 63 ms longer than it was.
//!
//! What a cookie cannot do is to be sent again when it gets lost: the peer has to repeat its request. And if the
//! acknowledgment with the cookie is lost, nothing happens until the peer sends data, which brings the cookie
//! as well; a peer that only listens waits in vain. That is why records come first, and cookies only when
//! there is no room for another.

use core::hash::Hasher;
use core::num::NonZeroU16;

use super::half_open::{HalfOpen, Offer, syn_window};
use crate::rand::HashKey;
use crate::tcp::clock::Soon;
use crate::tcp::isn::hash_tuple;
use crate::tcp::receiver::window_shift;
use crate::tcp::sack::Sack;
use crate::tcp::timestamps::PeerTimestamp;
use crate::tcp::{FourTuple, MIN_MSS, default_mss};
use crate::time::{Duration, Instant};
use crate::wire::{SeqNum, TcpHeader};

/// Makes cookies and knows them again.
pub(crate) struct SynCookies {
    key: HashKey,
    /// When the last was given out.
    last: Option<Instant>,
}

/// What a cookie remembers beside numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Terms {
    /// Which of [`MSS_TABLE`].
    mss: u32,
    /// As it stands in the timestamp; `None` without timestamps.
    stamp: Option<u32>,
    /// [`HalfOpen::offered_shift`].
    offered_shift: u8,
}

/// Where an acknowledgment with a cookie arrived.
pub(crate) struct CookieArrival<'a, K> {
    pub(crate) tuple: &'a FourTuple,
    pub(crate) listener: K,
    /// What was offered, unless it has changed since.
    pub(crate) offer: Offer,
}

impl SynCookies {
    pub(crate) fn new(key: HashKey) -> Self {
        Self { key, last: None }
    }

    /// Turns a request into one that need not be kept: its number becomes the cookie, and what cannot be
    /// remembered is not offered.
    pub(crate) fn bake<K>(&mut self, now: Instant, request: &mut HalfOpen<K>) {
        if request.timestamp.0.is_none() {
            request.shift = None;
            request.sack = Sack::OFF;
            request.ecn = false;
        }
        let peer_mss = request
            .mss
            .map_or(default_mss(request.tuple.remote.addr), NonZeroU16::get);
        let fitting = MSS_TABLE.iter().filter(|&&mss| mss <= peer_mss).count();
        let terms = Terms {
            mss: fitting.saturating_sub(1) as u32,
            stamp: request.timestamp.0.map(|_| stamp(request)),
            offered_shift: request.offered_shift,
        };
        let value = self.value(slot(now), &request.tuple, request.irs, &terms);
        request.iss = SeqNum::new(value) + self.mask(&request.tuple);
        self.last = Some(now);
    }

    /// The timestamp to send with a cookie, never later than `millis`, the one that is due.
    pub(crate) fn stamp_time<K>(millis: u32, request: &HalfOpen<K>) -> u32 {
        let stamped = millis & !STAMP_MASK | stamp(request);
        if stamped > millis {
            stamped.wrapping_sub(STAMP_MASK + 1)
        } else {
            stamped
        }
    }

    /// Whether a cookie that was given out may still come back.
    pub(crate) fn are_out(&self, now: Instant) -> bool {
        self.last
            .is_some_and(|last| now.since(last) < SLOT.saturating_mul(LIFE.into()))
    }

    /// The request that an acknowledgment completes, if it brings a cookie of ours.
    pub(crate) fn redeem<K>(
        &self,
        now: Instant,
        ack: &TcpHeader,
        arrival: CookieArrival<'_, K>,
    ) -> Option<HalfOpen<K>> {
        let (iss, irs) = (ack.ack - 1, ack.seq - 1);
        let value = iss.distance_from(SeqNum::new(self.mask(arrival.tuple)));
        let age = slot(now).wrapping_sub(value >> SLOT_SHIFT) & SLOT_MASK;
        if age >= LIFE {
            return None;
        }
        let echo = ack.options.timestamps.map(|ts| ts.echo);
        let stamp = echo.map(|echo| echo.wrapping_sub(arrival.offer.timestamp_offset) & STAMP_MASK);
        let terms = Terms {
            mss: value >> MSS_SHIFT & MSS_MASK,
            stamp,
            offered_shift: window_shift(arrival.offer.receive_capacity),
        };
        if self.value(slot(now).wrapping_sub(age), arrival.tuple, irs, &terms) != value {
            return None;
        }
        let shift = stamp.map(|stamp| (stamp & STAMP_SHIFT) as u8);
        Some(HalfOpen {
            tuple: *arrival.tuple,
            listener: arrival.listener,
            iss,
            irs,
            window: ack.window,
            mss: (MSS_TABLE.get(terms.mss as usize)).and_then(|&mss| NonZeroU16::new(mss)),
            shift: shift.filter(|&shift| u32::from(shift) != STAMP_SHIFT),
            sack: Sack::when(stamp.is_some_and(|stamp| stamp & STAMP_SACK != 0)),
            ecn: stamp.is_some_and(|stamp| stamp & STAMP_ECN != 0),
            timestamp: PeerTimestamp::of(ack),
            offered_window: syn_window(arrival.offer.receive_capacity),
            offered_shift: terms.offered_shift,
            offered_mss: arrival.offer.path_mss,
            timestamp_offset: arrival.offer.timestamp_offset,
            attempts: 1,
            last_challenge: None,
            due: Soon::new(now),
        })
    }

    /// A cookie before it is masked.
    fn value(&self, slot: u32, tuple: &FourTuple, irs: SeqNum, terms: &Terms) -> u32 {
        let mac = self.key.hash(MAC_DOMAIN, |h| {
            hash_tuple(h, tuple);
            h.write_u32(irs.get());
            h.write_u32(slot);
            h.write_u32(terms.mss);
            h.write_u32(terms.stamp.unwrap_or(u32::MAX));
            h.write_u8(terms.offered_shift);
        });
        slot << SLOT_SHIFT | terms.mss << MSS_SHIFT | mac as u32 & MAC_MASK
    }

    fn mask(&self, tuple: &FourTuple) -> u32 {
        self.key.hash(MASK_DOMAIN, |h| hash_tuple(h, tuple)) as u32
    }
}

/// What timestamps remember: all that a peer can do that its acknowledgment does not show.
fn stamp<K>(request: &HalfOpen<K>) -> u32 {
    let shift = request.shift.map_or(STAMP_SHIFT, |shift| {
        u32::from(shift.min(crate::tcp::MAX_WINDOW_SHIFT))
    });
    let sack = if request.sack.is_on() { STAMP_SACK } else { 0 };
    let ecn = if request.ecn { STAMP_ECN } else { 0 };
    shift | sack | ecn
}

fn slot(now: Instant) -> u32 {
    (now.as_micros() / SLOT.as_micros()) as u32
}

/// A peer that takes its time has between one and two of them.
const SLOT: Duration = Duration::from_secs(64);
/// How many slots a cookie is good for.
const LIFE: u32 = 2;

/// What peers commonly ask for, ascending: what is left beside tunnels, of 1280, 1400, 1480 and 1500 byte
/// packets, and of 9000. The first is the smallest that is heeded at all.
const MSS_TABLE: [u16; 8] = [MIN_MSS, 256, 536, 1220, 1360, 1440, 1460, 8960];

const SLOT_SHIFT: u32 = 27;
const SLOT_MASK: u32 = 0x1f;
const MSS_SHIFT: u32 = 24;
const MSS_MASK: u32 = 0x7;
const MAC_MASK: u32 = 0x00ff_ffff;

/// In the timestamp: the peer's window shift, all ones where it offered none.
const STAMP_SHIFT: u32 = 0xf;
const STAMP_SACK: u32 = 0x10;
const STAMP_ECN: u32 = 0x20;
const STAMP_MASK: u32 = 0x3f;

const MAC_DOMAIN: u8 = b'C';
const MASK_DOMAIN: u8 = b'M';

#[cfg(all(test, feature = "tcp-sack"))]
mod tests;
