use core::net::Ipv4Addr;

use super::*;
use crate::rand::Seed;
use crate::wire::{IpEndpoint, TcpFlags, TcpOptions, Timestamps};

const NOW: Instant = Instant::from_secs(1_000_000);
const OFFSET: u32 = 0xdead_beef;
const CAPACITY: usize = 1 << 20;

fn cookies() -> SynCookies {
    SynCookies::new(Seed::from(7).hash_key())
}

fn tuple() -> FourTuple {
    FourTuple {
        local: IpEndpoint::new(Ipv4Addr::new(10, 0, 0, 2).into(), 80),
        remote: IpEndpoint::new(Ipv4Addr::new(10, 0, 0, 1).into(), 40_000),
    }
}

fn syn(options: TcpOptions) -> TcpHeader {
    TcpHeader {
        src_port: 40_000,
        dst_port: 80,
        seq: SeqNum::new(u32::MAX),
        flags: TcpFlags::SYN,
        window: 512,
        options,
        ..TcpHeader::default()
    }
}

fn modern() -> TcpOptions {
    TcpOptions {
        mss: Some(1_460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some(Timestamps {
            value: 5_000,
            echo: 0,
        }),
        ..TcpOptions::default()
    }
}

fn offer(receive_capacity: usize) -> Offer {
    Offer {
        receive_capacity,
        path_mss: 1_460,
        timestamp_offset: OFFSET,
    }
}

/// The answer to a SYN, with a cookie.
fn answer(cookies: &mut SynCookies, now: Instant, syn: &TcpHeader) -> TcpHeader {
    let mut request = HalfOpen::new(now, tuple(), (), SeqNum::new(0), syn, &offer(CAPACITY));
    cookies.bake(now, &mut request);
    let mut answer = request.answer(now);
    if let Some(ts) = &mut answer.options.timestamps {
        let millis = ts.value.wrapping_sub(OFFSET);
        ts.value = SynCookies::stamp_time(millis, &request).wrapping_add(OFFSET);
    }
    answer
}

/// What the peer says to an answer.
fn ack(answer: &TcpHeader) -> TcpHeader {
    TcpHeader {
        seq: answer.ack,
        ack: answer.seq + 1,
        flags: TcpFlags::ACK,
        window: 300,
        options: TcpOptions {
            timestamps: answer.options.timestamps.map(|ts| Timestamps {
                value: 5_010,
                echo: ts.value,
            }),
            ..TcpOptions::default()
        },
        ..TcpHeader::default()
    }
}

fn redeem(cookies: &SynCookies, now: Instant, ack: &TcpHeader) -> Option<HalfOpen<()>> {
    redeem_with(cookies, now, ack, CAPACITY)
}

fn redeem_with(
    cookies: &SynCookies,
    now: Instant,
    ack: &TcpHeader,
    receive_capacity: usize,
) -> Option<HalfOpen<()>> {
    let arrival = CookieArrival {
        tuple: &tuple(),
        listener: (),
        offer: offer(receive_capacity),
    };
    cookies.redeem(now, ack, arrival)
}

#[test]
#[cfg(feature = "tcp-ecn")]
fn congestion_notification_is_granted_where_it_can_be_remembered() {
    let asking = |options| TcpHeader {
        flags: TcpFlags::SYN | TcpFlags::ECE | TcpFlags::CWR,
        ..syn(options)
    };
    for (request, granted) in [
        (asking(modern()), true),
        (asking(TcpOptions::default()), false),
        (syn(modern()), false),
    ] {
        let mut cookies = cookies();
        let answer = answer(&mut cookies, NOW, &request);
        assert_eq!(answer.flags.contains(TcpFlags::ECE), granted);
        let known = redeem(&cookies, NOW, &ack(&answer)).expect("a cookie of ours");
        assert_eq!(known.ecn, granted);
    }
}

#[test]
fn with_timestamps_everything_comes_back() {
    let mut cookies = cookies();
    let answer = answer(&mut cookies, NOW, &syn(modern()));
    assert_eq!(answer.options.window_scale, Some(5));
    assert!(answer.options.sack_permitted);
    let known = redeem(&cookies, NOW, &ack(&answer)).expect("a cookie of ours");
    assert_eq!(known.iss, answer.seq);
    assert_eq!(known.irs, SeqNum::new(u32::MAX));
    assert_eq!(known.mss.map(NonZeroU16::get), Some(1_460));
    assert_eq!(known.shift, Some(7));
    assert_eq!(known.sack, Sack::OFFERED);
    assert_eq!(known.timestamp.0, Some(5_010));
    assert_eq!(known.window, 300);
}

#[test]
fn without_timestamps_what_cannot_be_remembered_is_not_offered() {
    let mut cookies = cookies();
    let options = TcpOptions {
        timestamps: None,
        ..modern()
    };
    let answer = answer(&mut cookies, NOW, &syn(options));
    assert_eq!(answer.options.window_scale, None);
    assert!(!answer.options.sack_permitted);
    let known = redeem(&cookies, NOW, &ack(&answer)).expect("a cookie of ours");
    assert_eq!((known.shift, known.sack), (None, Sack::OFF));
    assert_eq!(known.mss.map(NonZeroU16::get), Some(1_460));
}

#[test]
fn a_peer_gets_no_longer_segments_than_it_asked_for() {
    for (asked, given) in [
        (None, 536),
        (Some(0), MIN_MSS),
        (Some(255), 48),
        (Some(536), 536),
        (Some(1_459), 1_440),
        (Some(8_959), 1_460),
        (Some(u16::MAX), 8_960),
    ] {
        let mut cookies = cookies();
        let options = TcpOptions {
            mss: asked,
            ..TcpOptions::default()
        };
        let answer = answer(&mut cookies, NOW, &syn(options));
        let known = redeem(&cookies, NOW, &ack(&answer)).expect("a cookie of ours");
        assert_eq!(known.mss.map(NonZeroU16::get), Some(given), "{asked:?}");
    }
}

#[test]
fn a_cookie_is_good_for_one_to_two_slots() {
    let slot = NOW.as_micros() / SLOT.as_micros();
    for (into_slot, lives) in [(0, 127), (63, 64)] {
        let start = Instant::from_micros(slot * SLOT.as_micros()) + Duration::from_secs(into_slot);
        let mut cookies = cookies();
        let ack = ack(&answer(&mut cookies, start, &syn(modern())));
        for (after, good) in [(0, true), (lives, true), (lives + 1, false)] {
            let now = start + Duration::from_secs(after);
            assert_eq!(redeem(&cookies, now, &ack).is_some(), good, "{after} s");
        }
    }
    // The five bits of the slot have gone round: the MAC has not.
    let mut cookies = cookies();
    let ack = ack(&answer(&mut cookies, NOW, &syn(modern())));
    let round = NOW + SLOT.saturating_mul(32);
    assert!(redeem(&cookies, round, &ack).is_none());
}

#[test]
fn nothing_about_it_can_be_changed() {
    let mut cookies = cookies();
    let good = ack(&answer(&mut cookies, NOW, &syn(modern())));
    let refused = |change: &dyn Fn(&mut TcpHeader)| {
        let mut ack = good;
        change(&mut ack);
        redeem(&cookies, NOW, &ack).is_none()
    };
    assert!(!refused(&|_| {}));
    assert!(refused(&|ack| ack.seq += 1));
    assert!((0..32).all(|bit| refused(&|ack| ack.ack += 1 << bit)));
    assert!(refused(&|ack| ack.options.timestamps = None));
    for bit in 0..6 {
        let flipped = refused(&|ack| {
            if let Some(ts) = &mut ack.options.timestamps {
                ts.echo = (ts.echo.wrapping_sub(OFFSET) ^ 1 << bit).wrapping_add(OFFSET);
            }
        });
        assert!(flipped, "bit {bit} of the timestamp");
    }
    assert!(
        redeem_with(&cookies, NOW, &good, CAPACITY / 4).is_none(),
        "another window shift was offered"
    );
}

/// A guess must be no better than chance: of 2^20 consecutive numbers hardly one is a cookie.
#[test]
fn a_sweep_finds_no_more_than_chance_has_it() {
    let mut cookies = cookies();
    let good = ack(&answer(&mut cookies, NOW, &syn(modern())));
    let hits = (1..1 << 18)
        .filter(|&step| {
            let mut ack = good;
            ack.ack += step;
            redeem(&cookies, NOW, &ack).is_some()
        })
        .count();
    assert!(hits <= 1, "{hits}");
}

#[test]
fn the_timestamp_never_lies_ahead() {
    let mut cookies = cookies();
    for millis in 0..200 {
        let now = NOW + Duration::from_millis(millis);
        let answer = answer(&mut cookies, now, &syn(modern()));
        let sent = answer.options.timestamps.map_or(0, |ts| ts.value);
        let due = (now.as_millis() as u32).wrapping_add(OFFSET);
        assert!(due.wrapping_sub(sent) <= STAMP_MASK, "{millis} ms");
    }
}

#[test]
fn without_a_cookie_out_none_is_looked_for() {
    let mut cookies = cookies();
    assert!(!cookies.are_out(NOW));
    answer(&mut cookies, NOW, &syn(modern()));
    assert!(cookies.are_out(NOW + Duration::from_secs(127)));
    assert!(!cookies.are_out(NOW + Duration::from_secs(128)));
}

/// What a peer did not say is not remembered, either.
#[test]
fn what_was_not_offered_does_not_come_back() {
    let mut cookies = cookies();
    let mut options = modern();
    options.sack_permitted = false;
    let answer = answer(&mut cookies, NOW, &syn(options));
    let half_open = redeem(&cookies, NOW, &ack(&answer)).unwrap();
    assert!(!half_open.sack.is_on() && !half_open.ecn);
    assert_eq!(half_open.shift, Some(7));
}

/// RFC 6528, section 3: numbers of one connection say nothing about those of another, though the time and the length of
/// segments are in them.
#[test]
fn rfc6528_3_numbers_of_different_peers_have_nothing_in_common() {
    let mut cookies = cookies();
    let mut first_bits = std::collections::BTreeSet::new();
    for port in 1..=64 {
        let mut tuple = tuple();
        tuple.remote.port = port;
        let mut request = HalfOpen::new(
            NOW,
            tuple,
            (),
            SeqNum::new(0),
            &syn(modern()),
            &offer(CAPACITY),
        );
        cookies.bake(NOW, &mut request);
        first_bits.insert(request.iss.get() >> 28);
    }
    assert!(first_bits.len() > 8, "{first_bits:?}");
}
