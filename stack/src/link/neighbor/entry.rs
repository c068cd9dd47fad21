//! One neighbor's state machine (RFC 4861 section 7.3.2), without the table around it.
//!
//! ```text
//!                  answer              time over          packet sent          5 s
//!   Incomplete ─────────────► Reachable ─────────► Stale ──────────────► Delay ────► Probe
//!     │    ▲                   ▲  │                                        │          │ ▲
//!     │    │ next packet       │  └── contested by another address ────────┴──────────┼─┘
//!     ▼    │ after a second    └───── answer, or progress of an upper layer ──────────┤
//!    Failed                           forgotten after three unanswered requests ◄─────┘
//! ```
//!
//! A claim that is no answer makes an Incomplete or Failed neighbor Stale. An upper layer that gets no answer moves a
//! Reachable, Stale or Delayed one to Probe.

#[cfg(feature = "proto-ipv6")]
mod ndp;

use super::timing::NeighborTiming;
use super::{ClaimKind, NeighborState, SolicitTo};
use crate::ip::InterfaceId;
use crate::time::{Duration, Instant};
use crate::wire::{EthernetAddress, IpAddress};

/// What the cache knows about one neighbor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) interface: InterfaceId,
    pub(super) address: IpAddress,
    pub(super) last_used: Instant,
    /// No request goes out before this: the last one plus RetransTimer. It belongs to the entry and
    /// not to a state, so that no sequence of transitions solicits a neighbor faster than that.
    quiet_until: Instant,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Incomplete {
        sent: u8,
    },
    /// Becomes Stale by being looked at after `until`; no timer runs for it.
    Reachable {
        hardware: EthernetAddress,
        until: Instant,
    },
    Stale {
        hardware: EthernetAddress,
    },
    Delay {
        hardware: EthernetAddress,
        until: Instant,
    },
    Probe {
        hardware: EthernetAddress,
        sent: u8,
    },
    Failed {
        until: Instant,
    },
    Permanent {
        hardware: EthernetAddress,
    },
}

/// What a sender gets to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Send(EthernetAddress),
    Wait,
    Refuse,
}

/// What a claim did to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Unchanged,
    /// What it says is believed, and was known.
    #[cfg(feature = "proto-ipv6")]
    Agreed,
    Updated,
    Contested,
    Resolved,
}

/// What running out of requests means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GaveUp {
    /// Nobody answered the broadcasts: those who wait must be told.
    Resolving,
    /// The known address does not answer any more: forget it, the next packet asks by broadcast.
    Probing,
}

/// In which order entries make room for others, the first ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reclaim {
    Failed,
    Stale,
    InUse,
}

impl Entry {
    /// A neighbor somebody wants to send to.
    pub(super) fn resolving(now: Instant, interface: InterfaceId, address: IpAddress) -> Self {
        Self::new(now, interface, address, State::Incomplete { sent: 0 })
    }

    /// A neighbor that made itself known.
    pub(super) fn stale(
        now: Instant,
        interface: InterfaceId,
        address: IpAddress,
        hardware: EthernetAddress,
    ) -> Self {
        Self::new(now, interface, address, State::Stale { hardware })
    }

    /// A neighbor that was configured.
    pub(super) fn permanent(
        now: Instant,
        interface: InterfaceId,
        address: IpAddress,
        hardware: EthernetAddress,
    ) -> Self {
        Self::new(now, interface, address, State::Permanent { hardware })
    }

    fn new(now: Instant, interface: InterfaceId, address: IpAddress, state: State) -> Self {
        Self {
            interface,
            address,
            last_used: now,
            quiet_until: now,
            state,
        }
    }

    pub(super) fn is(&self, interface: InterfaceId, address: IpAddress) -> bool {
        self.interface == interface && self.address == address
    }

    pub(super) fn state(&self, now: Instant) -> NeighborState {
        match self.state {
            State::Incomplete { .. } => NeighborState::Incomplete,
            State::Reachable { until, .. } if now < until => NeighborState::Reachable,
            State::Reachable { .. } | State::Stale { .. } => NeighborState::Stale,
            State::Delay { .. } => NeighborState::Delay,
            State::Probe { .. } => NeighborState::Probe,
            State::Failed { .. } => NeighborState::Failed,
            State::Permanent { .. } => NeighborState::Permanent,
        }
    }

