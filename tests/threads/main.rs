//! Handles that move between threads: that they may, and that they work there.

mod executors;
mod network;
mod send;
mod tokio_threads;
