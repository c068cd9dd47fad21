//! Explicit congestion notification (RFC 3168, section 6.1): routers mark packets instead of dropping them.
//!
//! ```text
//!   data, ECT(0) ───▶ router marks: CE ───▶ receiver: ECE on every segment back ...
//!   sender: halves its window once, CWR on the next new data ───▶ ... until this
//! ```
//!
//! ECT stands on new data only, never on acknowledgments, retransmissions or window probes (sections 6.1.4
//! to 6.1.6): a packet that is not ECN-capable is dropped where the others are marked, and its loss is what
//! tells.

use zerocopy::little_endian::U32;

use super::Connection;
use crate::tcp::State;
use crate::wire::{SeqNum, TcpFlags, TcpHeader};

/// Where a connection stands with congestion notification.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ecn {
    /// A reduction is for a whole window: marks on what was sent before this number call for no other.
    /// Not aligned, so that all of this fits between others.
    reduced: U32,
    bits: u8,
}

/// Both sides agreed on it. While a SYN is out: we offered it.
const CAPABLE: u8 = 1;
/// A mark arrived, and the peer has not said that it reacted.
const ECHO: u8 = 2;
/// The window was reduced, and the peer has not been told.
const REDUCED: u8 = 4;
/// `reduced` is of meaning.
const REDUCED_ONCE: u8 = 8;

impl Ecn {
    pub(super) const OFF: Self = Self {
        reduced: U32::new(0),
        bits: 0,
    };

    pub(super) fn new(capable: bool) -> Self {
        Self {
            bits: if capable { CAPABLE } else { 0 },
            ..Self::OFF
        }
    }

    pub(super) fn is_capable(&self) -> bool {
        self.has(CAPABLE)
    }

    fn has(&self, bit: u8) -> bool {
        self.bits & bit != 0
    }

    /// The control bits of a SYN. A repeated one asks for nothing: some networks drop those that do (section
    /// 6.1.1.1). An answer to the first counts all the same.
    pub(super) fn on_syn(&self, answers: bool, repeated: bool) -> TcpFlags {
        match (self.is_capable(), answers) {
            (false, _) => TcpFlags::NONE,
            (true, true) => TcpFlags::ECE,
            (true, false) if repeated => TcpFlags::NONE,
            (true, false) => TcpFlags::ECE | TcpFlags::CWR,
        }
    }

    /// The peer's SYN, or its answer to ours. "If the host [...] receives a SYN-ACK packet with" ECE and
    /// CWR both set, the peer mirrors what it does not understand (section 6.1.1).
    pub(super) fn negotiate(&mut self, header: &TcpHeader) {
        let wanted = if header.flags.contains(TcpFlags::ACK) {
            TcpFlags::ECE
        } else {
            TcpFlags::ECE | TcpFlags::CWR
        };
        let both = TcpFlags::ECE | TcpFlags::CWR;
        let said = header.flags.without(header.flags.without(both));
        if said != wanted {
            self.bits = 0;
        }
    }

    /// The control bits of a segment that acknowledges.
    #[inline]
    pub(super) fn on_header(&self) -> TcpFlags {
        if self.has(ECHO) {
            TcpFlags::ECE
        } else {
            TcpFlags::NONE
        }
    }

    /// New data is sent: what goes with it. True, with ECT.
    #[inline]
    pub(super) fn on_new_data(&mut self, flags: &mut TcpFlags) -> bool {
        if self.has(REDUCED) {
            self.bits &= !REDUCED;
            *flags = *flags | TcpFlags::CWR;
        }
        self.is_capable()
    }

    /// The window was reduced for a loss: marks in the same window call for nothing more, and the peer is
    /// told as of any reduction.
    #[inline]
    pub(super) fn on_reduced(&mut self, max: SeqNum) {
        if self.is_capable() {
            self.bits |= REDUCED | REDUCED_ONCE;
            self.reduced = max.get().into();
        }
    }
}

impl Connection<'_> {
    /// A segment with text arrived, within the window. `marked`: a router reports congestion.
    #[inline]
    pub(super) fn on_congestion_mark(&mut self, flags: TcpFlags, marked: bool) {
        if !self.ecn.is_capable() {
            return;
        }
        if flags.contains(TcpFlags::CWR) {
            self.ecn.bits &= !ECHO;
        }
        if marked {
            // At once, so that the sender hears within a round trip.
            self.due.ack |= !self.ecn.has(ECHO);
            self.ecn.bits |= ECHO;
        }
    }

    /// An acceptable acknowledgment arrived. "TCP should not react to congestion indications more than once
    /// every window of data" (section 6.1.2).
    #[inline]
    pub(super) fn on_congestion_echo(&mut self, header: &TcpHeader) {
        if !header.flags.contains(TcpFlags::ECE)
            || header.flags.contains(TcpFlags::SYN)
            || !self.ecn.is_capable()
            || matches!(self.state, State::SynSent | State::SynReceived)
        {
            return;
        }
        let reacted =
            self.ecn.has(REDUCED_ONCE) && !header.ack.after(SeqNum::new(self.ecn.reduced.get()));
        let flight = self.snd.flight();
        if reacted || flight == 0 {
            return;
        }
        self.congestion.on_ecn(flight);
        self.ecn.on_reduced(self.snd.max());
    }
}

#[cfg(test)]
mod tests;
