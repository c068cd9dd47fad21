//! Which mutant is alive: the one that `CYGNET_MUTANT` names, if any.
//!
//! With `CYGNET_MUTANTS_REACHED`, a path, the number of each mutant that would have come into play is written there,
//! once. Woven into a copy of the stack by cygnet-mutants; a `const fn` asks like any other, and finds none alive when
//! it is the compiler that runs it. That alone needs `RUSTC_BOOTSTRAP=mutant_switch`.

#![feature(core_intrinsics, const_eval_select)]
#![allow(internal_features)]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the mutant of this number is alive.
pub const fn on(number: u16) -> bool {
    core::intrinsics::const_eval_select((number,), none, is_alive)
}

const fn none(_: u16) -> bool {
    false
}

#[inline]
fn is_alive(number: u16) -> bool {
    let settings = &*SETTINGS;
    if let Some(log) = &settings.reached
        && !SEEN[usize::from(number)].swap(true, Ordering::Relaxed)
    {
        let mut log = log;
        writeln!(log, "{number}").unwrap();
    }
    settings.alive == number
}

struct Settings {
    alive: u16,
    reached: Option<File>,
}

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| Settings {
    alive: std::env::var("CYGNET_MUTANT").map_or(u16::MAX, |number| number.parse().unwrap()),
    reached: std::env::var_os("CYGNET_MUTANTS_REACHED").map(|path| {
        OpenOptions::new().create(true).append(true).open(path).unwrap()
    }),
});

static SEEN: [AtomicBool; 1 << 16] = [const { AtomicBool::new(false) }; 1 << 16];
