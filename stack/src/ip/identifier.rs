//! The lower half of the addresses that a host makes for itself (RFC 7217, RFC 4291 appendix A).
//!
//! `engine` asks for one when it forms an address from a prefix, and again for another when that address
//! turns out to be taken.

use core::hash::Hasher;
use core::net::Ipv6Addr;

#[cfg(feature = "slaac")]
use crate::rand::Random;
use crate::rand::{HashKey, Message};
use crate::wire::{EthernetAddress, Ipv6Cidr};

/// How a host tells itself from others in the addresses that it makes from a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum InterfaceIdentifiers {
    /// By a number that says nothing about the host and is another in each network (RFC 7217). With a secret
    /// of 16 random bytes that the host keeps, it is the same whenever the host comes back; without, the
    /// stack's seed takes its place, and it is another after each start.
    Opaque {
        /// The secret.
        secret: Option<[u8; 16]>,
    },
    /// By the hardware address, from which anybody who sees the address can tell the device in every network
    /// (RFC 4291, appendix A). Without a hardware address they are opaque.
    Eui64,
}

impl Default for InterfaceIdentifiers {
    fn default() -> Self {
        Self::Opaque { secret: None }
    }
}

/// What the addresses of an interface are made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub(crate) kind: InterfaceIdentifiers,
    pub(crate) hardware: Option<EthernetAddress>,
    /// Of identifiers, where none is configured.
    pub(crate) fallback_secret: [u8; 16],
}

impl Identity {
    /// The address with that prefix of 64 bits. `attempt` counts those that were taken.
    pub(crate) fn address(&self, prefix: Ipv6Cidr, attempt: u8) -> Ipv6Addr {
        interface_identifier(
            self.kind,
            self.hardware,
            prefix,
            attempt,
            self.fallback_secret,
        )
    }

    /// Whether there is another address to try when one is taken (RFC 7217 section 6).
    pub(crate) fn has_alternatives(&self) -> bool {
        matches!(self.kind, InterfaceIdentifiers::Opaque { .. }) || self.hardware.is_none()
    }
}

/// An address with that prefix of 64 bits that says nothing about the host, and is another each time (RFC 8981
/// section 3.3.1).
#[cfg(feature = "slaac")]
pub(crate) fn temporary_address(prefix: Ipv6Cidr, random: &mut Random) -> Ipv6Addr {
    let mut identifier = random.next_u64();
    // Hardly ever, and not for long.
    while is_reserved(identifier) {
        identifier = identifier.wrapping_add(RESERVED_BLOCK);
    }
    let network = Ipv6Cidr::new(prefix.address(), 64).network().address();
    Ipv6Addr::from_bits(network.to_bits() | u128::from(identifier))
}

/// The address with that prefix of 64 bits of the interface with that hardware address. `attempt` counts the
/// addresses that were taken.
fn interface_identifier(
    kind: InterfaceIdentifiers,
    hardware: Option<EthernetAddress>,
    prefix: Ipv6Cidr,
    attempt: u8,
    fallback_secret: [u8; 16],
) -> Ipv6Addr {
    let identifier = match (kind, hardware) {
        (InterfaceIdentifiers::Eui64, Some(hardware)) => eui64(hardware),
        (InterfaceIdentifiers::Opaque { secret }, _) => {
            opaque(secret.unwrap_or(fallback_secret), hardware, prefix, attempt)
        }
        (InterfaceIdentifiers::Eui64, None) => opaque(fallback_secret, None, prefix, attempt),
    };
    let network = Ipv6Cidr::new(prefix.address(), 64).network().address();
    Ipv6Addr::from_bits(network.to_bits() | u128::from(identifier))
}

