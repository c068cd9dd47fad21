//! Adapters between [`cygnet_driver::Driver`] and [`embassy_net_driver::Driver`], in both directions:
//! [`EmbassyDriver`] lets cygnet run on a driver written for embassy-net, [`AsEmbassy`] lets
//! embassy-net run on a driver written for cygnet.
//!
//! Neither copies a frame: the tokens wrap the tokens of the driver below.
#![no_std]
#![forbid(unsafe_code)]

mod as_embassy;
mod embassy_driver;

pub use as_embassy::{AsEmbassy, AsEmbassyRx, AsEmbassyTx};
pub use embassy_driver::{EmbassyDriver, EmbassyRx, EmbassyTx};
