//! The send sequence space (RFC 9293, section 3.3.1) and the bytes in it.
//!
//! ```text
//!              una            nxt          max                 base + len
//!   -----------|--------------|------------|-------------------|-----
//!   forgotten  | sent         | probe      | written by the    | FIN,
//!              | not acked    |            | user, not sent    | if closed
//! ```
//!
//! `max`, one past the highest number ever sent, is beyond `nxt` only by the byte of a window probe that the peer has not
//! taken.

use super::recovery::{Board, Delivered, RecordTable, Scoreboard};
use crate::storage::{Bytes, Ring};
use crate::wire::{SackBlocks, SeqNum};

/// As of the connection, what is looked at most often comes first; bytes before numbers, for those reach less far.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Sender<'d> {
    /// The byte of a window probe is out, beyond `nxt`.
    pub(crate) probed: bool,
    /// The user is done: a FIN follows the last byte.
    pub(crate) closed: bool,
    /// How far the peer's window field is shifted.
    pub(crate) shift: u8,
    /// SND.UNA: the oldest number not acknowledged.
    pub(crate) una: SeqNum,
    /// SND.NXT: the next number to send.
    pub(crate) nxt: SeqNum,
    /// SND.WND: what the peer can take from `una` on, in bytes.
    pub(crate) wnd: u32,
    /// The largest window seen.
    pub(crate) max_wnd: u32,
    /// SND.WL1 and SND.WL2: the segment that `wnd` is from.
    wl1: SeqNum,
    wl2: SeqNum,
    /// The end of the last segment that was smaller than it could have been.
    pub(crate) small_end: SeqNum,
    /// The number of the first byte in `ring`.
    base: SeqNum,
    pub(crate) ring: Ring<'d, RecordTable>,
    /// The fate of what is in flight; its table lies behind the ring.
    pub(crate) scoreboard: Scoreboard,
}

/// What a window field says about a segment's place in the stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowUpdate {
    pub(crate) seq: SeqNum,
    pub(crate) ack: SeqNum,
    /// In bytes, scaled.
    pub(crate) window: u32,
}

impl<'d> Sender<'d> {
    pub(crate) fn new(buffer: Bytes<'d>) -> Self {
        let zero = SeqNum::new(0);
        Self {
            una: zero,
            nxt: zero,
            probed: false,
            wnd: 0,
            max_wnd: 0,
            wl1: zero,
            wl2: zero,
            shift: 0,
            small_end: zero,
            closed: false,
            base: zero,
            ring: Ring::new(buffer),
            scoreboard: Scoreboard::new(),
        }
    }

    /// Starts a connection with `iss` as the number of its SYN. Bytes written before stay.
    pub(crate) fn open(&mut self, iss: SeqNum) {
        self.una = iss;
        self.nxt = iss;
        self.probed = false;
        self.wnd = 0;
        self.max_wnd = 0;
        self.shift = 0;
        self.small_end = iss;
        self.closed = false;
        self.base = iss + 1;
        self.scoreboard.clear();
    }

    /// The scoreboard with its memory.
    pub(crate) fn board(&mut self) -> Board<'_> {
        self.scoreboard
            .with(self.ring.reserve_mut(), self.una, self.nxt)
    }

    /// One past the highest number ever sent.
    #[inline]
    pub(crate) fn max(&self) -> SeqNum {
        self.nxt + u32::from(self.probed)
    }

    /// Bytes and SYN or FIN that are sent and not acknowledged.
    pub(crate) fn flight(&self) -> u32 {
        self.nxt.distance_from(self.una)
    }

    /// Whether everything written is acknowledged, the FIN included if there is one.
    pub(crate) fn all_acked(&self) -> bool {
        self.una == self.max() && self.ring.is_empty() && (!self.closed || self.fin_acked())
    }

    /// One past the last byte written.
    pub(crate) fn data_end(&self) -> SeqNum {
        self.base + self.ring.len() as u32
    }

    /// Whether there are bytes, or a FIN, that were not sent yet.
    pub(crate) fn has_unsent(&self) -> bool {
        self.nxt.before(self.data_end() + u32::from(self.closed))
    }

    /// Bytes from `from` to the last one written.
    pub(crate) fn bytes_from(&self, from: SeqNum) -> u32 {
        let end = self.data_end();
        if from.before(end) {
            end.distance_from(from)
        } else {
            0
        }
    }

    /// Whether the FIN is acknowledged.
    pub(crate) fn fin_acked(&self) -> bool {
        self.closed && self.una == self.data_end() + 1
    }

    /// Whether `from` is where the FIN goes.
    pub(crate) fn fin_at(&self, from: SeqNum) -> bool {
        self.closed && from == self.data_end()
    }

    /// `len` bytes of payload from `from` on.
    pub(crate) fn payload(&self, from: SeqNum, len: usize) -> (&[u8], &[u8]) {
        let offset = if from.at_or_after(self.base) {
            from.distance_from(self.base) as usize
        } else {
            0
        };
        self.ring
            .slices(offset, len.min(self.ring.len().saturating_sub(offset)))
    }

    /// Takes note that everything up to `end` was sent.
    pub(crate) fn on_sent(&mut self, end: SeqNum) {
        self.nxt = end;
        self.probed = false;
    }

    /// Takes note that everything before `ack` arrived, and what is in `blocks`; `una <= ack <= max`.
    pub(crate) fn on_acked(&mut self, ack: SeqNum, blocks: &SackBlocks) -> Delivered {
        let max = self.max();
        let delivered = self.board().on_ack(ack, max, blocks);
        let data = ack.min(self.data_end());
        if data.after(self.base) {
            self.ring.consume(data.distance_from(self.base) as usize);
            self.ring.restart_if_empty();
            self.base = data;
        }
        self.una = ack;
        if ack.after(self.nxt) {
            self.nxt = ack;
            self.probed = false;
        }
        delivered
    }

    /// Takes the window from a segment, unless it is older than the one the window is from (RFC 9293,
    /// section 3.10.7.4). True if the peer can now take data beyond where it could before.
    pub(crate) fn update_window(&mut self, update: WindowUpdate) -> bool {
        let newer = self.wl1.before(update.seq)
            || self.wl1 == update.seq && self.wl2.at_or_before(update.ack);
        if !newer {
            return false;
        }
        let before = self.wl2 + self.wnd;
        self.set_window(update);
        (update.ack + update.window).after(before)
    }

    /// Takes the window from the segment that completes the handshake.
    pub(crate) fn set_window(&mut self, update: WindowUpdate) {
        self.wnd = update.window;
        self.max_wnd = self.max_wnd.max(update.window);
        self.wl1 = update.seq;
        self.wl2 = update.ack;
    }

    /// Whether a small segment is unacknowledged.
    pub(crate) fn has_small_in_flight(&self) -> bool {
        self.una.before(self.small_end)
    }

    /// Bytes that the peer's window takes beyond `nxt`.
    pub(crate) fn window_left(&self) -> u32 {
        self.wnd.saturating_sub(self.flight())
    }
}

