//! What a program costs: the cycles that it was busy, and the deepest stack.
//!
//! With `-icount shift=5` QEMU's time is 32 ns for each instruction, and a cycle of the timers is 40 ns.

use core::cell::Cell;

use critical_section::Mutex;

use crate::TIMERS;

/// The cycles of the timers that the processor was not asleep, since the start.
pub fn busy_cycles() -> u64 {
    critical_section::with(|cs| TIMERS.cycles() - ASLEEP.borrow(cs).get())
}

/// The instructions that so many cycles of the timers are, under `-icount shift=5`.
pub fn instructions(cycles: u64) -> u64 {
    cycles * 5 / 4
}

/// The bytes of the stack that were ever in use.
pub fn stack_depth() -> usize {
    unsafe extern "C" {
        static _stack_start: u8;
        static _stack_end: u8;
    }
    let top = &raw const _stack_start;
    let mut word: *const u32 = (&raw const _stack_end).cast();
    // SAFETY: from the stack's end to its start there is memory, painted at startup; what is in use by now is
    // read as it happens to be, and ends the loop.
    while word.cast() < top && unsafe { word.read_volatile() } == cortex_m_rt_paint() {
        word = word.wrapping_add(1);
    }
    (top as usize).saturating_sub(word as usize)
}

/// Sleeps until an interrupt is pending, and leaves that time out.
pub(crate) fn sleep() {
    let from = TIMERS.cycles();
    cortex_m::asm::wfi();
    let slept = TIMERS.cycles() - from;
    critical_section::with(|cs| {
        let asleep = ASLEEP.borrow(cs);
        asleep.set(asleep.get() + slept);
    });
}

/// What cortex-m-rt paints the stack with.
const fn cortex_m_rt_paint() -> u32 {
    0xCCCC_CCCC
}

static ASLEEP: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));
