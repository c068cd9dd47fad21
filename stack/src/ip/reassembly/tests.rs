//! What arrives in pieces is what was sent, or nothing.

use core::net::Ipv4Addr;
use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

type Table = Reassembly<'static, u8, 2, 4>;

const SIZE: usize = 20 + 200;

fn table() -> Table {
    let mut table = Table::new();
    for _ in 0..2 {
        table.lend(Box::leak(Box::new([0xaa; SIZE])));
    }
    table
}

fn key(ident: u32) -> DatagramKey {
    DatagramKey {
        src: Ipv4Addr::new(192, 0, 2, 1).into(),
        dst: Ipv4Addr::new(192, 0, 2, 2).into(),
        protocol: Some(IpProtocol::UDP),
        ident,
    }
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|n| n as u8 ^ 0x5a).collect()
}

/// A fragment with the bytes from `range` of a datagram of `len`.
fn piece<'a>(ident: u32, whole: &'a [u8], range: Range<usize>) -> Fragment<'a, u8> {
    Fragment {
        key: key(ident),
        rules: Rules::V4,
        offset: range.start as u32,
        more: range.end < whole.len(),
        ecn: Ecn::NOT_ECT,
        header: &[0x45; 20],
        payload: &whole[range],
        back: 7,
    }
}

/// What the table makes of a fragment: the payload of the whole, if that was all.
fn arrive(
    table: &mut Table,
    now: Instant,
    fragment: &Fragment<'_, u8>,
) -> Result<Option<Vec<u8>>, Discard> {
    let Some(mut whole) = table.on_fragment(now, fragment)? else {
        return Ok(None);
    };
    let len = whole.payload_len();
    assert_eq!(
        whole.packet_mut()[..20],
        [0x45; 20],
        "the first one's header"
    );
    let payload = whole.packet()[20..].to_vec();
    assert_eq!(payload.len(), len);
    table.give_back(whole);
    Ok(Some(payload))
}

const NOW: Instant = Instant::from_secs(100);

#[test]
fn pieces_in_any_order_make_the_whole() {
    let whole = content(100);
    for order in [
        [0..40, 40..80, 80..100],
        [80..100, 40..80, 0..40],
        [40..80, 0..40, 80..100],
    ] {
        let mut table = table();
        let [first, second, third] = order.map(|range| piece(1, &whole, range));
        assert_eq!(arrive(&mut table, NOW, &first), Ok(None));
        assert_eq!(arrive(&mut table, NOW, &second), Ok(None));
        assert_eq!(arrive(&mut table, NOW, &third), Ok(Some(whole.clone())));
        assert_eq!(table.next_deadline(), None);
    }
}

#[test]
fn several_datagrams_arrive_at_once() {
    let (mut table, a, b) = (table(), content(64), content(120));
    assert_eq!(arrive(&mut table, NOW, &piece(1, &a, 0..32)), Ok(None));
    assert_eq!(arrive(&mut table, NOW, &piece(2, &b, 64..120)), Ok(None));
    assert_eq!(
        arrive(&mut table, NOW, &piece(1, &a, 32..64)),
        Ok(Some(a.clone()))
    );
    assert_eq!(
        arrive(&mut table, NOW, &piece(2, &b, 0..64)),
        Ok(Some(b.clone()))
    );
}

/// RFC 791: the same identification from another host, to another, or of another protocol is another
/// datagram.
#[test]
fn each_part_of_the_key_counts() {
    let whole = content(64);
    let others = [
        DatagramKey {
            src: Ipv4Addr::new(192, 0, 2, 9).into(),
            ..key(1)
        },
        DatagramKey {
            dst: Ipv4Addr::new(192, 0, 2, 9).into(),
            ..key(1)
        },
        DatagramKey {
            protocol: Some(IpProtocol::ICMP),
            ..key(1)
        },
        key(2),
    ];
    for other in others {
        let mut table = table();
        let first = piece(1, &whole, 0..32);
        let rest = Fragment {
            key: other,
            ..piece(1, &whole, 32..64)
        };
        assert_eq!(arrive(&mut table, NOW, &first), Ok(None));
        assert_eq!(arrive(&mut table, NOW, &rest), Ok(None), "{other:?}");
    }
}

