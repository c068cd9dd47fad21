//! Interrupts by their numbers on this board.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use cortex_m_rt::exception;

use crate::{ETHERNET as CONTROLLER, TIMERS};

/// The number of an interrupt line.
#[derive(Clone, Copy)]
pub(crate) struct Line(u16);

pub(crate) const CLOCK: Line = Line(8);
pub(crate) const ALARM: Line = Line(9);
pub(crate) const ETHERNET: Line = Line(13);

// SAFETY: `Line`s are made here alone, from the board's numbers.
unsafe impl InterruptNumber for Line {
    fn number(self) -> u16 {
        self.0
    }
}

/// Lets a line interrupt. What it said before is forgotten: the controllers' reset state asserts some.
pub(crate) fn enable(line: Line) {
    NVIC::unpend(line);
    // SAFETY: nobody masks lines for a critical section.
    unsafe { NVIC::unmask(line) };
}

/// All lines lead here, since no vector table of a device is linked.
///
/// SAFETY: it may interrupt anything, and only calls what may be called from interrupts.
#[exception]
unsafe fn DefaultHandler(number: i16) {
    match u16::try_from(number) {
        Ok(number) if number == CLOCK.0 => TIMERS.on_clock(),
        Ok(number) if number == ALARM.0 => TIMERS.on_alarm(),
        Ok(number) if number == ETHERNET.0 => CONTROLLER.on_interrupt(),
        _ => panic!("an interrupt that nobody asked for"),
    }
}
