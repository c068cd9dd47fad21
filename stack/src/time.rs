//! Time as the protocols know it: microseconds, monotonic, handed in from outside.

pub use cygnet_driver::{Duration, Instant};
