//! See [`cygnet_fuzz::tcp_options`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cygnet_fuzz::tcp_options::run(input));
