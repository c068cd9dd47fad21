//! See [`cygnet_fuzz::frames`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cygnet_fuzz::frames::run(input));
