//! A network in memory: frames that one port sends arrive at the others, through buffers that the
//! user places and that no port ever copies without need.
//!
//! | ports | what it is | where a frame goes |
//! | --- | --- | --- |
//! | 1 | [`Loopback`] | back to the port that sent it |
//! | 2 | [`Link`] | to the other end |
//! | more | a hub | to every port but the sender: one broadcast domain |
//!
//! A [`Network`] holds the storage; [`Network::split`] turns it into its [`Port`]s, each a
//! [`Driver`](cygnet_driver::Driver) for one stack, or for a test that wants to see and make raw
//! frames itself (a third port on a link is a tap). A [`Control`] pulls cables, changes
//! [`Impairments`] and reads [`Counters`] while stacks run.
//!
//! With a `Sync` mutex, such as `CriticalSectionRawMutex`, the ports may go to different threads or
//! executors. The mutex is never held while a stack reads or writes a frame.
//!
//! ```
//! use cygnet_driver::{Clock, Duration, Instant};
//! use cygnet_link::{Impairments, Link, PortConfig, percent};
//! use embassy_sync::blocking_mutex::raw::NoopRawMutex;
//! # struct Stopped;
//! # impl Clock for Stopped {
//! #     fn now(&self) -> Instant { Instant::ZERO }
//! #     fn wake_at(&self, _: Instant, _: &core::task::Waker) {}
//! # }
//! # let clock = Stopped;
//! let there = Impairments::new().seed(7).loss(percent(1)).delay(Duration::from_millis(50));
//! let mut link = Link::<NoopRawMutex, 64, 1514>::new();
//! let [mut left, mut right] = link.split(
//!     &clock,
//!     [
//!         PortConfig::ethernet([2, 0, 0, 0, 0, 1]).impairments(there),
//!         PortConfig::ethernet([2, 0, 0, 0, 0, 2]),
//!     ],
//! );
//!
//! assert!(right.try_send(b"no impairments this way"));
//! assert_eq!(left.try_receive(|frame| frame.len()), Some(23));
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod bottleneck;
mod config;
mod control;
mod counters;
mod direction;
mod impairments;
mod network;
mod pool;
mod port;
mod probability;
mod ring;
mod shared;
mod state;
mod timeline;
mod token;

pub use config::PortConfig;
pub use control::Control;
pub use counters::Counters;
pub use impairments::{BurstLoss, Impairments, QueueLimit, WhenFull};
pub use network::{Link, Loopback, Network};
pub use port::Port;
pub use probability::{Probability, percent, ppm};
pub use token::{RxToken, TxToken};