/// RFC 8200, section 4.5: identification, source and destination, and no protocol; a longer header; and twice
/// the time.
#[cfg(feature = "proto-ipv6")]
#[test]
fn the_rules_of_ipv6() {
    use core::net::Ipv6Addr;
    let mut table = table();
    let whole = content(64);
    let v6 = |range| Fragment {
        key: DatagramKey {
            src: Ipv6Addr::LOCALHOST.into(),
            dst: Ipv6Addr::LOCALHOST.into(),
            protocol: None,
            ident: 0xdead_beef,
        },
        rules: Rules::V6,
        header: &[0x60; 48],
        ..piece(1, &whole, range)
    };
    assert!(table.on_fragment(NOW, &v6(0..32)).unwrap().is_none());
    let due = NOW + Duration::from_secs(60);
    assert_eq!(table.next_deadline(), Some(due));
    let whole_again = table.on_fragment(NOW, &v6(32..64)).unwrap().unwrap();
    assert_eq!(whole_again.packet()[..48], [0x60; 48]);
    assert_eq!(whole_again.packet()[48..], whole);
}

/// RFC 8200, section 4.5; for IPv4 as well.
#[test]
fn an_exact_duplicate_is_ignored_and_an_overlap_ends_the_datagram() {
    let whole = content(64);
    let mut table = table();
    let first = piece(1, &whole, 0..32);
    assert_eq!(arrive(&mut table, NOW, &first), Ok(None));
    assert_eq!(
        arrive(&mut table, NOW, &first),
        Err(Discard::DuplicateFragment)
    );
    let other = Fragment {
        payload: &[1; 32],
        ..first
    };
    assert_eq!(
        arrive(&mut table, NOW, &other),
        Err(Discard::FragmentOverlap)
    );
    assert_eq!(
        arrive(&mut table, NOW, &piece(1, &whole, 32..64)),
        Err(Discard::FragmentOfNothing),
        "what comes later is dropped as well"
    );
    // Until its time is over.
    let later = NOW + Duration::from_secs(30);
    assert!(table.on_timeout(later).is_none(), "and nobody is told");
    assert_eq!(arrive(&mut table, later, &first), Ok(None));
}

/// Of what came before nobody knew that it was all.
#[test]
fn a_duplicate_that_tells_the_end_completes_the_datagram() {
    let (mut table, whole) = (table(), content(96));
    let all = Fragment {
        more: true,
        ..piece(1, &whole, 0..96)
    };
    assert_eq!(arrive(&mut table, NOW, &all), Ok(None));
    let middle = piece(1, &whole, 16..48);
    let known = Err(Discard::DuplicateFragment);
    assert_eq!(arrive(&mut table, NOW, &middle), known);
    let last = piece(1, &whole, 48..96);
    assert_eq!(arrive(&mut table, NOW, &last), Ok(Some(whole.clone())));
}

#[test]
fn a_partial_overlap_ends_the_datagram_whatever_it_says() {
    let whole = content(96);
    let mut table = table();
    assert_eq!(arrive(&mut table, NOW, &piece(1, &whole, 0..40)), Ok(None));
    assert_eq!(
        arrive(&mut table, NOW, &piece(1, &whole, 32..96)),
        Err(Discard::FragmentOverlap)
    );
}

#[test]
fn a_length_that_changes_ends_the_datagram() {
    let whole = content(96);
    let last = |end: usize| Fragment {
        more: false,
        ..piece(1, &whole, 32..end)
    };
    let lies = [
        // The end comes closer, and moves away.
        [last(64), last(48)],
        [last(48), last(64)],
        // There is something behind the end.
        [last(48), piece(1, &whole, 64..72)],
        [piece(1, &whole, 64..72), last(48)],
        // The end is not the end.
        [
            last(64),
            Fragment {
                more: true,
                ..piece(1, &whole, 56..64)
            },
        ],
    ];
    for [a, b] in lies {
        let mut table = table();
        assert_eq!(arrive(&mut table, NOW, &a), Ok(None));
        assert_eq!(arrive(&mut table, NOW, &b), Err(Discard::FragmentOverlap));
    }
}

#[test]
fn what_cannot_be_a_fragment_leaves_no_trace() {
    let mut table = table();
    let long = vec![0; 16];
    let bad = [
        Fragment {
            payload: &[],
            more: true,
            ..piece(1, &long, 0..0)
        },
        Fragment {
            payload: &long[..9],
            more: true,
            ..piece(1, &long, 0..0)
        },
        Fragment {
            offset: 65_528,
            more: false,
            ..piece(1, &long, 0..8)
        },
    ];
    for fragment in bad {
        assert_eq!(arrive(&mut table, NOW, &fragment), Err(Discard::Malformed));
    }
    assert_eq!(table.next_deadline(), None);
}

