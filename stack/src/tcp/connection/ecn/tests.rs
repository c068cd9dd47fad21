use super::*;
use crate::tcp::CongestionControl;
use crate::tcp::connection::lab::{Lab, MSS, before, modern};
use crate::wire::TcpSegment;

/// A connection whose both ends know what a mark is.
fn agreed() -> Lab {
    let mut lab = Lab::established(CongestionControl::NewReno, modern());
    lab.connection.ecn = Ecn::new(true);
    // Acknowledgments at once are those of a young connection.
    lab.connection.rcv.quick_acks = 0;
    lab
}

fn header(flags: TcpFlags) -> TcpHeader {
    TcpHeader {
        flags,
        ..TcpHeader::default()
    }
}

const BOTH: TcpFlags = TcpFlags::ECE.union(TcpFlags::CWR);

/// RFC 3168, section 6.1.1: an ECN-setup SYN has ECE and CWR, an ECN-setup SYN-ACK has ECE alone.
#[test]
fn rfc3168_6_1_1_a_request_has_two_bits_and_its_answer_one() {
    let syn = TcpFlags::SYN;
    let answer = TcpFlags::SYN | TcpFlags::ACK;
    for (flags, agrees) in [
        (syn | BOTH, true),
        (syn | TcpFlags::ECE, false),
        (syn | TcpFlags::CWR, false),
        (syn, false),
        (syn | BOTH | TcpFlags::PSH, true),
        (answer | TcpFlags::ECE, true),
        (answer | BOTH, false),
        (answer | TcpFlags::CWR, false),
        (answer, false),
    ] {
        let mut ecn = Ecn::new(true);
        ecn.negotiate(&header(flags));
        assert_eq!(ecn.is_capable(), agrees, "{flags:?}");
    }
    let mut off = Ecn::OFF;
    off.negotiate(&header(syn | BOTH));
    assert!(!off.is_capable(), "it takes two");
}

/// RFC 3168, section 6.1.1.1: a request that is repeated asks for nothing; its answer still says yes.
#[test]
fn rfc3168_6_1_1_1_a_repeated_request_is_plain() {
    let on = Ecn::new(true);
    assert_eq!(on.on_syn(false, false), BOTH);
    assert_eq!(on.on_syn(false, true), TcpFlags::NONE);
    assert_eq!(on.on_syn(true, false), TcpFlags::ECE);
    assert_eq!(on.on_syn(true, true), TcpFlags::ECE);
    for (answers, repeated) in [(false, false), (false, true), (true, false), (true, true)] {
        assert_eq!(Ecn::OFF.on_syn(answers, repeated), TcpFlags::NONE);
    }
}

/// RFC 3168, section 6.1.3: the first mark is acknowledged at once, and echoed with each segment until the peer says that
/// it reacted; a mark on the segment that says so is a new one.
#[test]
fn rfc3168_6_1_3_a_mark_is_echoed_until_the_peer_has_reacted() {
    let mut lab = agreed();
    let mut arrives = |flags: TcpFlags, congestion_experienced| {
        let header = TcpHeader {
            flags: TcpFlags::ACK | flags,
            ..lab.peer
        };
        let segment = TcpSegment {
            header,
            payload: &[7],
            congestion_experienced,
            ..TcpSegment::default()
        };
        lab.connection.on_segment(&segment, lab.now);
        lab.peer.seq += 1;
        let at_once = lab.connection.due.ack;
        // Whatever comes of it later.
        let sent = lab.wait(50);
        (at_once, sent[0].header.flags.contains(TcpFlags::ECE))
    };
    assert_eq!(arrives(TcpFlags::NONE, false), (false, false));
    assert_eq!(arrives(TcpFlags::NONE, true), (true, true));
    assert_eq!(
        arrives(TcpFlags::NONE, true),
        (false, true),
        "the peer knows"
    );
    assert_eq!(arrives(TcpFlags::NONE, false), (false, true));
    assert_eq!(arrives(TcpFlags::CWR, true), (true, true));
    assert_eq!(arrives(TcpFlags::CWR, false), (false, false));
}

