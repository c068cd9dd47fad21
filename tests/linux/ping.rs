//! `ping` from the kernel.
//!
//! It waits for the last answer as long as from one request to the next, whatever `-W` says, once one has come (or twice
//! the longest round trip). So the interval is long enough for a machine that is busy.

use cygnet_tuntap::Mode;

use crate::wire::{Wire, on_tap, on_wire, program};

#[test]
fn pings_of_any_size_that_fits_a_frame_are_answered() {
    on_tap(async |stack| {
        for size in [0, 1, 56, 1_471, 1_472] {
            let arguments = format!("-c1 -W10 -Mdo -s{size} 192.168.69.1");
            let output = program("ping", &arguments).await;
            assert!(output.contains("1 received"), "{output}");
        }
        assert_eq!(stack.stats().discarded(cygnet::Discard::BadChecksum), 0);
    });
}

#[test]
fn two_hundred_pings_in_a_row_are_answered() {
    on_tap(async |_| {
        let output = program("ping", "-c200 -i0.05 -W10 192.168.69.1").await;
        assert!(output.contains("200 received, 0% packet loss"), "{output}");
    });
}

#[test]
fn pings_through_a_tun_are_answered() {
    on_wire(Wire::Device(Mode::Tun), async |_| {
        let output = program("ping", "-c20 -i0.1 -W10 -s1472 192.168.69.1").await;
        assert!(output.contains("20 received, 0% packet loss"), "{output}");
    });
}
