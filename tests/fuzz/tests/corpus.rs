//! All targets over the corpus and what grows out of it by chance: the part of fuzzing that needs nothing
//! but the compiler, and holds what was found once.

use cygnet_fuzz::{TARGETS, corpus};
use rand_core::Rng;
use rand_pcg::Pcg32;

/// Changed inputs for each of the corpus.
const MUTATIONS: u64 = 40;

#[test]
fn every_input_of_the_corpus_passes() {
    for (name, run) in TARGETS {
        let inputs = corpus::inputs(name);
        assert!(inputs.len() >= 4, "a corpus for {name}");
        for (path, input) in inputs {
            let _again = OnPanic(|| eprintln!("input: {path}"));
            run(&input);
        }
    }
}

#[test]
fn whatever_is_changed_in_the_corpus_passes() {
    for (name, run) in TARGETS {
        for (nth, (path, input)) in corpus::inputs(name).into_iter().enumerate() {
            for mutation in 0..MUTATIONS {
                let mut random = Pcg32::new(mutation, nth as u64);
                let changed = mutate(input.clone(), &mut random);
                let _again = OnPanic(|| eprintln!("input: {path}, mutation {mutation}"));
                run(&changed);
            }
        }
    }
}

/// The corpus for `frames` is what the stack sends today. `CYGNET_BLESS=1` writes it anew.
#[test]
fn the_corpus_is_our_own_capture() {
    for seed in 0..8 {
        let capture = corpus::capture(seed);
        assert!(capture.len() > 500);
        if std::env::var_os("CYGNET_BLESS").is_some() {
            let path = corpus::directory("frames").join(format!("capture-{seed}"));
            std::fs::write(path, &capture).expect("a place for the corpus");
        }
    }
}

fn mutate(mut input: Vec<u8>, random: &mut Pcg32) -> Vec<u8> {
    for _ in 0..1 + random.next_u32() % 8 {
        if input.is_empty() {
            break;
        }
        let mut at = || random.next_u32() as usize;
        let (from, to, value) = (at() % input.len(), at() % input.len(), at());
        match value % 4 {
            0 => input[from] = (value >> 8) as u8,
            1 => input[from] ^= 1 << ((value >> 8) % 8),
            2 => input.truncate(input.len() - (value >> 8) % input.len().min(64)),
            _ => {
                let len = (1 + (value >> 8) % 64).min(input.len() - from.max(to));
                input.copy_within(from..from + len, to);
            }
        }
    }
    input
}

struct OnPanic<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnPanic<F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.0)();
        }
    }
}
