//! Multicast listener discovery: what IGMP is to IPv4, in ICMPv6 messages (RFC 2710, RFC 9777; sections are
//! those of RFC 3810, which the latter follows).
//!
//! Checksums are those of ICMPv6, over a pseudo header, and are neither looked at nor filled in here. The
//! records of a report are written by [`ReportWriter`](super::group_report::ReportWriter), as IGMP's are.

use core::net::Ipv6Addr;

use super::Malformed;
use super::group_report::{KIND_MLD_V2, decode_short};

/// The length of a query, report or "done" of version 1, in bytes.
pub const LEN: usize = 24;
/// Who takes reports of version 2: all routers that speak it (§5.2.14).
pub const V2_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16);
/// Who hears that a group was left in version 1: all routers on the link (RFC 2710 §3).
pub const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
/// The group of all nodes, which everybody is in and nobody reports.
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// A listener discovery message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum MldMessage<'a> {
    /// A router asks who listens to which group.
    Query(MldQuery<'a>),
    /// A host of version 1 listens to that group.
    ReportV1(Ipv6Addr),
    /// A host of version 1 does not listen to that group any more.
    Done(Ipv6Addr),
    /// A host of version 2 tells about its groups; nothing for other hosts.
    ReportV2,
    /// An ICMPv6 message that is none of these.
    Other(u8),
}

/// A query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MldQuery<'a> {
    /// The version that the router speaks: 1 or 2.
    pub version: u8,
    /// The group it asks about, unspecified for all.
    pub group: Ipv6Addr,
    /// Within how many milliseconds it wants answers.
    pub max_response: u32,
    /// How often to repeat what could get lost; 0 if it does not say.
    pub robustness: u8,
    /// How often routers ask, in seconds; 0 if it does not say.
    pub interval: u16,
    /// The sources it asks about, sixteen bytes each; none for all.
    sources: &'a [u8],
}

impl MldQuery<'_> {
    /// The sources it asks about; none for all.
    pub fn sources(&self) -> impl Iterator<Item = Ipv6Addr> + '_ {
        let sources = self.sources.chunks_exact(16);
        sources.filter_map(|bytes| Some(Ipv6Addr::from(*bytes.first_chunk::<16>()?)))
    }
}

impl<'a> MldMessage<'a> {
    /// Reads an ICMPv6 message whose checksum was found right.
    ///
    /// # Errors
    ///
    /// [`Malformed::Truncated`] if it is shorter than its kind or than its sources,
    /// [`Malformed::BadLength`] for a query of a length between those of the two versions (§8.1).
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let &[kind, ..] = message else {
            return Err(Malformed::Truncated);
        };
        if !matches!(kind, KIND_QUERY | KIND_REPORT_V1 | KIND_DONE) {
            let is_report = kind == KIND_MLD_V2;
            return Ok(if is_report {
                Self::ReportV2
            } else {
                Self::Other(kind)
            });
        }
        let (header, rest) = message
            .split_first_chunk::<LEN>()
            .ok_or(Malformed::Truncated)?;
        let [_, _, _, _, high, low, _, _, address @ ..] = *header;
        let group = Ipv6Addr::from(address);
        Ok(match kind {
            KIND_REPORT_V1 => Self::ReportV1(group),
            KIND_DONE => Self::Done(group),
            _ => Self::Query(parse_query(u16::from_be_bytes([high, low]), group, rest)?),
        })
    }
}

fn parse_query(code: u16, group: Ipv6Addr, rest: &[u8]) -> Result<MldQuery<'_>, Malformed> {
    let query = MldQuery {
        version: 1,
        group,
        max_response: code.into(),
        robustness: 0,
        interval: 0,
        sources: &[],
    };
    match *rest {
        [] => Ok(query),
        [flags, interval, high, low, ref rest @ ..] => {
            let count = usize::from(u16::from_be_bytes([high, low]));
            let sources = rest.get(..count * 16).ok_or(Malformed::Truncated)?;
            Ok(MldQuery {
                version: 2,
                max_response: decode_code(code),
                robustness: flags & 7,
                interval: decode_short(interval),
                sources,
                ..query
            })
        }
        _ => Err(Malformed::BadLength),
    }
}

