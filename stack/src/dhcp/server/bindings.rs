//! Which client has which address.

use core::net::Ipv4Addr;

use heapless::Vec;

use super::{DhcpGrant, DhcpServerEvent};
use crate::time::{Duration, Instant};
use crate::wire::EthernetAddress;

/// What tells clients apart: a keyed hash of the identifier that they send, or of their hardware address.
pub(super) type ClientKey = u64;

/// The clients of a server, `N` at most, and those it had as far as there is room.
#[derive(Debug)]
pub(super) struct Bindings<const N: usize> {
    list: Vec<Binding, N>,
}

#[derive(Debug)]
pub(super) struct Binding {
    client: ClientKey,
    pub(super) hardware: EthernetAddress,
    pub(super) address: Ipv4Addr,
    pub(super) state: BindingState,
    /// When the state ends; of an ended one, when it did.
    expires: Instant,
    /// Something happened that nobody has heard of yet.
    is_news: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BindingState {
    /// Kept for a client that may take it.
    Offered,
    Leased,
    /// Free, but its client gets it again if it comes back in time.
    Ended,
    /// Somebody has it whom this server does not know of.
    Declined,
}

impl<const N: usize> Bindings<N> {
    pub(super) const fn new() -> Self {
        Self { list: Vec::new() }
    }

    pub(super) fn of_client(&mut self, client: ClientKey) -> Option<&mut Binding> {
        let is_its = |b: &&mut Binding| b.client == client && b.state != BindingState::Declined;
        self.list.iter_mut().find(is_its)
    }

    /// Whether nobody has the address.
    pub(super) fn is_free(&self, address: Ipv4Addr) -> bool {
        let holder = self.list.iter().find(|b| b.address == address);
        holder.is_none_or(|b| b.state == BindingState::Ended)
    }

    /// Whether nobody ever had it, as far as is remembered.
    pub(super) fn is_unknown(&self, address: Ipv4Addr) -> bool {
        self.list.iter().all(|b| b.address != address)
    }

    pub(super) fn is_full(&self) -> bool {
        self.list.is_full()
    }

    /// The address that has been free for longest.
    pub(super) fn oldest_ended(&self) -> Option<Ipv4Addr> {
        let ended = self.list.iter().filter(|b| b.state == BindingState::Ended);
        Some(ended.min_by_key(|b| b.expires)?.address)
    }

    /// Keeps a free address for a client, and forgets what it had. `None` if there is no room.
    pub(super) fn bind(
        &mut self,
        client: ClientKey,
        hardware: EthernetAddress,
        address: Ipv4Addr,
    ) -> Option<&mut Binding> {
        self.forget(client);
        let binding = Binding {
            client,
            hardware,
            address,
            state: BindingState::Offered,
            expires: Instant::ZERO,
            is_news: false,
        };
        let place = self.list.iter().position(|b| b.address == address);
        let place = match place {
            Some(place) => place,
            None if !self.is_full() => {
                let _ = self.list.push(binding);
                return self.list.last_mut();
            }
            None => {
                let oldest = self.oldest_ended()?;
                self.list.iter().position(|b| b.address == oldest)?
            }
        };
        let slot = self.list.get_mut(place)?;
        if slot.state != BindingState::Ended {
            return None;
        }
        *slot = binding;
        Some(slot)
    }

    /// Forgets a client that goes elsewhere.
    pub(super) fn forget(&mut self, client: ClientKey) {
        self.list
            .retain(|b| b.client != client || b.state == BindingState::Declined);
    }

    /// When the next binding ends.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let held = self.list.iter().filter(|b| b.state != BindingState::Ended);
        held.map(|b| b.expires).min()
    }

    /// Ends those whose time is over. True if a lease was among them.
    pub(super) fn on_timeout(&mut self, now: Instant) -> bool {
        let mut any = false;
        for binding in &mut self.list {
            if binding.state != BindingState::Ended && binding.expires <= now {
                any |= binding.state == BindingState::Leased;
                binding.end(now);
            }
        }
        any
    }

    /// What nobody has heard of yet.
    pub(super) fn poll_event(&mut self) -> Option<DhcpServerEvent> {
        let binding = self.list.iter_mut().find(|b| b.is_news)?;
        binding.is_news = false;
        Some(match binding.state {
            BindingState::Leased => DhcpServerEvent::Given(binding.grant()),
            BindingState::Declined => DhcpServerEvent::Declined(binding.grant()),
            BindingState::Offered | BindingState::Ended => DhcpServerEvent::Ended(binding.grant()),
        })
    }

    /// The leases.
    pub(super) fn leases(&self) -> impl Iterator<Item = DhcpGrant> {
        let leased = self.list.iter().filter(|b| b.state == BindingState::Leased);
        leased.map(Binding::grant)
    }
}

impl Binding {
    /// Keeps the address for a client that may take it. A lease stays one.
    pub(super) fn offer(&mut self, now: Instant) {
        if self.state != BindingState::Leased {
            self.state = BindingState::Offered;
            self.expires = now + OFFER_TIME;
        }
    }

    /// Gives it, or gives it for longer. True if it is given anew.
    pub(super) fn lease(&mut self, now: Instant, time: Duration) -> bool {
        let is_new = self.state != BindingState::Leased;
        self.state = BindingState::Leased;
        self.expires = now + time;
        self.is_news |= is_new;
        is_new
    }

    /// The client is done with it, or its time is over.
    pub(super) fn end(&mut self, now: Instant) {
        // Of a lease before an offer that was not taken nobody may have heard yet.
        self.is_news |= self.state == BindingState::Leased;
        self.state = BindingState::Ended;
        self.expires = now;
    }

    /// Somebody else has it.
    pub(super) fn decline(&mut self, now: Instant) {
        self.state = BindingState::Declined;
        self.expires = now + QUARANTINE;
        self.is_news = true;
    }

    fn grant(&self) -> DhcpGrant {
        DhcpGrant {
            address: self.address,
            hardware: self.hardware,
            expires: self.expires,
        }
    }
}

/// How long an offer stands.
const OFFER_TIME: Duration = Duration::from_secs(60);

/// How long an address is not given after somebody was found to have it. RFC 2131 section 4.3.3 says no
/// more than that the server "MUST mark the network address as not available".
const QUARANTINE: Duration = Duration::from_secs(3600);
