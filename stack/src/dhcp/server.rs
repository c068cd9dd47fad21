//! A DHCP server for a device that others join (RFC 2131 section 4.3): a pool of addresses, and who has which.
//!
//! `engine` shows it the messages that come in on its port and sends the answers it has ready. Addresses are
//! remembered after their leases, so that a client that comes back gets the same; a new client's follows from
//! its identifier, so that mostly it does even after the server was switched off.
//!
//! ```text
//!             discover                request
//!  (nothing) ──────────► Offered ───────────────► Leased ──┐ request: longer
//!      ▲  ▲                │  │ 60 s                │  │ ◄─┘
//!      │  │ other server   │  └──────► Ended ◄──────┘  │ decline
//!      │  └────────────────┘             │  release,   ▼
//!      └─────── somebody needs it ───────┘  expiry   Declined ── an hour ──► Ended
//! ```
//!
//! An address is not looked for on the link before it is offered (a SHOULD of section 3.1): clients do that,
//! and decline it.

mod bindings;
mod config;
mod reply;
#[cfg(test)]
mod tests;

use core::hash::Hasher;
use core::net::Ipv4Addr;

use cygnet_config::{DHCP_SERVER_LEASE_COUNT, IFACE_MAX_ADDR_COUNT};
use heapless::{Deque, Vec};

use self::bindings::{BindingState, Bindings, ClientKey};
pub use self::config::DhcpServerConfig;
pub(crate) use self::config::PoolError;
pub(crate) use self::reply::{MAX_REPLY, Reply};
use crate::rand::HashKey;
use crate::time::{Duration, Instant};
use crate::wire::dhcpv4::option;
use crate::wire::{DhcpMessage, DhcpMessageKind, EthernetAddress, IpAddress, Ipv4Cidr};

/// The server of one interface.
pub(crate) struct DhcpServer {
    config: DhcpServerConfig,
    /// Nobody else can find two clients with one hash.
    key: HashKey,
    /// All addresses of this host, which are nobody else's.
    own: Vec<IpAddress, IFACE_MAX_ADDR_COUNT>,
    bindings: Bindings<DHCP_SERVER_LEASE_COUNT>,
    replies: Deque<Reply, REPLIES>,
}

/// Where a message came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// The server's own address there, which clients know it by.
    pub(crate) address: Ipv4Cidr,
    /// The station that sent the frame.
    pub(crate) station: EthernetAddress,
}

/// An address that a client has, or had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct DhcpGrant {
    /// The address.
    pub address: Ipv4Addr,
    /// The client's hardware address.
    pub hardware: EthernetAddress,
    /// When it ends or has ended, on the stack's clock.
    pub expires: Instant,
}

/// What happened at a DHCP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DhcpServerEvent {
    /// A client has an address. Not said again when it is renewed.
    Given(DhcpGrant),
    /// It gave it back, or let the time run out.
    Ended(DhcpGrant),
    /// It found that somebody else has it. For an hour nobody is given it.
    Declined(DhcpGrant),
}

/// Why a message gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ignored {
    /// It is for another server, or no client's.
    NotForUs,
    /// The client is not known, and others may know it.
    Unknown,
    /// There is no address to give.
    Exhausted,
    /// There are answers enough to be sent; the client will ask again.
    Busy,
    /// There is no room for what is to be repeated.
    TooLong,
}

impl DhcpServer {
    pub(crate) fn new(config: DhcpServerConfig, key: HashKey) -> Result<Self, PoolError> {
        if config.last < config.first {
            return Err(PoolError);
        }
        Ok(Self {
            config,
            key,
            own: Vec::new(),
            bindings: Bindings::new(),
            replies: Deque::new(),
        })
    }

    pub(crate) fn config(&self) -> &DhcpServerConfig {
        &self.config
    }

    /// The addresses that this host has now.
    pub(crate) fn set_own(&mut self, addresses: impl Iterator<Item = IpAddress>) {
        self.own = addresses.take(IFACE_MAX_ADDR_COUNT).collect();
    }

