use super::*;
use crate::tcp::connection::lab::{Lab, MSS, RTT, modern, plain};
use crate::tcp::{CongestionControl, State};
use crate::time::Duration;

fn established() -> Lab {
    Lab::established(CongestionControl::NewReno, plain())
}

/// RFC 9293, section 3.8.6.3: "the delay MUST be less than 0.5 seconds".
#[test]
fn rfc9293_3_8_6_3_an_acknowledgment_waits_less_than_half_a_second() {
    let mut lab = established();
    lab.connection.rcv.quick_acks = 0;
    lab.connection.set_ack_delay(Some(Duration::from_secs(9)));
    lab.text(1);
    let sent = lab.wait(1_000);
    assert_eq!(sent[0].at, 499);
}

#[test]
fn the_timeout_is_as_long_as_the_user_says_at_least() {
    let mut lab = established();
    for _ in 0..100 {
        lab.connection.rtt.sample(1_000);
    }
    lab.connection.set_min_rto(Duration::from_millis(50));
    assert_eq!(lab.connection.rtt.rto(), Duration::from_millis(50));
    // And so it is with the next connection.
    lab.connection.end(None);
    let opening = lab.opening();
    lab.connection.connect(lab.now, &opening);
    for _ in 0..100 {
        lab.connection.rtt.sample(1_000);
    }
    assert_eq!(lab.connection.rtt.rto(), Duration::from_millis(50));
}

#[test]
fn a_call_leaves_as_much_to_do_as_it_has_changed() {
    let mut lab = established();
    assert_eq!(lab.connection.follow_up(), FollowUp::None);
    lab.write(1);
    assert_eq!(lab.connection.follow_up(), FollowUp::Send);
    lab.sent();
    assert_eq!(lab.connection.follow_up(), FollowUp::None);
    lab.connection.abort();
    assert_eq!(lab.connection.follow_up(), FollowUp::Settle);
    lab.events();
    assert_eq!(lab.connection.follow_up(), FollowUp::Send);
}

/// A patience that is set anew begins anew.
#[test]
fn a_user_timeout_begins_when_it_is_set() {
    let mut lab = established();
    lab.write(1);
    lab.sent();
    lab.connection
        .set_user_timeout(Some(Duration::from_secs(60)));
    lab.sent();
    lab.wait(10);
    lab.connection
        .set_user_timeout(Some(Duration::from_secs(5)));
    lab.sent();
    let patience = (lab.connection.timers.due(Timer::User, lab.now)).since(lab.now);
    assert_eq!(patience.as_millis(), 5_000);
    lab.connection.set_user_timeout(None);
    lab.sent();
    assert!(!lab.connection.timers.is_set(Timer::User));
}

/// What is written where nothing is in flight may need a timer, for a window that is closed; otherwise there is one.
#[test]
fn who_writes_against_a_closed_window_starts_the_timer_that_probes_it() {
    let mut lab = established();
    lab.peer.window = 0;
    lab.ack(1);
    assert!(!lab.connection.wants_to_send());
    lab.write(1);
    assert!(lab.connection.wants_to_send());
    lab.sent();
    assert!(lab.connection.timers.is_set(Timer::Retransmit));
    let mut lab = established();
    lab.write(10 * MSS);
    lab.sent();
    lab.write(1);
    assert!(!lab.connection.wants_to_send(), "the window is full");
}

#[test]
fn nothing_is_written_after_the_end() {
    let mut lab = established();
    assert!(lab.connection.can_write());
    assert_eq!(lab.write(3), 3);
    assert!(lab.connection.write_with(|room| (2, room.len() > 2)));
    assert_eq!(lab.connection.send_queue(), 5);
    assert_eq!(
        lab.connection.send_room(),
        lab.connection.send_capacity() - 5
    );
    lab.connection.close();
    assert!(!lab.connection.can_write());
    assert_eq!(lab.write(3), 0);
    lab.connection
        .write_with(|room| (9, assert!(room.is_empty())));
    assert_eq!(lab.connection.send_queue(), 5);
    // Nor more than there is room for.
    let mut lab = established();
    let len = lab.connection.write_with(|room| (usize::MAX, room.len()));
    assert_eq!(lab.connection.send_queue(), len);
}

