use super::*;

fn seq(n: u32) -> SeqNum {
    SeqNum::new(n)
}

/// Numbers up to 1,000 are in flight, and something below was sent again after a loss.
#[cfg(feature = "tcp-undo")]
fn repairing() -> Recovery {
    let mut recovery = Recovery::new(seq(0));
    recovery.enter_fast(seq(1_000));
    recovery.on_retransmitted(Some(50));
    recovery.on_report(seq(500), seq(2_000), true, None);
    recovery
}

/// RFC 3708, section 3: what waits for a hole to be filled was not sent again. Of what was acknowledged nobody knows
/// any more, nor of what was sent since.
#[cfg(feature = "tcp-undo")]
#[test]
fn rfc3708_3_copies_of_what_waits_for_a_hole_to_be_filled_say_nothing() {
    for (una, end, shows) in [(500, 600, false), (1_500, 1_200, true), (500, 400, true)] {
        let mut recovery = repairing();
        let report = recovery.on_report(seq(una), seq(2_000), false, Some(seq(end)));
        assert_eq!(report, shows, "{end}");
    }
}

/// RFC 3522, section 3.2: an acknowledgment of something new that echoes a time from before the retransmission.
#[cfg(feature = "tcp-undo")]
#[test]
fn rfc3522_3_2_an_early_echo_counts_where_it_acknowledges_and_nothing_is_awaited() {
    let nothing = Delivered::default();
    for (advances, awaited, shows) in [
        (true, false, true),
        (false, false, false),
        (true, true, false),
        (false, true, false),
    ] {
        let mut recovery = repairing();
        let found = recovery.is_spurious(seq(500), advances, Some(49), &nothing, awaited);
        assert_eq!(found, shows, "{advances} {awaited}");
    }
}

/// RFC 5682, section 2.1: where the first acknowledgment covers all that was in flight, there is nothing to find out.
#[cfg(feature = "tcp-undo")]
#[test]
fn rfc5682_2_1_new_data_goes_first_while_part_of_the_flight_is_open() {
    let nothing = Delivered::default();
    for (una, partly) in [(999, true), (1_000, false)] {
        let mut recovery = Recovery::new(seq(0));
        recovery.on_timeout(seq(1_000), false);
        assert!(!recovery.is_spurious(seq(una), true, None, &nothing, false));
        assert_eq!(recovery.prefers_new_data(), partly, "{una}");
    }
}

#[cfg(feature = "tcp-undo")]
#[test]
fn what_was_no_loss_is_over_at_once_and_not_found_twice() {
    let mut recovery = repairing();
    recovery.on_spurious();
    assert_eq!(recovery.phase(), Phase::Open);
    assert!(!recovery.on_report(seq(600), seq(2_000), true, Some(seq(400))));
}

/// RFC 3042: one segment for each of the first two duplicates, and none once a loss is being repaired.
#[test]
fn rfc3042_two_duplicates_let_a_segment_out_each() {
    let mut recovery = Recovery::new(seq(0));
    for (count, extra) in [(1, 1), (2, 2), (3, 2)] {
        assert_eq!(recovery.on_duplicate(seq(0)), count == 3);
        assert_eq!(recovery.duplicates(), count);
        assert_eq!(recovery.extra_segments(), extra);
    }
    recovery.enter_fast(seq(1_000));
    assert_eq!(recovery.extra_segments(), 0);
}

/// RFC 6582, section 3.2, step 2: what was repaired last lies behind, however much was sent since.
#[test]
fn rfc6582_3_2_the_third_duplicate_counts_after_half_the_numbers_went_by() {
    let mut recovery = Recovery::new(seq(0));
    for n in 1..=3 {
        recovery.on_progress(seq(n * 0x3000_0000));
    }
    let found = [(); 3].map(|()| recovery.on_duplicate(seq(0x9000_0000)));
    assert_eq!(found, [false, false, true]);
}

#[cfg(feature = "tcp-rack")]
#[test]
fn the_peer_has_spoken_when_something_arrived() {
    let mut recovery = Recovery::new(seq(0));
    recovery.probe.on_silence();
    recovery.on_delivered(0, &mut Delivered::default());
    assert_eq!(recovery.probe.silences(), 1);
    let mut arrived = Delivered {
        bytes: 1,
        ..Delivered::default()
    };
    recovery.on_delivered(0, &mut arrived);
    assert_eq!(recovery.probe.silences(), 0);
}
