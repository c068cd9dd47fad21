//! What is behind the lock: the engine, and who waits for it.

use core::cell::Cell;
use core::task::Waker;

use cygnet_config::WATCHER_COUNT;
use heapless::Vec;

use super::wakers::SocketWakers;
use crate::engine::{Deed, Engine, SocketKey};
use crate::storage::{Index, Presence};
use crate::time::Instant;

/// What the mutex protects.
pub(crate) struct Locked<'d> {
    /// Taken out while a closure of a user runs, which is how a call from within it is found out.
    shared: Cell<Option<&'d mut Shared<'d>>>,
    /// What handles of each socket did in such a closure: two bits for each of [`IN_TURN`].
    put_off: Cell<&'d mut [u8]>,
    is_put_off: Cell<bool>,
}

/// What was taken out. It goes back when this is dropped, also where a closure of a user panics.
pub(super) struct InUse<'l, 'd> {
    locked: &'l Locked<'d>,
    shared: Option<&'d mut Shared<'d>>,
}

impl<'d> InUse<'_, 'd> {
    /// `None` if it was in use already.
    #[inline]
    pub(super) fn shared(&mut self) -> Option<&mut Shared<'d>> {
        self.shared.as_deref_mut()
    }

    /// A call of a handle is at its end. Returns the runner's waker if it has to come by.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn leave(mut self) -> Option<Waker> {
        let shared = self.shared.as_mut()?;
        self.locked.catch_up(shared);
        shared.take_runner()
    }

    /// The runner is done with it, for now.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn leave_quietly(mut self) {
        if let Some(shared) = &mut self.shared {
            self.locked.catch_up(shared);
        }
    }
}

impl Drop for InUse<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            self.locked.shared.set(Some(shared));
        }
    }
}

impl<'d> Locked<'d> {
    pub(super) fn new(shared: &'d mut Shared<'d>, put_off: &'d mut [u8]) -> Self {
        Self {
            shared: Cell::new(Some(shared)),
            put_off: Cell::new(put_off),
            is_put_off: Cell::new(false),
        }
    }

    /// Takes it out, unless it is.
    #[inline]
    pub(super) fn enter(&self) -> InUse<'_, 'd> {
        InUse {
            locked: self,
            shared: self.shared.take(),
        }
    }

    /// A handle did something while the stack is in use.
    pub(super) fn put_off(&self, key: SocketKey, deed: Deed) {
        let put_off = self.put_off.take();
        if let Some(deeds) = put_off.get_mut(usize::from(key.index())) {
            let bit = 1 << (2 * deed as u8);
            *deeds |= bit | (*deeds & bit) << 1;
        }
        self.put_off.set(put_off);
        self.is_put_off.set(true);
    }

    /// Sees to what handles did meanwhile. That happens about never, so it may look at all sockets.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn catch_up(&self, shared: &mut Shared<'d>) {
        if self.is_put_off.get() {
            self.see_to_all(shared);
        }
    }

    #[cold]
    fn see_to_all(&self, shared: &mut Shared<'d>) {
        self.is_put_off.set(false);
        let put_off = self.put_off.take();
        for (index, deeds) in put_off.iter_mut().enumerate() {
            let mut deeds = core::mem::take(deeds);
            while let Some(&deed) = IN_TURN.get(deeds.trailing_zeros() as usize / 2) {
                shared.engine.see_to_at(index, deed);
                deeds &= deeds - 1;
            }
        }
        self.put_off.set(put_off);
    }
}

/// What handles of one socket can do, in the order in which that makes sense; a socket has two handles at most, so that
/// each is done twice at most.
const IN_TURN: &[Deed] = &[
    #[cfg(feature = "socket-tcp")]
    Deed::GiveUp,
    #[cfg(feature = "socket-tcp")]
    Deed::Split,
    #[cfg(feature = "socket-tcp")]
    Deed::Shutdown,
    Deed::Drop,
];

/// Each stands where its number says, by which its bits are found.
const _: () = {
    let mut nth = 0;
    while nth < IN_TURN.len() {
        assert!(IN_TURN[nth] as usize == nth);
        nth += 1;
    }
};

