//! Fragments put together again (RFC 791, section 3.2; RFC 8200, section 4.5; RFC 5722).
//!
//! Sans-io, for IPv4 and IPv6 alike: `engine` takes a fragment's header apart, says by [`Rules`] what
//! differs between the two, and gets the whole datagram when its last piece is there. What arrived lies in
//! memory that was lent, each payload at its place behind room for a header:
//!
//! ```text
//!   | header of the first fragment | ######## | ........ | #### | unused |
//!   0                              ^ offset 0            ^ a later fragment, ahead of a gap
//! ```
//!
//! Fragments are easy to forge and to abuse, so nothing here depends on their sender's good will. A fragment
//! that repeats what is there is ignored; one that overlaps it and says something else, or contradicts what
//! is known of the length, ends the datagram: "reassembly of that packet must be abandoned" (RFC 8200),
//! and what still comes of it is dropped until its time is over. Buffers, the pieces in each, and the time are
//! bounded; when all buffers are taken, the oldest datagram makes room. The transport header is read when all
//! is there, and only then: no part of it can be replaced later. A fragment that is all of its datagram is no
//! concern of this module: it is taken as it is (RFC 6946).

use core::ops::Range;

use cygnet_config::{ASSEMBLER_MAX_SEGMENT_COUNT, REASSEMBLY_BUFFER_COUNT};

use crate::stats::Discard;
use crate::storage::RangeSet;
use crate::time::{Duration, Instant};
use crate::wire::{Ecn, IpAddress, IpProtocol};

/// The datagrams that fragments are there of. `B` is the way back to a sender, for the engine to know.
#[derive(Debug)]
pub(crate) struct Reassembly<
    'd,
    B,
    const COUNT: usize = REASSEMBLY_BUFFER_COUNT,
    const PIECES: usize = ASSEMBLER_MAX_SEGMENT_COUNT,
> {
    /// Each with the memory for it. One that is lent out as [`Whole`] has none until it comes back.
    slots: [Slot<'d, B, PIECES>; COUNT],
    /// When the first of them is given up.
    due: Option<Instant>,
}

#[derive(Debug)]
struct Slot<'d, B, const PIECES: usize> {
    bytes: &'d mut [u8],
    partial: Option<Partial<B, PIECES>>,
}

/// What is known of a datagram.
#[derive(Debug)]
struct Partial<B, const PIECES: usize> {
    key: DatagramKey,
    expires: Instant,
    /// Where its payload starts in the buffer.
    room: usize,
    /// Which parts of the payload are there.
    pieces: RangeSet<PIECES>,
    /// How long the payload is, once the last fragment was there.
    len: Option<u32>,
    /// How long the first fragment's payload is, once that was there.
    first_len: Option<u32>,
    /// The congestion codepoints that were seen, one bit for each.
    ecn: u8,
    /// It contradicts itself, or does not fit: nothing comes of it any more.
    given_up: bool,
    back: B,
}

/// What the fragments of one datagram have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DatagramKey {
    pub(crate) src: IpAddress,
    pub(crate) dst: IpAddress,
    /// `None` in IPv6, where it does not count (RFC 8200, section 4.5).
    pub(crate) protocol: Option<IpProtocol>,
    pub(crate) ident: u32,
}

/// A fragment that arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment<'a, B> {
    pub(crate) key: DatagramKey,
    pub(crate) rules: Rules,
    /// Where in the datagram the payload belongs, in bytes.
    pub(crate) offset: u32,
    /// It is not the last one.
    pub(crate) more: bool,
    pub(crate) ecn: Ecn,
    /// Kept of the first fragment, in front of its payload: of [`Rules::header_len`] bytes.
    pub(crate) header: &'a [u8],
    pub(crate) payload: &'a [u8],
    pub(crate) back: B,
}

/// What differs between the versions of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// The room in bytes in front of the payload.
    pub(crate) header_len: usize,
    /// How long a datagram is waited for, from its first fragment to arrive.
    pub(crate) timeout: Duration,
}

