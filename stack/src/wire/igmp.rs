//! Group management messages (IGMP: RFC 1112 appendix I, RFC 2236, RFC 9776). The records of a report are
//! written by [`ReportWriter`](super::group_report::ReportWriter), as MLD's are.

use core::net::Ipv4Addr;

use super::Malformed;
use super::checksum::Sum;
use super::group_report::{KIND_IGMP_V3, decode_short};

/// The length of a query or report of version 1 or 2, in bytes.
pub const LEN: usize = 8;
/// Who takes reports of version 3: all routers that speak it (RFC 3376 §4.2.14).
pub const V3_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 22);
/// Who hears that a group was left in version 2: all routers (RFC 2236 §3).
pub const ALL_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 2);
/// The group of all hosts, which everybody is in and nobody reports.
pub const ALL_HOSTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);

/// A group management message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum IgmpMessage<'a> {
    /// A router asks who is in which group.
    Query(IgmpQuery<'a>),
    /// A host of version 1 is in that group.
    ReportV1(Ipv4Addr),
    /// A host of version 2 is in that group.
    ReportV2(Ipv4Addr),
    /// A host of version 2 has left that group.
    Leave(Ipv4Addr),
    /// A host of version 3 tells about its groups; nothing for other hosts.
    ReportV3,
    /// Something else, such as a multicast routing protocol.
    Other(u8),
}

/// A query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IgmpQuery<'a> {
    /// The version that the router speaks: 1, 2 or 3.
    pub version: u8,
    /// The group it asks about, unspecified for all.
    pub group: Ipv4Addr,
    /// Within how many milliseconds it wants answers.
    pub max_response: u32,
    /// How often to repeat what could get lost; 0 if it does not say.
    pub robustness: u8,
    /// How often routers ask, in seconds; 0 if it does not say.
    pub interval: u16,
    /// The sources it asks about, four bytes each; none for all.
    sources: &'a [u8],
}

impl IgmpQuery<'_> {
    /// The sources it asks about; none for all.
    pub fn sources(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.sources
            .chunks_exact(4)
            .filter_map(|bytes| Some(Ipv4Addr::from(*bytes.first_chunk::<4>()?)))
    }
}

impl<'a> IgmpMessage<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// [`Malformed::Truncated`] if it is shorter than eight bytes or than its sources,
    /// [`Malformed::BadChecksum`], [`Malformed::BadLength`] for a query of a length between those of versions
    /// 2 and 3, which is to be ignored (RFC 3376 §7.1).
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let [kind, code, _, _, a, b, c, d] =
            *message.first_chunk::<LEN>().ok_or(Malformed::Truncated)?;
        if !Sum::of(message).is_valid() {
            return Err(Malformed::BadChecksum);
        }
        let group = Ipv4Addr::new(a, b, c, d);
        Ok(match kind {
            KIND_QUERY => Self::Query(parse_query(message, code, group)?),
            KIND_REPORT_V1 => Self::ReportV1(group),
            KIND_REPORT_V2 => Self::ReportV2(group),
            KIND_LEAVE => Self::Leave(group),
            KIND_IGMP_V3 => Self::ReportV3,
            kind => Self::Other(kind),
        })
    }
}

fn parse_query(message: &[u8], code: u8, group: Ipv4Addr) -> Result<IgmpQuery<'_>, Malformed> {
    let query = IgmpQuery {
        version: if code == 0 { 1 } else { 2 },
        group,
        // RFC 2236 §4: version 1 leaves the field zero, and means 10 seconds.
        max_response: if code == 0 { 100 } else { code.into() } * 100,
        robustness: 0,
        interval: 0,
        sources: &[],
    };
    match *message {
        [_, _, _, _, _, _, _, _] => Ok(query),
        [
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            flags,
            interval,
            high,
            low,
            ref rest @ ..,
        ] => {
            let count = usize::from(u16::from_be_bytes([high, low]));
            let sources = rest.get(..count * 4).ok_or(Malformed::Truncated)?;
            Ok(IgmpQuery {
                version: 3,
                max_response: u32::from(decode_short(code)) * 100,
                robustness: flags & 7,
                interval: decode_short(interval),
                sources,
                ..query
            })
        }
        _ => Err(Malformed::BadLength),
    }
}

/// A report of version 1 or 2, or that a group of version 2 was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum IgmpShort {
    /// A report of version 1.
    ReportV1,
    /// A report of version 2.
    ReportV2,
    /// The group was left.
    Leave,
}

