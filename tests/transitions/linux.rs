//! The same segments to the Linux kernel. Where it does something else there is a reason, and the test
//! fails for a difference without one: what a state does changes with the reasons, not unnoticed.

use cygnet::wire::TcpFlags;
use cygnet_tests::script::{on_cygnet, on_linux};

use crate::outcome::Outcome;
use crate::states::Station;
use crate::stimuli::{Ack, Seq, Stimulus, Text, name};
use crate::table::observe_all;

/// One test for each state.
macro_rules! compared {
    ($($name:ident: $station:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                compare(Station::$station);
            }
        )+
    };
}

compared! {
    closed: Closed,
    listen: Listen,
    syn_sent: SynSent,
    syn_received_passive: SynReceived,
    syn_received_active: SynCrossed,
    established: Established,
    fin_wait_1: FinWait1,
    fin_wait_2: FinWait2,
    close_wait: CloseWait,
    closing: Closing,
    last_ack: LastAck,
    time_wait: TimeWait,
}

fn compare(station: Station) {
    let mut ours = Vec::new();
    on_cygnet(|script| ours = observe_all(script, station, is_common));
    // The kernel lives in real time. Where the machine was too busy to see what it does, what it does looks
    // different, but not every time.
    let mut differences = self::differences(station, &ours);
    for _ in 0..SECOND_LOOKS {
        if differences.is_empty() {
            return;
        }
        ours.retain(|(stimulus, _)| differences.iter().any(|(other, _)| other == stimulus));
        differences = self::differences(station, &ours);
    }
    let unexplained: Vec<_> = differences.into_iter().map(|(_, text)| text).collect();
    assert!(
        unexplained.is_empty(),
        "{}\n{} differences without a reason",
        unexplained.join("\n"),
        unexplained.len()
    );
}

/// Where the kernel does something else without a reason.
fn differences(station: Station, ours: &[(Stimulus, Outcome)]) -> Vec<(Stimulus, String)> {
    let wanted = |stimulus: &Stimulus| ours.iter().any(|(other, _)| other == stimulus);
    let mut theirs = Vec::new();
    on_linux(|script| theirs = observe_all(script, station, wanted));
    assert_eq!(ours.len(), theirs.len());
    let mut differences = Vec::new();
    for ((stimulus, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        let same = ours.sent == theirs.sent
            && ours.delivered == theirs.delivered
            && ours.next == theirs.next;
        if !same && reason(station, stimulus, ours, theirs).is_none() {
            let text = format!(
                "{} text {:?} seq {} ack {:?}\n    cygnet {ours:?}\n    linux  {theirs:?}",
                name(stimulus.flags),
                stimulus.text,
                stimulus.seq,
                stimulus.ack,
            );
            differences.push((*stimulus, text));
        }
    }
    differences
}

const SECOND_LOOKS: usize = 3;

/// What a peer may send; the kernel takes real time for each.
fn is_common(stimulus: &Stimulus) -> bool {
    let flags = stimulus.flags;
    let several = [TcpFlags::SYN, TcpFlags::FIN, TcpFlags::RST]
        .into_iter()
        .filter(|flag| flags.contains(*flag))
        .count();
    several <= 1
}

/// Why the kernel does something else.
fn reason(
    station: Station,
    stimulus: &Stimulus,
    ours: &Outcome,
    theirs: &Outcome,
) -> Option<&'static str> {
    let has = |flag| stimulus.flags.contains(flag);
    let bare = !has(TcpFlags::ACK) && !has(TcpFlags::SYN) && !has(TcpFlags::RST);
    let same_state = ours.next == theirs.next;
    if bare && same_state && theirs.sent == "-" {
        return Some("Linux looks for ACK before it looks at the sequence number");
    }
    let accepted = ours.dropped == "-" && ours.sent.starts_with("ACK");
    if accepted && same_state && ours.delivered == theirs.delivered && theirs.sent == "-" {
        return Some("Linux delays this acknowledgment");
    }
    match station {
        Station::SynSent => in_syn_sent(stimulus, ours, theirs),
        Station::SynReceived => in_syn_received(stimulus, theirs),
        Station::SynCrossed => in_syn_crossed(stimulus, ours, theirs),
        _ => in_synchronized(station, stimulus, ours, theirs),
    }
}

