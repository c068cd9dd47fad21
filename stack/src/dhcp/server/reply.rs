//! What a server answers, and to where.

use core::net::Ipv4Addr;

use heapless::Vec;

use super::{DhcpServerConfig, Ignored, Origin};
use crate::time::Duration;
use crate::wire::dhcpv4::{CLIENT_PORT, SERVER_PORT, option};
use crate::wire::{DhcpMessage, DhcpMessageKind, DhcpReply, DhcpWriter, EthernetAddress};

/// An answer that waits to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    kind: DhcpMessageKind,
    pub(crate) to: Ipv4Addr,
    pub(crate) port: u16,
    /// The station that the frame goes to; clients without an address answer no ARP.
    pub(crate) hardware: EthernetAddress,
    fixed: DhcpReply,
    /// How long the address may be used.
    lease: Option<Duration>,
    /// Options as they came, with code and length.
    echo: Vec<u8, ECHO>,
}

impl Reply {
    /// An answer to `message`, which gives `yiaddr`.
    pub(super) fn to(
        message: &DhcpMessage<'_>,
        kind: DhcpMessageKind,
        (yiaddr, lease): (Ipv4Addr, Option<Duration>),
        origin: &Origin,
    ) -> Result<Self, Ignored> {
        let is_nak = kind == DhcpMessageKind::Nak;
        let relayed = !message.giaddr.is_unspecified();
        let ciaddr = if is_nak {
            Ipv4Addr::UNSPECIFIED
        } else {
            message.ciaddr
        };
        // RFC 2131 section 4.1 has these rules in this order.
        let (to, hardware) = if relayed {
            (message.giaddr, origin.station)
        } else if is_nak {
            EVERYBODY
        } else if !ciaddr.is_unspecified() {
            (ciaddr, message.chaddr)
        } else if message.broadcast {
            EVERYBODY
        } else {
            (yiaddr, message.chaddr)
        };
        let mut echo = Vec::new();
        // RFC 6842 section 3, and RFC 3046 section 2.2, by which the latter is the last option.
        for code in [option::CLIENT_ID, option::RELAY_AGENT] {
            if let Some(value) = message.options.first(code) {
                echo_option(&mut echo, code, value).ok_or(Ignored::TooLong)?;
            }
        }
        Ok(Self {
            kind,
            to,
            port: if relayed { SERVER_PORT } else { CLIENT_PORT },
            hardware,
            fixed: DhcpReply {
                xid: message.xid,
                // Section 4.3.2: through a relay, "the server MUST set the broadcast bit in the DHCPNAK".
                broadcast: message.broadcast || (is_nak && relayed),
                ciaddr,
                yiaddr,
                giaddr: message.giaddr,
                chaddr: message.chaddr,
            },
            lease,
            echo,
        })
    }

    /// Writes it into `buffer`, which has room for [`MAX_REPLY`] bytes. Returns its length.
    pub(crate) fn emit(
        &self,
        config: &DhcpServerConfig,
        origin: &Origin,
        buffer: &mut [u8],
    ) -> usize {
        let mut writer = DhcpWriter::reply(buffer, &self.fixed)
            .option(option::MESSAGE_TYPE, &[self.kind as u8])
            .option(option::SERVER_ID, &origin.address.address().octets());
        if let Some(lease) = self.lease {
            let seconds = |time: Duration| {
                let seconds = u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
                seconds.to_be_bytes()
            };
            writer = writer.option(option::LEASE_TIME, &seconds(lease));
            if lease != Duration::MAX {
                let rebinding = lease.saturating_sub(lease.divided_by(8));
                writer = writer
                    .option(option::RENEWAL_TIME, &seconds(lease.divided_by(2)))
                    .option(option::REBINDING_TIME, &seconds(rebinding));
            }
        }
        if self.kind != DhcpMessageKind::Nak {
            writer = with_network(writer, config, origin);
        }
        let mut echo = &self.echo[..];
        while let [code, len, rest @ ..] = echo
            && let Some((value, rest)) = rest.split_at_checked(usize::from(*len))
        {
            writer = writer.option(*code, value);
            echo = rest;
        }
        writer.finish()
    }
}

/// What goes with an address.
fn with_network<'b>(
    writer: DhcpWriter<'b>,
    config: &DhcpServerConfig,
    origin: &Origin,
) -> DhcpWriter<'b> {
    let mut writer = writer.option(option::SUBNET_MASK, &origin.address.netmask().octets());
    if let Some(gateway) = config.gateway {
        writer = writer.option(option::ROUTER, &gateway.octets());
    }
    if !config.dns_servers.is_empty() {
        let servers = config.dns_servers.iter().flat_map(Ipv4Addr::octets);
        let servers: Vec<u8, 16> = servers.collect();
        writer = writer.option(option::DNS_SERVERS, &servers);
    }
    if let Some(domain) = &config.domain {
        writer = writer.option(option::DOMAIN_NAME, domain.as_bytes());
    }
    if let Some(mtu) = config.mtu {
        writer = writer.option(option::INTERFACE_MTU, &mtu.to_be_bytes());
    }
    writer
}

fn echo_option(echo: &mut Vec<u8, ECHO>, code: u8, value: &[u8]) -> Option<()> {
    echo.push(code).ok()?;
    echo.push(u8::try_from(value.len()).ok()?).ok()?;
    echo.extend_from_slice(value).ok()
}

const EVERYBODY: (Ipv4Addr, EthernetAddress) = (Ipv4Addr::BROADCAST, EthernetAddress::BROADCAST);

/// The most bytes of an answer: the fixed part, and every option at its longest.
pub(crate) const MAX_REPLY: usize = 512;

/// Room for options that are repeated: a client's identifier and what a relay says.
const ECHO: usize = 96;
