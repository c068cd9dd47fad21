//! The rules of the house that no compiler holds: which layer may know which, what the core never does,
//! what the crates may depend on, where the documents lead.
//!
//! Each rule reads the sources or manifests as they are, and reports every place that breaks it by file
//! and line. Exceptions stand in the rule with their reason, and one that is not needed any more fails
//! as well.

mod crates;
mod direction;
mod documents;
mod idioms;
mod source;