fn in_syn_sent(stimulus: &Stimulus, ours: &Outcome, theirs: &Outcome) -> Option<&'static str> {
    let again = [format!("{}, SYN seq=ISS", ours.sent), "SYN seq=ISS".into()];
    if again.contains(&theirs.sent) {
        return Some("Linux asks again at once when it has reset what an old connection left");
    }
    if stimulus.text == Text::TenBytes && theirs.delivered == "connected" {
        return Some("Linux takes text from an answer to its SYN only with Fast Open");
    }
    None
}

fn in_syn_received(stimulus: &Stimulus, theirs: &Outcome) -> Option<&'static str> {
    let has = |flag| stimulus.flags.contains(flag);
    let bad_ack = stimulus.ack.is_some_and(|ack| ack != Ack::All);
    if has(TcpFlags::ACK) && bad_ack && theirs.sent == "RST seq=SEG.ACK" {
        return Some(
            "Linux looks at the acknowledgment of a request's answer before anything else",
        );
    }
    if (has(TcpFlags::SYN) || has(TcpFlags::RST)) && theirs.next == "LISTEN" {
        return Some("Linux forgets a request at any SYN or RST in its window");
    }
    None
}

fn in_syn_crossed(stimulus: &Stimulus, ours: &Outcome, theirs: &Outcome) -> Option<&'static str> {
    if ours.sent == "SYN+ACK seq=ISS ack=RCV.NXT" && theirs.sent.starts_with("ACK seq=SND.NXT") {
        return Some("cygnet repeats its SYN until it is acknowledged: the peer may not have it");
    }
    if stimulus.ack == Some(Ack::Same) {
        return Some("Linux takes an acknowledgment that does not cover its SYN");
    }
    if ours.delivered == "Refused" && theirs.delivered == "Reset" {
        return Some("Linux calls it what it calls any reset");
    }
    ends_at_the_window(stimulus)
}

fn in_synchronized(
    station: Station,
    stimulus: &Stimulus,
    ours: &Outcome,
    theirs: &Outcome,
) -> Option<&'static str> {
    let has = |flag| stimulus.flags.contains(flag);
    let same_state = ours.next == theirs.next;
    let peer_is_done = matches!(
        station,
        Station::CloseWait | Station::Closing | Station::LastAck
    );
    if peer_is_done && has(TcpFlags::RST) && stimulus.seq == Seq::Old && theirs.next == "CLOSED" {
        return Some("Linux believes a reset that does not count the FIN: some hosts send such");
    }
    if ours.delivered == "Reset" && theirs.delivered == "Closed" {
        return Some("Linux says EPIPE to who writes: the peer had closed before");
    }
    if peer_is_done && stimulus.seq != Seq::Old && same_state && theirs.sent == "-" {
        return Some("Linux has no answer for what comes after the end");
    }
    if stimulus.ack == Some(Ack::Old) && theirs.sent == "ACK seq=SND.NXT ack=RCV.NXT" {
        return Some("Linux does not believe in acknowledgments of less than the first byte");
    }
    if station == Station::Established && stimulus.ack == Some(Ack::Ancient) {
        return Some("Linux's fast path does not look at old acknowledgments");
    }
    ends_at_the_window(stimulus)
}

fn ends_at_the_window(stimulus: &Stimulus) -> Option<&'static str> {
    let ends = stimulus.seq == Seq::Old && stimulus.len() > 0;
    ends.then_some(
        "Linux takes what ends right at the window to be in it, and its acknowledgment counts",
    )
}
