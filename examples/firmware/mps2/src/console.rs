//! The first UART, and a logger on it.

use core::fmt;
use core::ptr;

use log::{LevelFilter, Log, Metadata, Record};

/// Starts the UART and makes it the place of the log.
pub fn init() {
    write_register(BAUDDIV, 16);
    write_register(CTRL, 1);
    static LOGGER: Console = Console;
    if log::STATIC_MAX_LEVEL != LevelFilter::Off && log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

/// Prints text as it is.
pub fn print(text: &str) {
    for byte in text.bytes() {
        write_register(DATA, u32::from(byte));
    }
}

/// Prints a name and numbers on a line, without the formatting machinery of `core::fmt`.
pub fn print_numbers(name: &str, numbers: &[u64]) {
    print(name);
    for &number in numbers {
        print(" ");
        print_number(number);
    }
    print("\n");
}

fn print_number(number: u64) {
    let mut digits = [0; 20];
    let mut rest = number;
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    for &digit in &digits[first..] {
        write_register(DATA, u32::from(digit));
    }
}

/// The console as a place to format to, and as a logger.
pub(crate) struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        print(text);
        Ok(())
    }
}

impl Log for Console {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        use fmt::Write;
        let _ = writeln!(Console, "{:5} {}", record.level(), record.args());
    }

    fn flush(&self) {}
}

fn write_register(offset: usize, value: u32) {
    let register: *mut u32 = ptr::with_exposed_provenance_mut(UART0 + offset);
    // SAFETY: a register of the board's UART; QEMU takes bytes as fast as they come.
    unsafe { register.write_volatile(value) }
}

const UART0: usize = 0x4000_4000;
const DATA: usize = 0x0;
const CTRL: usize = 0x8;
const BAUDDIV: usize = 0x10;
