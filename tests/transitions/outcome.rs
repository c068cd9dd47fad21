//! What a segment did.

use core::time::Duration;

use cygnet::wire::TcpFlags;
use cygnet::{Discard, TcpState};
use cygnet_tests::script::{Heard, Script, ack, rst};

use crate::states::{Scene, Station};
use crate::stimuli::{Stimulus, name};

/// Everything that can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The segments that the target sent in answer.
    pub(crate) sent: String,
    /// What its application was given.
    pub(crate) delivered: String,
    /// Why it went no further; not known of the kernel.
    pub(crate) dropped: String,
    /// The state it is in now.
    pub(crate) next: String,
}

/// Brings a connection to its station, sends the segment, and looks. `number` keeps it apart from others.
pub(crate) fn observe(
    script: &Script,
    station: Station,
    stimulus: Stimulus,
    number: u16,
) -> Outcome {
    let mut scene = station.enter(script, number);
    let before = counters(script);
    scene.peer.send(stimulus.segment(&scene));
    let (sent, told) = answers(script, &scene, stimulus);
    let dropped = since(script, &before);
    let delivered = delivered(script, station, &mut scene);
    let next = next_state(script, station, &scene, stimulus, &sent);
    clean_up(script, &scene, told);
    Outcome {
        sent,
        delivered,
        dropped,
        next,
    }
}

/// What is sent, and the last number that is acknowledged by it.
fn answers(script: &Script, scene: &Scene<'_>, stimulus: Stimulus) -> (String, Option<u32>) {
    // Longer than an acknowledgment is delayed on cygnet, shorter than a retransmission timeout. The
    // kernel acknowledges the first segments of a connection at once.
    let patience = Duration::from_millis(if script.is_linux() { 10 } else { 100 });
    let deadline = script.now() + patience;
    let (mut answers, mut told) = (Vec::new(), None);
    while let Some(heard) = scene
        .peer
        .next_of_own(deadline.saturating_sub(script.now()))
    {
        answers.push(describe(&heard, scene, stimulus));
        if heard.flags.contains(TcpFlags::ACK) {
            told = Some(heard.ack);
        }
    }
    (list(answers), told)
}

/// A segment in terms of the numbers that the RFC would have in it. Where one number is the same as
/// another, it is named after the one it is taken from.
fn describe(heard: &Heard, scene: &Scene<'_>, stimulus: Stimulus) -> String {
    let resets = heard.flags.contains(TcpFlags::RST);
    let opens = heard.flags.contains(TcpFlags::SYN);
    let seq = if resets && stimulus.acked(scene) == Some(heard.seq) {
        "SEG.ACK".to_string()
    } else if resets && heard.absolute_seq == 0 {
        "0".to_string()
    } else if opens && heard.seq == 0 {
        "ISS".to_string()
    } else if heard.seq == scene.snd_nxt {
        "SND.NXT".to_string()
    } else {
        heard.seq.to_string()
    };
    let flags = name(heard.flags);
    let text = match heard.text.len() {
        0 => String::new(),
        len => format!(" text {len}"),
    };
    if !heard.flags.contains(TcpFlags::ACK) {
        return format!("{flags} seq={seq}{text}");
    }
    let start = stimulus.number(scene);
    // Nothing is expected before there is a connection.
    let expects = scene.rcv_nxt > 0 && !resets;
    let ack = if expects && heard.ack == scene.rcv_nxt {
        "RCV.NXT".to_string()
    } else if heard.ack == start.wrapping_add(stimulus.len()) {
        "SEG.SEQ+SEG.LEN".to_string()
    } else if opens && heard.ack == start.wrapping_add(1) {
        "SEG.SEQ+1".to_string()
    } else {
        heard.ack.to_string()
    };
    format!("{flags} seq={seq} ack={ack}{text}")
}

/// What the application sees: a connection, text, the end, an error.
fn delivered(script: &Script, station: Station, scene: &mut Scene<'_>) -> String {
    let mut seen = Vec::new();
    if let Some(listener) = scene.listener {
        scene.socket = script.try_accept(listener);
        if scene.socket.is_some() {
            seen.push("a connection".to_string());
        }
    }
    let Some(socket) = scene.socket else {
        return list(seen);
    };
    if matches!(station, Station::SynSent | Station::SynCrossed) {
        if script.is_connecting(socket) {
            return list(seen);
        }
        match script.connected(socket) {
            Ok(()) => seen.push("connected".to_string()),
            Err(failure) => return failure.to_string(),
        }
    }
    // The application has seen the end of the stream before.
    let ended = matches!(
        station,
        Station::CloseWait | Station::Closing | Station::LastAck
    );
    for _ in 0..3 {
        match script.try_read(socket, 100) {
            None => break,
            Some(Ok(0)) => {
                if !ended {
                    seen.push("the end".to_string());
                }
                // Nothing more to read; whoever writes hears of a reset.
                let over = script.state(&scene.peer, Some(socket)) != Some(TcpState::CloseWait);
                if station == Station::CloseWait && over {
                    let failure = script.write_some(socket, 101, 1).expect_err("it is over");
                    seen.push(failure.to_string());
                }
                break;
            }
            Some(Ok(len)) => seen.push(format!("{len} bytes")),
            Some(Err(failure)) => {
                seen.push(failure.to_string());
                break;
            }
        }
    }
    list(seen)
}

