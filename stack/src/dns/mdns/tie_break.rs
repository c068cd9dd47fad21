//! Who wins when two hosts probe for one name (RFC 6762 section 8.2).

use core::cmp::Ordering;

use heapless::Vec;

use crate::wire::dns::{DnsName, MdnsMessage, Record, RecordData};

/// How our records for `name`, which stand in our probe, compare to those of another host in its probe. The
/// greater wins.
///
/// Section 8.2.1: "the records should be sorted into order of increasing class, type, and rdata [...] and
/// compared pairwise".
pub(super) fn compare(
    ours: &MdnsMessage<'_>,
    theirs: &MdnsMessage<'_>,
    name: DnsName<'_>,
) -> Ordering {
    let (ours, theirs) = (sorted(ours, name), sorted(theirs, name));
    let pairs = ours.iter().zip(&theirs);
    let different = pairs.map(|(a, b)| order(a, b)).find(|o| o.is_ne());
    different.unwrap_or(ours.len().cmp(&theirs.len()))
}

fn sorted<'a>(probe: &MdnsMessage<'a>, name: DnsName<'_>) -> Vec<Record<'a>, COMPARED> {
    let mut list: Vec<_, COMPARED> = probe
        .authorities()
        .filter(|record| record.name == name)
        .take(COMPARED)
        .collect();
    list.sort_unstable_by(order);
    list
}

fn order(a: &Record<'_>, b: &Record<'_>) -> Ordering {
    let key = |record: &Record<'_>| (record.mdns_class(), record.kind.0);
    key(a)
        .cmp(&key(b))
        .then_with(|| rdata_bytes(&a.data).cmp(rdata_bytes(&b.data)))
}

/// "The raw uncompressed rdata", whose names are in their own case.
pub(super) fn rdata_bytes<'a>(data: &RecordData<'a>) -> impl Iterator<Item = u8> + use<'a> {
    let mut fixed = Vec::<u8, 16>::new();
    let mut name = None;
    let mut rest: &'a [u8] = &[];
    match *data {
        RecordData::A(address) => {
            let _ = fixed.extend_from_slice(&address.octets());
        }
        RecordData::Aaaa(address) => {
            let _ = fixed.extend_from_slice(&address.octets());
        }
        RecordData::Cname(to) | RecordData::Ptr(to) => name = Some(to),
        RecordData::Mx {
            preference,
            exchange,
        } => {
            let _ = fixed.extend_from_slice(&preference.to_be_bytes());
            name = Some(exchange);
        }
        RecordData::Srv {
            priority,
            weight,
            port,
            target,
        } => {
            for number in [priority, weight, port] {
                let _ = fixed.extend_from_slice(&number.to_be_bytes());
            }
            name = Some(target);
        }
        RecordData::Txt(text) => rest = text.as_bytes(),
        RecordData::Soa { minimum } => {
            let _ = fixed.extend_from_slice(&minimum.to_be_bytes());
        }
        RecordData::Other(data) => rest = data,
    }
    let label = |label: &'a [u8]| core::iter::once(label.len() as u8).chain(label.iter().copied());
    let name = name.into_iter().flat_map(move |name| {
        let labels = name.labels().flat_map(label);
        labels.chain([0])
    });
    fixed.into_iter().chain(name).chain(rest.iter().copied())
}

/// As many records of a name are looked at.
const COMPARED: usize = 8;

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::wire::dns::{MdnsWriter, Name, OwnData, OwnRecord, RecordType, Section};

    /// A probe for `swan.local` with these records.
    fn probe(records: &[OwnData<'_>]) -> Vec<u8> {
        let name = Name::from_text("swan.local").unwrap();
        let mut buffer = [0; 512];
        let mut writer = MdnsWriter::new(&mut buffer, 0, false);
        writer.question(&name, RecordType::ANY, 1);
        for &data in records {
            let record = OwnRecord {
                name: &name,
                class: 1,
                ttl: 120,
                data,
            };
            assert!(writer.record(Section::Authority, &record));
        }
        let len = writer.finish();
        buffer[..len].to_vec()
    }

    fn ours_against(ours: &[OwnData<'_>], theirs: &[OwnData<'_>]) -> Ordering {
        let name = Name::from_text("SWAN.local").unwrap();
        let (ours, theirs) = (probe(ours), probe(theirs));
        let read = |bytes| MdnsMessage::parse(bytes).unwrap();
        compare(&read(&ours), &read(&theirs), name.as_name())
    }

    #[test]
    fn the_later_address_wins() {
        // The example of section 8.2.
        let (early, late) = (
            OwnData::A([169, 254, 99, 200]),
            OwnData::A([169, 254, 200, 50]),
        );
        assert_eq!(ours_against(&[late], &[early]), Ordering::Greater);
        assert_eq!(ours_against(&[early], &[late]), Ordering::Less);
        assert_eq!(ours_against(&[early], &[early]), Ordering::Equal);
    }

    #[test]
    fn records_are_compared_in_their_order_and_more_of_them_win() {
        let (a, b) = (OwnData::A([1, 1, 1, 1]), OwnData::A([2, 2, 2, 2]));
        assert_eq!(ours_against(&[b, a], &[a, b]), Ordering::Equal);
        assert_eq!(ours_against(&[b, a], &[a]), Ordering::Greater);
        assert_eq!(ours_against(&[], &[a]), Ordering::Less);
        let text = OwnData::Txt(b"\x01x");
        assert_eq!(
            ours_against(&[text], &[b]),
            Ordering::Greater,
            "the higher type"
        );
        let host = Name::from_text("swan.local").unwrap();
        let srv = |port| OwnData::Srv {
            port,
            target: &host,
        };
        assert_eq!(ours_against(&[srv(80)], &[srv(81)]), Ordering::Less);
    }
}
