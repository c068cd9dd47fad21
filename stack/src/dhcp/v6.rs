//! The DHCPv6 client's state machine (RFC 8415, section 18.2).
//!
//! `engine` says when there is a link-local address to ask from, shows it the messages that come in, sends
//! those it asks for, and sets up the interface when it says that something changed.
//!
//! ```text
//!            ┌──────────────── no answer, nothing to give, not on link ──────────────┐
//!            ▼                                                                       │
//!  start ─► Soliciting ── Advertise ──► Requesting ── Reply ──► Bound ── T1 ──► Renewing
//!     │      ▲   ▲  └──── Reply (rapid commit) ────────────────► ▲ ▲  ▲             │ T2
//!     │      │   └─ Declining ◄── duplicate ─────────────────────┘ │  └── Reply ────┤
//!     │      └────── not on link ──┐                               │                ▼
//!     └─ has addresses ─────► Confirming ─── on link, no answer ───┘            Rebinding
//!
//!  start ─► Informing ── Reply ──► Informed ── refresh time ──► Informing           (stateless)
//! ```
//!
//! The client asks the group of all servers and no server's own address, so that "use multicast" is never
//! said to it (RFC 9915 makes that the rule). It does not say that it accepts Reconfigure messages, and drops
//! them.
//!
//! One file for each subject: `exchange` (retransmission), `lease` (what servers give, and its times),
//! `select` (what servers offer), `send` (what the client says), `receive` (what it hears).

mod config;
mod exchange;
mod lease;
mod receive;
mod select;
mod send;
#[cfg(test)]
mod tests;

use core::net::Ipv6Addr;

use heapless::Vec;

pub use self::config::{Dhcpv6Config, Dhcpv6Mode};
use self::exchange::{Exchange, MaxTimeouts, Timing};
use self::lease::{Bindings, Information};
pub use self::lease::{Dhcpv6Address, Dhcpv6Lease, Dhcpv6Prefix};
use self::select::Candidate;
pub(crate) use self::send::MAX_MESSAGE;
use crate::rand::Random;
use crate::time::{Duration, Instant};
use crate::wire::{Dhcpv6MessageKind, Duid, EthernetAddress};

/// The client of one interface.
#[derive(Clone, Debug)]
pub(crate) struct Dhcpv6Client {
    config: Dhcpv6Config,
    /// Who we are.
    duid: Duid,
    iaid: u32,
    state: State,
    timeouts: MaxTimeouts,
    /// The best of what was offered, or what is being asked for.
    candidate: Option<Candidate>,
    /// The server that gave what there is.
    server: Option<Duid>,
    bindings: Bindings,
    /// What servers said beside that.
    information: Option<Information>,
    /// Addresses that somebody else has, which the server is to hear.
    declined: Vec<Ipv6Addr, ADDRESSES>,
}

#[derive(Clone, Debug)]
enum State {
    /// There is no address to ask from.
    Stopped,
    Soliciting(Exchange),
    Requesting(Exchange),
    /// Asks whether its addresses are good on this link.
    Confirming(Exchange),
    Bound,
    Renewing(Exchange),
    Rebinding(Exchange),
    Declining(Exchange),
    Releasing(Exchange),
    /// Asks for what goes with addresses.
    Informing(Exchange),
    /// Asks again at that time.
    Informed(Instant),
}

/// What became of what servers give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Change {
    /// There is something, or it has changed: see [`Dhcpv6Client::lease`].
    Leased,
    /// There is nothing any more.
    Lost,
}

impl Dhcpv6Client {
    /// A client that starts when it is told to. Without a hardware address and a DUID in its configuration
    /// it makes one up.
    pub(crate) fn new(
        config: Dhcpv6Config,
        hardware: Option<EthernetAddress>,
        random: &mut Random,
    ) -> Self {
        let duid = match (&config.duid, hardware) {
            (Some(duid), _) => duid.clone(),
            (None, Some(hardware)) => Duid::link_layer(hardware.0),
            (None, None) => made_up(random),
        };
        let from_hardware = hardware.map(|EthernetAddress([.., a, b, c, d])| [a, b, c, d]);
        let iaid = from_hardware.map_or(1, u32::from_be_bytes);
        Self {
            iaid: config.iaid.unwrap_or(iaid),
            config,
            duid,
            state: State::Stopped,
            timeouts: MaxTimeouts::new(),
            candidate: None,
            server: None,
            bindings: Bindings::new(),
            information: None,
            declined: Vec::new(),
        }
    }