#[cfg(test)]
mod tests {
    use std::boxed::Box;
    use std::vec;

    use super::*;

    fn seq(n: u32) -> SeqNum {
        SeqNum::new(n)
    }

    /// The SYN, number 0, is acknowledged; a window of 1,000 bytes came with number 50.
    fn sender() -> Sender<'static> {
        let memory = Box::leak(vec![0; 1_000].into_boxed_slice());
        let mut snd = Sender::new(Bytes::from(memory));
        snd.open(seq(0));
        snd.on_sent(seq(1));
        snd.on_acked(seq(1), &SackBlocks::default());
        snd.set_window(update(50, 1, 1_000));
        snd
    }

    fn update(seq: u32, ack: u32, window: u32) -> WindowUpdate {
        WindowUpdate {
            seq: SeqNum::new(seq),
            ack: SeqNum::new(ack),
            window,
        }
    }

    /// RFC 9293, section 3.10.7.4: "If (SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK))".
    #[test]
    fn rfc9293_3_10_7_4_an_old_segment_does_not_change_the_window() {
        for (seq, ack, taken) in [
            (51, 1, true),
            (51, 0, true),
            (50, 2, true),
            (50, 1, true),
            (50, 0, false),
            (49, 2, false),
        ] {
            let mut snd = sender();
            snd.update_window(update(seq, ack, 900));
            assert_eq!(snd.wnd == 900, taken, "{seq} {ack}");
        }
    }

    #[test]
    fn an_update_opens_the_window_if_its_edge_moves_right() {
        for (ack, window, opens) in [
            (1, 1_001, true),
            (1, 1_000, false),
            (501, 500, false),
            (501, 501, true),
        ] {
            let mut snd = sender();
            assert_eq!(
                snd.update_window(update(50, ack, window)),
                opens,
                "{ack} {window}"
            );
        }
        let mut snd = sender();
        snd.update_window(update(50, 1, 900));
        assert_eq!(
            (snd.wnd, snd.max_wnd),
            (900, 1_000),
            "the largest is remembered"
        );
    }

    #[test]
    fn everything_is_acknowledged_when_nothing_is_left_and_the_end_is_too() {
        let nothing = SackBlocks::default();
        let mut snd = sender();
        assert!(snd.all_acked());
        snd.ring.enqueue(&[7; 10]);
        assert!(!snd.all_acked(), "to be sent");
        snd.on_sent(seq(11));
        assert!(!snd.all_acked());
        snd.on_acked(seq(11), &nothing);
        assert!(snd.all_acked());
        snd.closed = true;
        assert!(!snd.all_acked(), "the FIN");
        assert!(snd.fin_at(seq(11)) && !snd.fin_at(seq(12)));
        snd.on_sent(seq(12));
        assert!(!snd.fin_acked());
        snd.on_acked(seq(12), &nothing);
        assert!(snd.all_acked() && snd.fin_acked());
        // A byte that a probe sent ahead of what is in flight.
        let mut snd = sender();
        snd.probed = true;
        assert!(!snd.all_acked());
    }
}
