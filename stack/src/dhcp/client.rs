//! The DHCP client's state machine (RFC 2131 section 4.4).
//!
//! `engine` shows it the messages that come in, sends those it asks for, and sets up the interface when it
//! says that a lease came or went.
//!
//! ```text
//!            ┌─────────────────────────── NAK, no answer ──────────────┐
//!            ▼                                                         │
//!  link up ─► Init ─► Selecting ── offer ──► Requesting ── ACK ──► Bound ── T1 ──► Renewing
//!     │      ▲  ▲                                                 ▲  ▲ ▲             │  │ T2
//!     │      │  └──── 10 s ──── Declining ◄── address conflict ───┘  │ └──── ACK ────┘  ▼
//!     │      └─ NAK, no answer ─┐                                    └───── ACK ── Rebinding
//!     └─ known address ──────► Rebooting ──────────── ACK ──────────► Bound            │
//!                                                     Init ◄──── the lease expires ────┘
//! ```
//!
//! A lease that has not expired stays in use while it is asked for again: after the link came back, and
//! when nobody answers to that (RFC 2131 section 3.2, paragraph 4).

#[cfg(test)]
mod tests;

use core::net::Ipv4Addr;

use super::{DhcpConfig, DhcpLease};
use crate::rand::Random;
use crate::time::{Duration, Instant};
use crate::wire::dhcpv4::{DhcpMessage, DhcpMessageKind, DhcpRequest, DhcpWriter, option};
use crate::wire::{EthernetAddress, IpAddress};

/// The client of one interface.
#[derive(Clone, Debug)]
pub(crate) struct DhcpClient {
    config: DhcpConfig,
    hardware: EthernetAddress,
    state: State,
    xid: u32,
    /// When the search for an address began.
    started: Instant,
    /// When the latest request was sent; a lease counts from there.
    requested: Instant,
    bound: Option<Bound>,
}

/// Each with when it does something next: sends, or gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The link is down.
    Stopped,
    /// Begins anew at that time.
    Init(Instant),
    Selecting(Attempts),
    Requesting(Offer, Attempts),
    /// Asks whether an address it had is still good.
    Rebooting(Ipv4Addr, Attempts),
    Bound,
    Renewing(Instant),
    Rebinding(Instant),
    /// Somebody else has the address, which the server is to hear.
    Declining(Offer),
}

/// What a server offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offer {
    address: Ipv4Addr,
    server: Ipv4Addr,
}

/// How often a message was sent, and when it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Attempts {
    sent: u8,
    due: Instant,
}

/// A lease and its times.
#[derive(Clone, Debug)]
struct Bound {
    lease: DhcpLease,
    renew: Instant,
    rebind: Instant,
    expires: Instant,
}

/// What became of the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// There is one, or it has changed: see [`DhcpClient::lease`].
    Leased,
    /// There is none any more.
    Lost,
}

/// A message to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outgoing {
    kind: DhcpMessageKind,
    pub(crate) to: Recipient,
    xid: u32,
    secs: u16,
    /// Our address where we are sure of it, else 0.0.0.0. It is also the source of the packet.
    pub(crate) ciaddr: Ipv4Addr,
    requested: Option<Ipv4Addr>,
    server: Option<Ipv4Addr>,
}

/// Whom a message goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recipient {
    Everybody,
    Server(Ipv4Addr),
}

impl DhcpClient {
    /// A client that starts when the link is up.
    pub(crate) fn new(config: DhcpConfig, hardware: EthernetAddress) -> Self {
        Self {
            config,
            hardware,
            state: State::Stopped,
            xid: 0,
            started: Instant::ZERO,
            requested: Instant::ZERO,
            bound: None,
        }
    }

    /// The lease, from when it was given until it expires.
    pub(crate) fn lease(&self) -> Option<&DhcpLease> {
        Some(&self.bound.as_ref()?.lease)
    }

