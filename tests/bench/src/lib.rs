//! What the measurements of this crate share: how many become one, and how they are reported.
//!
//! There are two programs. `main.rs` joins two hosts of the same stack within one thread, and so
//! measures the stacks alone. `bin/tap` has each stack talk to the kernel, and so measures them
//! together with their drivers.
#![forbid(unsafe_code)]

pub mod report;

mod median;

pub use median::median;
