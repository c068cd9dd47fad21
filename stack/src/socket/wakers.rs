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
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The places that a task may wait in, a bit each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places(u8);

impl Places {
    /// All, of a socket that has one thing to wait for.
    pub(super) const ALL: Self = Self(0b111);
    /// Those who wait for datagrams, of a socket whose state nobody waits for.
    pub(super) const RECEIVERS: Self = Self(Interest::Read.bit() | Interest::State.bit());
    /// Those who wait for room.
    pub(super) const SENDERS: Self = Self(Interest::Write.bit());

    fn among(self, bits: u8) -> Self {
        Self(self.0 & bits)
    }

    fn first(self) -> Option<Interest> {
        match self.0.trailing_zeros() {
            0 => Some(Interest::Read),
            1 => Some(Interest::Write),
            2 => Some(Interest::State),
            _ => None,
        }
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

    /// Waits beside others, in one of `places`. One task takes one place, however many of its futures wait.
    pub(super) fn join(
        &mut self,
        places: Places,
        waiter: &mut Waiter,
        waker: &Waker,
    ) -> Result<Left, TooManyWaiters> {
        let (mut taken, mut same) = (0, 0);
        for (nth, slot) in self.slots.iter().enumerate() {
            if let Some(current) = slot {
                taken |= 1 << nth;
                same |= u8::from(current.will_wake(waker)) << nth;
            }
        }
        let own = match *waiter {
            Waiter::Future(Some(place)) => self.held(place),
            _ => None,
        };
        // A future is woken by the waker of its last poll alone, which need not be that of its first.
        if let Some(interest) = places.among(same).first() {
            if own == Some(interest) {
                return Ok(Left::default());
            }
            self.shared |= interest.bit();
            waiter.hold(self.place(interest));
            return Ok(own.map_or_else(Left::default, |own| self.take_over(own, None)));
        }
        let is_poll = *waiter == Waiter::Poll;
        let of_polls = if is_poll {
            taken & self.left_by_polls
        } else {
            0
        };
        let interest = (own.or(places.among(of_polls).first()))
            .or(places.among(!taken).first())
            .ok_or(TooManyWaiters)?;
        let (nth, bit) = (interest as usize, interest.bit());
        let left = self.take_over(interest, Some(waker.clone()));
        self.stamps[nth] = self.stamps[nth].wrapping_add(1);
        self.shared &= !bit;
        self.left_by_polls = self.left_by_polls & !bit | if is_poll { bit } else { 0 };
        waiter.hold(self.place(interest));
        Ok(left)
    }

    /// Replaces who waits in a place.
    fn take_over(&mut self, interest: Interest, waker: Option<Waker>) -> Left {
        Left {
            is_relied_on: self.shared & interest.bit() != 0,
            waker: core::mem::replace(&mut self.slots[interest as usize], waker),
        }
    }

    fn place(&self, interest: Interest) -> Place {
        Place {
            interest,
            stamp: self.stamps[interest as usize],
        }
    }

    /// Which place it is, unless it is another's by now.
    fn held(&self, place: Place) -> Option<Interest> {
        let interest = place.interest;
        let is_taken = self.slots[interest as usize].is_some();
        (is_taken && self.place(interest) == place).then_some(interest)
    }

    /// Gives up a place. The waker is returned to be woken: other futures of its task may rely on it.
    #[must_use]
    pub(super) fn leave(&mut self, place: Place) -> Option<Waker> {
        let interest = self.held(place)?;
        self.slots[interest as usize].take()
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
            wakers.join(Places::SENDERS, waiter, waker).is_ok()
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

    /// A future of the same task may rely on the place that a poll function left.
    #[test]
    fn a_task_is_woken_when_a_poll_function_of_another_takes_the_place_that_it_shares() {
        for shared in [false, true] {
            let mut wakers = SocketWakers::EMPTY;
            let [own, other] = [task(), task()];
            let mut join =
                |waiter: &mut Waiter, waker| wakers.join(Places::SENDERS, waiter, waker).unwrap();
            join(&mut Waiter::Poll, &own);
            if shared {
                join(&mut Waiter::Future(None), &own);
            }
            let left = join(&mut Waiter::Poll, &other);
            assert_eq!(left.is_relied_on, shared);
            assert!(left.waker.is_some_and(|waker| waker.will_wake(&own)));
        }
    }
}
