//! The lock around the network's state, and the rule that goes with it: tasks are woken, and wakers
//! dropped, after unlocking.

use core::cell::RefCell;
use core::task::Waker;

use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::RawMutex;

use crate::state::{Reason, State, Wait};

/// What all ports of a network share.
pub(crate) struct Shared<'d, M: RawMutex> {
    state: Mutex<M, RefCell<State<'d>>>,
}

impl<'d, M: RawMutex> Shared<'d, M> {
    pub(crate) fn new(state: State<'d>) -> Self {
        Self {
            state: Mutex::new(RefCell::new(state)),
        }
    }

    /// Looks at the state or changes it, where that makes nobody's wait end.
    pub(crate) fn lock<R>(&self, f: impl FnOnce(&mut State<'d>) -> R) -> R {
        self.state.lock(|state| f(&mut state.borrow_mut()))
    }

    /// Changes the state, then wakes whoever waited for that.
    pub(crate) fn lock_and_wake<R>(&self, f: impl FnOnce(&mut State<'d>) -> R) -> R {
        let (result, mut next) = self.lock(|state| {
            let result = f(state);
            (result, state.first_wake())
        });
        while let Some(wake) = next {
            wake.waker.wake();
            next = wake
                .more_from
                .and_then(|from| self.lock(|state| state.next_wake(from)));
        }
        result
    }

    /// Asks the state for something; has `waker` woken when `reason` comes if it was not there.
    pub(crate) fn lock_or_register<R>(
        &self,
        (port, reason): (usize, Reason),
        waker: &Waker,
        f: impl FnOnce(&mut State<'d>) -> Result<R, Wait>,
    ) -> Result<R, Wait> {
        let (result, replaced) = self.lock(|state| {
            let result = f(state);
            let replaced = match result {
                Ok(_) => None,
                Err(_) => state.register(port, reason, waker),
            };
            (result, replaced)
        });
        drop(replaced);
        result
    }
}
