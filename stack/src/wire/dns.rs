//! Messages of the Domain Name System (RFC 1035 section 4): names, questions, records.
//!
//! A message is looked through once, in [`DnsMessage::parse`]; from then on all that it holds can be read
//! without a doubt. A compressed name is read where it lies. Its pointers may only point back, each to
//! before where the last run of labels began, and a name has at most 255 bytes: so none is read for ever.

mod message;
mod multicast;
mod name;
mod record;
mod reverse;

pub use message::{DnsMessage, Rcode, Records, emit_query};
#[cfg(feature = "socket-dns")]
pub(crate) use message::{age, is_bare_format_error, put};
#[cfg(feature = "proto-ipv6")]
pub use multicast::MDNS_GROUP_V6;
pub(crate) use multicast::TOP_BIT;
#[cfg(feature = "mdns")]
pub(crate) use multicast::mdns_group;
pub use multicast::{
    MDNS_GROUP, MDNS_PORT, MdnsMessage, MdnsQuestion, MdnsWriter, OwnData, OwnRecord, Section,
};
pub(crate) use name::NAME_ROOM;
pub use name::{DnsName, DomainList, InvalidName, Labels, Name};
pub use record::{Record, RecordData, RecordType, TxtStrings};

/// The port of servers, over UDP and over TCP.
pub const PORT: u16 = 53;

/// The length of a message's header in bytes.
pub const HEADER_LEN: usize = 12;

/// The length in bytes of what [`emit_query`] adds for EDNS (RFC 6891).
pub const OPT_LEN: usize = 11;

#[cfg(test)]
mod tests;
