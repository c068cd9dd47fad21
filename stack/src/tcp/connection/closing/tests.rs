use super::*;
use crate::events::Events;
use crate::tcp::CongestionControl;
use crate::tcp::connection::lab::{Lab, MSS, plain};
use crate::tcp::connection::timers::Timer;
use crate::wire::{SeqNum, TcpFlags, TcpHeader};

fn established() -> Lab {
    Lab::established(CongestionControl::NewReno, plain())
}

fn in_state(state: State) -> Lab {
    let mut lab = established();
    lab.connection.state = state;
    lab
}

/// RFC 9293, section 3.10.5: a reset goes to a peer that may be waiting for us.
#[test]
fn rfc9293_3_10_5_an_abort_tells_a_peer_that_may_wait() {
    for (state, tells) in [
        (State::SynSent, false),
        (State::SynReceived, true),
        (State::Established, true),
        (State::FinWait1, true),
        (State::FinWait2, true),
        (State::CloseWait, true),
        (State::Closing, false),
        (State::LastAck, false),
    ] {
        let mut lab = in_state(state);
        lab.connection.abort();
        assert_eq!(lab.connection.state(), State::Closed);
        assert_eq!(lab.connection.error(), Some(ConnectionError::Aborted));
        assert_eq!(
            lab.connection.due.is_set(Special::Reset),
            tells,
            "{state:?}"
        );
        assert_eq!(lab.connection.is_done(), !tells, "{state:?}");
        // Again, before it went out.
        lab.connection.abort();
        assert_eq!(lab.sent().len(), usize::from(tells));
        assert!(lab.connection.is_done());
    }
}

/// RFC 9293, section 3.10.4, state by state.
#[test]
fn rfc9293_3_10_4_a_close_in_each_state() {
    for (state, next) in [
        (State::SynSent, State::Closed),
        (State::SynReceived, State::SynReceived),
        (State::Established, State::FinWait1),
        (State::CloseWait, State::LastAck),
        (State::FinWait2, State::FinWait2),
        (State::Closing, State::Closing),
    ] {
        let mut lab = in_state(state);
        lab.connection.close();
        assert_eq!(lab.connection.state(), next, "{state:?}");
        assert_eq!(lab.connection.error(), None);
    }
}

#[test]
fn what_is_over_does_not_end_again() {
    let mut lab = in_state(State::Established);
    lab.connection.end(Some(ConnectionError::Reset));
    assert_eq!(lab.events(), Events::ALL);
    lab.connection.end(Some(ConnectionError::TimedOut));
    assert_eq!(lab.connection.error(), Some(ConnectionError::Reset));
    assert_eq!(lab.events(), Events::NONE);
    // Who listens can stop to.
    let mut lab = in_state(State::Listen);
    assert!(!lab.connection.is_done());
    lab.connection.end(None);
    assert_eq!(lab.connection.state(), State::Closed);
    assert!(lab.connection.is_done());
}

/// RFC 5927, section 4.1: an error counts if it quotes a number that is in flight; RFC 1122, section 4.2.3.9: and ends
/// no connection that is up.
#[cfg(feature = "icmp-errors")]
#[test]
fn rfc5927_4_1_an_error_counts_if_it_is_about_what_is_in_flight() {
    for (seq, counts) in [(0, false), (1, true), (MSS, true), (1 + MSS, false)] {
        let mut lab = established();
        lab.write(MSS);
        lab.sent();
        let (seq, error) = (SeqNum::new(seq), ConnectionError::Unreachable);
        assert_eq!(
            lab.connection.on_icmp_error(seq, error, true),
            counts,
            "{seq:?}"
        );
        assert_eq!(lab.connection.soft_error.is_some(), counts);
        assert_eq!(lab.connection.state(), State::Established);
    }
    for (hard, state) in [(true, State::Closed), (false, State::SynSent)] {
        let mut lab = Lab::requesting(CongestionControl::NewReno);
        let error = ConnectionError::Refused;
        assert!(lab.connection.on_icmp_error(SeqNum::new(0), error, hard));
        assert_eq!(lab.connection.state(), state);
        // A port that is not reachable is no refusal by the peer, once the attempt goes on.
        let remembered = (!hard).then_some(ConnectionError::Unreachable);
        assert_eq!(lab.connection.soft_error, remembered);
        assert_eq!(lab.connection.error(), hard.then_some(error));
    }
    let mut lab = established();
    lab.write(MSS);
    lab.sent();
    lab.connection.state = State::TimeWait;
    assert!(
        !lab.connection
            .on_icmp_error(SeqNum::new(1), ConnectionError::Unreachable, false)
    );
}