/// A time in sixteen bits, exact up to 32,767 ms and then with thirteen significant bits (§5.1.3).
const fn decode_code(code: u16) -> u32 {
    if code < 0x8000 {
        return code as u32;
    }
    let (mantissa, exponent) = (code & 0xfff, code >> 12 & 7);
    (mantissa as u32 | 0x1000) << (exponent + 3)
}

/// A report of version 1, or that a group is not listened to any more, without its checksum.
pub fn emit_v1(kind: MldShort, group: Ipv6Addr) -> [u8; LEN] {
    let mut message = [0; LEN];
    message[0] = match kind {
        MldShort::Report => KIND_REPORT_V1,
        MldShort::Done => KIND_DONE,
    };
    message[8..].copy_from_slice(&group.octets());
    message
}

/// What [`emit_v1`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum MldShort {
    /// Somebody listens.
    Report,
    /// Nobody does any more.
    Done,
}

const KIND_QUERY: u8 = 130;
const KIND_REPORT_V1: u8 = 131;
const KIND_DONE: u8 = 132;

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::wire::IpAddress;
    use crate::wire::group_report::{RecordKind, ReportWriter};

    const GROUP: Ipv6Addr = Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0, 0, 1);
    const SOURCE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

    fn query(code: u16, rest: &[u8]) -> Vec<u8> {
        let mut message = vec![130, 0, 0, 0];
        message.extend(code.to_be_bytes());
        message.extend([0, 0]);
        message.extend(GROUP.octets());
        message.extend(rest);
        message
    }

    fn parse(message: &[u8]) -> MldQuery<'_> {
        match MldMessage::parse(message) {
            Ok(MldMessage::Query(query)) => query,
            other => panic!("{other:?}"),
        }
    }

    /// Section 8.1.
    #[test]
    fn the_version_of_a_query_shows_in_its_length() {
        let message = query(0x8001, &[]);
        let first = parse(&message);
        assert_eq!((first.version, first.max_response), (1, 0x8001));
        let rest = [&[0x0a, 125, 0, 1][..], &SOURCE.octets(), &[0xff]].concat();
        let message = query(0x8001, &rest);
        let second = parse(&message);
        assert_eq!((second.version, second.group), (2, GROUP));
        assert_eq!((second.robustness, second.interval), (2, 125));
        assert_eq!(second.max_response, 0x1001 << 3);
        assert!(second.sources().eq([SOURCE]));
        for len in 1..4 {
            let message = query(10, &[0; 3][..len]);
            assert_eq!(MldMessage::parse(&message), Err(Malformed::BadLength));
        }
        let missing = query(10, &[2, 125, 0, 1]);
        assert_eq!(MldMessage::parse(&missing), Err(Malformed::Truncated));
        assert_eq!(MldMessage::parse(&missing[..23]), Err(Malformed::Truncated));
        assert_eq!(MldMessage::parse(&[]), Err(Malformed::Truncated));
    }

    #[test]
    fn short_messages_are_read_as_written() {
        let report = emit_v1(MldShort::Report, GROUP);
        assert_eq!(MldMessage::parse(&report), Ok(MldMessage::ReportV1(GROUP)));
        let done = emit_v1(MldShort::Done, GROUP);
        assert_eq!(MldMessage::parse(&done), Ok(MldMessage::Done(GROUP)));
        assert_eq!(MldMessage::parse(&[135]), Ok(MldMessage::Other(135)));
    }

    #[test]
    fn a_report_has_records_with_long_addresses() {
        let mut buffer = [0; 8 + 4 + 16 + 16];
        let mut writer = ReportWriter::new(&mut buffer);
        let source = IpAddress::from(SOURCE);
        assert!(writer.push(RecordKind::Allow, GROUP.into(), [source].into_iter()));
        assert_eq!(writer.finish_mld(), 44);
        assert_eq!(buffer[..12], [143, 0, 0, 0, 0, 0, 0, 1, 5, 0, 0, 1]);
        assert_eq!(buffer[12..28], GROUP.octets());
        assert_eq!(buffer[28..], SOURCE.octets());
        assert_eq!(MldMessage::parse(&buffer), Ok(MldMessage::ReportV2));
    }
}