    pub(crate) fn mode(&self) -> Dhcpv6Mode {
        self.config.mode
    }

    /// The addresses to be used, and whether each is deprecated.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (Ipv6Addr, bool)> {
        let held = self.bindings.addresses.iter();
        held.map(|held| (held.what, held.is_deprecated))
    }

    /// What servers gave and said, if any has.
    pub(crate) fn lease(&self) -> Option<Dhcpv6Lease> {
        let information = self.information.as_ref()?;
        Some(Dhcpv6Lease::new(
            self.server.as_ref()?,
            &self.bindings,
            information,
        ))
    }

    /// There is a link-local address to ask from, perhaps on another link than before (section 18.2.12).
    pub(crate) fn start(&mut self, now: Instant, random: &mut Random) {
        self.candidate = None;
        self.declined.clear();
        if self.config.mode == Dhcpv6Mode::Stateless {
            self.inform(now, random);
        } else if self.bindings.is_empty() {
            self.solicit(now, random);
        } else if self.bindings.prefixes.is_empty() {
            let timing = Timing::CONFIRM;
            self.state = State::Confirming(Exchange::delayed(now, timing, random));
        } else {
            // With prefixes it is a Rebind, whose "retransmission parameters should be set as for the Confirm
            // message".
            let timing = Timing::CONFIRM;
            self.state = State::Rebinding(Exchange::delayed(now, timing, random));
        }
    }

    /// There is no address to ask from any more.
    pub(crate) fn stop(&mut self) {
        self.state = State::Stopped;
    }

    /// Begins to give back what it has, which nobody uses any more. False if there is nothing.
    pub(crate) fn release(&mut self, now: Instant, random: &mut Random) -> bool {
        if self.bindings.is_empty() || matches!(self.state, State::Stopped) {
            return false;
        }
        self.state = State::Releasing(Exchange::new(now, Timing::RELEASE, random));
        true
    }

    /// Whether it has said that it gives everything back and was heard, or has given up saying so.
    pub(crate) fn has_released(&self) -> bool {
        !matches!(self.state, State::Releasing(_))
    }

    /// Somebody else has an address that was given.
    pub(crate) fn on_duplicate(
        &mut self,
        now: Instant,
        address: Ipv6Addr,
        random: &mut Random,
    ) -> Option<Change> {
        if !self.bindings.remove_address(address) {
            return None;
        }
        let is_lost = self.bindings.is_empty();
        if !matches!(self.state, State::Stopped) {
            // As many as there are addresses.
            let _ = self.declined.push(address);
            self.state = State::Declining(Exchange::new(now, Timing::DECLINE, random));
        }
        Some(if is_lost { self.lose() } else { Change::Leased })
    }

    /// When [`Self::on_timeout`] or [`Self::poll`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let state = match &self.state {
            State::Stopped => None,
            State::Bound => Some(self.bindings.renew.min(self.bindings.rebind)),
            State::Informed(at) => Some(*at),
            State::Renewing(exchange) => Some(exchange.next_deadline().min(self.bindings.rebind)),
            State::Soliciting(exchange)
            | State::Requesting(exchange)
            | State::Confirming(exchange)
            | State::Rebinding(exchange)
            | State::Declining(exchange)
            | State::Releasing(exchange)
            | State::Informing(exchange) => Some(exchange.next_deadline()),
        };
        let expiry = match self.state {
            State::Releasing(_) => None,
            _ => self.bindings.next_deadline(),
        };
        state.into_iter().chain(expiry).min()
    }

    /// Time passed: lifetimes end, and it moves on to the state that it is time for.
    pub(crate) fn on_timeout(&mut self, now: Instant, random: &mut Random) -> Option<Change> {
        if let State::Releasing(exchange) = &self.state {
            if exchange.is_over(now) {
                self.state = State::Stopped;
            }
            return None;
        }
        if self.bindings.expire(now) {
            if !self.bindings.is_empty() {
                return Some(Change::Leased);
            }
            let change = self.lose();
            if !matches!(self.state, State::Stopped | State::Declining(_)) {
                self.solicit(now, random);
            }
            return Some(change);
        }
        match &self.state {
            State::Bound if self.bindings.rebind <= now => self.rebind(now, random),
            State::Bound if self.bindings.renew <= now => {
                self.state = State::Renewing(Exchange::new(now, Timing::RENEW, random));
            }
            State::Renewing(_) if self.bindings.rebind <= now => self.rebind(now, random),
            // Section 18.2.3: "If the client receives no responses before the message transmission process
            // terminates, [...] the client SHOULD continue to use any leases".
            State::Confirming(exchange) | State::Rebinding(exchange) if exchange.is_over(now) => {
                self.state = State::Bound;
            }
            State::Soliciting(exchange) if self.candidate.is_some() && exchange.due <= now => {
                self.request(now, random);
            }
            State::Requesting(exchange) if exchange.is_over(now) => self.solicit(now, random),
            State::Declining(exchange) if exchange.is_over(now) => self.declined(now, random),
            State::Informed(at) if *at <= now => self.inform(now, random),
            _ => {}
        }
        None
    }

    fn solicit(&mut self, now: Instant, random: &mut Random) {
        self.candidate = None;
        let timing = Timing::solicit(&self.timeouts);
        self.state = State::Soliciting(Exchange::delayed(now, timing, random));
    }

    /// Begins anew, but not at once: a server that gives what cannot be used must not be asked without end.
    fn solicit_later(&mut self, now: Instant, random: &mut Random) {
        self.solicit(now + RESTART_PAUSE, random);
    }

    fn request(&mut self, now: Instant, random: &mut Random) {
        self.state = State::Requesting(Exchange::new(now, Timing::REQUEST, random));
    }

    fn rebind(&mut self, now: Instant, random: &mut Random) {
        self.state = State::Rebinding(Exchange::new(now, Timing::REBIND, random));
    }

    fn inform(&mut self, now: Instant, random: &mut Random) {
        let timing = Timing::inform(&self.timeouts);
        self.state = State::Informing(Exchange::delayed(now, timing, random));
    }

    /// The server knows which addresses somebody else has, or does not answer.
    fn declined(&mut self, now: Instant, random: &mut Random) {
        self.declined.clear();
        match self.bindings.is_empty() {
            true => self.solicit_later(now, random),
            false => self.state = State::Bound,
        }
    }

    /// There is nothing left of what the server gave. Who it was is kept while it has to hear of duplicates.
    fn lose(&mut self) -> Change {
        self.bindings = Bindings::new();
        self.information = None;
        Change::Lost
    }
}

