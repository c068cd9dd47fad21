//! What the client says (RFC 8415, section 18.2).

use core::net::Ipv6Addr;

use heapless::Vec;

use super::{ADDRESSES, Dhcpv6Client, PREFIXES, State};
use crate::rand::Random;
use crate::time::{Duration, Instant};
use crate::wire::dhcpv6::option;
use crate::wire::{Dhcpv6MessageKind, Dhcpv6Writer, Ipv6Cidr};

impl Dhcpv6Client {
    /// Writes the message that is due into `buffer`, which has room for [`MAX_MESSAGE`] bytes, and returns its
    /// length. It counts as sent: ask only with room to send it.
    pub(crate) fn poll(
        &mut self,
        now: Instant,
        random: &mut Random,
        buffer: &mut [u8],
    ) -> Option<usize> {
        // Servers have had their time; the one that was chosen is asked next.
        if matches!(self.state, State::Soliciting(_)) && self.candidate.is_some() {
            return None;
        }
        let (kind, exchange) = self.state.saying()?;
        if exchange.due > now || exchange.is_over(now) {
            return None;
        }
        let elapsed = exchange.count(now, random);
        let writer = Dhcpv6Writer::new(buffer, kind, exchange.xid);
        Some(self.write(writer, kind, elapsed))
    }

    fn write(&self, writer: Dhcpv6Writer<'_>, kind: Dhcpv6MessageKind, elapsed: Duration) -> usize {
        let mut writer = writer
            .option(option::CLIENT_ID, self.duid.as_bytes())
            .option(option::ELAPSED_TIME, &hundredths(elapsed));
        let server = match kind {
            Dhcpv6MessageKind::Request => self.candidate.as_ref().map(|c| &c.server),
            Dhcpv6MessageKind::Renew | Dhcpv6MessageKind::Release | Dhcpv6MessageKind::Decline => {
                self.server.as_ref()
            }
            _ => None,
        };
        if let Some(server) = server {
            writer = writer.option(option::SERVER_ID, server.as_bytes());
        }
        if kind == Dhcpv6MessageKind::Solicit && self.config.rapid_commit {
            writer = writer.option(option::RAPID_COMMIT, &[]);
        }
        if let Some(addresses) = self.addresses_in(kind) {
            writer = writer.addresses(self.iaid, addresses.into_iter());
        }
        if let Some(prefixes) = self.prefixes_in(kind) {
            writer = writer.prefixes(self.iaid, prefixes.into_iter());
        }
        match wishes(kind) {
            [] => writer.finish(),
            codes => writer.option_request(codes).finish(),
        }
    }

    /// The association of addresses that a message has, with those it is about.
    fn addresses_in(&self, kind: Dhcpv6MessageKind) -> Option<Vec<Ipv6Addr, ADDRESSES>> {
        Some(match kind {
            Dhcpv6MessageKind::InformationRequest => return None,
            Dhcpv6MessageKind::Solicit => Vec::new(),
            Dhcpv6MessageKind::Request => self.candidate.as_ref()?.addresses.clone(),
            Dhcpv6MessageKind::Decline => self.declined.clone(),
            // What is not there is not given back.
            Dhcpv6MessageKind::Release if self.bindings.addresses.is_empty() => return None,
            _ => self.bindings.addresses.iter().map(|h| h.what).collect(),
        })
    }

    /// The same of prefixes, which are neither confirmed nor declined.
    fn prefixes_in(&self, kind: Dhcpv6MessageKind) -> Option<Vec<Ipv6Cidr, PREFIXES>> {
        if !self.config.prefix_delegation {
            return None;
        }
        Some(match kind {
            Dhcpv6MessageKind::InformationRequest
            | Dhcpv6MessageKind::Confirm
            | Dhcpv6MessageKind::Decline => return None,
            Dhcpv6MessageKind::Solicit => Vec::new(),
            Dhcpv6MessageKind::Request => self.candidate.as_ref()?.prefixes.clone(),
            Dhcpv6MessageKind::Release if self.bindings.prefixes.is_empty() => return None,
            _ => self.bindings.prefixes.iter().map(|h| h.what).collect(),
        })
    }
}

/// What else the client wants to hear of. Section 21.7 says which messages have an Option Request option, and
/// sections 21.23 to 21.25 what is named in it.
fn wishes(kind: Dhcpv6MessageKind) -> &'static [u16] {
    match kind {
        Dhcpv6MessageKind::InformationRequest => &INFORMATION,
        Dhcpv6MessageKind::Solicit
        | Dhcpv6MessageKind::Request
        | Dhcpv6MessageKind::Renew
        | Dhcpv6MessageKind::Rebind => &STATEFUL,
        _ => &[],
    }
}

/// Section 21.9: "in hundredths of a second", and no more than fits 16 bits.
fn hundredths(elapsed: Duration) -> [u8; 2] {
    let hundredths = elapsed.as_millis() / 10;
    u16::try_from(hundredths).unwrap_or(u16::MAX).to_be_bytes()
}

/// The most bytes of a message: both DUIDs and every other option at their longest.
pub(crate) const MAX_MESSAGE: usize = 512;

const STATEFUL: [u16; 3] = [option::SOL_MAX_RT, option::DNS_SERVERS, option::DOMAIN_LIST];
const INFORMATION: [u16; 4] = [
    option::INF_MAX_RT,
    option::INFORMATION_REFRESH_TIME,
    option::DNS_SERVERS,
    option::DOMAIN_LIST,
];
