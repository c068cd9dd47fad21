//! In place of `sack.rs`: what a peer reports of that kind is skipped, and nothing is reported.

use super::super::seq::SeqNum;

/// No ranges of sequence numbers that arrived beyond a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SackBlocks(());

impl SackBlocks {
    /// How many blocks there is room for.
    pub const CAPACITY: usize = 4;
    /// No block at all.
    pub const EMPTY: Self = Self(());

    /// Tells that there was no room.
    pub fn push(&mut self, _left: SeqNum, _right: SeqNum) -> bool {
        false
    }

    /// Nothing.
    pub fn iter(&self) -> impl Iterator<Item = (SeqNum, SeqNum)> + '_ {
        core::iter::empty()
    }

    /// How many blocks there are.
    pub const fn len(&self) -> usize {
        0
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        true
    }

    /// There is no option.
    pub(crate) const fn option_len(&self, _beside: usize) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::TcpOptions;

    #[test]
    fn there_is_no_room_for_a_report() {
        let mut blocks = SackBlocks::EMPTY;
        assert!(!blocks.push(SeqNum::new(1), SeqNum::new(2)));
        assert!(blocks.is_empty());
        assert_eq!((blocks.len(), blocks.iter().count()), (0, 0));
    }

    /// RFC 9293, section 3.1, MUST-6: "A TCP implementation MUST ignore without error any TCP Option it does not
    /// implement, assuming that the option has a length field."
    #[test]
    fn must_6_reports_are_options_like_any_that_is_not_known() {
        let permitted = [4, 2, 1, 1];
        assert_eq!(TcpOptions::parse(&permitted), Ok(TcpOptions::default()));
        let report = [1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2];
        assert_eq!(TcpOptions::parse(&report), Ok(TcpOptions::default()));
    }
}
