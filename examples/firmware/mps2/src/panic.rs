//! The end of a program that went wrong: it says why, and the emulation fails.

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};

use crate::exit;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    #[cfg(not(feature = "silent"))]
    {
        use core::fmt::Write;
        let _ = writeln!(crate::console::Console, "{info}");
    }
    let _ = info;
    exit(false)
}

/// SAFETY: nothing is done with what was interrupted.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    crate::console::print_numbers("hard fault at", &[u64::from(frame.pc())]);
    exit(false)
}