#[test]
fn what_is_too_long_is_given_up_and_takes_nobodys_place() {
    let whole = content(SIZE);
    let mut table = table();
    let honest = content(64);
    for ident in [1, 2] {
        let first = piece(ident, &honest, 0..32);
        assert_eq!(arrive(&mut table, NOW, &first), Ok(None));
    }
    assert_eq!(
        arrive(&mut table, NOW, &piece(3, &whole, 160..208)),
        Err(Discard::FragmentsTooLong)
    );
    for ident in [1, 2] {
        let rest = piece(ident, &honest, 32..64);
        assert_eq!(arrive(&mut table, NOW, &rest), Ok(Some(honest.clone())));
    }
    assert_eq!(arrive(&mut table, NOW, &piece(4, &whole, 0..160)), Ok(None));
    assert_eq!(
        arrive(&mut table, NOW, &piece(4, &whole, 160..208)),
        Err(Discard::FragmentsTooLong)
    );
}

#[test]
fn gaps_too_many_end_the_datagram() {
    let whole = content(200);
    let mut table = table();
    for n in 0..4 {
        let piece = piece(1, &whole, n * 32..n * 32 + 8);
        assert_eq!(arrive(&mut table, NOW, &piece), Ok(None));
    }
    assert_eq!(
        arrive(&mut table, NOW, &piece(1, &whole, 128..136)),
        Err(Discard::TooManyFragments)
    );
}

#[test]
fn the_oldest_makes_room_and_one_that_was_given_up_before_it() {
    let whole = content(64);
    let mut table = table();
    let first = |ident| piece(ident, &whole, 0..32);
    let at = |seconds| NOW + Duration::from_secs(seconds);
    assert_eq!(arrive(&mut table, at(0), &first(1)), Ok(None));
    assert_eq!(arrive(&mut table, at(1), &first(2)), Ok(None));
    let evicting = arrive(&mut table, at(2), &first(3));
    assert_eq!(evicting, Err(Discard::FragmentsEvicted));
    assert_eq!(
        arrive(&mut table, at(3), &piece(2, &whole, 32..64)),
        Ok(Some(whole.clone()))
    );
    // 3 is there; 4 is given up, and goes before 3 although it is younger.
    assert_eq!(arrive(&mut table, at(4), &first(4)), Ok(None));
    let overlap = piece(4, &whole, 24..64);
    assert_eq!(
        arrive(&mut table, at(4), &overlap),
        Err(Discard::FragmentOverlap)
    );
    assert_eq!(arrive(&mut table, at(5), &first(5)), Ok(None));
    assert_eq!(
        arrive(&mut table, at(6), &piece(3, &whole, 32..64)),
        Ok(Some(whole.clone()))
    );
}

#[test]
fn time_runs_from_the_first_fragment_to_arrive_and_the_sender_hears_if_the_start_was_there() {
    let whole = content(96);
    let mut table = table();
    assert_eq!(arrive(&mut table, NOW, &piece(1, &whole, 0..32)), Ok(None));
    let later = NOW + Duration::from_secs(20);
    assert_eq!(
        arrive(&mut table, later, &piece(1, &whole, 32..64)),
        Ok(None)
    );
    assert_eq!(
        arrive(&mut table, later, &piece(2, &whole, 32..64)),
        Ok(None)
    );
    let due = NOW + Duration::from_secs(30);
    assert_eq!(table.next_deadline(), Some(due));
    let expired = table.on_timeout(due).unwrap();
    assert_eq!(expired.back, 7);
    let first = expired.first.unwrap();
    assert_eq!(
        (&first[..20], &first[20..]),
        (&[0x45; 20][..], &whole[..32])
    );
    assert!(table.on_timeout(due).is_none());
    let due = later + Duration::from_secs(30);
    assert_eq!(table.next_deadline(), Some(due));
    assert!(table.on_timeout(due).unwrap().first.is_none());
    assert_eq!(table.next_deadline(), None);
}

/// RFC 3168, section 5.3.
#[test]
fn congestion_marks_are_kept() {
    let cases = [
        ([Ecn::ECT_0, Ecn::CE], Ok(Ecn::CE)),
        ([Ecn::CE, Ecn::ECT_1], Ok(Ecn::CE)),
        ([Ecn::ECT_0, Ecn::ECT_0], Ok(Ecn::ECT_0)),
        ([Ecn::ECT_1, Ecn::ECT_1], Ok(Ecn::ECT_1)),
        ([Ecn::NOT_ECT, Ecn::NOT_ECT], Ok(Ecn::NOT_ECT)),
        ([Ecn::NOT_ECT, Ecn::CE], Err(Discard::FragmentsCongested)),
    ];
    let whole = content(64);
    for ([a, b], expected) in cases {
        let mut table = table();
        let first = Fragment {
            ecn: a,
            ..piece(1, &whole, 0..32)
        };
        let rest = Fragment {
            ecn: b,
            ..piece(1, &whole, 32..64)
        };
        assert_eq!(arrive(&mut table, NOW, &first), Ok(None));
        let seen = table
            .on_fragment(NOW, &rest)
            .map(|whole| whole.unwrap().ecn());
        assert_eq!(seen, expected, "{a:?} and {b:?}");
    }
}

