//! In place of `fast_open.rs`: a SYN brings no data.

use super::Connection;
use crate::wire::{SeqNum, TcpOptions};

impl Connection<'_> {
    pub(super) fn repeat_syn_data(&mut self) {}

    pub(super) fn syn_data_len(&self, _start: SeqNum, _options: &TcpOptions) -> u32 {
        0
    }

    pub(super) fn answers_early(&self) -> bool {
        false
    }
}
