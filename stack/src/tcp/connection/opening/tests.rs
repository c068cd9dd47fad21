use core::net::Ipv4Addr;

use super::*;
use crate::tcp::CongestionControl;
use crate::tcp::connection::lab::{Lab, MSS, RTT, modern, plain};
use crate::time::Duration;
use crate::wire::{TcpFlags, TcpHeader, TcpOptions};

/// What an earlier connection left is nothing to the next; what its user has set stays.
#[test]
fn a_connection_starts_anew() {
    let mut lab = Lab::established(CongestionControl::NewReno, modern());
    lab.connection.set_nagle(false);
    lab.text(100);
    lab.peer.seq += 10;
    lab.text(10);
    lab.write(20 * MSS);
    lab.sent();
    lab.wait(6 * RTT);
    assert!(lab.connection.snd.scoreboard.lost() > 0);
    lab.connection.claim();
    lab.connection.abort();
    let opening = lab.opening();
    lab.connection.connect(lab.now, &opening);
    let connection = &lab.connection;
    assert_eq!(connection.state(), State::SynSent);
    assert_eq!((connection.error, connection.soft_error), (None, None));
    assert_eq!(
        (
            connection.retries,
            connection.retransmits.get(),
            connection.last_pipe
        ),
        (0, 0, 0)
    );
    assert_eq!(
        (connection.snd.ring.len(), connection.rcv.ring.len()),
        (0, 0)
    );
    assert_eq!(
        (connection.snd.flight(), connection.rcv.has_gaps()),
        (0, false)
    );
    assert_eq!(
        (
            connection.snd.scoreboard.lost(),
            connection.snd.scoreboard.sacked()
        ),
        (0, 0)
    );
    assert_eq!(connection.rtt.srtt(), None);
    assert!(connection.last_challenge.is_none() && !connection.marks.has(Mark::Detached));
    assert!(!connection.due.is_set(Special::Reset) && !connection.due.ack);
    assert!(!connection.options.nagle);
    let request = lab.sent();
    assert_eq!(request.len(), 1);
    let offered = Sack::permitted_by(&request[0].header.options);
    assert_eq!(offered, Sack::OFFERED);
}

#[test]
fn who_listens_waits_at_an_address_or_at_all() {
    let mut lab = Lab::closed(CongestionControl::NewReno, 4_096);
    assert!(lab.connection.listens_on().is_none());
    let addr = Ipv4Addr::new(10, 0, 0, 1).into();
    for addr in [None, Some(addr)] {
        let local = IpListenEndpoint { addr, port: 80 };
        lab.connection.listen(local);
        assert_eq!(lab.connection.listens_on(), Some(local));
        assert_eq!(lab.connection.remote_endpoint(), None);
    }
    let lab = Lab::requesting(CongestionControl::NewReno);
    assert!(lab.connection.listens_on().is_none());
    assert_eq!(
        lab.connection.remote_endpoint().map(|end| end.port),
        Some(80)
    );
    assert_eq!(
        lab.connection.local_endpoint().map(|end| end.port),
        Some(40_000)
    );
}

/// RFC 7323, sections 2.2 and 2.3: windows are scaled if both sides say so, by 14 at most.
#[test]
fn rfc7323_2_3_windows_are_scaled_if_both_say_so() {
    for (said, theirs, ours) in [
        (None, 0, 0),
        (Some(0), 0, 3),
        (Some(7), 7, 3),
        (Some(15), 14, 3),
    ] {
        let mut options = plain();
        options.window_scale = said;
        let lab = Lab::established(CongestionControl::NewReno, options);
        let shifts = (lab.connection.snd.shift, lab.connection.rcv.shift);
        assert_eq!(shifts, (theirs, ours), "{said:?}");
    }
}

/// RFC 9293, section 3.7.1, MUST-15: "If an MSS Option is not received [...] 536 for IPv4".
#[test]
fn must_15_a_peer_that_names_no_mss_takes_536() {
    for (mss, segments) in [
        (None, 536),
        (Some(1_000), 1_000),
        (Some(9_000), 1_460),
        (Some(1), 48),
    ] {
        let options = TcpOptions {
            mss,
            ..TcpOptions::default()
        };
        let lab = Lab::established(CongestionControl::NewReno, options);
        assert_eq!(lab.connection.mss, segments);
        let window = Controller::new(CongestionControl::NewReno, u32::from(segments)).window();
        assert!(
            lab.connection.congestion.window() >= window,
            "of such segments"
        );
    }
}

/// The user of a socket that accepts learns of the connection once.
#[test]
fn a_connection_is_unclaimed_until_its_user_knows() {
    let mut lab = Lab::requesting(CongestionControl::NewReno);
    assert!(!lab.connection.is_unclaimed());
    lab.connection.marks.put(Mark::Unclaimed, true);
    assert!(lab.connection.is_unclaimed());
    lab.connection.claim();
    assert!(!lab.connection.is_unclaimed());
}

/// RFC 9293, section 3.7.1: what the path takes counts, also where that is learned while an answer is on its way.
#[cfg(feature = "path-mtu")]
#[test]
fn segments_fit_a_path_that_became_narrower_during_the_handshake() {
    let mut lab = Lab::requesting(CongestionControl::NewReno);
    let crossing = TcpHeader {
        flags: TcpFlags::SYN,
        options: plain(),
        ..lab.peer
    };
    lab.receive(crossing, &[]);
    lab.path.usable = 600;
    lab.sent();
    lab.peer.seq = SeqNum::new(1);
    lab.ack(1);
    lab.write(MSS);
    assert_eq!(lab.data(), [1..601, 601..1_001]);
}

#[test]
fn nothing_varies_before_it_was_measured() {
    let lab = Lab::requesting(CongestionControl::NewReno);
    assert_eq!(lab.connection.info().srtt, None);
    assert_eq!(lab.connection.info().rttvar, Duration::from_millis(0));
}
