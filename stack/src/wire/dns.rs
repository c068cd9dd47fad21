//! Domain names (RFC 1035 section 3.1).
//!
//! A compressed name is read where it lies. Its pointers may only point back, each to before where the last
//! run of labels began, and a name has at most 255 bytes: so none is read for ever.

mod name;

pub use name::{DnsName, DomainList, InvalidName, Labels, Name};

#[cfg(test)]
mod tests;
