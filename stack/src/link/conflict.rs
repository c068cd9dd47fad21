//! IPv4 address conflict detection (RFC 5227): may this host use an address, and may it keep it?
//!
//! One [`ConflictDetector`] guards one address of one Ethernet interface. `engine` shows it every ARP
//! packet of the interface, sends the ones it asks for to the broadcast address, and takes the
//! address away when told to. The neighbor cache is no part of this: it learns from the same packets.
//!
//! ```text
//!  Idle ── start(Probe) ──► Probing ── silence ──► Announcing ── second announcement ──► Settled
//!    │                         │                     ▲    │                                │
//!    └── start(Announce) ──────┼─────────────────────┘    │                                │
//!                              └── conflict ──► Lost ◄────┴── second conflict within 10 s ─┘
//! ```

#[cfg(test)]
mod tests;

use core::net::Ipv4Addr;

use super::DefensePolicy;
use crate::time::{Duration, Instant};
use crate::wire::{ArpOperation, ArpPacket, EthernetAddress};

/// Guards the one address that a host wants to use, or uses, on an Ethernet link.
///
/// It outlives its address: conflicts are counted over successive [`Self::start`]s, because RFC 5227
/// slows down a host that meets one taken address after the other.
#[derive(Clone, Debug)]
pub(crate) struct ConflictDetector {
    hardware: EthernetAddress,
    policy: DefensePolicy,
    address: Ipv4Addr,
    state: State,
    /// When the single announcement that defends the address is due.
    defense: Option<Instant>,
    /// When the address in use was last defended.
    last_defense: Option<Instant>,
    /// Conflicts since an address was last acquired for good, up to [`MAX_CONFLICTS`].
    conflicts: u8,
    /// When probing for the latest address began.
    attempted: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// `due` is the next probe or, when none is left, the end of the wait for answers.
    Probing {
        sent: u8,
        due: Instant,
        rand: u32,
    },
    Announcing {
        sent: u8,
        due: Instant,
    },
    Settled,
    Lost,
}

impl ConflictDetector {
    /// A detector that has no address to guard yet, for an interface with the link address
    /// `hardware`.
    pub(crate) fn new(hardware: EthernetAddress, policy: DefensePolicy) -> Option<Self> {
        Some(Self {
            hardware,
            policy,
            address: Ipv4Addr::UNSPECIFIED,
            state: State::Idle,
            defense: None,
            last_defense: None,
            conflicts: 0,
            attempted: None,
        })
    }

    /// Sets out to use `address`, in place of the one before.
    ///
    /// `rand` is any random number; it spaces the probes.
    pub(crate) fn start(&mut self, now: Instant, address: Ipv4Addr, mode: StartMode, rand: u32) {
        self.address = address;
        self.defense = None;
        self.last_defense = None;
        self.state = match mode {
            StartMode::Probe => {
                let attempt = self.earliest_attempt(now);
                self.attempted = Some(attempt);
                State::Probing {
                    sent: 0,
                    due: attempt + random_part(rand, 0, PROBE_WAIT),
                    rand,
                }
            }
            StartMode::Announce => State::Announcing { sent: 0, due: now },
        };
    }

    /// RFC 5227 section 2.1.1: "if the host experiences MAX_CONFLICTS or more address conflicts on a
    /// given interface, then the host MUST limit the rate at which it probes for new addresses on
    /// this interface to no more than one attempted new address per RATE_LIMIT_INTERVAL."
    fn earliest_attempt(&self, now: Instant) -> Instant {
        match self.attempted {
            Some(attempted) if self.conflicts >= MAX_CONFLICTS => {
                now.max(attempted + RATE_LIMIT_INTERVAL)
            }
            _ => now,
        }
    }

    /// The address last given to [`Self::start`].
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Whether the address may be the source of packets and may be answered for.
    ///
    /// After probing it may be "immediately after sending the first of the two ARP Announcements"
    /// (RFC 5227 section 2.3).
    pub(crate) fn is_usable(&self) -> bool {
        matches!(self.state, State::Announcing { .. } | State::Settled)
    }

    /// What a received ARP packet means for the address; `None` if it is no conflict.
    pub(crate) fn on_arp(&mut self, now: Instant, packet: &ArpPacket) -> Option<Conflict> {
        // A hub or a bridge that echoes our own packets is no conflict.
        if packet.sender_hardware == self.hardware {
            return None;
        }
        match self.state {
            State::Idle | State::Lost => None,
            State::Probing { .. } if self.is_taken_by(packet) => Some(self.lose()),
            State::Probing { .. } => None,
            State::Announcing { .. } | State::Settled => {
                (packet.sender_protocol == self.address).then(|| self.on_challenge(now))
            }
        }
    }

    /// While probing, both a user of the address and another host that probes for it are conflicts
    /// (RFC 5227 section 2.1.1).
    fn is_taken_by(&self, packet: &ArpPacket) -> bool {
        let is_probe =
            packet.operation == ArpOperation::Request && packet.sender_protocol.is_unspecified();
        packet.sender_protocol == self.address
            || (is_probe && packet.target_protocol == self.address)
    }

