//! What a connection does with a segment, in every state: RFC 9293, section 3.10.7, as a table.
//!
//! For each of the eleven states (two of them reached in two ways) and each combination of SYN, ACK, FIN
//! and RST, with and without text, with sequence and acknowledgment numbers of every kind, a peer made of
//! raw frames brings a connection into the state, sends the one segment, and looks: what is sent, what is
//! delivered, what is dropped and under which counter, and which state comes next.
//!
//! ```text
//!   states.rs    the states, and how to get there
//!   stimuli.rs   the segments
//!   outcome.rs   what happened
//!   table.rs     all outcomes of one state, those that are the same on one line: states/*.snap
//!   linux.rs     the same segments to the Linux kernel; every difference has a reason
//! ```
//!
//! `INSTA_UPDATE=always cargo test -p cygnet-tests --test transitions` writes the tables anew. A table is
//! worth what its review is worth: hold each changed line against the RFC.

#[cfg(target_os = "linux")]
mod linux;
mod outcome;
mod states;
mod stimuli;
mod table;

use cygnet_tests::script::on_cygnet;
use states::Station;

/// One test for each state.
macro_rules! tables {
    ($($name:ident: $station:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                let mut table = String::new();
                on_cygnet(|script| table = table::of(script, Station::$station));
                let settings = table::settings();
                settings.bind(|| insta::assert_snapshot!(stringify!($name), table));
            }
        )+
    };
}

tables! {
    closed: Closed,
    listen: Listen,
    syn_sent: SynSent,
    syn_received_passive: SynReceived,
    syn_received_active: SynCrossed,
    established: Established,
    fin_wait_1: FinWait1,
    fin_wait_2: FinWait2,
    fin_wait_2_closed: FinWait2Closed,
    close_wait: CloseWait,
    closing: Closing,
    last_ack: LastAck,
    time_wait: TimeWait,
}
