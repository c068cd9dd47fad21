//! What the test suites stand on: virtual time, a deterministic executor, and hosts on virtual links.
//!
//! A test reads as a story. It makes a [`Pair`] (or a [`Network`] of more hosts), and runs an async block
//! in which the hosts act; the [`Executor`] runs it together with the stacks' runners, in an order drawn
//! from a seed, and moves the [`VirtualClock`] on to the next alarm when there is nothing left to do. An
//! hour of keep-alives takes no time, and a seed that fails once fails always.
//!
//! A test's process is short, so stacks are leaked and live for `'static` unless a test brings [`Memory`]
//! for them, as those do that run [for many seeds](for_each_seed).

mod bench;
mod clock;
mod executor;
mod middlebox;
mod network;
mod pair;
mod repair;
pub mod script;
mod seeds;

pub use bench::Bench;
pub use clock::{Sleep, VirtualClock};
pub use executor::{Executor, Spawned};
pub use middlebox::{Middlebox, Packet, Verdict};
pub use network::{FRAMES, Host, HubPort, Memory, Network, SLOTS, Setup};
pub use pair::{Pair, assert_same_bytes, pattern, receive_to_end, send_all};
pub use repair::{Transport, repair_checksums, tcp_segment, transport};
pub use seeds::for_each_seed;

/// The README's example compiles, runs and comes to an end.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
