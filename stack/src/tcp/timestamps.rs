//! The timestamps option (RFC 7323): what both sides agreed on, and what it is good for. It measures round trips of
//! what was sent again (section 4) and protects against segments that are so old that their sequence numbers seem
//! new (PAWS, section 5). Without the feature `tcp-timestamps`, `no_timestamps.rs` is in its place.

use super::FourTuple;
use super::clock::{Moment, micros, seconds};
use super::isn::{IsnGenerator, hash_addresses};
use crate::stats::Discard;
use crate::time::{Duration, Instant};
use crate::wire::{SeqNum, TcpFlags, TcpHeader, TcpOptions, Timestamps};

/// What a connection adds to the time in its timestamps.
pub(crate) type TimestampOffset = u32;

/// The state of the option in a connection: off, or on when both sides send it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timestamping(Option<Agreed>);

#[derive(Clone, Copy, Debug)]
struct Agreed {
    offset: TimestampOffset,
    /// TS.Recent: what we echo.
    recent: u32,
    /// When `recent` was taken, in seconds.
    taken: Moment,
}

/// Last.ACK.sent: what our last acknowledgment was for.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastAck(SeqNum);

impl LastAck {
    pub(super) fn of(number: SeqNum) -> Self {
        Self(number)
    }
}

/// The timestamp in a peer's SYN, if it sends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerTimestamp(pub(super) Option<u32>);

impl Timestamping {
    pub(super) const OFF: Self = Self(None);

    /// A SYN of ours offers it.
    pub(super) fn offered(now: Instant, offset: TimestampOffset) -> Self {
        Self::answered(now, offset, PeerTimestamp(Some(0)))
    }

    /// A SYN that offered it, or did not, was answered.
    pub(super) fn answered(now: Instant, offset: TimestampOffset, peer: PeerTimestamp) -> Self {
        let agree = |recent| Agreed {
            offset,
            recent,
            taken: Moment::new(seconds(now)),
        };
        Self(peer.0.map(agree))
    }

    /// What the peer's SYN says to our offer.
    pub(super) fn on_syn(&mut self, now: Instant, header: &TcpHeader) {
        let offset = self.0.map(|agreed| agreed.offset);
        let answer = |offset| Self::answered(now, offset, PeerTimestamp::of(header));
        *self = offset.map_or(Self::OFF, answer);
    }

    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// How many bytes it takes of each segment.
    pub(super) fn header_len(&self) -> u8 {
        if self.is_on() { OPTION_LEN } else { 0 }
    }

    /// What to send now: milliseconds, as in RFC 7323, section 5.4.
    pub(super) fn value(&self, now: Instant) -> Option<u32> {
        let agreed = self.0?;
        Some(timestamp_value(now, agreed.offset))
    }

    /// Puts the option among those of a segment that leaves now.
    pub(super) fn put(&self, now: Instant, options: &mut TcpOptions) {
        options.timestamps = self.0.map(|agreed| Timestamps {
            value: timestamp_value(now, agreed.offset),
            echo: agreed.recent,
        });
    }

    /// PAWS (RFC 7323, section 5.3, R1): "If SEG.TSval < TS.Recent and TS.Recent is valid [...] and if
    /// the RST bit is not set, then treat the arriving segment as not acceptable".
    pub(super) fn check(&self, now: Instant, header: &TcpHeader) -> Result<(), BadTimestamp> {
        let Some(ours) = self.0 else {
            return Ok(());
        };
        if header.flags.contains(TcpFlags::RST) {
            return Ok(());
        }
        let Some(theirs) = header.options.timestamps else {
            return Err(BadTimestamp::Missing);
        };
        let valid = ours.taken.age(seconds(now)) < TIMESTAMP_LIFETIME;
        if valid && is_older(theirs.value, ours.recent) {
            return Err(BadTimestamp::Old);
        }
        Ok(())
    }

    /// RFC 7323, section 4.3: "If SEG.TSval >= TS.Recent and SEG.SEQ <= Last.ACK.sent, then SEG.TSval
    /// is copied to TS.Recent".
    pub(super) fn note(&mut self, now: Instant, header: &TcpHeader, last: LastAck) {
        let (Some(ours), Some(theirs)) = (&mut self.0, header.options.timestamps) else {
            return;
        };
        if header.seq.at_or_before(last.0) {
            ours.recent = theirs.value;
            ours.taken = Moment::new(seconds(now));
        }
    }

