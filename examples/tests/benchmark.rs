//! The benchmark moves what it says, whatever becomes of the packets. How fast is for the machine to say.
//!
//! `cargo test` builds the examples first; with `--test benchmark` alone they must have been built.
#![cfg(target_os = "linux")]

mod run;
mod sandbox;

use sandbox::printed;

/// Both directions, with every byte compared.
fn moves(size: &str, bytes: u64, options: &[&str]) {
    for mode in ["reader", "writer"] {
        let arguments = [&["--verify", "--size", size, mode], options].concat();
        let Some(text) = printed("benchmark", &arguments, &[]) else {
            return;
        };
        let lines: Vec<_> = text.lines().collect();
        let [arrived, throughput] = lines[..] else {
            panic!("{arguments:?}: {text}");
        };
        assert_eq!(arrived, format!("{bytes} bytes arrived as they were sent"));
        let rate = throughput
            .strip_prefix("throughput: ")
            .and_then(|rate| rate.strip_suffix(" Gbps"))
            .and_then(|rate| rate.parse::<f64>().ok());
        assert!(rate.is_some_and(|rate| rate >= 0.0), "{text}");
    }
}

#[test]
fn everything_arrives_as_it_was_sent() {
    moves("64M", 64 << 20, &[]);
}

#[test]
fn everything_arrives_where_a_fifth_of_the_packets_is_lost() {
    let faults = ["--drop-chance", "10", "--corrupt-chance", "10"];
    moves("8M", 8 << 20, &faults);
}

#[test]
fn any_congestion_control_can_be_chosen() {
    for controller in ["none", "reno", "cubic", "bbr"] {
        moves("1M", 1 << 20, &["--congestion", controller]);
    }
}