    pub(super) fn is_resolving(&self) -> bool {
        matches!(self.state, State::Incomplete { .. })
    }

    pub(super) fn is_permanent(&self) -> bool {
        matches!(self.state, State::Permanent { .. })
    }

    /// Whether and how early this entry may be evicted. A neighbor being solicited stays: somebody
    /// may wait for it, and forgetting it would forget when it was last asked.
    pub(super) fn reclaim(&self, now: Instant) -> Option<Reclaim> {
        match self.state(now) {
            NeighborState::Failed => Some(Reclaim::Failed),
            NeighborState::Stale => Some(Reclaim::Stale),
            NeighborState::Reachable | NeighborState::Delay => Some(Reclaim::InUse),
            NeighborState::Incomplete | NeighborState::Probe | NeighborState::Permanent => None,
        }
    }

    /// The link address, if one is known.
    pub(super) fn hardware(&self) -> Option<&EthernetAddress> {
        match &self.state {
            State::Reachable { hardware, .. }
            | State::Stale { hardware }
            | State::Delay { hardware, .. }
            | State::Probe { hardware, .. }
            | State::Permanent { hardware } => Some(hardware),
            State::Incomplete { .. } | State::Failed { .. } => None,
        }
    }

    /// As [`Self::on_use`], for a neighbor about whose address there is no doubt: nothing changes then.
    #[inline]
    pub(super) fn use_confirmed(&mut self, now: Instant) -> bool {
        let confirmed = matches!(self.state, State::Reachable { until, .. } if now < until);
        if confirmed {
            self.last_used = now;
        }
        confirmed
    }

    /// A packet is about to be sent to this neighbor.
    pub(super) fn on_use(&mut self, now: Instant, timing: &NeighborTiming) -> Use {
        self.last_used = now;
        match self.state {
            State::Reachable { hardware, until } if now < until => Use::Send(hardware),
            State::Reachable { hardware, .. } | State::Stale { hardware } => {
                self.state = State::Delay {
                    hardware,
                    until: now + timing.delay_first_probe_time,
                };
                Use::Send(hardware)
            }
            State::Delay { hardware, .. }
            | State::Probe { hardware, .. }
            | State::Permanent { hardware } => Use::Send(hardware),
            State::Failed { until } if now < until => Use::Refuse,
            State::Failed { .. } => {
                self.state = State::Incomplete { sent: 0 };
                Use::Wait
            }
            State::Incomplete { .. } => Use::Wait,
        }
    }

    /// A packet says that this neighbor has the address `claimed`. See [`ClaimKind`] for the policy.
    pub(super) fn on_claim(
        &mut self,
        now: Instant,
        claimed: EthernetAddress,
        kind: ClaimKind,
        reachable_time: Duration,
    ) -> Change {
        let reachable = State::Reachable {
            hardware: claimed,
            until: now + reachable_time,
        };
        let stale = State::Stale { hardware: claimed };
        let (state, change) = match (self.state, kind) {
            (State::Permanent { .. }, _) => return Change::Unchanged,
            #[cfg(feature = "proto-ipv6")]
            (_, ClaimKind::Solicitation) => return self.on_solicitation(claimed),

            (State::Incomplete { .. }, ClaimKind::Reply) => (reachable, Change::Resolved),
            (State::Incomplete { .. }, _) => (stale, Change::Resolved),
            // We stopped asking, so nothing is an answer any more; but the host is back.
            (State::Failed { .. }, _) => (stale, Change::Updated),

            (State::Delay { hardware, .. } | State::Probe { hardware, .. }, ClaimKind::Reply)
                if hardware == claimed =>
            {
                (reachable, Change::Updated)
            }
            // The old address is being asked already; only its silence lets another one in.
            (State::Probe { .. }, _) => return Change::Unchanged,

            (
                State::Reachable { hardware, .. }
                | State::Stale { hardware }
                | State::Delay { hardware, .. },
                _,
            ) if hardware == claimed => return Change::Unchanged,
            (State::Reachable { hardware, until }, _) if now < until => {
                (State::Probe { hardware, sent: 0 }, Change::Contested)
            }
            (State::Delay { hardware, .. }, _) => {
                (State::Probe { hardware, sent: 0 }, Change::Contested)
            }
            (State::Reachable { .. } | State::Stale { .. }, _) => (stale, Change::Updated),
        };
        self.state = state;
        change
    }

