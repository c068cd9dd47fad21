//! What the traits of embedded-nal-async promise.

mod tcp;
mod udp;
