//! What transfers cost a firmware, in its own instructions.
//!
//! QEMU's clock counts instructions here, and the firmware's meter leaves out the time that it sleeps. What
//! the peer does in between has no influence but by what it sends.

use std::path::Path;

use crate::emulator::{Emulator, Time};
use crate::{Error, block_on, peer};

/// Prints lines `rx BYTES INSTRUCTIONS STACK` and `tx ...` for transfers of a mebibyte.
pub(crate) fn run(firmware: &Path) -> Result<(), Error> {
    block_on(async {
        let (mut board, wire) = Emulator::boot(firmware, Time::Instructions).await?;
        let peer = peer::start(wire);
        board.line("ready").await?;
        // The first transfer resolves addresses and warms up; the second is measured.
        for _ in 0..2 {
            peer::discard(peer, SIZE).await?;
        }
        print("rx", &board.line_number("discard ", 1).await?)?;
        for _ in 0..2 {
            peer::chargen(peer, SIZE).await?;
        }
        print("tx", &board.line_number("chargen ", 1).await?)
    })?
}

/// Prints a line `loopback BYTES INSTRUCTIONS STACK`.
pub(crate) fn run_loopback(firmware: &Path) -> Result<(), Error> {
    block_on(async {
        let mut board = Emulator::boot_alone(firmware, Time::Instructions)?;
        print("loopback", &board.line("loopback ").await?)
    })?
}

/// The firmware's own line is its name, bytes, cycles of its timer, and the deepest stack.
fn print(name: &str, line: &str) -> Result<(), Error> {
    let numbers: Vec<u64> = line
        .split(' ')
        .skip(1)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let [bytes, cycles, stack] = numbers[..] else {
        return Err(format!("an unexpected line: {line}").into());
    };
    // A cycle takes 40 ns and an instruction 32.
    println!("{name} {bytes} {} {stack}", cycles * 5 / 4);
    Ok(())
}

const SIZE: usize = 1 << 20;
