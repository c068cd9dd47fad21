//! What the fuzz targets do with an input, apart from libFuzzer: so the same runs over the corpus as a plain
//! test, on any compiler.
//!
//! - [`frames`]: frames into a live stack, their checksums repaired after mutation;
//! - [`dns`], [`dhcp`], [`ipv6`], [`tcp_options`]: what is parsed is emitted, and parsed again the same; the first
//!   three also go to a stack that they concern;
//! - [`reassembly`]: fragments against a model;
//! - [`tcp_script`]: a whole connection, in segments relative to its sequence numbers, calls of its user and
//!   steps of time.
//!
//! See CONTRIBUTING.md for how to run them.

mod packets;
mod stand;

pub mod corpus;
pub mod dhcp;
pub mod dns;
pub mod frames;
pub mod ipv6;
pub mod reassembly;
pub mod tcp_options;
pub mod tcp_script;

/// A target: what it does with one input. Panics are findings.
pub type Target = fn(&[u8]);

/// All targets by their names.
pub const TARGETS: [(&str, Target); 7] = [
    ("frames", frames::run),
    ("dns", dns::run),
    ("dhcp", dhcp::run),
    ("ipv6", ipv6::run),
    ("reassembly", reassembly::run),
    ("tcp_options", tcp_options::run),
    ("tcp_script", tcp_script::run),
];
