//! From a story to its tests, and beginnings that many stories have in common.

use cygnet_tests::script::{Peer, Script, SocketId, SocketOptions, ack, syn, syn_ack};

/// Makes the tests of stories: `both` on cygnet and on Linux, `cygnet` with the reason why not on
/// Linux.
macro_rules! stories {
    ($(both: $($both:ident),+ $(,)?;)? $($reason:literal: $($one:ident),+ $(,)?;)*) => {
        $($(
            mod $both {
                #[test]
                fn cygnet() {
                    cygnet_tests::script::on_cygnet(super::$both);
                }

                #[cfg(target_os = "linux")]
                #[test]
                fn linux() {
                    cygnet_tests::script::on_linux(super::$both);
                }
            }
        )+)?
        $($(
            #[doc = $reason]
            mod $one {
                #[test]
                fn cygnet() {
                    cygnet_tests::script::on_cygnet(super::$one);
                }
            }
        )+)*
    };
}

/// The target's port in most stories.
pub(crate) const PORT: u16 = 80;
/// The peer's.
pub(crate) const PEER_PORT: u16 = 40_000;

/// A peer connects; the options are those of a plain stack: an MSS of 1000 and nothing else.
pub(crate) fn established(script: &Script) -> (Peer<'_>, SocketId) {
    established_with(script, &SocketOptions::default())
}

/// As [`established`], with the target's socket as said.
pub(crate) fn established_with<'s>(
    script: &'s Script,
    options: &SocketOptions,
) -> (Peer<'s>, SocketId) {
    let listener = script.listen_with(PORT, options);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    peer.send(ack(1));
    (peer, script.accept(listener))
}

/// A peer that takes selective acknowledgments connects.
pub(crate) fn established_sack(script: &Script) -> (Peer<'_>, SocketId) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS).sack_ok());
    peer.expect(syn_ack().sack_ok());
    peer.send(ack(1));
    (peer, script.accept(listener))
}

/// A peer with timestamps connects.
pub(crate) fn established_timestamps(script: &Script) -> (Peer<'_>, SocketId) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    let clock = peer.clock();
    peer.send(syn().mss(MSS).ts(clock, 0));
    peer.expect(syn_ack().ts(0, clock));
    peer.send(ack(1));
    (peer, script.accept(listener))
}

/// The peer's maximum segment size.
pub(crate) const MSS: u16 = 1_000;