    /// Another host uses the address too (RFC 5227 section 2.4).
    fn on_challenge(&mut self, now: Instant) -> Conflict {
        let defended = self
            .last_defense
            .is_some_and(|last| now.since(last) < DEFEND_INTERVAL);
        if !defended {
            self.last_defense = Some(now);
            self.defense = Some(now);
            return Conflict::Defend;
        }
        match self.policy {
            DefensePolicy::DefendOnce => self.lose(),
            // "the host MUST NOT send another defensive ARP Announcement", which keeps two
            // misconfigured hosts from filling the link with their quarrel.
            DefensePolicy::NeverGiveUp => Conflict::Endure,
        }
    }

    fn lose(&mut self) -> Conflict {
        self.state = State::Lost;
        self.defense = None;
        self.conflicts = self.conflicts.saturating_add(1).min(MAX_CONFLICTS);
        Conflict::GiveUp
    }

    /// The ARP packet that is due, to be sent to the Ethernet broadcast address. It counts as sent:
    /// ask only with room to transmit it. To be called until it returns `None`.
    pub(crate) fn poll_arp(&mut self, now: Instant) -> Option<ArpPacket> {
        if self.defense.is_some_and(|due| due <= now) {
            self.defense = None;
            return Some(self.announcement());
        }
        match self.state {
            State::Probing { sent, due, rand } if due <= now && sent < PROBE_NUM => {
                let sent = sent.saturating_add(1);
                let wait = if sent < PROBE_NUM {
                    PROBE_MIN + random_part(rand, sent, PROBE_MAX.saturating_sub(PROBE_MIN))
                } else {
                    ANNOUNCE_WAIT
                };
                self.state = State::Probing {
                    sent,
                    due: now + wait,
                    rand,
                };
                Some(self.probe())
            }
            State::Probing { due, .. } if due <= now => Some(self.announce(now, 1)),
            State::Announcing { sent, due } if due <= now => {
                Some(self.announce(now, sent.saturating_add(1)))
            }
            State::Idle
            | State::Probing { .. }
            | State::Announcing { .. }
            | State::Settled
            | State::Lost => None,
        }
    }

    /// When [`Self::poll_arp`] next has a packet.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let scheduled = match self.state {
            State::Probing { due, .. } | State::Announcing { due, .. } => Some(due),
            State::Idle | State::Settled | State::Lost => None,
        };
        scheduled.into_iter().chain(self.defense).min()
    }

    fn announce(&mut self, now: Instant, sent: u8) -> ArpPacket {
        self.state = if sent < ANNOUNCE_NUM {
            State::Announcing {
                sent,
                due: now + ANNOUNCE_INTERVAL,
            }
        } else {
            self.conflicts = 0;
            State::Settled
        };
        self.announcement()
    }

    /// "The 'sender IP address' field MUST be set to all zeroes; this is to avoid polluting ARP
    /// caches in other hosts" (RFC 5227 section 2.1.1).
    fn probe(&self) -> ArpPacket {
        ArpPacket {
            operation: ArpOperation::Request,
            sender_hardware: self.hardware,
            sender_protocol: Ipv4Addr::UNSPECIFIED,
            target_hardware: EthernetAddress([0; 6]),
            target_protocol: self.address,
        }
    }

    /// A probe whose sender and target are both the address, also known as gratuitous ARP.
    fn announcement(&self) -> ArpPacket {
        ArpPacket {
            sender_protocol: self.address,
            ..self.probe()
        }
    }
}

/// How a host sets out to use an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum StartMode {
    /// Use it when probes found that nobody else does, after four to seven seconds.
    Probe,
    /// Use it at once and announce it: for a configuration that must be up at once. Detects a
    /// conflict only by the other host's defense.
    Announce,
}

/// What to do about a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Conflict {
    /// Keep the address; [`ConflictDetector::poll_arp`] has an announcement to defend it.
    Defend,
    /// Keep the address and keep quiet: it was defended a moment ago.
    Endure,
    /// Stop using the address at once, or do not start to. Connections from it are lost.
    GiveUp,
}

/// The part of `span` that the `index`th ten bits of `rand` stand for; there are three such parts.
fn random_part(rand: u32, index: u8, span: Duration) -> Duration {
    let shift = u32::from(index.min(2)) * RANDOM_PART_BITS;
    let part = (rand >> shift) & ((1 << RANDOM_PART_BITS) - 1);
    span.saturating_mul(u64::from(part))
        .divided_by(1 << RANDOM_PART_BITS)
}

/// Enough for steps of a millisecond.
const RANDOM_PART_BITS: u32 = 10;

// RFC 5227 section 1.1.
const PROBE_WAIT: Duration = Duration::from_secs(1);
const PROBE_NUM: u8 = 3;
const PROBE_MIN: Duration = Duration::from_secs(1);
const PROBE_MAX: Duration = Duration::from_secs(2);
const ANNOUNCE_WAIT: Duration = Duration::from_secs(2);
const ANNOUNCE_NUM: u8 = 2;
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(2);
const MAX_CONFLICTS: u8 = 10;
const RATE_LIMIT_INTERVAL: Duration = Duration::from_secs(60);
const DEFEND_INTERVAL: Duration = Duration::from_secs(10);
