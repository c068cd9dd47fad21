//! The virtual network seen from its ports.

mod backpressure;
mod impairments;
mod support;
mod threads;
mod timing;
mod topology;