/// The engine and all wakers.
pub(crate) struct Shared<'d> {
    pub(super) engine: &'d mut Engine<'d>,
    wakers: &'d mut [SocketWakers],
    runner: Option<Waker>,
    /// It is not on its way by itself: whoever has work for it wakes it.
    runner_sleeps: bool,
    /// Who waits for the link or the configuration to change.
    watchers: Vec<Waker, { WATCHER_COUNT + 1 }>,
    /// They are to be woken.
    watched_changed: bool,
    /// Whether the stack could talk when last looked at.
    config_up: bool,
    /// What it had to tell then.
    news: u16,
    _presence: Presence,
}

/// Wakers on their way out of the lock.
pub(super) struct Wakes {
    list: Vec<Waker, WAKES>,
}

impl<'d> Shared<'d> {
    pub(super) fn new(engine: &'d mut Engine<'d>, wakers: &'d mut [SocketWakers]) -> Self {
        Self {
            engine,
            wakers,
            runner: None,
            runner_sleeps: false,
            watchers: Vec::new(),
            watched_changed: false,
            config_up: false,
            news: 0,
            _presence: Presence::There,
        }
    }

    pub(super) fn wakers(&mut self, key: SocketKey) -> Option<&mut SocketWakers> {
        self.wakers_at(key.index())
    }

    fn wakers_at(&mut self, index: Index) -> Option<&mut SocketWakers> {
        self.wakers.get_mut(usize::from(index))
    }

    /// The runner has come by, and sees whatever handles ask for from here on. True if one asked for something.
    pub(super) fn on_runner_awake(&mut self, now: Instant) -> bool {
        self.runner_sleeps = false;
        self.engine.on_runner(now)
    }

    /// The runner sleeps until something takes its waker.
    pub(super) fn on_runner_asleep(&mut self, waker: &Waker) {
        self.runner_sleeps = true;
        match &self.runner {
            Some(current) if current.will_wake(waker) => {}
            _ => self.runner = Some(waker.clone()),
        }
    }

    /// Waits for the link or the configuration to change. When too many wait, all are woken and come
    /// again.
    pub(super) fn watch(&mut self, waker: &Waker) {
        if self.watchers.iter().any(|w| w.will_wake(waker)) {
            return;
        }
        // The last place is that of one too many: with it in there, all are woken when the lock is left.
        let _ = self.watchers.push(waker.clone());
        self.watched_changed |= self.watchers.is_full();
    }

    /// A handle changed the configuration.
    pub(super) fn config_changed(&mut self) {
        self.look_at_config();
        self.watched_changed = true;
    }

    /// Takes note of what the stack has to tell and of whether it can talk, after something that may have changed it.
    pub(super) fn look_at_config(&mut self) {
        self.engine.note_changes();
        let (config_up, news) = (self.engine.is_config_up(), self.engine.news());
        self.watched_changed |= config_up != self.config_up || news != self.news;
        self.config_up = config_up;
        self.news = news;
    }

    /// The runner's waker, if it sleeps and there is something for it.
    #[inline]
    fn take_runner(&mut self) -> Option<Waker> {
        if !self.runner_sleeps || !(self.has_news() || self.engine.wants_attention(false)) {
            return None;
        }
        self.runner_sleeps = false;
        self.runner.take()
    }

    /// Whether there are others to wake.
    #[inline]
    pub(super) fn has_news(&self) -> bool {
        self.watched_changed || self.engine.has_events()
    }

    /// Collects who is to be woken, as far as there is room.
    pub(super) fn collect(&mut self, wakes: &mut Wakes) {
        while !wakes.is_nearly_full() {
            if self.watched_changed {
                match self.watchers.pop() {
                    Some(waker) => wakes.push(waker),
                    None => self.watched_changed = false,
                }
                continue;
            }
            let Some((index, events)) = self.engine.poll_event() else {
                return;
            };
            if let Some(wakers) = self.wakers_at(index) {
                wakers.take(events, wakes);
            }
        }
    }
}

impl Wakes {
    pub(super) const fn new() -> Self {
        Self { list: Vec::new() }
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn push(&mut self, waker: Waker) {
        // Callers look for room first; one too many is woken at once rather than lost.
        if let Err(waker) = self.list.push(waker) {
            waker.wake();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether there may be more than there was room for.
    pub(super) fn is_nearly_full(&self) -> bool {
        self.list.capacity() - self.list.len() < 3
    }

    /// Wakes all; there is room again.
    pub(super) fn wake(&mut self) {
        while let Some(waker) = self.list.pop() {
            waker.wake();
        }
    }
}

/// Wakers that leave the lock at a time; at least one socket's.
const WAKES: usize = 8;
