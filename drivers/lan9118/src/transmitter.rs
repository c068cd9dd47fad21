//! Frames to the chip.

use crate::MAX_FRAME_LEN;
use crate::buffers::{FrameBuffer, words_of};
use crate::bus::Bus;
use crate::counters::Counters;
use crate::registers::{
    TX_DATA_FIFO_PORT, TX_FIFO_INF, TX_STATUS_FIFO_PORT, tx_command, tx_status,
};
use crate::shared::Shared;

/// The sending half of a driver.
pub(crate) struct Transmitter<'d, B> {
    shared: &'d Shared<B>,
    buffer: &'d mut FrameBuffer,
    sent: u32,
    carrier_errors: u32,
    errors: u32,
}

impl<'d, B: Bus> Transmitter<'d, B> {
    pub(crate) fn new(shared: &'d Shared<B>, buffer: &'d mut FrameBuffer) -> Self {
        Self {
            shared,
            buffer,
            sent: 0,
            carrier_errors: 0,
            errors: 0,
        }
    }

    /// Whether the chip takes another frame of any length.
    pub(crate) fn has_room(&mut self) -> bool {
        let info = self.shared.bus.read(TX_FIFO_INF);
        // Statuses that nobody takes stop the chip.
        for _ in 0..(info >> 16) & 0xFF {
            self.on_status(self.shared.bus.read(TX_STATUS_FIFO_PORT));
        }
        (info & 0xFFFF) as usize >= ROOM
    }

    fn on_status(&mut self, status: u32) {
        if status & tx_status::ERROR == 0 {
            return;
        }
        if status & (tx_status::LOSS_OF_CARRIER | tx_status::NO_CARRIER) != 0 {
            self.carrier_errors = self.carrier_errors.wrapping_add(1);
        } else {
            self.errors = self.errors.wrapping_add(1);
        }
    }

    /// Room that [`Self::has_room`] has found.
    pub(crate) fn token(&mut self) -> TxToken<'_, B> {
        TxToken {
            bus: &self.shared.bus,
            buffer: self.buffer,
            sent: &mut self.sent,
        }
    }

    pub(crate) fn count(&self, counters: &mut Counters) {
        counters.sent = self.sent;
        counters.transmit_carrier_errors = self.carrier_errors;
        counters.transmit_errors = self.errors;
    }
}

/// Room for a frame. Dropped unused, it stays.
#[derive(Debug)]
pub struct TxToken<'a, B> {
    bus: &'a B,
    buffer: &'a mut FrameBuffer,
    sent: &'a mut u32,
}

impl<B: Bus> TxToken<'_, B> {
    /// Lets `f` write a frame of `len` bytes and gives it to the chip, which fills up short ones and adds
    /// the check sequence. More than [`MAX_FRAME_LEN`] bytes are cut off.
    pub fn write<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let len = len.min(MAX_FRAME_LEN);
        let result = f(self.buffer.frame(len));
        // Fits: at most 1,514.
        let field = len as u32;
        let command_a =
            tx_command::DATA_OFFSET | tx_command::FIRST_SEGMENT | tx_command::LAST_SEGMENT;
        self.bus.write(TX_DATA_FIFO_PORT, command_a | field);
        self.bus.write(TX_DATA_FIFO_PORT, field);
        self.bus
            .write_fifo(TX_DATA_FIFO_PORT, self.buffer.words(len));
        *self.sent = self.sent.wrapping_add(1);
        result
    }
}

/// What the longest frame takes in the chip, in bytes: two commands and the words.
pub(crate) const ROOM: usize = 8 + 4 * words_of(MAX_FRAME_LEN);
