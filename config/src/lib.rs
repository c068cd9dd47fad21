//! The compile-time sizes of the cygnet TCP/IP stack, one constant for each.
//!
//! A size is set in one of two ways:
//!
//! - by an environment variable `CYGNET_<NAME>`, to any value in the setting's range:
//!   `CYGNET_IFACE_MAX_ADDR_COUNT=3 cargo build`. The `[env]` section of `.cargo/config.toml` is the
//!   place for a project's own values.
//! - by a feature `<name>-<value>` of this crate, with the name in lower case and dashes in place of
//!   underscores: `iface-max-addr-count-3`. Features exist for a selection of values.
//!
//! Environment variables take precedence over features. Two features for one setting do not compile,
//! with or without a variable, and neither does a value that is out of range.
//!
//! The settings stand in `src/table.rs`, and everything else is written from there: these constants,
//! the feature list in `Cargo.toml` and the table in the project's `README.md`.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

include!(concat!(env!("OUT_DIR"), "/settings.rs"));

#[cfg(test)]
mod settle;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
