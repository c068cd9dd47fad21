//! embassy-time as the stack's clock.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Waker};

use cygnet_driver::{Clock, Instant};

use super::wakers::poll_again;

/// The time of [`embassy_time`], whose driver is one per program.
///
/// Tests and hosts that want a clock of their own use [`new_with_clock`](super::new_with_clock).
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbassyClock;

impl Clock for EmbassyClock {
    fn now(&self) -> Instant {
        Instant::from_micros(embassy_time::Instant::now().as_micros())
    }

    fn wake_at(&self, at: Instant, waker: &Waker) {
        let at = embassy_time::Instant::from_micros(at.as_micros());
        // A timer registers with the queue when it is polled, and stays there when it is dropped.
        let mut timer = embassy_time::Timer::at(at);
        let mut cx = Context::from_waker(waker);
        if Pin::new(&mut timer).poll(&mut cx).is_ready() {
            poll_again(waker);
        }
    }
}
