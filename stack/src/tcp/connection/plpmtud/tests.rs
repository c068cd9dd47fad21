use super::*;
use crate::tcp::connection::lab::{Lab, RTT, modern};
use crate::tcp::{CongestionControl, State};
use crate::time::Duration;
use crate::wire::TcpOptions;

/// A connection with segments of 1,460 bytes, and `segments` of them on their way.
fn sending(segments: u32) -> Lab {
    let options = TcpOptions {
        mss: Some(1_460),
        ..modern()
    };
    let mut lab = Lab::established(CongestionControl::None, options);
    assert_eq!(lab.connection.mss, 1_460);
    lab.write(segments * 1_460);
    lab.sent();
    lab
}

/// A connection whose segments of 1,460 bytes vanished, so that it sends 1,024 and searches between the two. Nothing is
/// in flight.
fn searching() -> Lab {
    let mut lab = sending(1);
    let now = lab.now;
    lab.connection.suspect_black_hole(now, BLACK_HOLE_TIMEOUTS);
    assert_eq!(lab.connection.mss, BASE);
    assert!(lab.connection.size.search.is_on());
    lab.sent();
    lab.ack(1_461);
    lab.sent();
    assert_eq!(lab.connection.snd.flight(), 0);
    lab
}

/// The probe that goes out next, if one does: where it starts, and how long it is.
fn probe(lab: &mut Lab) -> Option<(u32, u32)> {
    let span = lab.connection.next_path_probe(lab.now)?;
    assert!(!span.fin);
    Some((lab.connection.snd.nxt.get() - 1_461, span.len))
}

/// Half-way from 1,024 to 1,460.
const HALF_WAY: u32 = 1_242;

/// It and three segments behind it.
const ENOUGH: u32 = HALF_WAY + 3 * 1_024;

/// RFC 4821, section 7.7: full segments that time out again and again may be too long: 1,024 bytes are tried, and when
/// those time out, 500.
#[test]
fn rfc4821_7_7_segments_that_time_out_again_and_again_become_shorter() {
    for (timeouts, mss) in [(2, 1_460), (3, 1_024), (4, 1_024)] {
        let mut lab = sending(2);
        lab.connection.suspect_black_hole(lab.now, timeouts);
        assert_eq!(lab.connection.mss, mss, "{timeouts}");
        let search = lab.connection.size.search;
        assert_eq!(search.is_on(), mss < 1_460);
        if search.is_on() {
            assert_eq!(search.high, 1_460);
            // What is too long is lost, and sent again in pieces.
            assert_eq!(lab.connection.snd.scoreboard.lost(), 2 * 1_460);
            lab.sent();
            lab.connection.suspect_black_hole(lab.now, timeouts);
            assert_eq!(lab.connection.mss, 500);
            assert_eq!(
                lab.connection.size.search.high, 1_460,
                "as long as they were"
            );
            lab.sent();
            lab.connection.suspect_black_hole(lab.now, timeouts);
            assert_eq!(lab.connection.mss, 500);
        }
    }
}

#[test]
fn what_is_short_does_not_vanish_for_its_length() {
    for (len, mss) in [(1_024, 1_460), (1_025, 1_024)] {
        let mut lab = sending(0);
        lab.write(len);
        lab.sent();
        lab.connection.suspect_black_hole(lab.now, 3);
        assert_eq!(lab.connection.mss, mss, "{len}");
    }
    // Nor are segments that were cut for another reason.
    for mss in [500, 501] {
        let mut lab = sending(1);
        lab.connection.mss = mss;
        lab.connection.suspect_black_hole(lab.now, 3);
        assert_eq!(lab.connection.mss, 500);
        assert_eq!(lab.connection.size.search.is_on(), mss > 500, "{mss}");
    }
    let mut lab = sending(1);
    lab.connection.state = State::SynReceived;
    lab.connection.suspect_black_hole(lab.now, 3);
    assert_eq!(
        lab.connection.mss, 1_460,
        "nothing but a SYN may be on its way"
    );
}

