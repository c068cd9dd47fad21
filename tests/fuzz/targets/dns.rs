//! See [`cygnet_fuzz::dns`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cygnet_fuzz::dns::run(input));