#[test]
fn without_memory_every_fragment_is_dropped() {
    let whole = content(64);
    let mut table = Table::new();
    assert_eq!(
        arrive(&mut table, NOW, &piece(1, &whole, 0..32)),
        Err(Discard::Fragment)
    );
    assert_eq!(table.next_deadline(), None);
}

/// Cuts a datagram into fragments at these multiples of eight.
fn cut(ident: u32, whole: &[u8], cuts: &[usize]) -> Vec<(u32, Range<usize>)> {
    let within = |at: &usize| *at < whole.len();
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut * 8).filter(within).collect();
    at.extend([0, whole.len()]);
    at.sort_unstable();
    at.dedup();
    at.windows(2).map(|w| (ident, w[0]..w[1])).collect()
}

proptest! {
    /// Whatever is lost, doubled and mixed up on the way, and whatever a stranger throws in: what comes out
    /// is one of the datagrams that were sent, unless the stranger wrote part of it.
    #[test]
    fn nothing_comes_out_that_was_not_sent(
        lens in proptest::collection::vec(9usize..200, 3),
        cuts in proptest::collection::vec(proptest::collection::vec(1usize..25, 1..4), 3),
        order in proptest::collection::vec((0usize..100, 0u64..10), 0..60),
    ) {
        let wholes: Vec<Vec<u8>> = lens.iter().map(|&len| content(len)).collect();
        let pieces: Vec<(u32, Range<usize>)> = wholes.iter().zip(&cuts).zip(1..)
            .flat_map(|((whole, cuts), ident)| cut(ident, whole, cuts))
            .collect();
        let (mut table, mut now) = (table(), NOW);
        for (which, wait) in order {
            now += Duration::from_secs(wait);
            while table.on_timeout(now).is_some() {}
            let (ident, range) = pieces[which % pieces.len()].clone();
            let whole = &wholes[ident as usize - 1];
            if range.len() == whole.len() {
                continue;
            }
            if let Ok(Some(payload)) = arrive(&mut table, now, &piece(ident, whole, range)) {
                prop_assert_eq!(&payload, whole);
            }
            prop_assert!(table.next_deadline().is_none_or(|due| due > now));
        }
    }

    /// In any order and with duplicates, all of a datagram is all it takes.
    #[test]
    fn all_pieces_make_the_whole(
        len in 9usize..200,
        cuts in proptest::collection::vec(1usize..25, 1..4),
        shuffle in proptest::collection::vec(any::<u16>(), 8),
        doubled in any::<[bool; 8]>(),
    ) {
        let whole = content(len);
        let mut pieces = cut(1, &whole, &cuts);
        if pieces.len() < 2 {
            return Ok(());
        }
        let mut keys = shuffle.iter().cycle();
        pieces.sort_by_cached_key(|_| *keys.next().unwrap());
        let mut table = table();
        let last = pieces.len() - 1;
        for (n, (_, range)) in pieces.into_iter().enumerate() {
            let piece = piece(1, &whole, range);
            let arrived = arrive(&mut table, NOW, &piece);
            prop_assert_eq!(&arrived, &Ok((n == last).then(|| whole.clone())));
            if n < last && doubled[n] {
                prop_assert_eq!(arrive(&mut table, NOW, &piece), Err(Discard::DuplicateFragment));
            }
        }
    }

    /// Anything at all from a stranger: nothing panics, and what comes out has a length that was stated.
    #[test]
    fn nonsense_is_survived(
        fragments in proptest::collection::vec((0u32..3, 0u32..40, 0usize..50, any::<bool>(), 0u8..4), 0..200),
    ) {
        let (mut table, mut now) = (table(), NOW);
        let bytes = content(50);
        for (ident, offset, len, more, ecn) in fragments {
            now += Duration::from_secs(1);
            while table.on_timeout(now).is_some() {}
            let fragment = Fragment {
                key: key(ident), rules: Rules::V4, offset: offset * 8, more, ecn: Ecn(ecn),
                header: &[0x45; 20], payload: &bytes[..len], back: 7,
            };
            let _ = arrive(&mut table, now, &fragment);
            prop_assert!(table.next_deadline().is_none_or(|due| due > now));
        }
    }
}
