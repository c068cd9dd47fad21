//! What the kernel says of a frame before it: the `struct virtio_net_hdr` of packet(7), option `PACKET_VNET_HDR`.
//!
//! A frame that never left the host, or was put together from several, has not been finished: its transport
//! checksum is not there, and it may be longer than any on the wire. Without this header it would look broken.

use cygnet_driver::{RxChecksum, RxMeta};

/// The length of the header in bytes; of those of other lengths nothing is known.
pub(crate) const LEN: usize = 10;

/// What a header says. A frame without one is as it was on the wire.
pub(crate) fn read(header: &[u8]) -> RxMeta {
    let mut meta = RxMeta::new();
    let &[flags, gso_type, _, _, size_0, size_1, ..] = header else {
        return meta;
    };
    if flags & NEEDS_CSUM != 0 {
        meta.checksum = RxChecksum::Unneeded;
    } else if flags & DATA_VALID != 0 {
        meta.checksum = RxChecksum::Valid;
    }
    if gso_type & !GSO_ECN != GSO_NONE {
        // In the byte order of the host.
        meta.coalesced = Some(u16::from_ne_bytes([size_0, size_1]));
    }
    meta
}

/// The transport checksum is that of the pseudo header alone.
const NEEDS_CSUM: u8 = 1;
/// A device has looked at it.
const DATA_VALID: u8 = 2;

const GSO_NONE: u8 = 0;
/// Beside a type: one of the segments had CWR set.
const GSO_ECN: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_zeros_says_nothing_and_neither_does_none() {
        assert_eq!(read(&[0; LEN]), RxMeta::new());
        assert_eq!(read(&[]), RxMeta::new());
    }

    #[test]
    fn a_checksum_that_is_not_there_is_not_looked_for() {
        let mut header = [0; LEN];
        header[0] = NEEDS_CSUM;
        assert_eq!(read(&header).checksum, RxChecksum::Unneeded);
        header[0] = DATA_VALID;
        assert_eq!(read(&header).checksum, RxChecksum::Valid);
    }

    #[test]
    fn segments_in_one_frame_have_a_length() {
        let mut header = [0; LEN];
        header[1] = 1 | GSO_ECN;
        header[4..6].copy_from_slice(&1_448_u16.to_ne_bytes());
        assert_eq!(read(&header).coalesced, Some(1_448));
        header[1] = GSO_ECN;
        assert_eq!(read(&header).coalesced, None);
    }
}
