//! Which packets may be answered with an ICMPv6 error (RFC 4443 section 2.4 (e)).
//!
//! The rules keep errors from answering errors, and one packet to a group from drawing an error from every
//! host. `engine` asks before each error it would send, and the [limiter](super::ErrorLimiter) after.

use core::net::Ipv6Addr;

use super::policy::ErrorSuppressed;

/// Whether the packet may be answered with an ICMPv6 error message: such a message "MUST NOT be originated
/// as a result of receiving" any of those that [`ErrorSuppressed`] names.
pub(crate) fn may_send_error_v6(offender: &OffenderV6) -> Result<(), ErrorSuppressed> {
    if offender.is_error {
        return Err(ErrorSuppressed::AboutError);
    }
    if offender.reach == ErrorReach::OneHost {
        if offender.is_to_group {
            return Err(ErrorSuppressed::ToGroup);
        }
        if offender.is_link_group {
            return Err(ErrorSuppressed::LinkGroup);
        }
    }
    if !is_single_host(offender.source) {
        return Err(ErrorSuppressed::SourceNotOneHost);
    }
    Ok(())
}

/// What an error message would be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct OffenderV6 {
    /// The header's source address, which the error would go to.
    pub(crate) source: Ipv6Addr,
    /// Whether the destination is a group.
    pub(crate) is_to_group: bool,
    /// Whether it came in a frame to a multicast address.
    pub(crate) is_link_group: bool,
    /// Whether it is an ICMPv6 error itself, or a redirect.
    pub(crate) is_error: bool,
    /// Whom the error is for.
    pub(crate) reach: ErrorReach,
}

/// Whether an error may be about a packet to a group (section 2.4 (e.3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum ErrorReach {
    /// Only about packets to one host.
    OneHost,
    /// About packets to groups as well: an option whose type has the upper bits 10 asks for that.
    Groups,
}

/// "a packet whose source address does not uniquely identify a single node -- e.g., the IPv6 Unspecified
/// Address, an IPv6 multicast address"
fn is_single_host(address: Ipv6Addr) -> bool {
    !address.is_unspecified() && !address.is_multicast() && !address.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offender() -> OffenderV6 {
        OffenderV6 {
            source: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
            is_to_group: false,
            is_link_group: false,
            is_error: false,
            reach: ErrorReach::OneHost,
        }
    }

    #[test]
    fn an_ordinary_packet_may_be_answered() {
        assert_eq!(may_send_error_v6(&offender()), Ok(()));
    }

    #[test]
    fn never_about_an_error() {
        let error = OffenderV6 {
            is_error: true,
            reach: ErrorReach::Groups,
            ..offender()
        };
        assert_eq!(may_send_error_v6(&error), Err(ErrorSuppressed::AboutError));
    }

    #[test]
    fn about_a_group_only_if_the_option_asks_for_it() {
        let mut group = OffenderV6 {
            is_to_group: true,
            is_link_group: true,
            ..offender()
        };
        assert_eq!(may_send_error_v6(&group), Err(ErrorSuppressed::ToGroup));
        group.is_to_group = false;
        assert_eq!(may_send_error_v6(&group), Err(ErrorSuppressed::LinkGroup));
        group.is_to_group = true;
        group.reach = ErrorReach::Groups;
        assert_eq!(may_send_error_v6(&group), Ok(()));
    }

    #[test]
    fn never_to_a_source_that_is_not_a_single_host() {
        for source in ["::", "ff02::1", "::1"] {
            let offender = OffenderV6 {
                source: source.parse().unwrap(),
                reach: ErrorReach::Groups,
                ..offender()
            };
            let suppressed = Err(ErrorSuppressed::SourceNotOneHost);
            assert_eq!(may_send_error_v6(&offender), suppressed, "{source}");
        }
    }
}