impl IgmpShort {
    /// The message about `group`.
    pub fn emit(self, group: Ipv4Addr) -> [u8; LEN] {
        let kind = match self {
            Self::ReportV1 => KIND_REPORT_V1,
            Self::ReportV2 => KIND_REPORT_V2,
            Self::Leave => KIND_LEAVE,
        };
        let [a, b, c, d] = group.octets();
        let mut message = [kind, 0, 0, 0, a, b, c, d];
        let [high, low] = Sum::of(&message).finish().to_be_bytes();
        (message[2], message[3]) = (high, low);
        message
    }
}

const KIND_QUERY: u8 = 0x11;
const KIND_REPORT_V1: u8 = 0x12;
const KIND_REPORT_V2: u8 = 0x16;
const KIND_LEAVE: u8 = 0x17;

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::wire::IpAddress;
    use crate::wire::group_report::{RecordKind, ReportWriter};

    const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 3);

    fn with_checksum(mut message: Vec<u8>) -> Vec<u8> {
        let checksum = Sum::of(&message).finish();
        message[2..4].copy_from_slice(&checksum.to_be_bytes());
        message
    }

    fn query(code: u8, rest: &[u8]) -> Vec<u8> {
        let mut message = vec![0x11, code, 0, 0, 239, 1, 2, 3];
        message.extend(rest);
        with_checksum(message)
    }

    fn parse(message: &[u8]) -> IgmpQuery<'_> {
        match IgmpMessage::parse(message) {
            Ok(IgmpMessage::Query(query)) => query,
            other => panic!("{other:?}"),
        }
    }

    /// RFC 3376, section 7.1.
    #[test]
    fn the_version_of_a_query_shows_in_its_length_and_code() {
        let first = query(0, &[]);
        assert_eq!(
            (parse(&first).version, parse(&first).max_response),
            (1, 10_000)
        );
        let second = query(25, &[]);
        assert_eq!(
            (parse(&second).version, parse(&second).max_response),
            (2, 2_500)
        );
        let message = query(0x8f, &[0x0a, 125, 0, 1, 10, 0, 0, 1, 0xff]);
        let third = parse(&message);
        assert_eq!(
            (third.version, third.robustness, third.interval),
            (3, 2, 125)
        );
        assert_eq!(third.max_response, 24_800);
        assert!(third.sources().eq([Ipv4Addr::new(10, 0, 0, 1)]));
        for len in 9..12 {
            let message = query(10, &[0; 3][..len - 8]);
            assert_eq!(IgmpMessage::parse(&message), Err(Malformed::BadLength));
        }
    }

    #[test]
    fn sources_that_are_not_there_are_refused() {
        let message = query(10, &[2, 125, 0, 2, 10, 0, 0, 1]);
        assert_eq!(IgmpMessage::parse(&message), Err(Malformed::Truncated));
        assert_eq!(IgmpMessage::parse(&message[..7]), Err(Malformed::Truncated));
        let mut message = query(10, &[]);
        message[7] ^= 1;
        assert_eq!(IgmpMessage::parse(&message), Err(Malformed::BadChecksum));
    }

    #[test]
    fn short_messages_are_read_as_written() {
        for (short, message) in [
            (IgmpShort::ReportV1, IgmpMessage::ReportV1(GROUP)),
            (IgmpShort::ReportV2, IgmpMessage::ReportV2(GROUP)),
            (IgmpShort::Leave, IgmpMessage::Leave(GROUP)),
        ] {
            assert_eq!(IgmpMessage::parse(&short.emit(GROUP)), Ok(message));
        }
    }

    #[test]
    fn a_report_holds_as_many_records_as_fit() {
        let mut buffer = [0xaa; 8 + 12 + 8];
        let source = IpAddress::from(Ipv4Addr::new(10, 0, 0, 1));
        let mut writer = ReportWriter::new(&mut buffer);
        let group = IpAddress::from(GROUP);
        assert!(writer.push(RecordKind::Allow, group, [source].into_iter()));
        assert!(!writer.push(RecordKind::Block, group, [source].into_iter()));
        assert!(writer.push(RecordKind::ToInclude, group, core::iter::empty()));
        let len = writer.finish_igmp();
        assert_eq!(len, 28);
        assert!(Sum::of(&buffer).is_valid());
        assert_eq!(buffer[..2], [0x22, 0]);
        assert_eq!(buffer[4..8], [0, 0, 0, 2]);
        assert_eq!(buffer[8..20], [5, 0, 0, 1, 239, 1, 2, 3, 10, 0, 0, 1]);
        assert_eq!(buffer[20..], [3, 0, 0, 0, 239, 1, 2, 3]);
        assert_eq!(IgmpMessage::parse(&buffer), Ok(IgmpMessage::ReportV3));
    }
}