    /// When [`Self::on_timeout`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.bindings.next_deadline()
    }

    /// Ends what is over. True if there are events.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> bool {
        self.bindings.on_timeout(now)
    }

    /// Whether [`Self::poll_reply`] has something.
    pub(crate) fn has_replies(&self) -> bool {
        !self.replies.is_empty()
    }

    /// The next answer, to be sent at once: ask only with room for it.
    pub(crate) fn poll_reply(&mut self) -> Option<Reply> {
        self.replies.pop_front()
    }

    /// Sends none of the answers.
    pub(crate) fn drop_replies(&mut self) {
        self.replies.clear();
    }

    /// The next thing that happened.
    pub(crate) fn poll_event(&mut self) -> Option<DhcpServerEvent> {
        self.bindings.poll_event()
    }

    /// The leases, in no order.
    pub(crate) fn leases(&self) -> impl Iterator<Item = DhcpGrant> {
        self.bindings.leases()
    }

    /// A message came in on the server's port. True if there are events.
    pub(crate) fn on_message(
        &mut self,
        now: Instant,
        message: &DhcpMessage<'_>,
        origin: &Origin,
    ) -> Result<bool, Ignored> {
        let is_local = |address: Ipv4Addr| origin.address.contains(&address);
        let relayed = !message.giaddr.is_unspecified();
        if message.is_reply
            || !message.chaddr.is_unicast()
            || (relayed && !is_local(message.giaddr))
        {
            return Err(Ignored::NotForUs);
        }
        if self.replies.is_full() {
            return Err(Ignored::Busy);
        }
        match message.kind {
            DhcpMessageKind::Discover => self.on_discover(now, message, origin),
            DhcpMessageKind::Request => self.on_request(now, message, origin),
            DhcpMessageKind::Decline => self.on_decline(now, message, origin),
            DhcpMessageKind::Release => self.on_release(now, message),
            DhcpMessageKind::Inform if is_local(message.ciaddr) => {
                let nothing = (Ipv4Addr::UNSPECIFIED, None);
                self.answer(message, DhcpMessageKind::Ack, nothing, origin)
            }
            DhcpMessageKind::Inform
            | DhcpMessageKind::Offer
            | DhcpMessageKind::Ack
            | DhcpMessageKind::Nak => Err(Ignored::NotForUs),
        }
    }

    fn on_discover(
        &mut self,
        now: Instant,
        message: &DhcpMessage<'_>,
        origin: &Origin,
    ) -> Result<bool, Ignored> {
        let client = self.client_key(message);
        let address = self.choose(client, message, origin)?;
        let binding = match self.bindings.of_client(client) {
            Some(binding) if binding.address == address => binding,
            _ => self
                .bindings
                .bind(client, message.chaddr, address)
                .ok_or(Ignored::Exhausted)?,
        };
        binding.offer(now);
        let given = (address, Some(self.lease_time(message)));
        self.answer(message, DhcpMessageKind::Offer, given, origin)
    }

    /// Section 4.3.1: the client's own address, or the one it had, or that it asks for, or any.
    fn choose(
        &mut self,
        client: ClientKey,
        message: &DhcpMessage<'_>,
        origin: &Origin,
    ) -> Result<Ipv4Addr, Ignored> {
        let known = self.bindings.of_client(client).map(|b| b.address);
        if let Some(known) = known.filter(|&known| self.may_give(known, origin)) {
            return Ok(known);
        }
        let requested = message.options.address(option::REQUESTED_ADDRESS);
        let is_there =
            |&address: &Ipv4Addr| self.may_give(address, origin) && self.bindings.is_free(address);
        if let Some(requested) = requested.filter(is_there) {
            return Ok(requested);
        }
        // Whoever was here before may come back: addresses without a past are better.
        let fresh = self
            .config
            .addresses(client, MOST_TRIED)
            .filter(|_| !self.bindings.is_full())
            .find(|&address| self.may_give(address, origin) && self.bindings.is_unknown(address));
        let oldest = || self.bindings.oldest_ended().filter(is_there);
        fresh.or_else(oldest).ok_or(Ignored::Exhausted)
    }

    /// Whether the pool has the address and the subnet too.
    fn may_give(&self, address: Ipv4Addr, origin: &Origin) -> bool {
        let ours = &origin.address;
        self.config.contains(address)
            && ours.contains(&address)
            && address != ours.address()
            && !self.own.contains(&IpAddress::Ipv4(address))
            && Some(address) != ours.broadcast()
            && (address != ours.network().address() || ours.prefix_len() >= 31)
    }

    /// Section 4.3.2: which state a client is in shows in what it says.
    fn on_request(
        &mut self,
        now: Instant,
        message: &DhcpMessage<'_>,
        origin: &Origin,
    ) -> Result<bool, Ignored> {
        let client = self.client_key(message);
        let requested = message.options.address(option::REQUESTED_ADDRESS);
        let wanted = requested.unwrap_or(message.ciaddr);
        let chosen = message.options.address(option::SERVER_ID);
        let held = self
            .bindings
            .of_client(client)
            .map(|b| (b.address, b.state));
        if chosen.is_some_and(|server| server != origin.address.address()) {
            if let Some((_, BindingState::Offered)) = held {
                self.bindings.forget(client);
            }
            return Err(Ignored::NotForUs);
        }
        let is_its = held.is_some_and(|(address, _)| address == wanted);
        if is_its && self.may_give(wanted, origin) {
            return self.give(now, client, message, origin);
        }
        // SELECTING, or somebody who has another address; or one of another network, which "SHOULD" be told
        // so whoever it is.
        if chosen.is_some() || held.is_some() || !origin.address.contains(&wanted) {
            return self.refuse(message, origin);
        }
        // "If the DHCP server has no record of this client, then it MUST remain silent".
        if !self.config.authoritative {
            return Err(Ignored::Unknown);
        }
        if !self.may_give(wanted, origin) || !self.bindings.is_free(wanted) {
            return self.refuse(message, origin);
        }
        match self.bindings.bind(client, message.chaddr, wanted) {
            Some(_) => self.give(now, client, message, origin),
            None => Err(Ignored::Exhausted),
        }
    }

    fn give(
        &mut self,
        now: Instant,
        client: ClientKey,
        message: &DhcpMessage<'_>,
        origin: &Origin,
    ) -> Result<bool, Ignored> {
        let time = self.lease_time(message);
        let binding = self.bindings.of_client(client).ok_or(Ignored::Unknown)?;
        let given = (binding.address, Some(time));
        self.answer(message, DhcpMessageKind::Ack, given, origin)?;
        let binding = self.bindings.of_client(client).ok_or(Ignored::Unknown)?;
        binding.hardware = message.chaddr;
        Ok(binding.lease(now, time))
    }

    fn refuse(&mut self, message: &DhcpMessage<'_>, origin: &Origin) -> Result<bool, Ignored> {
        let nothing = (Ipv4Addr::UNSPECIFIED, None);
        self.answer(message, DhcpMessageKind::Nak, nothing, origin)
    }

    fn on_decline(
        &mut self,
        now: Instant,
        message: &DhcpMessage<'_>,
        origin: &Origin,
    ) -> Result<bool, Ignored> {
        let client = self.client_key(message);
        let server = message.options.address(option::SERVER_ID);
        let declined = message.options.address(option::REQUESTED_ADDRESS);
        match self.bindings.of_client(client) {
            Some(binding)
                if server == Some(origin.address.address())
                    && declined == Some(binding.address)
                    && binding.state == BindingState::Leased =>
            {
                binding.decline(now);
                Ok(true)
            }
            _ => Err(Ignored::NotForUs),
        }
    }

    fn on_release(&mut self, now: Instant, message: &DhcpMessage<'_>) -> Result<bool, Ignored> {
        let client = self.client_key(message);
        match self.bindings.of_client(client) {
            Some(binding)
                if binding.address == message.ciaddr && binding.state == BindingState::Leased =>
            {
                binding.end(now);
                Ok(true)
            }
            _ => Err(Ignored::NotForUs),
        }
    }

    fn answer(
        &mut self,
        message: &DhcpMessage<'_>,
        kind: DhcpMessageKind,
        given: (Ipv4Addr, Option<Duration>),
        origin: &Origin,
    ) -> Result<bool, Ignored> {
        let reply = Reply::to(message, kind, given, origin)?;
        self.replies.push_back(reply).map_err(|_| Ignored::Busy)?;
        Ok(false)
    }

    /// As long as the client asks for, within what is given.
    fn lease_time(&self, message: &DhcpMessage<'_>) -> Duration {
        let longest = self.config.lease_time.max(SHORTEST_LEASE);
        match message.options.u32(option::LEASE_TIME) {
            Some(seconds) => Duration::from_secs(seconds.into())
                .max(SHORTEST_LEASE)
                .min(longest),
            None => longest,
        }
    }

    /// Section 4.2: "the client identifier [...] or the chaddr field".
    fn client_key(&self, message: &DhcpMessage<'_>) -> ClientKey {
        self.key.hash(CLIENT, |hasher| {
            let mut any = false;
            for byte in message.options.bytes(option::CLIENT_ID) {
                hasher.write_u8(byte);
                any = true;
            }
            if !any {
                hasher.write(&message.chaddr.0);
            }
        })
    }
}

/// What the key's hashes of clients are apart by.
const CLIENT: u8 = b'd';

/// Answers that wait to be sent. A burst of more clients loses some, which ask again.
const REPLIES: usize = 4;

/// One more than can be taken: by leases, by this host, and by those that the configuration names.
const MOST_TRIED: u32 = DHCP_SERVER_LEASE_COUNT as u32 + IFACE_MAX_ADDR_COUNT as u32 + 9;

const SHORTEST_LEASE: Duration = Duration::from_secs(60);
