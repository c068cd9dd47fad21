//! The names that addresses have, under which the names of hosts are found (RFC 1035 section 3.5, RFC 3596
//! section 2.5).

use core::net::IpAddr;

use super::{DnsName, InvalidName, Name};

impl Name {
    /// The name under which that of an address' host is found: `1.2.0.192.in-addr.arpa` for 192.0.2.1.
    ///
    /// # Errors
    ///
    /// [`InvalidName::LongName`] if `DNS_MAX_NAME_SIZE` has no room for it.
    pub fn of_address(address: IpAddr) -> Result<Self, InvalidName> {
        let mut name = Self::root();
        match address {
            IpAddr::V4(address) => {
                for octet in address.octets().iter().rev() {
                    let digits = [
                        b'0' + octet / 100,
                        b'0' + octet / 10 % 10,
                        b'0' + octet % 10,
                    ];
                    let zeros = match octet {
                        0..=9 => 2,
                        10..=99 => 1,
                        100.. => 0,
                    };
                    name.push(&digits[zeros..])?;
                }
                name.push(b"in-addr")?;
            }
            IpAddr::V6(address) => {
                for octet in address.octets().iter().rev() {
                    for nibble in [octet & 0xf, octet >> 4] {
                        name.push(&[b"0123456789abcdef"[usize::from(nibble)]])?;
                    }
                }
                name.push(b"ip6")?;
            }
        }
        name.push(b"arpa")?;
        Ok(name)
    }
}

impl DnsName<'_> {
    /// Whether it is in the domain whose labels are these, or that domain itself; whatever their case.
    pub fn is_within(&self, domain: &[&[u8]]) -> bool {
        let more = self.labels().count().checked_sub(domain.len());
        more.is_some_and(|more| {
            let end = self.labels().skip(more);
            end.zip(domain)
                .all(|(label, wanted)| label.eq_ignore_ascii_case(wanted))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn addresses_have_names() {
        for (address, name) in [
            ("192.0.2.10", "10.2.0.192.in-addr.arpa"),
            ("255.99.100.0", "0.100.99.255.in-addr.arpa"),
            // The example of RFC 3596.
            (
                "4321:0:1:2:3:4:567:89ab",
                "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa",
            ),
        ] {
            let found = Name::of_address(address.parse().unwrap()).unwrap();
            assert_eq!(found.to_string(), name);
        }
    }

    #[test]
    fn a_name_is_within_the_domains_it_ends_with() {
        let name = Name::from_text("a.Example.org").unwrap();
        let name = name.as_name();
        assert!(name.is_within(&[b"org"]));
        assert!(name.is_within(&[b"example", b"ORG"]));
        assert!(name.is_within(&[b"a", b"example", b"org"]));
        assert!(!name.is_within(&[b"b", b"a", b"example", b"org"]));
        assert!(!name.is_within(&[b"ample", b"org"]));
    }
}