impl Rules {
    /// A header without options.
    ///
    /// RFC 1122, section 3.3.2, wants a timeout between 60 and 120 seconds, from a time when
    /// identifications lasted that long. RFC 4963 shows what comes of it today: at a few thousand datagrams a
    /// second the 65,536 identifications come round within the timeout, and pieces of two datagrams are taken
    /// for one. So 30 seconds, which is Linux's.
    pub(crate) const V4: Self = Self {
        header_len: 20,
        timeout: Duration::from_secs(30),
    };

    /// A header and the fragment header behind it; those between the two are checked on arrival and not
    /// kept. Section 4.5: "within 60 seconds of the reception of the first-arriving fragment".
    #[cfg(feature = "proto-ipv6")]
    pub(crate) const V6: Self = Self {
        header_len: 48,
        timeout: Duration::from_secs(60),
    };
}

/// A datagram that is complete: its memory, to be [given back](Reassembly::give_back).
#[derive(Debug)]
pub(crate) struct Whole<'d> {
    slot: usize,
    bytes: &'d mut [u8],
    payload: Range<usize>,
    ecn: Ecn,
}

/// A datagram whose rest did not come in time.
#[derive(Debug)]
pub(crate) struct Expired<'a, B> {
    pub(crate) back: B,
    /// Header and payload of its first fragment, without which nobody is told (RFC 792: "If fragment zero is
    /// not available then no time exceeded need be sent at all").
    pub(crate) first: Option<&'a [u8]>,
}

impl<'d, B: Copy, const COUNT: usize, const PIECES: usize> Reassembly<'d, B, COUNT, PIECES> {
    /// Nothing is there, and nothing can be until memory is lent.
    pub(crate) fn new() -> Self {
        Self {
            slots: core::array::from_fn(|_| Slot {
                bytes: &mut [],
                partial: None,
            }),
            due: None,
        }
    }