    /// Whether an address is looked at for conflicts before it is used.
    pub(crate) fn probes(&self) -> bool {
        self.config.probe
    }

    /// Whether an answer may come to an address that is not ours yet.
    pub(crate) fn expects_answer(&self) -> bool {
        matches!(
            self.state,
            State::Selecting(_)
                | State::Requesting(..)
                | State::Rebooting(..)
                | State::Rebinding(_)
        )
    }

    /// The link came up, or is another: a known address is asked for again, else any.
    pub(crate) fn on_link_up(&mut self, now: Instant, random: &mut Random) {
        let known = match &self.bound {
            Some(bound) => Some(bound.lease.address.address()),
            None => self.config.previous_address,
        };
        let delay = random.below(self.config.max_start_delay.as_millis().min(60_000) as u32);
        let due = now + Duration::from_millis(delay.into());
        self.xid = random.next_u32();
        self.started = now;
        self.state = match known {
            Some(address) => State::Rebooting(address, Attempts::new(due)),
            None => State::Init(due),
        };
    }

    /// The link went down.
    pub(crate) fn on_link_down(&mut self) {
        self.state = State::Stopped;
    }

    /// Somebody else uses the address that was given.
    pub(crate) fn on_conflict(&mut self) -> Option<Change> {
        let bound = self.bound.take()?;
        self.config.previous_address = None;
        // Without a link nobody would hear it; the other host will speak up again where it still is.
        if self.state != State::Stopped {
            self.state = State::Declining(Offer {
                address: bound.lease.address.address(),
                server: bound.lease.server,
            });
        }
        Some(Change::Lost)
    }