/// A next hop that does not answer ends what is not up yet; others wait for it, and so does what they have to say.
#[test]
fn a_next_hop_that_does_not_answer_ends_what_is_not_up() {
    let mut lab = Lab::requesting(CongestionControl::NewReno);
    lab.connection.on_unreachable(lab.now);
    assert_eq!(lab.connection.error(), Some(ConnectionError::Unreachable));
    let crossed = || {
        let mut lab = Lab::closed(CongestionControl::NewReno, 4_096);
        let opening = lab.opening();
        lab.connection.connect(lab.now, &opening);
        let request = TcpHeader {
            flags: TcpFlags::SYN,
            options: plain(),
            ..lab.peer
        };
        lab.receive(request, &[]);
        assert_eq!(lab.connection.state(), State::SynReceived);
        lab
    };
    let mut lab = crossed();
    lab.connection.on_unreachable(lab.now);
    assert_eq!(
        lab.connection.error(),
        Some(ConnectionError::Unreachable),
        "our SYN is not out"
    );
    let mut lab = crossed();
    lab.sent();
    lab.connection.on_unreachable(lab.now);
    assert_eq!(lab.connection.state(), State::SynReceived);
    let mut lab = established();
    lab.text(1);
    lab.write(1);
    lab.connection.on_unreachable(lab.now);
    assert_eq!(lab.connection.state(), State::Established);
    assert_eq!(
        lab.connection.soft_error,
        Some(ConnectionError::Unreachable)
    );
    assert!(!lab.connection.due.ack, "it cannot be sent");
    assert!(
        lab.connection.timers.is_set(Timer::Retransmit),
        "but tried again"
    );
    assert!(!lab.events().contains(Events::STATE));
    // A reset that cannot be sent is not waited for.
    let mut lab = established();
    lab.connection.abort();
    lab.events();
    lab.connection.on_unreachable(lab.now);
    assert!(lab.connection.is_done());
    assert!(lab.events().contains(Events::STATE));
}

/// RFC 9293, section 3.6: what the record of a connection is made of.
#[test]
fn the_record_of_a_connection_knows_both_numbers_and_the_window() {
    let mut lab = Lab::established(
        CongestionControl::NewReno,
        crate::tcp::connection::lab::modern(),
    );
    assert!(lab.connection.time_wait().is_none());
    lab.connection.close();
    lab.sent();
    let mut fin = lab.peer;
    fin.flags = TcpFlags::ACK | TcpFlags::FIN;
    fin.ack = SeqNum::new(2);
    lab.receive(fin, &[]);
    assert_eq!(lab.connection.state(), State::TimeWait);
    let record = lab.connection.time_wait().unwrap();
    assert_eq!(
        (record.snd_nxt, record.rcv_nxt),
        (SeqNum::new(2), SeqNum::new(2))
    );
    assert_eq!(
        u32::from(record.window),
        lab.connection.rcv.window() >> lab.connection.rcv.shift
    );
    assert!(lab.connection.rcv.shift > 0 && record.window > 0);
}

/// A dropped handle closes, and is noticed even by a connection that has nothing to send.
#[test]
fn a_connection_without_a_handle_is_looked_after() {
    let mut lab = in_state(State::FinWait2);
    assert!(!lab.connection.is_detached());
    lab.connection.detach();
    assert!(lab.connection.is_detached());
    assert!(lab.connection.wants_to_send());
    assert!(!lab.connection.is_done());
}
