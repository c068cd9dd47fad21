//! All targets over the corpus and what grows out of it by chance: the part of fuzzing that needs nothing
//! but the compiler, and holds what was found once.

use cygnet_fuzz::{TARGETS, corpus, frames};
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

/// What is made of the corpus is what the stack and its emitters make today. `CYGNET_BLESS=1` writes it anew.
#[test]
fn the_corpus_is_our_own() {
    for (target, name, input) in corpus::made() {
        let path = corpus::directory(target).join(&name);
        if std::env::var_os("CYGNET_BLESS").is_some() {
            std::fs::create_dir_all(corpus::directory(target)).expect("a place for the corpus");
            std::fs::write(&path, &input).expect("a place for the corpus");
        }
        if !name.starts_with("capture") {
            let there = std::fs::read(&path).unwrap_or_default();
            assert!(there == input, "{target}: {name} is not what is made today");
        }
    }
}

/// A story that comes to nothing leads the fuzzer nowhere.
#[test]
fn the_stories_reach_what_they_are_about() {
    let gained = |name: &str| {
        let path = corpus::directory("frames").join(name);
        frames::play(&std::fs::read(path).expect("a story"))
    };
    assert!((0..8).any(|seed| gained(&format!("capture-{seed}")).bytes > 500));
    assert_eq!(gained("dhcp-client").leases, 1);
    assert!(gained("dhcp-client").events > 2);
    assert!(gained("dhcp-server").sent >= 3);
    assert_eq!(gained("dns").names, 1);
    assert_eq!(gained("dns-none").no_names, 1);
    assert_eq!(gained("mdns-resolve").names, 1);
    assert_eq!(gained("mdns-browse").services, 2);
    assert!(gained("mdns-name").sent > 8);
    assert_eq!(gained("udp").datagrams, 2);
    assert_eq!(gained("udp-fragments").datagrams, 2);
    assert_eq!(gained("igmp").datagrams, 1);
    assert!(gained("igmp").sent > 5);
    assert_eq!(gained("ipv6-tcp").bytes, 106);
    assert_eq!(gained("icmp").messages, 1);
    assert!(gained("ipv6-extensions").sent >= 5);
    assert!(gained("ipv6-neighbors").sent >= 4);
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
