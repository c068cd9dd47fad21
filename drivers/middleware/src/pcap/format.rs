//! The libpcap file format, version 2.4: a header, then for each frame a record header and its bytes.
//! All fields are little endian here; readers tell by the magic number.

use cygnet_driver::{Instant, Medium};

/// The header at the start of the file.
pub(super) fn file_header(medium: Medium) -> [u8; 24] {
    let [major, minor] = [2_u32, 4];
    let words = [
        MAGIC_MICROSECONDS,
        major | minor << 16,
        0, // timestamps are in UTC,
        0, // and of unknown accuracy
        MAX_LEN,
        link_type(medium),
    ];
    let mut header = [0; 24];
    for (bytes, word) in header.chunks_exact_mut(4).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    header
}

/// Fills `record` with the record of a frame, cut where it is longer than the format's readers take.
pub(super) fn write_record(record: &mut Vec<u8>, at: Instant, frame: &[u8]) {
    let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    let micros = at.as_micros();
    let words = [
        (micros / 1_000_000) as u32, // wraps in 2106
        (micros % 1_000_000) as u32,
        len.min(MAX_LEN),
        len,
    ];
    record.clear();
    for word in words {
        record.extend_from_slice(&word.to_le_bytes());
    }
    record.extend_from_slice(&frame[..frame.len().min(MAX_LEN as usize)]);
}

/// The LINKTYPE_ number of a medium.
fn link_type(medium: Medium) -> u32 {
    match medium {
        Medium::Ethernet => 1,
        Medium::Ip => 101,
        Medium::Ieee802154 => 230, // without a frame check sequence
        _ => 147,                  // for private use
    }
}

const MAGIC_MICROSECONDS: u32 = 0xa1b2_c3d4;
/// The longest record that libpcap and Wireshark take.
const MAX_LEN: u32 = 262_144;
