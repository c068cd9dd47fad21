//! See [`cygnet_fuzz::dhcp`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cygnet_fuzz::dhcp::run(input));
