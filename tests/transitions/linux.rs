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
    let mut theirs = Vec::new();
    on_linux(|script| theirs = observe_all(script, station, is_common));
    let mut unexplained = Vec::new();
    for ((stimulus, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        let same = ours.sent == theirs.sent
            && ours.delivered == theirs.delivered
            && ours.next == theirs.next;
        if !same && reason(station, stimulus, ours, theirs).is_none() {
            unexplained.push(format!(
                "{} text {:?} seq {} ack {:?}\n    cygnet {ours:?}\n    linux  {theirs:?}",
                name(stimulus.flags),
                stimulus.text,
                stimulus.seq,
                stimulus.ack,
            ));
        }
    }
    assert!(
        unexplained.is_empty(),
        "{}\n{} differences without a reason",
        unexplained.join("\n"),
        unexplained.len()
    );
}

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
    let _ = (
        station,
        stimulus,
        ours,
        theirs,
        Seq::Old,
        Ack::Old,
        Text::None,
    );
    None
}