    /// When [`Self::on_timeout`] or [`Self::poll`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let bound = self.bound.as_ref();
        let due = match self.state {
            State::Stopped => None,
            State::Init(due) | State::Renewing(due) | State::Rebinding(due) => Some(due),
            State::Selecting(attempts)
            | State::Requesting(_, attempts)
            | State::Rebooting(_, attempts) => Some(attempts.due),
            State::Bound => bound.map(|bound| bound.renew),
            State::Declining(_) => Some(Instant::ZERO),
        };
        let rebind = bound
            .filter(|_| matches!(self.state, State::Renewing(_)))
            .map(|bound| bound.rebind);
        let expiry = bound.map(|bound| bound.expires);
        due.into_iter().chain(rebind).chain(expiry).min()
    }

    /// Time passed: moves on to the state that it is time for.
    pub(crate) fn on_timeout(&mut self, now: Instant, random: &mut Random) -> Option<Change> {
        if self.bound.as_ref().is_some_and(|b| b.expires <= now) {
            // "If the lease expires before the client receives a DHCPACK, the client moves to INIT state,
            // MUST immediately stop any other network processing" (section 4.4.5).
            self.bound = None;
            if matches!(
                self.state,
                State::Bound | State::Renewing(_) | State::Rebinding(_)
            ) {
                self.state = State::Init(now);
            }
            return Some(Change::Lost);
        }
        match (self.state, &self.bound) {
            (State::Init(due), _) if due <= now => self.discover(now, random),
            (State::Bound, Some(bound)) if bound.renew <= now => {
                self.xid = random.next_u32();
                self.started = now;
                self.state = State::Renewing(now);
            }
            (State::Renewing(_), Some(bound)) if bound.rebind <= now => {
                self.state = State::Rebinding(now);
            }
            (State::Requesting(_, attempts), _) if attempts.are_over(now, REQUESTS) => {
                self.discover(now, random);
            }
            (State::Rebooting(_, attempts), _) if attempts.are_over(now, REBOOT_REQUESTS) => {
                self.discover(now, random);
            }
            _ => {}
        }
        None
    }

    fn discover(&mut self, now: Instant, random: &mut Random) {
        self.xid = random.next_u32();
        self.state = State::Selecting(Attempts::new(now));
    }

    /// The message that is due. It counts as sent: ask only with room to send it.
    pub(crate) fn poll(&mut self, now: Instant, random: &mut Random) -> Option<Outgoing> {
        let bound = self.bound.as_ref();
        let mut outgoing = self.outgoing(DhcpMessageKind::Request, now);
        match &mut self.state {
            State::Selecting(attempts) if attempts.due <= now => {
                attempts.count(now, random);
                outgoing.kind = DhcpMessageKind::Discover;
                outgoing.requested = self.config.previous_address;
            }
            State::Requesting(offer, attempts) if attempts.due <= now => {
                attempts.count(now, random);
                outgoing.requested = Some(offer.address);
                outgoing.server = Some(offer.server);
            }
            // Section 4.3.2: "'server identifier' MUST NOT be filled in, 'requested IP address' option MUST
            // be filled in with client's notion of its previously assigned address. 'ciaddr' MUST be zero."
            State::Rebooting(address, attempts) if attempts.due <= now => {
                attempts.count(now, random);
                outgoing.requested = Some(*address);
            }
            // "'requested IP address' option MUST NOT be filled in, 'ciaddr' MUST be filled in".
            State::Renewing(due) if *due <= now => {
                let bound = bound?;
                *due = halfway(now, bound.rebind);
                outgoing.ciaddr = bound.lease.address.address();
                outgoing.to = Recipient::Server(bound.lease.server);
            }
            State::Rebinding(due) if *due <= now => {
                let bound = bound?;
                *due = halfway(now, bound.expires);
                outgoing.ciaddr = bound.lease.address.address();
            }
            State::Declining(offer) => {
                outgoing.kind = DhcpMessageKind::Decline;
                outgoing.xid = random.next_u32();
                outgoing.requested = Some(offer.address);
                outgoing.server = Some(offer.server);
                // "The client SHOULD wait a minimum of ten seconds before restarting" (section 3.1).
                self.state = State::Init(now + DECLINE_PAUSE);
            }
            _ => return None,
        }
        if outgoing.kind == DhcpMessageKind::Request {
            self.requested = now;
        }
        Some(outgoing)
    }

    /// The message could not be sent yet, for its next hop is being looked for.
    pub(crate) fn postpone(&mut self, until: Instant) {
        if let State::Renewing(due) = &mut self.state {
            *due = until;
        }
    }

    /// The message that gives the lease back, if there is one.
    pub(crate) fn release(&self, now: Instant, random: &mut Random) -> Option<Outgoing> {
        let lease = self.lease()?;
        Some(Outgoing {
            xid: random.next_u32(),
            ciaddr: lease.address.address(),
            server: Some(lease.server),
            to: Recipient::Server(lease.server),
            secs: 0,
            ..self.outgoing(DhcpMessageKind::Release, now)
        })
    }

    fn outgoing(&self, kind: DhcpMessageKind, now: Instant) -> Outgoing {
        let secs = now.since(self.started).as_secs();
        Outgoing {
            kind,
            to: Recipient::Everybody,
            xid: self.xid,
            secs: secs.min(u16::MAX.into()) as u16,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            requested: None,
            server: None,
        }
    }

    /// A message came in on the client's port. `Err` if it is not an answer to anything that was asked.
    pub(crate) fn on_message(
        &mut self,
        now: Instant,
        message: &DhcpMessage<'_>,
        random: &mut Random,
    ) -> Result<Option<Change>, Unmatched> {
        if !message.is_reply || message.xid != self.xid || message.chaddr != self.hardware {
            return Err(Unmatched);
        }
        let server = message.options.address(option::SERVER_ID);
        match (self.state, message.kind) {
            (State::Selecting(_), DhcpMessageKind::Offer) => {
                let address = message.yiaddr;
                let server = server.filter(|server| IpAddress::Ipv4(*server).is_unicast());
                let longest = self.config.longest_lease();
                let lease = DhcpLease::from_ack(message, longest);
                let (Some(server), Some(_)) = (server, lease) else {
                    return Err(Unmatched);
                };
                self.state = State::Requesting(Offer { address, server }, Attempts::new(now));
                Ok(None)
            }
            (State::Requesting(offer, _), DhcpMessageKind::Ack) if server == Some(offer.server) => {
                self.on_ack(message, offer.address, random)
            }
            (State::Rebooting(address, _), DhcpMessageKind::Ack) => {
                self.on_ack(message, address, random)
            }
            (State::Renewing(_) | State::Rebinding(_), DhcpMessageKind::Ack) => {
                let address = self.lease().map(|lease| lease.address.address());
                self.on_ack(message, address.ok_or(Unmatched)?, random)
            }
            (State::Requesting(offer, _), DhcpMessageKind::Nak) if server == Some(offer.server) => {
                // A server that offers what it then refuses must not be asked without end.
                self.state = State::Init(now + NAK_PAUSE);
                Ok(self.lose())
            }
            (
                State::Rebooting(..) | State::Renewing(_) | State::Rebinding(_),
                DhcpMessageKind::Nak,
            ) => {
                self.state = State::Init(now);
                Ok(self.lose())
            }
            _ => Err(Unmatched),
        }
    }

    fn on_ack(
        &mut self,
        ack: &DhcpMessage<'_>,
        address: Ipv4Addr,
        random: &mut Random,
    ) -> Result<Option<Change>, Unmatched> {
        if ack.yiaddr != address {
            return Err(Unmatched);
        }
        let lease = DhcpLease::from_ack(ack, self.config.longest_lease()).ok_or(Unmatched)?;
        let from = self.requested;
        // Section 4.4.5: T1 and T2 "SHOULD be chosen with some random 'fuzz' around a fixed value".
        let spread = lease.renewal.divided_by(FUZZ).as_millis();
        let fuzz = random.below(spread.min(u32::MAX.into()) as u32);
        self.bound = Some(Bound {
            renew: from
                + lease
                    .renewal
                    .saturating_sub(Duration::from_millis(fuzz.into())),
            rebind: from + lease.rebinding,
            expires: from + lease.duration.unwrap_or(Duration::MAX),
            lease,
        });
        self.state = State::Bound;
        Ok(Some(Change::Leased))
    }

    fn lose(&mut self) -> Option<Change> {
        self.config.previous_address = None;
        self.bound.take().map(|_| Change::Lost)
    }

    /// Writes a message into `buffer`, which has room for [`MAX_MESSAGE`] bytes. Returns its length.
    pub(crate) fn emit(&self, outgoing: &Outgoing, ip_mtu: usize, buffer: &mut [u8]) -> usize {
        let config = &self.config;
        let fixed = DhcpRequest {
            xid: outgoing.xid,
            secs: outgoing.secs,
            broadcast: config.broadcast && outgoing.ciaddr.is_unspecified(),
            ciaddr: outgoing.ciaddr,
            chaddr: self.hardware,
        };
        let mut writer =
            DhcpWriter::new(buffer, &fixed).option(option::MESSAGE_TYPE, &[outgoing.kind as u8]);
        writer = match &config.client_id {
            Some(id) => writer.option(option::CLIENT_ID, id),
            None => {
                let [a, b, c, d, e, f] = self.hardware.0;
                writer.option(option::CLIENT_ID, &[HARDWARE_ETHERNET, a, b, c, d, e, f])
            }
        };
        if let Some(address) = outgoing.requested {
            writer = writer.option(option::REQUESTED_ADDRESS, &address.octets());
        }
        if let Some(server) = outgoing.server {
            writer = writer.option(option::SERVER_ID, &server.octets());
        }
        if outgoing.asks() {
            let longest = u16::try_from(ip_mtu)
                .unwrap_or(u16::MAX)
                .max(MIN_MAX_MESSAGE);
            writer = writer
                .option(option::PARAMETER_LIST, &PARAMETERS)
                .option(option::MAX_MESSAGE_SIZE, &longest.to_be_bytes());
            if let Some(lease) = config.longest_lease() {
                let seconds = u32::try_from(lease.as_secs()).unwrap_or(u32::MAX);
                writer = writer.option(option::LEASE_TIME, &seconds.to_be_bytes());
            }
            if let Some(hostname) = &config.hostname {
                writer = writer.option(option::HOSTNAME, hostname.as_bytes());
            }
            if let Some(class) = &config.vendor_class {
                writer = writer.option(option::VENDOR_CLASS, class.as_bytes());
            }
        }
        writer.finish()
    }
}