/// RFC 4821, section 7.4: a probe has enough data behind it for its loss to be found soon.
#[test]
fn rfc4821_7_4_a_probe_is_sent_with_three_segments_behind_it() {
    for (written, sent) in [(ENOUGH - 1, None), (ENOUGH, Some((0, HALF_WAY)))] {
        let mut lab = searching();
        lab.write(written);
        assert_eq!(probe(&mut lab), sent, "{written}");
        assert_eq!(probe(&mut lab), None, "one at a time");
    }
    let mut lab = sending(10);
    lab.write(ENOUGH);
    assert_eq!(probe(&mut lab), None, "nobody searches");
}

/// RFC 4821, section 7.4, and section 7.6.3: windows have room for all of it.
#[test]
fn rfc4821_7_4_a_probe_needs_room_in_both_windows() {
    for (window, sent) in [(ENOUGH - 1, None), (ENOUGH, Some((0, HALF_WAY)))] {
        let mut lab = searching();
        lab.write(10_000);
        lab.connection.snd.wnd = window;
        assert_eq!(probe(&mut lab), sent, "{window}");
    }
    for (cwnd, sent) in [(8_000, None), (9_000, Some((0, HALF_WAY)))] {
        let mut lab = searching();
        lab.connection.options.congestion = CongestionControl::NewReno;
        lab.connection.congestion =
            crate::tcp::congestion::Controller::new(CongestionControl::NewReno, 1_024);
        lab.connection.congestion.on_loss(cwnd);
        lab.write(10_000);
        assert_eq!(probe(&mut lab), sent, "{cwnd}");
    }
}

/// RFC 4821, section 7.5: "while the network is otherwise quiet", and where nothing else can be lost.
#[test]
fn rfc4821_7_5_no_probe_is_sent_while_losses_are_repaired() {
    let trials: [fn(&mut Lab); 5] = [
        |lab| lab.connection.snd.scoreboard.lost = 1,
        |lab| lab.connection.snd.scoreboard.sacked = 1,
        |lab| lab.connection.recovery.enter_fast(lab.connection.snd.max()),
        |lab| lab.connection.state = State::FinWait2,
        // A window was probed with a byte.
        |lab| lab.connection.snd.probed = true,
    ];
    for (n, trial) in trials.into_iter().enumerate() {
        let mut lab = searching();
        lab.write(10_000);
        trial(&mut lab);
        assert_eq!(probe(&mut lab), None, "{n}");
    }
}

/// What arrives is as long as segments may be from then on, and the next probe is half-way from there.
#[test]
fn a_probe_that_arrives_makes_segments_as_long_as_it() {
    let mut lab = searching();
    lab.write(20_000);
    let sent = lab.sent();
    assert_eq!(sent[0].data, 1_461..1_461 + HALF_WAY);
    assert_eq!(sent[1].data.len(), 1_024);
    lab.ack(1_461 + HALF_WAY - 1);
    assert_eq!(lab.connection.mss, BASE, "all but a byte");
    lab.ack(1_461 + HALF_WAY);
    assert_eq!(u32::from(lab.connection.mss), HALF_WAY);
    assert!(lab.connection.size.search.probe().is_none());
    lab.ack(lab.connection.snd.max().get());
    lab.write(10_000);
    assert_eq!(lab.connection.next_path_probe(lab.now).unwrap().len, 1_351);
}

/// Routers may say meanwhile that it was too long: they are believed.
#[test]
fn a_probe_that_arrives_does_not_count_for_more_than_routers_allow() {
    let mut lab = searching();
    lab.write(20_000);
    lab.sent();
    lab.connection.size.path = 1_100;
    lab.ack(1_461 + HALF_WAY);
    assert_eq!(lab.connection.mss, 1_100);
}