    /// An upper layer saw this neighbor answer (RFC 4861 section 7.3.1).
    pub(super) fn on_forward_progress(&mut self, until: Instant) {
        match self.state {
            State::Reachable { hardware, .. }
            | State::Stale { hardware }
            | State::Delay { hardware, .. }
            | State::Probe { hardware, .. } => self.state = State::Reachable { hardware, until },
            State::Incomplete { .. } | State::Failed { .. } | State::Permanent { .. } => {}
        }
    }

    /// An upper layer sees no answer at all (RFC 1122 section 3.3.1.4).
    pub(super) fn on_doubt(&mut self) {
        if let State::Reachable { hardware, .. }
        | State::Stale { hardware }
        | State::Delay { hardware, .. } = self.state
        {
            self.state = State::Probe { hardware, sent: 0 };
        }
    }

    /// Starts a resolution under way over; its next request still keeps its distance to the last.
    pub(super) fn restart(&mut self) {
        if self.is_resolving() {
            self.state = State::Incomplete { sent: 0 };
        }
    }

    /// When this entry next has something to send or to give up.
    #[inline(never)]
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Incomplete { .. } | State::Probe { .. } => Some(self.quiet_until),
            State::Delay { until, .. } => Some(until.max(self.quiet_until)),
            State::Reachable { .. }
            | State::Stale { .. }
            | State::Failed { .. }
            | State::Permanent { .. } => None,
        }
    }

    /// Whether a request is due.
    pub(super) fn solicit_due(&self, now: Instant, timing: &NeighborTiming) -> bool {
        self.next_solicit(timing).is_some() && self.deadline().is_some_and(|at| at <= now)
    }

    /// The request that is due, which counts as sent.
    pub(super) fn poll_solicit(
        &mut self,
        now: Instant,
        timing: &NeighborTiming,
    ) -> Option<SolicitTo> {
        if self.deadline().is_none_or(|at| now < at) {
            return None;
        }
        let (state, to) = self.next_solicit(timing)?;
        self.state = state;
        self.quiet_until = now + timing.retrans_timer;
        Some(to)
    }

    /// The next request, whenever it may go out, and the state after it; `None` when all are sent.
    fn next_solicit(&self, timing: &NeighborTiming) -> Option<(State, SolicitTo)> {
        match self.state {
            State::Incomplete { sent } if sent < timing.max_multicast_solicit => {
                let sent = sent.saturating_add(1);
                Some((State::Incomplete { sent }, SolicitTo::Broadcast))
            }
            State::Probe { hardware, sent } if sent < timing.max_unicast_solicit => {
                let sent = sent.saturating_add(1);
                let state = State::Probe { hardware, sent };
                Some((state, SolicitTo::Unicast(hardware)))
            }
            State::Delay { hardware, .. } => {
                let state = State::Probe { hardware, sent: 1 };
                Some((state, SolicitTo::Unicast(hardware)))
            }
            _ => None,
        }
    }

    /// Gives up when the last request went unanswered for RetransTimer.
    pub(super) fn on_timeout(&mut self, now: Instant, timing: &NeighborTiming) -> Option<GaveUp> {
        let over = self.deadline().is_some_and(|at| at <= now);
        if !over || self.next_solicit(timing).is_some() {
            return None;
        }
        if !self.is_resolving() {
            return Some(GaveUp::Probing);
        }
        self.state = State::Failed {
            until: now + timing.failed_hold_down,
        };
        Some(GaveUp::Resolving)
    }
}
