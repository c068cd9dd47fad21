//! What became of the link and the configuration, one event after the other.
//!
//! Addresses are compared with how they were when last looked at, so that whatever changes them, none is
//! forgotten; what came and went in between is nothing to tell. Readers keep their own place, and one that is
//! too slow is told how much it missed: nobody waits for readers.

use cygnet_config::{CONFIG_EVENT_COUNT, IFACE_MAX_ADDR_COUNT};
use heapless::{Deque, Vec};

use super::Engine;
use crate::ip::{AddressState, InterfaceAddress};
use crate::wire::{IpAddress, IpCidr};

/// Something happened to the link or the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConfigEvent {
    /// The link carries frames.
    LinkUp,
    /// It does not.
    LinkDown,
    /// An address can be used, with the prefix of its subnet.
    AddressAdded(IpCidr),
    /// An address goes on only for those who use it already.
    AddressDeprecated(IpCidr),
    /// An address cannot be used any more; perhaps only for now, because it is probed again.
    AddressRemoved(IpCidr),
    /// Somebody else on the link uses an address that was ours, or would have been.
    AddressConflict(IpAddress),
    /// A DHCP server gave an address, or changed what goes with it.
    LeaseObtained,
    /// That is over.
    LeaseLost,
    /// A DHCPv6 server gave addresses or information, or changed something of that.
    #[cfg(feature = "socket-dhcpv6")]
    Dhcpv6LeaseObtained,
    /// That is over.
    #[cfg(feature = "socket-dhcpv6")]
    Dhcpv6LeaseLost,
    /// Routers say something else than before about what is to be had by DHCPv6.
    #[cfg(feature = "slaac")]
    RouterFlags(super::RouterFlags),
    /// The reader was too slow for so many events, which it missed: whatever they were about has to be
    /// looked at.
    Lagged(u32),
}

/// The latest events, and what they were derived from.
pub(super) struct Notices {
    events: Deque<ConfigEvent, CONFIG_EVENT_COUNT>,
    /// The number of the event to come.
    next: u32,
    link_up: bool,
    /// Those that were not tentative, at `epoch`.
    addresses: Vec<InterfaceAddress, IFACE_MAX_ADDR_COUNT>,
    epoch: Option<u16>,
}

impl Notices {
    pub(super) const fn new() -> Self {
        Self {
            events: Deque::new(),
            next: 0,
            link_up: false,
            addresses: Vec::new(),
            epoch: None,
        }
    }

    fn push(&mut self, event: ConfigEvent) {
        if self.events.is_full() {
            self.events.pop_front();
        }
        let _ = self.events.push_back(event);
        self.next = self.next.wrapping_add(1);
    }

    /// The event for a reader that has read all before `place`, with its place from then on.
    fn read(&self, place: u32) -> Option<(ConfigEvent, u32)> {
        let behind = self.next.wrapping_sub(place);
        // No more than there is room for, so no truncation.
        let kept = self.events.len() as u32;
        if behind > kept {
            let missed = behind - kept;
            return Some((ConfigEvent::Lagged(missed), place.wrapping_add(missed)));
        }
        let event = self.events.iter().nth((kept - behind) as usize)?;
        Some((*event, place.wrapping_add(1)))
    }
}

impl Engine<'_> {
    /// Tells of what cannot be seen afterwards.
    pub(super) fn notice(&mut self, event: ConfigEvent) {
        self.notices.push(event);
        self.on_news();
    }

    /// Takes note of what changed since the last call.
    pub(super) fn note_config_changes(&mut self) {
        let up = self.interface.link_up;
        if core::mem::replace(&mut self.notices.link_up, up) != up {
            self.notice(match up {
                true => ConfigEvent::LinkUp,
                false => ConfigEvent::LinkDown,
            });
        }
        let epoch = Some(self.interface.epoch());
        if core::mem::replace(&mut self.notices.epoch, epoch) != epoch {
            self.note_addresses();
        }
    }

    fn note_addresses(&mut self) {
        let now: Vec<_, IFACE_MAX_ADDR_COUNT> =
            self.interface.addresses.usable().copied().collect();
        let before = core::mem::replace(&mut self.notices.addresses, now.clone());
        for old in &before {
            if !now.iter().any(|new| new.cidr == old.cidr) {
                self.notice(ConfigEvent::AddressRemoved(old.cidr));
            }
        }
        #[cfg(feature = "proto-ipv6")]
        let is_known = |new: &InterfaceAddress| {
            let mut before = before.iter().filter(|old| old.cidr == new.cidr);
            before.any(|old| old.state == AddressState::Optimistic) && !is_deprecated(new)
        };
        #[cfg(not(feature = "proto-ipv6"))]
        let is_known = |_: &InterfaceAddress| false;
        for new in now
            .iter()
            .filter(|new| !before.contains(new) && !is_known(new))
        {
            self.notice(match is_deprecated(new) {
                true => ConfigEvent::AddressDeprecated(new.cidr),
                false => ConfigEvent::AddressAdded(new.cidr),
            });
        }
    }

    /// The next event for a reader at `place`, or at the end if it has none yet. Its place is moved.
    pub(crate) fn read_notice(&self, place: &mut Option<u32>) -> Option<ConfigEvent> {
        let from = *place.get_or_insert(self.notices.next);
        let (event, next) = self.notices.read(from)?;
        *place = Some(next);
        Some(event)
    }

    /// Where a reader begins who wants to know what comes.
    pub(crate) fn notices_end(&self) -> u32 {
        self.notices.next
    }
}

fn is_deprecated(address: &InterfaceAddress) -> bool {
    address.state == AddressState::Deprecated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_hears_everything_in_order() {
        let mut notices = Notices::new();
        notices.push(ConfigEvent::LinkUp);
        notices.push(ConfigEvent::LinkDown);
        assert_eq!(notices.read(0), Some((ConfigEvent::LinkUp, 1)));
        assert_eq!(notices.read(1), Some((ConfigEvent::LinkDown, 2)));
        assert_eq!(notices.read(2), None);
    }

    #[test]
    fn a_reader_that_is_too_slow_hears_how_much_it_missed() {
        let mut notices = Notices::new();
        notices.next = u32::MAX - 2;
        let place = notices.next;
        for _ in 0..CONFIG_EVENT_COUNT + 3 {
            notices.push(ConfigEvent::LinkDown);
        }
        notices.push(ConfigEvent::LinkUp);
        let (event, mut place) = notices.read(place).unwrap();
        assert_eq!(event, ConfigEvent::Lagged(4));
        let mut rest = 0;
        while let Some((event, next)) = notices.read(place) {
            (place, rest) = (next, rest + 1);
            assert_eq!(event == ConfigEvent::LinkUp, rest == CONFIG_EVENT_COUNT);
        }
        assert_eq!(rest, CONFIG_EVENT_COUNT);
    }
}