/// RFC 4821, section 7.6.2: "the loss of a probe [...] SHOULD NOT be treated as congestion", if nothing else is lost.
#[test]
fn rfc4821_7_6_2_the_loss_of_a_probe_alone_is_no_congestion() {
    for (hole, counted) in [(HALF_WAY, 0), (HALF_WAY + 1_024, HALF_WAY + 1_024)] {
        let mut lab = searching();
        lab.write(20_000);
        lab.sent();
        lab.wait(RTT);
        lab.connection
            .snd
            .board()
            .lose(|sent| sent.end.get() <= 1_461 + hole);
        assert_eq!(lab.connection.without_probe_loss(lab.now, hole), counted);
        let search = lab.connection.size.search;
        assert!(search.probe().is_none());
        let high = if counted == 0 { HALF_WAY - 1 } else { 1_460 };
        assert_eq!(u32::from(search.high), high);
    }
    // A segment before it is lost, just as long.
    let mut lab = searching();
    lab.write(20_000);
    lab.sent();
    lab.connection
        .snd
        .board()
        .lose(|sent| sent.end.get() == 1_461 + HALF_WAY + 1_024);
    assert_eq!(
        lab.connection.without_probe_loss(lab.now, HALF_WAY),
        HALF_WAY
    );
    // None is lost, or no probe is out.
    let mut lab = searching();
    lab.write(20_000);
    lab.sent();
    assert_eq!(lab.connection.without_probe_loss(lab.now, 0), 0);
    assert!(
        lab.connection.size.search.probe().is_some(),
        "it is still out"
    );
    let mut lab = searching();
    assert_eq!(
        lab.connection.without_probe_loss(lab.now, HALF_WAY),
        HALF_WAY
    );
}

/// A timeout says nothing about which was lost: the probe counts as too long, so that it is not tried for ever.
#[test]
fn a_timeout_with_a_probe_out_ends_its_trial() {
    let mut lab = searching();
    lab.write(20_000);
    lab.sent();
    lab.connection.suspect_black_hole(lab.now, 1);
    let search = lab.connection.size.search;
    assert_eq!((u32::from(search.high), search.probe), (HALF_WAY - 1, 0));
    assert_eq!(lab.connection.mss, BASE);
    // And without one nothing changes.
    lab.connection.suspect_black_hole(lab.now, 1);
    assert_eq!(u32::from(lab.connection.size.search.high), HALF_WAY - 1);
}

/// Found is what is within eight bytes; ten minutes later the path may have become wider.
#[test]
fn the_search_ends_close_enough_and_starts_over_after_ten_minutes() {
    for (high, sent) in [(1_031, None), (1_032, Some((0, 1_028)))] {
        let mut lab = searching();
        lab.connection.size.search.high = high;
        lab.connection.conclude(lab.now);
        lab.write(10_000);
        assert_eq!(probe(&mut lab), sent, "{high}");
    }
    let mut lab = searching();
    lab.connection.size.search.high = 1_031;
    lab.connection.conclude(lab.now);
    lab.write(10_000);
    lab.now += Duration::from_secs(599);
    assert_eq!(probe(&mut lab), None);
    lab.now += Duration::from_secs(1);
    assert_eq!(probe(&mut lab), Some((0, HALF_WAY)), "up to 1,460 again");
}

/// Where routers allow no more there is nothing to be found, for another ten minutes.
#[test]
fn the_search_does_not_go_beyond_what_routers_allow() {
    for (path, sent) in [(1_031, None), (1_032, Some((0, 1_028)))] {
        let mut lab = searching();
        lab.connection.size.search.high = 1_024;
        lab.connection.conclude(lab.now);
        lab.connection.size.path = path;
        lab.write(10_000);
        lab.now += Duration::from_secs(601);
        assert_eq!(probe(&mut lab), sent, "{path}");
        if sent.is_none() {
            lab.connection.size.path = 1_460;
            lab.now += Duration::from_secs(599);
            assert_eq!(probe(&mut lab), None);
            lab.now += Duration::from_secs(1);
            assert_eq!(probe(&mut lab), Some((0, HALF_WAY)));
        }
    }
}

/// Routers that allow less while the search is on bound it; while it is off they say it all.
#[test]
fn routers_bound_the_search() {
    let mut lab = searching();
    assert_eq!(lab.connection.search_within(1_300), 1_024);
    assert_eq!(lab.connection.size.search.high, 1_300);
    assert_eq!(lab.connection.search_within(1_400), 1_024);
    assert_eq!(lab.connection.size.search.high, 1_300);
    assert_eq!(lab.connection.search_within(900), 900);
    let mut lab = sending(1);
    assert_eq!(lab.connection.search_within(1_300), 1_300);
}
