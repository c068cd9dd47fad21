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

/// Prints a line `lock INSTRUCTIONS`: the longest that a firmware which times its lock has held it, in conversations
/// of all kinds.
pub(crate) fn run_lock(firmware: &Path) -> Result<(), Error> {
    block_on(async {
        let (mut board, wire) = Emulator::boot(firmware, Time::Instructions).await?;
        let peer = peer::start(wire);
        board.line("ready").await?;
        peer::ping(peer).await?;
        peer::datagrams(peer).await?;
        peer::echo(peer, SIZE).await?;
        peer::chargen(peer, SIZE).await?;
        // Last, since it ends with the line.
        peer::discard(peer, SIZE).await?;
        let line = board.line("lock ").await?;
        let [cycles] = numbers(&line)?[..] else {
            return Err(format!("an unexpected line: {line}").into());
        };
        println!("lock {}", instructions(cycles));
        Ok(())
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
    let [bytes, cycles, stack] = numbers(line)?[..] else {
        return Err(format!("an unexpected line: {line}").into());
    };
    println!("{name} {bytes} {} {stack}", instructions(cycles));
    Ok(())
}

/// What a line says behind its name.
fn numbers(line: &str) -> Result<Vec<u64>, Error> {
    let words = line.split(' ').skip(1);
    Ok(words.map(str::parse).collect::<Result<_, _>>()?)
}

/// A cycle takes 40 ns and an instruction 32.
fn instructions(cycles: u64) -> u64 {
    cycles * 5 / 4
}

const SIZE: usize = 1 << 20;
