//! What neighbor discovery does to an entry (RFC 4861 sections 7.2.3 and 7.2.5).

use super::{Change, Entry, State};
use crate::link::neighbor::Advertisement;
use crate::time::{Duration, Instant};
use crate::wire::EthernetAddress;

impl Entry {
    /// The sender of a solicitation has the address `claimed`. Section 7.2.3: "If an entry already exists, and
    /// the cached link-layer address differs from the one in the received Source Link-Layer option, the cached
    /// address should be replaced by the received address, and the entry's reachability state MUST be set to
    /// STALE."
    pub(super) fn on_solicitation(&mut self, claimed: EthernetAddress) -> Change {
        let change = match self.state {
            State::Permanent { .. } => return Change::Unchanged,
            State::Incomplete { .. } => Change::Resolved,
            State::Failed { .. } => Change::Updated,
            _ if self.hardware() == Some(&claimed) => return Change::Unchanged,
            _ => Change::Updated,
        };
        self.state = State::Stale { hardware: claimed };
        change
    }

    /// The neighbor, or somebody in its name, advertises it (section 7.2.5).
    pub(in crate::link::neighbor) fn on_advertisement(
        &mut self,
        now: Instant,
        advertisement: &Advertisement,
        reachable_time: Duration,
    ) -> Change {
        let known = match self.state {
            State::Permanent { .. } => return Change::Unchanged,
            // "If the link layer has addresses and no Target Link-Layer Address option is included, the
            // receiving node SHOULD silently discard the received advertisement."
            State::Incomplete { .. } | State::Failed { .. } => {
                let Some(hardware) = advertisement.hardware else {
                    return Change::Unchanged;
                };
                let is_resolving = self.is_resolving();
                // Who was given up on has no entry, as far as the RFC goes: it is back, but nobody asked.
                self.state = match advertisement.solicited && is_resolving {
                    true => State::Reachable {
                        hardware,
                        until: now + reachable_time,
                    },
                    false => State::Stale { hardware },
                };
                return match is_resolving {
                    true => Change::Resolved,
                    false => Change::Updated,
                };
            }
            State::Reachable { hardware, .. }
            | State::Stale { hardware }
            | State::Delay { hardware, .. }
            | State::Probe { hardware, .. } => hardware,
        };
        let hardware = advertisement.hardware.unwrap_or(known);
        let differs = hardware != known;
        if differs && !advertisement.override_ {
            // I: "If the state of the entry is REACHABLE, set it to STALE, but do not update the entry in any
            // other way. Otherwise, the received advertisement should be ignored".
            return match self.state {
                State::Reachable { .. } => {
                    self.state = State::Stale { hardware: known };
                    Change::Contested
                }
                _ => Change::Unchanged,
            };
        }
        // II: "If the Solicited flag is set, the state of the entry MUST be set to REACHABLE. If the Solicited
        // flag is zero and the link-layer address was updated with a different address, the state MUST be set
        // to STALE. Otherwise, the entry's state remains unchanged."
        if advertisement.solicited {
            let until = now + reachable_time;
            self.state = State::Reachable { hardware, until };
        } else if differs {
            self.state = State::Stale { hardware };
        } else {
            return Change::Agreed;
        }
        Change::Updated
    }
}