/// A socket knows its state; of what has none, the answer to a segment from far outside the window
/// tells.
fn next_state(
    script: &Script,
    station: Station,
    scene: &Scene<'_>,
    stimulus: Stimulus,
    sent: &str,
) -> String {
    if station == Station::TimeWait && sent.contains("SYN+ACK") {
        return "SYN-RECEIVED".into();
    }
    if let Some(state) = script.state(&scene.peer, scene.socket)
        && (script.is_linux() || !matches!(state, TcpState::Closed | TcpState::TimeWait))
    {
        return state_name(state).into();
    }
    let nothing = if scene.listener.is_some() && scene.socket.is_none() {
        "LISTEN"
    } else {
        "CLOSED"
    };
    if script.is_linux() {
        return nothing.into();
    }
    let connecting = scene
        .socket
        .is_some_and(|socket| script.is_connecting(socket));
    // Acknowledgments of what is not acceptable are limited in rate.
    script.ignore(Duration::from_millis(600));
    let far = scene.rcv_nxt + 2_000_000;
    scene.peer.send(ack(scene.snd_nxt + 5_000).seq(far));
    let answer = scene.peer.next_of_own(Duration::ZERO);
    let known = answer
        .as_ref()
        .is_some_and(|heard| !heard.flags.contains(TcpFlags::RST));
    let fin = scene.rcv_nxt + stimulus.len();
    let ended = stimulus.flags.contains(TcpFlags::FIN)
        && answer.as_ref().is_some_and(|heard| heard.ack == fin);
    let record = match station {
        // Before the peer's FIN there is nothing to be acknowledged again.
        Station::FinWait2Closed if ended => "TIME-WAIT",
        Station::FinWait2Closed => "FIN-WAIT-2",
        Station::Listen | Station::SynReceived | Station::SynSent | Station::SynCrossed => {
            "SYN-RECEIVED"
        }
        _ => "TIME-WAIT",
    };
    match (known, connecting) {
        (true, _) => record.into(),
        (false, true) => "SYN-SENT".into(),
        (false, false) => nothing.into(),
    }
}

/// Lets go of everything, so that the next connection finds room.
fn clean_up(script: &Script, scene: &Scene<'_>, told: Option<u32>) {
    scene.peer.send(rst(told.unwrap_or(scene.rcv_nxt)));
    if let Some(socket) = scene.socket {
        // The kernel would send the rest of an orphan's text.
        match script.is_linux() {
            true => script.abort(socket),
            false => script.close(socket),
        }
    }
    if let Some(listener) = scene.listener {
        script.unlisten(listener);
    }
    script.ignore(Duration::ZERO);
}

fn list(items: Vec<String>) -> String {
    if items.is_empty() {
        return "-".into();
    }
    items.join(", ")
}

fn counters(script: &Script) -> Vec<u32> {
    REASONS
        .iter()
        .map(|reason| script.discarded(*reason).unwrap_or(0))
        .collect()
}

fn since(script: &Script, before: &[u32]) -> String {
    let now = counters(script);
    let counted = REASONS.iter().zip(now).zip(before);
    list(
        counted
            .filter(|((_, now), before)| now > before)
            .map(|((reason, _), _)| format!("{reason:?}"))
            .collect(),
    )
}

fn state_name(state: TcpState) -> &'static str {
    match state {
        TcpState::Closed => "CLOSED",
        TcpState::Listen => "LISTEN",
        TcpState::SynSent => "SYN-SENT",
        TcpState::SynReceived => "SYN-RECEIVED",
        TcpState::Established => "ESTABLISHED",
        TcpState::FinWait1 => "FIN-WAIT-1",
        TcpState::FinWait2 => "FIN-WAIT-2",
        TcpState::CloseWait => "CLOSE-WAIT",
        TcpState::Closing => "CLOSING",
        TcpState::LastAck => "LAST-ACK",
        TcpState::TimeWait => "TIME-WAIT",
    }
}

/// Those that TCP has a use for.
const REASONS: [Discard; 18] = [
    Discard::Malformed,
    Discard::NotOurAddress,
    Discard::NoSocket,
    Discard::OutOfWindow,
    Discard::DuplicateSegment,
    Discard::OldTimestamp,
    Discard::MissingTimestamp,
    Discard::InexactReset,
    Discard::UnexpectedSyn,
    Discard::BadAck,
    Discard::MissingAck,
    Discard::NoRoomForData,
    Discard::DataAfterFin,
    Discard::DataAfterClose,
    Discard::BacklogFull,
    Discard::HalfOpenTableFull,
    Discard::NoConnectionSlot,
    Discard::NoRoomToReply,
];
