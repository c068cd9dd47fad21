//! Attackers and what they gain: nothing.
//!
//! A real client talks to a real server over a virtual link while forged frames come in from a third side
//! (`forger.rs`), or the peer itself cheats, told as a packet script. Time is virtual, so a million frames
//! take as long as it takes to look at them.

mod blind;
mod closed_window;
mod forger;
mod greedy;
mod stalling;
mod syn_flood;
mod traps;