/// RFC 9293, section 3.8.6.2.2: an update goes to a peer that may still send.
#[test]
fn reading_opens_the_window_of_a_peer_that_may_send() {
    for (state, tells) in [
        (State::Established, true),
        (State::FinWait1, true),
        (State::FinWait2, true),
        (State::CloseWait, false),
    ] {
        let mut lab = Lab::closed(CongestionControl::NewReno, 20_000);
        lab.request();
        lab.answer(plain());
        lab.text(10_000);
        lab.sent();
        lab.connection.state = state;
        assert_eq!(lab.connection.read(&mut [0; 1_000]), 1_000);
        assert!(!lab.connection.due.ack, "a segment is not worth it");
        assert_eq!(lab.connection.read(&mut [0; 1_000]), 1_000);
        assert_eq!(lab.connection.due.ack, tells, "{state:?}");
    }
}

/// What lies ahead of a gap stays where it is, while the bytes before it are read.
#[test]
fn reading_leaves_what_is_ahead_of_a_gap_alone() {
    let mut lab = established();
    lab.text(10);
    let mut ahead = lab.peer;
    ahead.seq += 2;
    lab.receive(ahead, b"cd");
    assert_eq!(lab.connection.read(&mut [0; 10]), 10);
    lab.receive(lab.peer, b"ab");
    let mut text = [0; 4];
    assert_eq!(lab.connection.peek(&mut text), 4);
    assert_eq!(&text, b"abcd");
    assert_eq!(lab.connection.read_with(|text| (3, text.len())), 4);
    assert_eq!(lab.connection.receive_queue(), 1);
}

/// Who claims to be done with more than it saw is done with that.
#[test]
fn what_nobody_saw_is_not_taken() {
    let mut lab = Lab::closed(CongestionControl::NewReno, 100);
    lab.request();
    lab.answer(plain());
    lab.text(90);
    lab.connection.read(&mut [0; 80]);
    lab.sent();
    lab.text(40);
    let seen = lab.connection.read_with(|text| (usize::MAX, text.len()));
    assert_eq!((seen, lab.connection.receive_queue()), (20, 30));
}

/// A ring that is empty starts over, so that what comes next lies in one piece.
#[test]
fn what_arrives_in_an_empty_buffer_lies_in_one_piece() {
    let mut lab = established();
    let capacity = lab.connection.receive_capacity();
    lab.text(10);
    lab.connection.read(&mut [0; 10]);
    lab.sent();
    let window = lab.connection.rcv.window() as usize;
    let len = window.min(capacity);
    lab.text(len);
    assert_eq!(lab.connection.read_with(|text| (0, text.len())), len);
}

#[test]
fn what_ended_or_never_began_brings_nothing_more() {
    let mut lab = established();
    assert!(!lab.connection.receive_ended());
    lab.connection.end(None);
    assert!(lab.connection.receive_ended());
    lab.connection.listen(crate::wire::IpListenEndpoint {
        addr: None,
        port: 80,
    });
    assert!(!lab.connection.receive_ended(), "somebody may come");
    let mut lab = established();
    let mut fin = lab.peer;
    fin.flags = fin.flags | crate::wire::TcpFlags::FIN;
    lab.receive(fin, &[]);
    assert!(lab.connection.receive_ended() && lab.connection.is_finished());
}

#[test]
fn a_look_into_a_connection_shows_what_both_sides_agreed_on() {
    let lab = Lab::established(CongestionControl::NewReno, modern());
    let info = lab.connection.info();
    assert_eq!(info.state, State::Established);
    assert_eq!(
        (info.srtt, info.rttvar),
        (Some(Duration::from_millis(RTT)), Duration::from_millis(50))
    );
    assert_eq!(info.sack, cfg!(feature = "tcp-sack"));
    assert!(!info.timestamps && !info.ecn);
    assert_eq!(u32::from(info.mss), MSS);
    #[cfg(feature = "tcp-ecn")]
    {
        let mut lab = established();
        lab.connection.ecn = crate::tcp::connection::ecn::Ecn::new(true);
        assert!(lab.connection.info().ecn);
        lab.connection.state = State::SynSent;
        assert!(
            !lab.connection.info().ecn,
            "it is offered, and not agreed on"
        );
    }
}
