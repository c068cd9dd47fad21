//! See [`cygnet_fuzz::reassembly`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cygnet_fuzz::reassembly::run(input));
