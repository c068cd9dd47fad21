//! Who waits for what.

use core::task::Waker;

use super::shared::Wakes;
use crate::events::Events;

/// Has the task of `waker` polled again. Executors' wakers are inlined where they are called, and this is called seldom.
#[inline(never)]
pub(super) fn poll_again(waker: &Waker) {
    waker.wake_by_ref();
}

/// Has the task of `waker` polled, if there is one.
#[inline(never)]
pub(super) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The wakers of one socket.
///
/// A socket that one task uses at a time has one waker for each thing to wait for; whoever waits last is
/// woken. Sockets that several tasks may use through `&self` queue them, see [`SocketWakers::join`].
#[derive(Default)]
pub(crate) struct SocketWakers {
    slots: [Option<Waker>; 3],
    /// How often each of them was taken.
    stamps: [u16; 3],
    /// Which of them, a bit each, poll functions left, if they are there.
    left_by_polls: u8,
    /// Which of them, a bit each, more than one future of a task may wait by, if they are there.
    shared: u8,
}

/// Who joins those that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiter {
    /// A future, and the place that it has. It gives it up when it is dropped.
    Future(Option<Place>),
    /// A poll function, of which nobody knows whether it is called again. All for the same share one place, and only
    /// the last caller is woken, as with every poll function.
    Poll,
}

impl Waiter {
    fn hold(&mut self, place: Place) {
        if let Self::Future(held) = self {
            *held = Some(place);
        }
    }
}

/// Which waker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interest {
    Read,
    Write,
    State,
}

impl Interest {
    /// All places, of a socket that has one thing to wait for.
    pub(super) const ALL: [Self; 3] = [Self::Read, Self::Write, Self::State];
    /// Those who wait for datagrams, of a socket whose state nobody waits for.
    pub(super) const RECEIVERS: [Self; 2] = [Self::Read, Self::State];
    /// Those who wait for room.
    pub(super) const SENDERS: [Self; 1] = [Self::Write];

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// As many tasks wait for the same as can be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooManyWaiters;

/// A task's place among those that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    interest: Interest,
    /// By which it is known: the place may be another's by now.
    stamp: u16,
}

/// A waker that waits no longer, on its way out of the lock.
#[derive(Default)]
pub(super) struct Left {
    waker: Option<Waker>,
    /// Others of its task may wait by it, and have to be asked again.
    is_relied_on: bool,
}

impl Left {
    /// What becomes of it, outside of the lock.
    #[inline(never)]
    pub(super) fn see_off(self) {
        if self.is_relied_on {
            wake(self.waker);
        }
    }
}

impl SocketWakers {
    pub(super) const EMPTY: Self = Self {
        slots: [const { None }; 3],
        stamps: [0; 3],
        left_by_polls: 0,
        shared: 0,
    };

    /// Waits, in place of whoever waited before, who is returned to be woken.
    #[must_use]
    pub(super) fn set(&mut self, interest: Interest, waker: &Waker) -> Option<Waker> {
        let slot = &mut self.slots[interest as usize];
        match slot {
            Some(current) if current.will_wake(waker) => None,
            _ => slot.replace(waker.clone()),
        }
    }

    /// Waits beside others, in one of the places for `interests`. One task takes one place, however many
    /// of its futures wait.
    pub(super) fn join(
        &mut self,
        interests: &[Interest],
        waiter: &mut Waiter,
        waker: &Waker,
    ) -> Result<Left, TooManyWaiters> {
        let mut left = Left::default();
        // A future is woken by the waker of its last poll alone, which need not be that of its first.
        if let Waiter::Future(Some(place)) = *waiter
            && self.held(place).is_some_and(|held| !held.will_wake(waker))
        {
            left.is_relied_on = self.shared & place.interest.bit() != 0;
            left.waker = self.leave(place);
        }
        let is_poll = *waiter == Waiter::Poll;
        let mut free = None;
        for &interest in interests {
            match &self.slots[interest as usize] {
                Some(current) if current.will_wake(waker) => {
                    let place = self.place(interest);
                    if *waiter != Waiter::Future(Some(place)) {
                        self.shared |= interest.bit();
                    }
                    waiter.hold(place);
                    return Ok(left);
                }
                Some(_) if is_poll && self.is_left_by_poll(interest) => free = Some(interest),
                Some(_) => {}
                None => {
                    free.get_or_insert(interest);
                }
            }
        }
        let interest = free.ok_or(TooManyWaiters)?;
        let (nth, bit) = (interest as usize, interest.bit());
        self.stamps[nth] = self.stamps[nth].wrapping_add(1);
        self.shared &= !bit;
        self.left_by_polls = self.left_by_polls & !bit | if is_poll { bit } else { 0 };
        waiter.hold(self.place(interest));
        // A future finds its new place empty, and a poll function has left none.
        let replaced = self.slots[nth].replace(waker.clone());
        left.waker = left.waker.or(replaced);
        Ok(left)
    }

    fn place(&self, interest: Interest) -> Place {
        Place {
            interest,
            stamp: self.stamps[interest as usize],
        }
    }

    /// Who waits in a place, unless it is another's by now.
    fn held(&self, place: Place) -> Option<&Waker> {
        self.slots[place.interest as usize]
            .as_ref()
            .filter(|_| self.place(place.interest) == place)
    }

    fn is_left_by_poll(&self, interest: Interest) -> bool {
        self.left_by_polls & interest.bit() != 0
    }

    /// Gives up a place. The waker is returned to be woken: other futures of its task may rely on it.
    #[must_use]
    pub(super) fn leave(&mut self, place: Place) -> Option<Waker> {
        match self.held(place) {
            Some(_) => self.slots[place.interest as usize].take(),
            None => None,
        }
    }

    /// Nobody waits any more: the socket is another. The wakers are returned to be dropped.
    #[cfg(any(
        feature = "socket-tcp",
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw"
    ))]
    pub(super) fn clear(&mut self) -> [Option<Waker>; 3] {
        core::mem::take(&mut self.slots)
    }

    /// Takes the wakers that events concern.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn take(&mut self, events: Events, wakes: &mut Wakes) {
        for (nth, slot) in self.slots.iter_mut().enumerate() {
            if events.has(nth)
                && let Some(waker) = slot.take()
            {
                wakes.push(waker);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    struct Idle;

    impl Wake for Idle {
        fn wake(self: Arc<Self>) {}
    }

    fn task() -> Waker {
        Arc::new(Idle).into()
    }

    #[test]
    fn a_place_that_others_had_meanwhile_is_theirs() {
        let mut wakers = SocketWakers::EMPTY;
        let [slow, moved, busy] = [task(), task(), task()];
        let join = |wakers: &mut SocketWakers, waiter: &mut Waiter, waker| {
            wakers.join(&Interest::SENDERS, waiter, waker).is_ok()
        };
        let mut waits = Waiter::Future(None);
        assert!(join(&mut wakers, &mut waits, &slow));
        for _ in 0..1_024 {
            let mut woken = Wakes::new();
            wakers.take(Events::WRITABLE, &mut woken);
            assert!(!woken.is_empty());
            assert!(join(&mut wakers, &mut Waiter::Future(None), &busy));
            let mut late = waits;
            assert!(!join(&mut wakers, &mut late, &moved), "no room");
        }
    }
}