impl Outgoing {
    /// The address it goes to.
    pub(crate) fn recipient(&self) -> IpAddress {
        IpAddress::Ipv4(match self.to {
            Recipient::Everybody => Ipv4Addr::BROADCAST,
            Recipient::Server(server) => server,
        })
    }

    /// Whether it wants an answer, with all that goes with an address. Table 5 of RFC 2131 forbids the
    /// options in the others.
    fn asks(&self) -> bool {
        matches!(
            self.kind,
            DhcpMessageKind::Discover | DhcpMessageKind::Request
        )
    }
}

impl Attempts {
    fn new(due: Instant) -> Self {
        Self { sent: 0, due }
    }

    /// One more is sent, and the next is due after 4 s, 8 s and so on up to 64 s, each "randomized by the
    /// value of a uniform random number chosen from the range -1 to +1" (section 4.1).
    fn count(&mut self, now: Instant, random: &mut Random) {
        let base = FIRST_DELAY.doubled(self.sent.min(LAST_DOUBLING).into());
        let spread = Duration::from_micros(random.below(2_000_000).into());
        self.sent = self.sent.saturating_add(1);
        self.due = now + base.saturating_sub(Duration::from_secs(1)) + spread;
    }

    fn are_over(&self, now: Instant, most: u8) -> bool {
        self.sent >= most && self.due <= now
    }
}

