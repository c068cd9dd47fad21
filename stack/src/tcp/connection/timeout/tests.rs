#![allow(clippy::single_range_in_vec_init, reason = "a segment is a range")]

use super::*;
use crate::tcp::connection::lab::{Lab, MSS, RTT, Sent, before, data, plain, segments};
use crate::tcp::{CongestionControl, ConnectionError};
use crate::time::Duration;
use crate::wire::{TcpFlags, TcpHeader};

/// As much as is ever waited for.
const HOUR: u64 = 3_600_000;

/// Too short to vanish for its length.
const SHORT: u32 = 500;

fn established(congestion: CongestionControl) -> Lab {
    Lab::established(congestion, plain())
}

/// How many milliseconds after the one before each of these came.
fn waits(sent: &[Sent]) -> std::vec::Vec<u64> {
    let from = |(before, at): (u64, u64)| at - before;
    let at = sent.iter().map(|sent| sent.at);
    core::iter::once(0)
        .chain(at.clone())
        .zip(at)
        .map(from)
        .collect()
}

/// RFC 9293, section 3.8.3, and RFC 6298, section 5.5: each wait is twice the last, up to a minute, and the fifteenth is
/// the last.
#[test]
fn rfc9293_3_8_3_data_is_sent_again_fifteen_times() {
    let mut lab = established(CongestionControl::NewReno);
    lab.write(SHORT);
    lab.sent();
    let mut sent = lab.wait(HOUR);
    let reset = sent.pop().unwrap();
    assert!(reset.header.flags.contains(TcpFlags::RST));
    assert_eq!(lab.connection.error(), Some(ConnectionError::TimedOut));
    let doubled = [300, 600, 1_200, 2_400, 4_800, 9_600, 19_200, 38_400];
    assert_eq!(waits(&sent)[..8], doubled);
    assert_eq!(waits(&sent)[8..], [60_000; 7]);
}

/// Where nobody shares the link the first six waits are the same, and count for nothing.
#[test]
fn where_nobody_shares_the_link_six_more_waits_come_first() {
    let mut lab = established(CongestionControl::None);
    lab.write(SHORT);
    lab.sent();
    let mut sent = lab.wait(HOUR);
    sent.pop();
    assert_eq!(
        waits(&sent)[..9],
        [300, 300, 300, 300, 300, 300, 300, 600, 1_200]
    );
    assert_eq!(sent.len(), 21);
}

