//! The connection's side of TCP Fast Open (RFC 7413): data on the SYN, sent and taken.

use super::due::Special;
use super::marks::Mark;
use super::timers::Timer;
use super::{Connection, Opening};
use crate::tcp::State;
use crate::tcp::handshake::HalfOpen;
use crate::time::Instant;
use crate::wire::{SeqNum, TcpOptions};

// The client's connection.
impl Connection<'_> {
    /// After [`Self::connect`], before the SYN is sent: what was written goes with it, to a peer of that MSS.
    pub(crate) fn send_with_syn(&mut self, mss: u16) {
        self.due.set(Special::Probe);
        self.mss = mss.min(self.mss);
    }

    /// Whether a SYN was sent more than once.
    pub(crate) fn repeated_syn(&self) -> bool {
        self.retries > 0
    }

    /// RFC 7413, section 4.2.1: what the peer did not take of the data that went with the SYN, if any did, goes again at
    /// once, and says nothing about the network.
    pub(super) fn repeat_syn_data(&mut self) {
        self.snd.board().lose_first(u32::from(self.mss));
    }

    /// How much data goes with the SYN: what the peer took last time, less the options, of which the cookie
    /// is put in later.
    pub(super) fn syn_data_len(&self, start: SeqNum, options: &TcpOptions) -> u32 {
        let room = usize::from(self.mss).saturating_sub(options.len() + MAX_OPTION_LEN);
        self.snd.bytes_from(start).min(room as u32)
    }
}

// The server's connection.
impl Connection<'_> {
    /// As [`Self::accept`], of a SYN with a good cookie: what came with it is taken at once. The answer to
    /// the SYN comes next, through [`Self::poll_segment`].
    pub(crate) fn accept_fast<K: Copy>(
        &mut self,
        now: Instant,
        half_open: &HalfOpen<K>,
        opening: &Opening,
        text: &[u8],
    ) {
        self.accept(now, half_open, opening);
        // Nobody has answered the SYN yet.
        self.snd.nxt = self.snd.una;
        self.snd.probed = false;
        self.timers.stop(Timer::Retransmit);
        if !text.is_empty() {
            self.rcv.store(half_open.irs + 1, text);
        }
        self.marks.put(Mark::Early, true);
        self.due.set(Special::Syn);
    }

    /// Whether data may go out before the handshake is complete.
    pub(super) fn answers_early(&self) -> bool {
        self.state == State::SynReceived && self.marks.has(Mark::Early)
    }
}

/// The longest Fast Open option.
const MAX_OPTION_LEN: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::CongestionControl;
    use crate::tcp::connection::lab::Lab;

    /// RFC 7413, section 4.1.3.2: what goes with a SYN fits a segment, with all options.
    #[test]
    fn rfc7413_4_1_3_2_data_with_a_syn_leaves_room_for_options() {
        let mut lab = Lab::requesting(CongestionControl::NewReno);
        let options = TcpOptions {
            mss: Some(1_460),
            ..TcpOptions::default()
        };
        assert_eq!(options.len(), 4);
        let start = lab.connection.snd.una + 1;
        for (written, goes) in [(0, 0), (1_435, 1_435), (5_000, 1_436)] {
            lab.connection.snd.ring.clear();
            lab.write(written);
            assert_eq!(lab.connection.syn_data_len(start, &options), goes);
        }
    }
}
