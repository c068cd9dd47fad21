//! Frames from the chip.

use crate::MAX_FRAME_LEN;
use crate::buffers::{FrameBuffer, words_of};
use crate::bus::Bus;
use crate::counters::Counters;
use crate::registers::{
    RX_DATA_FIFO_PORT, RX_FIFO_INF, RX_STATUS_FIFO_PEEK, RX_STATUS_FIFO_PORT, rx_status,
};
use crate::shared::Shared;

/// The receiving half of a driver.
pub(crate) struct Receiver<'d, B> {
    shared: &'d Shared<B>,
    buffer: &'d mut FrameBuffer,
    received: u32,
    crc_errors: u32,
    errors: u32,
}

impl<'d, B: Bus> Receiver<'d, B> {
    pub(crate) fn new(shared: &'d Shared<B>, buffer: &'d mut FrameBuffer) -> Self {
        Self {
            shared,
            buffer,
            received: 0,
            crc_errors: 0,
            errors: 0,
        }
    }

    /// The length of the next good frame, which stays in the chip. Bad ones before it are dropped.
    pub(crate) fn next(&mut self) -> Option<usize> {
        let bus = &self.shared.bus;
        while bus.read(RX_FIFO_INF) & RX_STATUSES_USED != 0 {
            let status = bus.read(RX_STATUS_FIFO_PEEK);
            let len = frame_len(status);
            if status & rx_status::ERROR == 0 && len <= MAX_FRAME_LEN {
                return Some(len);
            }
            if status & rx_status::CRC_ERROR != 0 {
                self.crc_errors = self.crc_errors.wrapping_add(1);
            } else {
                self.errors = self.errors.wrapping_add(1);
            }
            bus.read(RX_STATUS_FIFO_PORT);
            discard(bus, words_of(len_in_fifo(status)));
        }
        None
    }

    /// A promise of the frame that [`Self::next`] has found.
    pub(crate) fn token(&mut self, len: usize) -> RxToken<'_, B> {
        RxToken {
            bus: &self.shared.bus,
            buffer: self.buffer,
            received: &mut self.received,
            len,
        }
    }

    pub(crate) fn count(&self, counters: &mut Counters) {
        counters.received = self.received;
        counters.receive_crc_errors = self.crc_errors;
        counters.receive_errors = self.errors;
    }
}

/// A received frame. Dropped unused, it stays in the chip and comes again.
#[derive(Debug)]
pub struct RxToken<'a, B> {
    bus: &'a B,
    buffer: &'a mut FrameBuffer,
    received: &'a mut u32,
    len: usize,
}

impl<B: Bus> RxToken<'_, B> {
    /// Takes the frame out of the chip and hands it to `f`.
    pub fn read<R>(self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let Self {
            bus, buffer, len, ..
        } = self;
        bus.read(RX_STATUS_FIFO_PORT);
        bus.read_fifo(RX_DATA_FIFO_PORT, buffer.words(len));
        discard(bus, trailing_words(len));
        *self.received = self.received.wrapping_add(1);
        f(buffer.frame(len))
    }
}

/// The length of a frame without its check sequence.
fn frame_len(status: u32) -> usize {
    len_in_fifo(status).saturating_sub(CHECK_SEQUENCE_LEN)
}

/// The same with its check sequence, of which there need not be all.
fn len_in_fifo(status: u32) -> usize {
    ((status >> rx_status::LEN_SHIFT) & rx_status::LEN_MASK) as usize
}

/// The words that only the check sequence reaches into.
const fn trailing_words(len: usize) -> usize {
    words_of(len + CHECK_SEQUENCE_LEN) - words_of(len)
}

/// Throws words away, one by one: the chip's own fast-forward must not be used for short frames, and then
/// has to be waited for.
fn discard<B: Bus>(bus: &B, words: usize) {
    for _ in 0..words {
        bus.read(RX_DATA_FIFO_PORT);
    }
}

const CHECK_SEQUENCE_LEN: usize = 4;
/// The number of frames that wait, in `RX_FIFO_INF`.
const RX_STATUSES_USED: u32 = 0x00FF_0000;
