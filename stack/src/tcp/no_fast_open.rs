//! A stack without Fast Open: no data before the handshake is complete.

use super::connection::Connection;
use crate::wire::{SeqNum, TcpOptions};

/// How a connection opens fast: not at all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum FastOpen {
    #[default]
    Off,
}

impl Connection<'_> {
    pub(super) fn syn_data_len(&self, _start: SeqNum, _options: &TcpOptions) -> u32 {
        0
    }
}