    /// Memory for one more datagram; more than `COUNT` are of no use.
    pub(crate) fn lend(&mut self, bytes: &'d mut [u8]) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.bytes.is_empty()) {
            slot.bytes = bytes;
        }
    }

    /// A fragment arrived: the whole datagram if that was all, else why it goes no further now, if it does
    /// not wait for the rest.
    pub(crate) fn on_fragment(
        &mut self,
        now: Instant,
        fragment: &Fragment<'_, B>,
    ) -> Result<Option<Whole<'d>>, Discard> {
        let range = fragment.range()?;
        let (index, evicted) = self.slot_for(now, fragment)?;
        let Some(slot) = self.slots.get_mut(index) else {
            return Err(Discard::Fragment);
        };
        let added = slot.add(fragment, range);
        self.look_for_due();
        match (added?, evicted) {
            (Some(ecn), _) => self.take(index, ecn).map(Some),
            // It waits; what there is to tell is that another lost its place.
            (None, Some(evicted)) => Err(evicted),
            (None, None) => Ok(None),
        }
    }

    /// The datagram was looked at, and its memory is free for another.
    pub(crate) fn give_back(&mut self, whole: Whole<'d>) {
        if let Some(slot) = self.slots.get_mut(whole.slot) {
            slot.bytes = whole.bytes;
        }
    }

    /// When [`Self::on_timeout`] is to be called.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.due
    }

    /// The next datagram whose time is over, unless it had been given up before.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> Option<Expired<'_, B>> {
        let (index, back, first) = loop {
            let index = self.slots.iter().position(|slot| slot.has_expired(now))?;
            let partial = self.slots.get_mut(index)?.partial.take()?;
            self.look_for_due();
            if !partial.given_up {
                let first = partial.first_len.map(|len| partial.room + len as usize);
                break (index, partial.back, first);
            }
        };
        let bytes = &self.slots.get(index)?.bytes;
        let first = first.and_then(|end| bytes.get(..end));
        Some(Expired { back, first })
    }

    /// The slot that holds the fragment's datagram, or is to. When all are taken, the oldest datagram goes;
    /// one that was given up before any other.
    fn slot_for(
        &mut self,
        now: Instant,
        fragment: &Fragment<'_, B>,
    ) -> Result<(usize, Option<Discard>), Discard> {
        let known = self.slots.iter().position(|slot| slot.holds(&fragment.key));
        if let Some(index) = known {
            return Ok((index, None));
        }
        let usable = self.slots.iter_mut().enumerate();
        let usable = usable.filter(|(_, slot)| !slot.bytes.is_empty());
        let (index, slot) = usable
            .min_by_key(|(_, slot)| slot.worth())
            .ok_or(Discard::Fragment)?;
        // What cannot fit takes nobody's place.
        if fragment.end() > slot.bytes.len() {
            return Err(Discard::FragmentsTooLong);
        }
        let evicted = slot.partial.take().filter(|partial| !partial.given_up);
        slot.partial = Some(Partial {
            key: fragment.key,
            expires: now + fragment.rules.timeout,
            room: fragment.rules.header_len,
            pieces: RangeSet::new(),
            len: None,
            first_len: None,
            ecn: 0,
            given_up: false,
            back: fragment.back,
        });
        Ok((index, evicted.map(|_| Discard::FragmentsEvicted)))
    }

    fn take(&mut self, index: usize, ecn: Ecn) -> Result<Whole<'d>, Discard> {
        let slot = self.slots.get_mut(index).ok_or(Discard::Fragment)?;
        let partial = slot.partial.take().ok_or(Discard::Fragment)?;
        let bytes = core::mem::take(&mut slot.bytes);
        let end = partial.room + partial.len.unwrap_or(0) as usize;
        self.look_for_due();
        Ok(Whole {
            slot: index,
            bytes,
            payload: partial.room..end,
            ecn,
        })
    }

    fn look_for_due(&mut self) {
        let partials = self.slots.iter().filter_map(|slot| slot.partial.as_ref());
        self.due = partials.map(|partial| partial.expires).min();
    }
}

impl<B> Fragment<'_, B> {
    /// Where it ends in a buffer.
    fn end(&self) -> usize {
        self.rules.header_len + self.offset as usize + self.payload.len()
    }

    /// Where it belongs, if it can be a fragment at all.
    fn range(&self) -> Result<Range<u32>, Discard> {
        let len = u32::try_from(self.payload.len()).map_err(|_| Discard::Malformed)?;
        let end = self.offset.saturating_add(len);
        let unaligned = self.more && !len.is_multiple_of(8);
        // RFC 8200, section 4.5: of a length beyond 65,535 nothing can come.
        if len == 0 || unaligned || end > u32::from(u16::MAX) {
            return Err(Discard::Malformed);
        }
        Ok(self.offset..end)
    }
}

/// What came of a fragment: nothing yet, or all of its datagram, with what it says about congestion.
type Added = Result<Option<Ecn>, Discard>;

impl<B: Copy, const PIECES: usize> Slot<'_, B, PIECES> {
    fn holds(&self, key: &DatagramKey) -> bool {
        self.partial.as_ref().is_some_and(|p| p.key == *key)
    }

    fn has_expired(&self, now: Instant) -> bool {
        self.partial.as_ref().is_some_and(|p| p.expires <= now)
    }

    /// The lower, the sooner it is used for another datagram.
    fn worth(&self) -> (u8, Instant) {
        match &self.partial {
            None => (0, Instant::ZERO),
            Some(partial) if partial.given_up => (1, partial.expires),
            Some(partial) => (2, partial.expires),
        }
    }

    fn add(&mut self, fragment: &Fragment<'_, B>, range: Range<u32>) -> Added {
        let Some(partial) = &mut self.partial else {
            return Err(Discard::Fragment);
        };
        if partial.given_up {
            return Err(Discard::FragmentOfNothing);
        }
        let result = partial.add(self.bytes, fragment, range);
        partial.given_up = !matches!(result, Ok(_) | Err(Discard::DuplicateFragment));
        result
    }
}