    /// The timestamp of ours that the peer echoes. Zero is none (RFC 7323, section 3.2): some write nothing else.
    pub(super) fn echo(&self, options: &TcpOptions) -> Option<u32> {
        self.0?;
        Some(options.timestamps?.echo).filter(|&echo| echo != 0)
    }

    /// Whether that is from before `at`, in the low 32 bits of microseconds.
    pub(super) fn echoes_before(&self, now: Instant, at: u32, options: &TcpOptions) -> bool {
        let age = u64::from(micros(now).wrapping_sub(at));
        let at = Instant::from_micros(now.as_micros().saturating_sub(age));
        let (echo, then) = (self.echo(options), self.value(at));
        echo.zip(then)
            .is_some_and(|(echo, then)| is_older(echo, then))
    }

    /// How old that is, at least one tick.
    pub(super) fn echo_age(&self, now: Instant, options: &TcpOptions) -> Option<Duration> {
        let echo = self.echo(options)?;
        let age = self.value(now)?.wrapping_sub(echo);
        (age < MAX_ECHO_AGE_MS).then(|| Duration::from_millis(u64::from(age.max(1))))
    }

    /// Whether a segment is from before the last one that counted. Never where not both sides send timestamps.
    pub(super) fn is_old(&self, options: &TcpOptions) -> bool {
        self.follows(options) == Some(false)
    }

    /// Whether a segment has a later timestamp than the last one that counted, or an earlier one. `None` if the
    /// timestamps do not say.
    pub(super) fn follows(&self, options: &TcpOptions) -> Option<bool> {
        let (recent, theirs) = (self.0?.recent, options.timestamps?.value);
        (theirs != recent).then(|| !is_older(theirs, recent))
    }
}

impl PeerTimestamp {
    pub(super) fn of(header: &TcpHeader) -> Self {
        Self(header.options.timestamps.map(|ts| ts.value))
    }

    /// Puts the answer to it among the options of a segment that leaves now.
    pub(super) fn put(self, now: Instant, offset: TimestampOffset, options: &mut TcpOptions) {
        options.timestamps = self.0.map(|echo| Timestamps {
            value: timestamp_value(now, offset),
            echo,
        });
    }

    /// As [`Timestamping::check`], before there is a connection.
    pub(super) fn check(self, options: &TcpOptions) -> Result<(), BadTimestamp> {
        match (self.0, options.timestamps) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(BadTimestamp::Missing),
            (Some(recent), Some(theirs)) if is_older(theirs.value, recent) => {
                Err(BadTimestamp::Old)
            }
            (Some(_), Some(_)) => Ok(()),
        }
    }
}

/// Why a segment is not looked at further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadTimestamp {
    Missing,
    Old,
}

impl BadTimestamp {
    pub(super) fn is_old(self) -> bool {
        self == Self::Old
    }
}

impl From<BadTimestamp> for Discard {
    fn from(bad: BadTimestamp) -> Self {
        match bad {
            BadTimestamp::Missing => Self::MissingTimestamp,
            BadTimestamp::Old => Self::OldTimestamp,
        }
    }
}

impl IsnGenerator {
    /// What a connection adds to the time in its timestamps, so that they do not tell for how long this
    /// host has been up, yet grow from one connection between two hosts to the next (RFC 7323, section 7.1).
    pub(crate) fn timestamp_offset(&self, tuple: &FourTuple) -> TimestampOffset {
        let hash = self.key.hash(TIMESTAMP_DOMAIN, |h| {
            hash_addresses(h, tuple);
        });
        hash as u32
    }
}

/// The timestamp clock.
pub(crate) fn timestamp_value(now: Instant, offset: TimestampOffset) -> u32 {
    (now.as_millis() as u32).wrapping_add(offset)
}

/// Whether a timestamp is from before another, on their circle.
fn is_older(timestamp: u32, than: u32) -> bool {
    (timestamp.wrapping_sub(than) as i32) < 0
}

/// The length of the option with its padding.
const OPTION_LEN: u8 = 12;

const TIMESTAMP_DOMAIN: u8 = b't';

/// In seconds. RFC 7323, section 5.5: after 24 days the timestamp clock may have gone half around.
const TIMESTAMP_LIFETIME: u32 = 24 * 24 * 3600;

