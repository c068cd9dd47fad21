//! See [`cygnet_fuzz::ipv6`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cygnet_fuzz::ipv6::run(input));