/// RFC 9293, section 3.8.3, MUST-23: a SYN is repeated for three minutes at least, and so is its answer.
#[test]
fn must_23_requests_and_answers_are_repeated_eight_times() {
    let mut lab = Lab::requesting(CongestionControl::NewReno);
    let sent = lab.wait(HOUR);
    assert!(sent.iter().all(|sent| sent.header.flags == TcpFlags::SYN));
    assert_eq!(
        waits(&sent),
        [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
    );
    assert_eq!(lab.connection.error(), Some(ConnectionError::TimedOut));
    let mut lab = Lab::requesting(CongestionControl::NewReno);
    let request = TcpHeader {
        flags: TcpFlags::SYN,
        options: plain(),
        ..lab.peer
    };
    lab.receive(request, &[]);
    lab.sent();
    let mut sent = lab.wait(HOUR);
    assert!(sent.pop().unwrap().header.flags.contains(TcpFlags::RST));
    assert_eq!(sent.len(), 8);
    let answer = TcpFlags::SYN | TcpFlags::ACK;
    assert!(sent.iter().all(|sent| sent.header.flags == answer));
}

/// RFC 9293, section 3.8.6.1: a closed window is probed as often, and each wait is twice the last.
#[test]
fn rfc9293_3_8_6_1_a_closed_window_is_probed_fifteen_times() {
    for congestion in [CongestionControl::NewReno, CongestionControl::None] {
        let mut lab = established(congestion);
        lab.peer.window = 0;
        lab.ack(1);
        lab.write(MSS);
        lab.sent();
        let mut sent = lab.wait(HOUR);
        assert!(sent.pop().unwrap().header.flags.contains(TcpFlags::RST));
        assert_eq!(waits(&sent)[..4], [300, 600, 1_200, 2_400]);
        assert_eq!(sent.len(), 15);
        assert!(sent.iter().all(|sent| sent.data == (1..2)));
    }
}

/// "Data in flight always has a retransmission timer, data that cannot be sent always a persist timer", and so has a FIN.
#[test]
fn what_is_to_be_sent_or_acknowledged_has_a_timer() {
    let mut lab = established(CongestionControl::NewReno);
    assert_eq!(lab.due(Timer::Retransmit), None, "nothing is");
    lab.peer.window = 0;
    lab.ack(1);
    assert_eq!(lab.due(Timer::Retransmit), None);
    lab.write(1);
    lab.connection.arm_timers(lab.now);
    assert_eq!(lab.due(Timer::Retransmit), Some(300), "it cannot be sent");
    let mut lab = established(CongestionControl::NewReno);
    lab.connection.close();
    lab.connection.arm_timers(lab.now);
    assert_eq!(
        lab.due(Timer::Retransmit),
        Some(300),
        "a FIN that was not sent yet"
    );
    lab.sent();
    lab.wait(10);
    assert_eq!(lab.due(Timer::Retransmit), Some(290), "that is in flight");
    lab.ack(2);
    assert_eq!(lab.due(Timer::Retransmit), None, "and has arrived");
    // Before the handshake it is the SYN that is waited for.
    let mut lab = Lab::closed(CongestionControl::NewReno, 4_096);
    let opening = lab.opening();
    lab.connection.connect(lab.now, &opening);
    lab.connection.snd.ring.enqueue(&[7]);
    lab.connection.arm_timers(lab.now);
    assert_eq!(lab.due(Timer::Retransmit), None, "it was not sent yet");
}

/// RFC 9293, section 3.9.1, user timeout: while something waits to be acknowledged, to be sent, or for the handshake.
#[test]
fn a_user_loses_patience_only_while_something_is_waited_for() {
    let patience = |lab: &mut Lab| {
        lab.connection
            .set_user_timeout(Some(Duration::from_secs(5)));
        lab.connection.arm_timers(lab.now);
        lab.due(Timer::User)
    };
    assert_eq!(
        patience(&mut Lab::requesting(CongestionControl::NewReno)),
        Some(5_000)
    );
    let mut lab = established(CongestionControl::NewReno);
    assert_eq!(patience(&mut lab), None);
    lab.write(1);
    lab.sent();
    assert_eq!(patience(&mut lab), Some(5_000));
    lab.ack(2);
    assert_eq!(lab.due(Timer::User), None);
    lab.peer.window = 0;
    lab.ack(2);
    lab.write(1);
    assert_eq!(patience(&mut lab), Some(5_000));
    let sent = lab.wait(5_002);
    assert!(sent.last().unwrap().header.flags.contains(TcpFlags::RST));
    assert_eq!(lab.connection.error(), Some(ConnectionError::TimedOut));
}

/// A peer that does not end its side is waited for as long as somebody reads, and a minute otherwise; that is no error.
#[test]
fn nobody_waits_longer_than_a_minute_for_the_end() {
    let mut lab = established(CongestionControl::NewReno);
    lab.connection.close();
    lab.sent();
    lab.ack(2);
    assert_eq!(lab.connection.state(), State::FinWait2);
    assert_eq!(lab.due(Timer::User), None);
    lab.connection.detach();
    lab.sent();
    assert_eq!(lab.due(Timer::User), Some(60_000));
    assert_eq!(lab.wait(60_002), []);
    assert_eq!(lab.connection.state(), State::Closed);
    assert_eq!(lab.connection.error(), None);
    // Before it is acknowledged that the end is ours the retransmission timer knows when to give up.
    let mut lab = established(CongestionControl::NewReno);
    lab.connection.detach();
    lab.sent();
    assert_eq!(lab.due(Timer::User), None);
}

/// RFC 5681, section 4.2: no longer than the delay.
#[test]
fn a_delayed_acknowledgment_goes_when_its_time_has_come() {
    let mut lab = established(CongestionControl::NewReno);
    lab.connection.rcv.quick_acks = 0;
    lab.text(1);
    assert_eq!(lab.wait(39).len(), 0);
    assert_eq!(lab.wait(1).len(), 1);
}

/// RFC 6298, section 3: nothing that was sent again is timed, the SYN neither.
#[test]
fn what_was_sent_again_is_not_timed() {
    let mut lab = Lab::requesting(CongestionControl::NewReno);
    assert!(lab.connection.rtt.is_timing());
    lab.wait(1_000 + RTT);
    assert!(!lab.connection.rtt.is_timing());
    lab.answer(plain());
    assert_eq!(lab.connection.rtt.srtt(), None);
}

/// RFC 6298, section 5.4: what is lost goes out again as acknowledgments come in, one timeout for all of it. Also of a send
/// buffer that is too small for each segment to be remembered by itself.
#[test]
fn one_timeout_is_enough_for_all_that_is_lost_of_a_small_buffer() {
    let mut lab = Lab::closed(CongestionControl::NewReno, 2_000);
    lab.request();
    lab.wait(RTT);
    lab.answer(plain());
    lab.sent();
    lab.write(2 * MSS);
    assert_eq!(lab.data(), segments(0..2));
    assert_eq!(data(lab.wait(350)), segments(0..1));
    lab.ack(before(1));
    assert_eq!(lab.data(), segments(1..2));
}