/// An echo older than this measures nothing that a retransmission timeout could use.
const MAX_ECHO_AGE_MS: u32 = 120_000;

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use super::*;
    use crate::rand::Seed;
    use crate::wire::IpEndpoint;

    #[test]
    fn timestamps_between_two_hosts_start_from_one_secret_offset() {
        let generator = |seed: u64| IsnGenerator::new(Seed::from(seed).hash_key());
        let end = |host, port| IpEndpoint::new(Ipv4Addr::new(10, 0, 0, host).into(), port);
        let tuple = |port, host| FourTuple {
            local: end(1, port),
            remote: end(host, 80),
        };
        let isn = generator(1);
        let offset = isn.timestamp_offset(&tuple(40_000, 2));
        assert_eq!(offset, isn.timestamp_offset(&tuple(40_001, 2)));
        assert_ne!(offset, isn.timestamp_offset(&tuple(40_000, 4)));
        assert_ne!(offset, generator(2).timestamp_offset(&tuple(40_000, 2)));
    }

    /// With an offset of 7, and 100 as the peer's last.
    fn agreed() -> (Timestamping, Instant) {
        let now = Instant::from_secs(1_000);
        let peer = PeerTimestamp(Some(100));
        (Timestamping::answered(now, 7, peer), now)
    }

    fn options(value: u32, echo: u32) -> TcpOptions {
        TcpOptions {
            timestamps: Some(Timestamps { value, echo }),
            ..TcpOptions::default()
        }
    }

    #[test]
    fn rfc7323_4_1_an_echo_is_as_old_as_the_time_since() {
        let (timestamps, sent) = agreed();
        let echo = timestamps.value(sent).unwrap();
        let age = |millis| {
            let now = sent + Duration::from_millis(millis);
            timestamps.echo_age(now, &options(101, echo))
        };
        assert_eq!(timestamps.echo(&options(101, echo)), Some(echo));
        assert_eq!(age(0), Some(Duration::from_millis(1)), "a tick at least");
        assert_eq!(age(250), Some(Duration::from_millis(250)));
        assert_eq!(age(119_999), Some(Duration::from_millis(119_999)));
        assert_eq!(age(120_000), None, "nothing is in flight for so long");
        // RFC 7323, section 3.2: an echo of 0 is none.
        let start = Timestamping::answered(Instant::from_secs(0), 0, PeerTimestamp(Some(100)));
        let soon = Instant::from_secs(0) + Duration::from_millis(5);
        assert_eq!(start.echo(&options(101, 0)), None);
        assert!(!start.echoes_before(soon, 3_000, &options(101, 0)));
        assert_eq!(start.echo_age(soon, &options(101, 0)), None);
        assert_eq!(Timestamping::OFF.echo_age(sent, &options(101, echo)), None);
    }

    #[test]
    fn a_segment_is_old_by_its_timestamp_where_both_sides_send_them() {
        let (timestamps, _) = agreed();
        for (value, old) in [(99, true), (100, false), (101, false)] {
            assert_eq!(timestamps.is_old(&options(value, 0)), old, "{value}");
            assert!(!Timestamping::OFF.is_old(&options(value, 0)));
        }
        assert!(!timestamps.is_old(&TcpOptions::default()));
    }

    /// RFC 7323, section 5.3, R1, and section 3.2: both agreed, and then each segment has one.
    #[test]
    fn rfc7323_5_3_a_half_open_connection_takes_no_segment_from_before_its_syn() {
        let syn = PeerTimestamp(Some(100));
        assert_eq!(syn.check(&options(99, 0)), Err(BadTimestamp::Old));
        assert_eq!(syn.check(&options(100, 0)), Ok(()));
        assert_eq!(syn.check(&options(101, 0)), Ok(()));
        let none = TcpOptions::default();
        assert_eq!(syn.check(&none), Err(BadTimestamp::Missing));
        assert_eq!(PeerTimestamp(None).check(&none), Ok(()));
    }

    fn header(flags: TcpFlags, seq: u32, options: TcpOptions) -> TcpHeader {
        TcpHeader {
            flags,
            seq: SeqNum::new(seq),
            options,
            ..TcpHeader::default()
        }
    }

    /// RFC 7323, section 5.3, R1, and section 5.5: what was taken 24 days ago is not valid any more.
    #[test]
    fn rfc7323_5_3_an_older_timestamp_is_not_acceptable_while_ours_is_valid() {
        let (timestamps, now) = agreed();
        let days = |days: u64| now + Duration::from_secs(days * 24 * 3_600);
        let old = Err(BadTimestamp::Old);
        for (flags, value, at, verdict) in [
            (TcpFlags::ACK, 99, now, old),
            (TcpFlags::ACK, 100, now, Ok(())),
            (TcpFlags::ACK, 101, now, Ok(())),
            (TcpFlags::ACK, 100u32.wrapping_add(1 << 31), now, old),
            (TcpFlags::RST, 99, now, Ok(())),
            (TcpFlags::ACK, 99, days(23), old),
            (TcpFlags::ACK, 99, days(24), Ok(())),
        ] {
            let header = header(flags, 0, options(value, 0));
            assert_eq!(timestamps.check(at, &header), verdict, "{value}");
        }
        let without = header(TcpFlags::ACK, 0, TcpOptions::default());
        assert_eq!(timestamps.check(now, &without), Err(BadTimestamp::Missing));
        assert_eq!(Timestamping::OFF.check(now, &without), Ok(()));
    }

    /// RFC 7323, section 4.3: "If SEG.TSval >= TS.Recent and SEG.SEQ <= Last.ACK.sent".
    #[test]
    fn rfc7323_4_3_what_starts_no_later_than_our_acknowledgment_is_echoed() {
        for (seq, echo) in [(49, 105), (50, 105), (51, 100)] {
            let (mut timestamps, now) = agreed();
            let later = now + Duration::from_secs(24 * 24 * 3_600);
            let header = header(TcpFlags::ACK, seq, options(105, 0));
            timestamps.note(later, &header, LastAck::of(SeqNum::new(50)));
            let mut sent = TcpOptions::default();
            timestamps.put(now, &mut sent);
            let value = now.as_millis() as u32 + 7;
            assert_eq!(sent.timestamps, Some(Timestamps { value, echo }), "{seq}");
            // And it is valid from then on.
            let old = self::header(TcpFlags::ACK, 0, options(99, 0));
            assert_eq!(timestamps.check(later, &old).is_err(), echo == 105);
        }
        let (mut timestamps, now) = agreed();
        let without = header(TcpFlags::ACK, 0, TcpOptions::default());
        timestamps.note(now, &without, LastAck::of(SeqNum::new(50)));
        assert!(timestamps.is_on());
    }

    /// RFC 7323, section 3.2: once both have said so, with the peer's timestamp to begin with.
    #[test]
    fn rfc7323_3_2_timestamps_are_used_if_both_syns_have_one() {
        let now = Instant::from_secs(1_000);
        let with = header(TcpFlags::SYN, 0, options(100, 0));
        let without = header(TcpFlags::SYN, 0, TcpOptions::default());
        let offered = Timestamping::offered(now, 7);
        assert!(offered.is_on());
        for (ours, theirs, on) in [
            (offered, &with, true),
            (offered, &without, false),
            (Timestamping::OFF, &with, false),
            (Timestamping::OFF, &without, false),
        ] {
            let mut agreed = ours;
            agreed.on_syn(now, theirs);
            assert_eq!(agreed.is_on(), on);
            assert_eq!(agreed.header_len(), if on { 12 } else { 0 });
            let mut sent = TcpOptions::default();
            agreed.put(now, &mut sent);
            let value = 1_000_007;
            assert_eq!(agreed.value(now), on.then_some(value));
            assert_eq!(
                sent.timestamps,
                on.then_some(Timestamps { value, echo: 100 })
            );
            assert_eq!(agreed.follows(&options(101, 0)), on.then_some(true));
            assert_eq!(agreed.follows(&options(99, 0)), on.then_some(false));
            assert_eq!(agreed.follows(&options(100, 0)), None);
        }
        let mut sent = TcpOptions::default();
        PeerTimestamp::of(&with).put(now, 7, &mut sent);
        let value = 1_000_007;
        assert_eq!(sent.timestamps, Some(Timestamps { value, echo: 100 }));
        assert_eq!(PeerTimestamp::of(&without), PeerTimestamp(None));
    }
}