/// RFC 4291 appendix A: `ff:fe` in the middle, and the universal/local bit inverted.
fn eui64(hardware: EthernetAddress) -> u64 {
    let [a, b, c, d, e, f] = hardware.0;
    u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

/// RFC 7217 section 5: `RID = F(Prefix, Net_Iface, Network_ID, DAD_Counter, secret_key)`. The pseudo-random
/// function is SipHash; there is no network to be told from another by name.
fn opaque(
    secret: [u8; 16],
    hardware: Option<EthernetAddress>,
    prefix: Ipv6Cidr,
    attempt: u8,
) -> u64 {
    let mut counter = u32::from(attempt) << 8;
    loop {
        let key = HashKey::from(secret);
        let mut message = Message::new(&key);
        message.write_u128(prefix.network().address().to_bits());
        message.write(&hardware.map_or([0; 6], |hardware| hardware.0));
        message.write_u32(counter);
        let identifier = message.finish();
        // Hardly ever, and not for long: the reserved ones are few.
        if !is_reserved(identifier) {
            return identifier;
        }
        counter = counter.wrapping_add(1);
    }
}

/// RFC 5453, with the registry it opened: the subnet's routers, anycast addresses, and those of the Ethernet
/// block that IANA has.
fn is_reserved(identifier: u64) -> bool {
    identifier == 0
        || identifier >> 24 == 0x0002_005e_fffe
        || (0xfdff_ffff_ffff_ff80..=0xfdff_ffff_ffff_ffff).contains(&identifier)
}

/// As long as the longest run of reserved identifiers, or longer.
#[cfg(feature = "slaac")]
const RESERVED_BLOCK: u64 = 1 << 24;

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: EthernetAddress = EthernetAddress([0x02, 0, 0, 0, 0, 0x01]);
    const SECRET: [u8; 16] = [7; 16];

    fn address(kind: InterfaceIdentifiers, prefix: &str, attempt: u8) -> Ipv6Addr {
        interface_identifier(kind, Some(MAC), prefix.parse().unwrap(), attempt, [9; 16])
    }

    const OPAQUE: InterfaceIdentifiers = InterfaceIdentifiers::Opaque {
        secret: Some(SECRET),
    };

    #[test]
    fn rfc4291_an_identifier_from_the_hardware_address() {
        let expected: Ipv6Addr = "fe80::ff:fe00:1".parse().unwrap();
        assert_eq!(
            address(InterfaceIdentifiers::Eui64, "fe80::/64", 0),
            expected
        );
        let hardware = EthernetAddress([0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde]);
        let address = interface_identifier(
            InterfaceIdentifiers::Eui64,
            Some(hardware),
            "2001:db8::/64".parse().unwrap(),
            0,
            SECRET,
        );
        let expected: Ipv6Addr = "2001:db8::3656:78ff:fe9a:bcde".parse().unwrap();
        assert_eq!(address, expected);
    }

    #[test]
    fn rfc7217_identifiers_are_stable_within_a_network_and_differ_between_them() {
        let home = address(OPAQUE, "2001:db8:1::/64", 0);
        assert_eq!(address(OPAQUE, "2001:db8:1::/64", 0), home);
        let away = address(OPAQUE, "2001:db8:2::/64", 0);
        assert_ne!(home.to_bits() as u64, away.to_bits() as u64);
        assert_eq!(home.segments()[..4], [0x2001, 0xdb8, 1, 0]);
    }

    #[test]
    fn rfc7217_an_address_that_is_taken_is_followed_by_another() {
        let attempts = [0, 1, 2, 3].map(|attempt| address(OPAQUE, "fe80::/64", attempt));
        for (n, a) in attempts.iter().enumerate() {
            assert!(attempts[..n].iter().all(|b| a != b));
        }
    }

    #[test]
    fn without_a_secret_the_seed_takes_its_place() {
        let default = InterfaceIdentifiers::default();
        let seeded = InterfaceIdentifiers::Opaque {
            secret: Some([9; 16]),
        };
        assert_eq!(
            address(default, "fe80::/64", 0),
            address(seeded, "fe80::/64", 0)
        );
        assert_ne!(
            address(default, "fe80::/64", 0),
            address(OPAQUE, "fe80::/64", 0)
        );
    }

    #[test]
    fn reserved_identifiers_are_told() {
        for reserved in [
            0,
            0x0200_5eff_fe00_0000,
            0x0200_5eff_feff_ffff,
            0xfdff_ffff_ffff_ff80,
            0xfdff_ffff_ffff_ffff,
        ] {
            assert!(is_reserved(reserved), "{reserved:#x}");
        }
        for free in [1, 0x0200_5eff_fd00_0000, 0xfdff_ffff_ffff_ff7f, u64::MAX] {
            assert!(!is_reserved(free), "{free:#x}");
        }
    }
}
