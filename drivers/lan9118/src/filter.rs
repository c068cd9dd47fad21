//! Which multicast frames come in: a table of 64 bits, and a hash of the address that picks one.

/// The bits of `HASHH` and `HASHL`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HashTable {
    pub(crate) high: u32,
    pub(crate) low: u32,
}

impl HashTable {
    /// The table that passes these addresses. Others pass as well that share a bit with one of them.
    pub(crate) fn of(addresses: &[[u8; 6]]) -> Self {
        addresses
            .iter()
            .fold(Self::default(), |mut table, address| {
                let bit = hash(*address);
                let word = if bit < 32 {
                    &mut table.low
                } else {
                    &mut table.high
                };
                *word |= 1 << (bit % 32);
                table
            })
    }
}

/// The upper six bits of the address's CRC-32 as it stands in the MAC's shift register after the address:
/// least significant bit of each byte first, not inverted at the end.
fn hash(address: [u8; 6]) -> u32 {
    let mut crc = u32::MAX;
    for byte in address {
        for bit in 0..8 {
            let feedback = (crc >> 31) ^ (u32::from(byte) >> bit & 1);
            crc <<= 1;
            if feedback != 0 {
                crc ^= POLYNOMIAL;
            }
        }
    }
    crc >> 26
}

/// That of IEEE 802.3, section 3.2.9.
const POLYNOMIAL: u32 = 0x04C1_1DB7;
