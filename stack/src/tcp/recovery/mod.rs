//! What is lost: the seam between acknowledgments and retransmissions.

mod newreno;

pub(crate) use newreno::{AckOutcome, Recovery};
