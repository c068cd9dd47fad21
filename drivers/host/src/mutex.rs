//! The mutex around one stack whose handles are shared between threads.

use embassy_sync::blocking_mutex::raw::RawMutex;
use parking_lot::{ReentrantMutex, const_reentrant_mutex};

/// A raw mutex per stack, for `embassy_sync`'s blocking `Mutex<HostMutex, T>`.
///
/// `critical-section` offers hosts one lock for the whole process; this one keeps independent stacks
/// independent. A thread that holds it may lock it again, as the trait allows: a callback that
/// re-enters the stack thus reaches the stack's `RefCell`, which reports the re-entrance, instead
/// of waiting for itself for ever. A panic inside releases it, and it is never poisoned.
#[derive(Debug)]
pub struct HostMutex(ReentrantMutex<()>);

impl HostMutex {
    /// An unlocked mutex.
    pub const fn new() -> Self {
        Self(const_reentrant_mutex(()))
    }
}

impl Default for HostMutex {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: while `lock` runs its closure it holds a `ReentrantMutex`, whose guard is shared by no two
// threads at a time. Another thread waits inside `self.0.lock()`; only the thread that holds the
// guard gets a second one, which the trait permits.
#[expect(unsafe_code)]
unsafe impl RawMutex for HostMutex {
    #[allow(clippy::declare_interior_mutable_const)] // The trait asks for a constant.
    const INIT: Self = Self::new();

    fn lock<R>(&self, f: impl FnOnce() -> R) -> R {
        let _released_on_return_and_unwind = self.0.lock();
        f()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::{Cell, RefCell};
    use embassy_sync::blocking_mutex::Mutex;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn excludes_other_threads() {
        // Not atomic: without mutual exclusion, increments get lost.
        let counter: Mutex<HostMutex, Cell<u32>> = Mutex::new(Cell::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        counter.lock(|count| {
                            let before = count.get();
                            thread::yield_now();
                            count.set(before + 1);
                        });
                    }
                });
            }
        });
        assert_eq!(counter.lock(Cell::get), 4_000);
    }

    #[test]
    fn another_thread_waits_for_the_outermost_release() {
        let mutex: Mutex<HostMutex, Cell<bool>> = Mutex::new(Cell::new(false));
        let (started, start) = mpsc::channel();
        thread::scope(|scope| {
            mutex.lock(|done| {
                mutex.lock(|_| ());
                scope.spawn(|| {
                    started.send(()).unwrap();
                    mutex.lock(|done| assert!(done.get(), "the outer lock was still held"));
                });
                start.recv().unwrap();
                for _ in 0..100 {
                    thread::yield_now();
                }
                done.set(true);
            });
        });
    }

    #[test]
    fn re_entrance_reaches_the_ref_cell() {
        let mutex: Mutex<HostMutex, RefCell<u32>> = Mutex::new(RefCell::new(1));
        mutex.lock(|outer| {
            let _borrowed = outer.borrow_mut();
            mutex.lock(|inner| assert!(inner.try_borrow().is_err()));
        });
        mutex.lock(|cell| assert!(cell.try_borrow_mut().is_ok()));
    }

    #[test]
    fn a_panic_releases_it() {
        let mutex: Mutex<HostMutex, Cell<u32>> = Mutex::new(Cell::new(7));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            mutex.lock(|_| mutex.lock(|_| panic!("inside the lock")));
        }));
        assert!(panicked.is_err());
        let seen = thread::scope(|scope| scope.spawn(|| mutex.lock(Cell::get)).join());
        assert_eq!(seen.unwrap(), 7);
    }

    #[test]
    fn makes_shared_state_shareable() {
        fn assert_send_and_sync<T: Send + Sync>() {}
        assert_send_and_sync::<Mutex<HostMutex, RefCell<u32>>>();
    }
}