/// "the client SHOULD wait one-half of the remaining time until T2 (in RENEWING state) and one-half of the
/// remaining lease time (in REBINDING state), down to a minimum of 60 seconds" (section 4.4.5).
fn halfway(now: Instant, end: Instant) -> Instant {
    now + end.since(now).divided_by(2).max(RENEWAL_PAUSE)
}

/// A message that answers nothing that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unmatched;

/// What a server is asked for. Classless routes come before the router (RFC 3442).
const PARAMETERS: [u8; 12] = [
    option::SUBNET_MASK,
    option::CLASSLESS_ROUTES,
    option::ROUTER,
    option::DNS_SERVERS,
    option::DOMAIN_NAME,
    option::DOMAIN_SEARCH,
    option::INTERFACE_MTU,
    option::NTP_SERVERS,
    option::LEASE_TIME,
    option::SERVER_ID,
    option::RENEWAL_TIME,
    option::REBINDING_TIME,
];

/// The most bytes of a message: the fixed part, and every option at its longest.
pub(crate) const MAX_MESSAGE: usize = 512;

const FIRST_DELAY: Duration = Duration::from_secs(4);
const LAST_DOUBLING: u8 = 4;
/// Until another offer is looked for: a minute.
const REQUESTS: u8 = 4;
/// Sooner, for the old server may be out of reach.
const REBOOT_REQUESTS: u8 = 2;
const DECLINE_PAUSE: Duration = Duration::from_secs(10);
const NAK_PAUSE: Duration = Duration::from_secs(4);
const RENEWAL_PAUSE: Duration = Duration::from_secs(60);
const FUZZ: u64 = 16;
const HARDWARE_ETHERNET: u8 = 1;
/// RFC 2132 section 9.10.
const MIN_MAX_MESSAGE: u16 = 576;