impl<B: Copy, const PIECES: usize> Partial<B, PIECES> {
    fn add(&mut self, bytes: &mut [u8], fragment: &Fragment<'_, B>, range: Range<u32>) -> Added {
        let place = self.room + range.start as usize..self.room + range.end as usize;
        let there = bytes.get_mut(place).ok_or(Discard::FragmentsTooLong)?;
        self.check_len(fragment, &range)?;
        if self.pieces.containing(&range).is_some() && *there == *fragment.payload {
            // RFC 8200, section 4.5: "an implementation may choose to detect this case and drop exact
            // duplicate fragments while keeping the other fragments". It may be the first to tell the end.
            return match self.is_whole() {
                true => self.ecn().map(Some),
                false => Err(Discard::DuplicateFragment),
            };
        }
        if self.pieces.overlaps(&range) {
            return Err(Discard::FragmentOverlap);
        }
        self.pieces
            .insert(range.clone())
            .map_err(|_| Discard::TooManyFragments)?;
        there.copy_from_slice(fragment.payload);
        self.ecn |= 1 << (fragment.ecn.0 & 3);
        if range.start == 0 {
            let room = bytes.get_mut(..fragment.header.len());
            room.ok_or(Discard::FragmentsTooLong)?
                .copy_from_slice(fragment.header);
            self.first_len = Some(range.end);
            self.back = fragment.back;
        }
        match self.is_whole() {
            true => self.ecn().map(Some),
            false => Ok(None),
        }
    }

    fn is_whole(&self) -> bool {
        let covered = |len: u32| self.pieces.containing(&(0..len)).is_some();
        self.len.is_some_and(covered)
    }

    /// Whether what a fragment says of the datagram's length agrees with all others.
    fn check_len(&mut self, fragment: &Fragment<'_, B>, range: &Range<u32>) -> Result<(), Discard> {
        let beyond = |len: u32| self.pieces.iter().any(|piece| piece.end > len);
        match (self.len, fragment.more) {
            (None, true) => {}
            (None, false) if beyond(range.end) => return Err(Discard::FragmentOverlap),
            (None, false) => self.len = Some(range.end),
            (Some(len), false) if range.end == len => {}
            (Some(len), true) if range.end < len => {}
            (Some(_), _) => return Err(Discard::FragmentOverlap),
        }
        Ok(())
    }

    /// RFC 3168, section 5.3: a mark on one fragment is one on the datagram; but not on one that takes no
    /// part, of which the datagram is dropped, as a router would have done with the packet.
    fn ecn(&self) -> Result<Ecn, Discard> {
        let seen = |ecn: Ecn| self.ecn & 1 << ecn.0 != 0;
        match (seen(Ecn::CE), seen(Ecn::NOT_ECT)) {
            (true, true) => Err(Discard::FragmentsCongested),
            (true, false) => Ok(Ecn::CE),
            (false, true) => Ok(Ecn::NOT_ECT),
            (false, false) if seen(Ecn::ECT_0) => Ok(Ecn::ECT_0),
            (false, false) => Ok(Ecn::ECT_1),
        }
    }
}

impl Whole<'_> {
    /// The datagram behind the room for its header, in which that of the first fragment is.
    pub(crate) fn packet_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.payload.end).unwrap_or_default()
    }

    /// The same, to read.
    pub(crate) fn packet(&self) -> &[u8] {
        self.bytes.get(..self.payload.end).unwrap_or_default()
    }

    /// How long its payload is, in bytes.
    pub(crate) fn payload_len(&self) -> usize {
        self.payload.len()
    }

    /// What its fragments say about congestion together.
    pub(crate) fn ecn(&self) -> Ecn {
        self.ecn
    }
}

#[cfg(test)]
mod tests;