impl State {
    fn exchange(&self) -> Option<&Exchange> {
        match self {
            Self::Stopped | Self::Bound | Self::Informed(_) => None,
            Self::Soliciting(exchange)
            | Self::Requesting(exchange)
            | Self::Confirming(exchange)
            | Self::Renewing(exchange)
            | Self::Rebinding(exchange)
            | Self::Declining(exchange)
            | Self::Releasing(exchange)
            | Self::Informing(exchange) => Some(exchange),
        }
    }

    /// What is said in it, and its course.
    fn saying(&mut self) -> Option<(Dhcpv6MessageKind, &mut Exchange)> {
        Some(match self {
            Self::Stopped | Self::Bound | Self::Informed(_) => return None,
            Self::Soliciting(exchange) => (Dhcpv6MessageKind::Solicit, exchange),
            Self::Requesting(exchange) => (Dhcpv6MessageKind::Request, exchange),
            Self::Confirming(exchange) => (Dhcpv6MessageKind::Confirm, exchange),
            Self::Renewing(exchange) => (Dhcpv6MessageKind::Renew, exchange),
            Self::Rebinding(exchange) => (Dhcpv6MessageKind::Rebind, exchange),
            Self::Declining(exchange) => (Dhcpv6MessageKind::Decline, exchange),
            Self::Releasing(exchange) => (Dhcpv6MessageKind::Release, exchange),
            Self::Informing(exchange) => (Dhcpv6MessageKind::InformationRequest, exchange),
        })
    }
}

/// An identifier of random bits (RFC 9562, section 5.4).
fn made_up(random: &mut Random) -> Duid {
    let bits = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
    let version = 4 << 76;
    let variant = 2 << 62;
    Duid::uuid((bits & !(0xf << 76 | 3 << 62) | version | variant).to_be_bytes())
}

/// The most addresses of a lease, and the most prefixes.
const ADDRESSES: usize = 2;
const PREFIXES: usize = 2;

/// Until a server is looked for again that gave nothing of use.
const RESTART_PAUSE: Duration = Duration::from_secs(4);
