//! The task that moves packets.

use core::convert::Infallible;
use core::future::poll_fn;
use core::task::{Context, Poll};

use cygnet_config::{RECEIVE_BURST, TRANSMIT_BURST, TRANSMIT_TURN};
#[cfg(all(feature = "multicast", feature = "medium-ethernet"))]
use cygnet_driver::MulticastFilter;
use cygnet_driver::{Clock, Driver, LinkState, RxToken};
use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};
use zerocopy::native_endian::U64;

use super::clock::EmbassyClock;
use super::lane::Lane;
use super::stack::Stack;
use super::wakers::poll_again;
use crate::time::Instant;

/// Moves packets between a driver and a stack. Give it a task of its own.
///
/// Each time it is polled it takes a bounded number of frames from the driver, sends a bounded number,
/// and yields; when there is nothing to do it sleeps until the driver, a handle or the clock wakes it.
#[must_use = "nothing moves until the runner is run"]
pub struct Runner<'d, D: Driver, M: RawMutex = NoopRawMutex, C: Clock = EmbassyClock> {
    driver: D,
    clock: C,
    stack: Stack<'d, M>,
    /// The last poll ended early, to let others answer what it received.
    yielded: bool,
    /// The link as the engine knows it.
    link_up: bool,
    /// When something is due, as far as was known when the last poll ended. What became due sooner since then is
    /// found out at the end of the next. In microseconds, and not aligned: tasks keep a runner twice.
    due: U64,
}

/// What a poll has left to do.
struct Rest {
    /// There may be more at once.
    more: bool,
    /// There is something to send and no room for it; the driver wakes.
    blocked: bool,
}

impl Rest {
    const NOTHING: Self = Self {
        more: false,
        blocked: false,
    };
    const MORE: Self = Self {
        more: true,
        blocked: false,
    };
    const BLOCKED: Self = Self {
        more: false,
        blocked: true,
    };
}

impl<'d, D: Driver, M: RawMutex, C: Clock> Runner<'d, D, M, C> {
    pub(super) fn new(driver: D, clock: C, stack: Stack<'d, M>) -> Self {
        Self {
            driver,
            clock,
            stack,
            yielded: false,
            link_up: false,
            due: U64::ZERO,
        }
    }

    /// Runs the stack. Never returns.
    ///
    /// Cancellation safe: dropping the future pauses the stack, and running again goes on where it was.
    pub async fn run(&mut self) -> ! {
        let never: Infallible = poll_fn(|cx| {
            self.poll(cx);
            Poll::Pending
        })
        .await;
        match never {}
    }

    /// The driver, for what it can be asked beside moving frames.
    pub fn driver_mut(&mut self) -> &mut D {
        &mut self.driver
    }

    fn poll(&mut self, cx: &mut Context<'_>) {
        let now = self.clock.now();
        self.look_at_link(now, cx);
        #[cfg(all(feature = "multicast", feature = "medium-ethernet"))]
        self.look_at_groups();
        let received = self.receive(now, cx);
        let may_yield = !self.yielded;
        let mut wants = true;
        let news = self.stack.dispatch(|s| {
            // What a handle asked for may be due already.
            if s.on_runner_awake(now) || self.due() <= now {
                s.engine.on_timeout(now);
            }
            // Not asked where it is hardly ever of use, as whoever is woken goes first.
            wants = may_yield && s.engine.has_events() || s.engine.wants_to_transmit(now);
        });
        // Whoever has something to read goes first: an acknowledgment then travels with the answer, and
        // tells of the room that reading made.
        self.yielded = may_yield && news;
        if self.yielded {
            poll_again(cx.waker());
            return;
        }
        let sent = self.transmit(now, cx, wants);
        let mut more = received || sent.more;
        let mut due = Instant::ZERO;
        self.stack.dispatch(|s| {
            // The link, a conflict, or the first announcement of an address that was probed.
            s.look_at_config();
            // Handles wake who sleeps. What they asked for meanwhile is seen here.
            more |= s.engine.wants_attention(sent.blocked);
            if !more {
                s.on_runner_asleep(cx.waker());
                due = s.engine.next_deadline();
            }
        });
        self.due = due.as_micros().into();
        if more {
            poll_again(cx.waker());
            return;
        }
        // What is due now waits for room to send.
        let waits = due <= now && sent.blocked;
        if !waits && due != Instant::FAR_FUTURE {
            self.clock.wake_at(due, cx.waker());
        }
    }

    fn due(&self) -> Instant {
        Instant::from_micros(self.due.get())
    }

    fn look_at_link(&mut self, now: Instant, cx: &mut Context<'_>) {
        let up = self.driver.link_state(cx) == LinkState::Up;
        if up == self.link_up {
            return;
        }
        self.stack.with_quietly(|s| {
            s.engine.set_link_up(up, now);
            // Groups come and go with it, which the driver is told of before anything is sent or received.
            s.engine.note_changes();
            self.link_up = up;
        });
    }

    /// Tells the driver which groups' frames to let through, when that has changed.
    #[cfg(all(feature = "multicast", feature = "medium-ethernet"))]
    fn look_at_groups(&mut self) {
        let addresses = self
            .stack
            .with_quietly(|s| s.engine.take_multicast_filter());
        if let Some(Some(addresses)) = addresses {
            self.driver
                .set_multicast_filter(MulticastFilter::Ethernet(&addresses));
        }
    }

    /// Takes frames from the driver. True if there may be more.
    fn receive(&mut self, now: Instant, cx: &mut Context<'_>) -> bool {
        for _ in 0..RECEIVE_BURST {
            let Some((rx, mut tx)) = self.driver.receive(cx) else {
                return false;
            };
            let meta = rx.meta();
            let stack = self.stack;
            let is_answering = rx.consume(|frame| {
                stack.with_quietly(|s| {
                    // Why it went no further has been counted.
                    let _ = s.engine.receive(frame, meta, &mut tx, now);
                    s.engine.is_answer_leaving()
                })
            });
            // There is room for one answer in fragments. It leaves before the next question is looked at.
            if is_answering == Some(true) {
                return true;
            }
        }
        true
    }

    /// Hands frames to the driver, if the engine has any.
    fn transmit(&mut self, now: Instant, cx: &mut Context<'_>, mut wants: bool) -> Rest {
        if !wants {
            return Rest::NOTHING;
        }
        if TRANSMIT_TURN == 1 {
            return self.transmit_singly(now, cx);
        }
        let mut lane = Lane::new(&mut self.driver, cx);
        while wants {
            if lane.is_spent() {
                return Rest::MORE;
            }
            if !lane.begin_turn() {
                return Rest::BLOCKED;
            }
            let sent = self.stack.with_quietly(|s| {
                let sent = s.engine.transmit(&mut lane, now);
                if lane.is_refused() {
                    s.engine.on_refused();
                }
                wants = s.engine.wants_to_transmit(now);
                sent
            });
            if sent != Some(true) {
                lane.waste_turn();
            }
        }
        Rest::NOTHING
    }

    /// The same where a turn is one frame: all there is to a lane is the room for it.
    fn transmit_singly(&mut self, now: Instant, cx: &mut Context<'_>) -> Rest {
        for _ in 0..TRANSMIT_BURST {
            let mut room = self.driver.transmit(cx);
            if room.is_none() {
                return Rest::BLOCKED;
            }
            let wants = self.stack.with_quietly(|s| {
                s.engine.transmit(&mut room, now);
                s.engine.wants_to_transmit(now)
            });
            if wants != Some(true) {
                return Rest::NOTHING;
            }
        }
        Rest::MORE
    }
}
