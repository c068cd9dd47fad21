//! What the hosted examples share.
