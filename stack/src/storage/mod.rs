//! Memory without protocol knowledge: every table, list, queue and buffer that the stack is made of.
//!
//! Nothing here allocates and nothing here scans: each structure works in memory that was handed to it,
//! in constant or logarithmic time, so that the cost of a packet does not depend on how many sockets
//! there are. Without the feature `many-sockets` there are a few, a small constant: then the tables in `few` are
//! walked instead, which takes less code and memory, and no more time.

#[cfg_attr(not(feature = "many-sockets"), path = "few/buckets.rs")]
mod buckets;
mod buffer;
mod copy;
#[cfg_attr(not(feature = "many-sockets"), path = "few/deadlines.rs")]
mod deadlines;
mod generation;
#[cfg_attr(not(feature = "many-sockets"), path = "few/list.rs")]
mod list;
#[cfg(any(
    feature = "socket-udp",
    feature = "socket-icmp",
    feature = "socket-raw"
))]
mod packet_queue;
mod place;
mod presence;
mod range_set;
#[cfg_attr(not(feature = "many-sockets"), path = "few/records.rs")]
mod records;
mod ring;
#[cfg(any(
    feature = "socket-tcp",
    all(feature = "embedded-nal-async", feature = "socket-udp")
))]
mod stock;

pub(crate) use buckets::{BucketMemory, Buckets};
pub use buffer::{Buffer, Bytes};
pub(crate) use copy::copy;
pub(crate) use deadlines::{DeadlineMemory, Deadlines};
pub(crate) use generation::{Key, Uses};
pub(crate) use list::{Index, Link, List};
#[cfg(any(
    feature = "socket-udp",
    feature = "socket-icmp",
    feature = "socket-raw"
))]
pub(crate) use packet_queue::PacketMetadata;
#[cfg(any(
    feature = "socket-udp",
    feature = "socket-icmp",
    feature = "socket-raw"
))]
pub(crate) use packet_queue::{PacketQueue, PushError};
pub(crate) use presence::Presence;
pub(crate) use range_set::RangeSet;
pub(crate) use records::Records;
#[cfg(not(feature = "tcp-rack"))]
pub(crate) use ring::Whole;
pub(crate) use ring::{Reserve, Ring};
#[cfg(any(
    feature = "socket-tcp",
    all(feature = "embedded-nal-async", feature = "socket-udp")
))]
pub(crate) use stock::Stock;
