//! What clients and servers know each other by (RFC 8415, section 11).

use heapless::Vec;

/// A DHCP unique identifier: who a client or a server is, on whatever link, for as long as it lives.
///
/// Only who makes one looks into it; everybody else compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Duid {
    /// The type in the first two.
    bytes: Vec<u8, MAX_LEN>,
}

impl Duid {
    /// That of a device with an Ethernet address of its own (DUID-LL, section 11.4).
    pub fn link_layer(hardware: [u8; 6]) -> Self {
        Self::of_type(LINK_LAYER, &ETHERNET.to_be_bytes(), &hardware)
    }

    /// One that a vendor gave the device (DUID-EN, section 11.3): its enterprise number at IANA, and up to
    /// 124 bytes that only this device has. `None` if there are more, or none.
    pub fn enterprise(number: u32, identifier: &[u8]) -> Option<Self> {
        let fits = (1..=MAX_LEN - 6).contains(&identifier.len());
        fits.then(|| Self::of_type(ENTERPRISE, &number.to_be_bytes(), identifier))
    }

    /// A universally unique identifier (DUID-UUID, RFC 6355).
    pub fn uuid(uuid: [u8; 16]) -> Self {
        Self::of_type(UUID, &[], &uuid)
    }

    /// One of any type, which is in the first two bytes. `None` if it is shorter than 3 bytes, or longer than
    /// 130.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes = Vec::from_slice(bytes)
            .ok()
            .filter(|bytes| Self::fits(bytes))?;
        Some(Self { bytes })
    }

    /// The type and the identifier.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Section 11.1: "at least 1 octet and at most 128 octets" after the type.
    pub(super) fn fits(bytes: &[u8]) -> bool {
        (MIN_LEN..=MAX_LEN).contains(&bytes.len())
    }

    /// All fit.
    fn of_type(kind: u16, more: &[u8], identifier: &[u8]) -> Self {
        let parts = [&kind.to_be_bytes()[..], more, identifier];
        let bytes = parts.into_iter().flatten().copied().take(MAX_LEN).collect();
        Self { bytes }
    }
}

const ENTERPRISE: u16 = 2;
const LINK_LAYER: u16 = 3;
const UUID: u16 = 4;

/// The hardware type of Ethernet.
const ETHERNET: u16 = 1;

const MIN_LEN: usize = 3;
const MAX_LEN: usize = 130;