#[test]
fn marks_mean_nothing_to_who_did_not_agree() {
    let mut lab = agreed();
    lab.connection.ecn = Ecn::OFF;
    lab.connection.on_congestion_mark(TcpFlags::ACK, true);
    assert!(!lab.connection.due.ack);
    assert_eq!(lab.connection.ecn.on_header(), TcpFlags::NONE);
    lab.connection.ecn.on_reduced(SeqNum::new(5));
    let mut flags = TcpFlags::ACK;
    assert!(!lab.connection.ecn.on_new_data(&mut flags));
    assert_eq!(flags, TcpFlags::ACK);
}

/// What was due anyway stays due.
#[test]
fn a_second_mark_takes_no_acknowledgment_back() {
    let mut lab = agreed();
    lab.connection.on_congestion_mark(TcpFlags::ACK, true);
    lab.connection.on_congestion_mark(TcpFlags::ACK, true);
    assert!(lab.connection.due.ack);
}

/// RFC 3168, section 6.1.2: one reduction for a window of data, and the next new data says so.
#[test]
fn rfc3168_6_1_2_marks_in_one_window_are_one_sign_of_congestion() {
    let mut lab = agreed();
    lab.write(30 * MSS);
    lab.sent();
    let echo = |lab: &mut Lab, ack: u32| {
        lab.peer.flags = TcpFlags::ACK | TcpFlags::ECE;
        lab.ack(ack);
        lab.connection.congestion.ssthresh()
    };
    assert_eq!(echo(&mut lab, before(1)), 5 * MSS);
    let mut flags = TcpFlags::ACK;
    assert!(lab.connection.ecn.on_new_data(&mut flags));
    assert_eq!(flags, TcpFlags::ACK | TcpFlags::CWR);
    let mut flags = TcpFlags::ACK;
    lab.connection.ecn.on_new_data(&mut flags);
    assert_eq!(flags, TcpFlags::ACK, "once");
    // Ten were out then.
    assert_eq!(echo(&mut lab, before(10)), 5 * MSS);
    lab.sent();
    assert!(lab.connection.snd.flight() > 0);
    assert_ne!(echo(&mut lab, before(11)), 5 * MSS, "the next window");
}

/// Which echoes count.
#[test]
fn an_echo_counts_while_something_is_out() {
    let reduces = |trial: fn(&mut Lab)| {
        let mut lab = agreed();
        lab.write(4 * MSS);
        lab.sent();
        lab.peer.flags = TcpFlags::ACK | TcpFlags::ECE;
        lab.peer.ack = SeqNum::new(before(0));
        trial(&mut lab);
        let unlimited = lab.connection.congestion.ssthresh();
        lab.connection.on_congestion_echo(&lab.peer);
        lab.connection.congestion.ssthresh() < unlimited
    };
    assert!(reduces(|_| {}));
    assert!(
        reduces(|lab| lab.peer.ack = SeqNum::new(before(4))),
        "the last of it"
    );
    assert!(!reduces(|lab| lab.peer.flags = TcpFlags::ACK));
    assert!(!reduces(
        |lab| lab.peer.flags = lab.peer.flags | TcpFlags::SYN
    ));
    assert!(!reduces(|lab| lab.connection.ecn = Ecn::OFF));
    assert!(!reduces(|lab| lab.connection.state = State::SynSent));
    assert!(!reduces(|lab| lab.connection.state = State::SynReceived));
    let nothing = |lab: &mut Lab| {
        lab.peer.flags = TcpFlags::ACK;
        lab.ack(before(4));
        lab.peer.flags = TcpFlags::ACK | TcpFlags::ECE;
    };
    assert!(!reduces(nothing), "nothing is");
    // A reduction for a loss is one as well.
    let reacted = |lab: &mut Lab| lab.connection.ecn.on_reduced(lab.connection.snd.max());
    assert!(!reduces(reacted));
}

/// RFC 3168, sections 6.1.4 and 6.1.5: ECT stands on new data, and on nothing else.
#[test]
fn rfc3168_6_1_5_new_data_alone_may_be_marked() {
    let mut lab = agreed();
    lab.write(500);
    let next = |lab: &mut Lab| {
        let plan = lab.connection.poll_segment(lab.now, lab.path).unwrap();
        plan.ecn() == crate::wire::Ecn::ECT_0
    };
    assert!(next(&mut lab));
    lab.connection.close();
    assert!(!next(&mut lab), "a FIN");
    lab.connection.snd.board().lose_all();
    assert!(!next(&mut lab), "what is sent again");
    lab.connection.due.ack = true;
    assert!(!next(&mut lab));
}
