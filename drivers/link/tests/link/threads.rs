//! The ends of a link in different threads.

use std::sync::mpsc;
use std::task::{Context, Wake, Waker};
use std::thread;

use cygnet_driver::{Clock, Driver, Instant, RxToken, TxToken};
use cygnet_link::{Link, Port};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;

use crate::support::ethernet;

/// For a link that needs no time.
#[derive(Clone, Copy)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Instant {
        Instant::ZERO
    }

    fn wake_at(&self, _: Instant, _: &Waker) {}
}

const fn assert_send<T: Send>() {}
const _: () = assert_send::<Port<'static, CriticalSectionRawMutex, Stopped>>();

/// Wakes a thread that waits for a message.
struct Bell(mpsc::SyncSender<()>);

impl Wake for Bell {
    fn wake(self: std::sync::Arc<Self>) {
        let _ = self.0.try_send(());
    }
}

/// Repeats `poll` until it gives something, sleeping until woken in between.
fn block_on<R>(mut poll: impl FnMut(&mut Context<'_>) -> Option<R>) -> R {
    let (bell, rung) = mpsc::sync_channel(1);
    let waker = Waker::from(std::sync::Arc::new(Bell(bell)));
    loop {
        if let Some(result) = poll(&mut Context::from_waker(&waker)) {
            return result;
        }
        rung.recv().expect("the waker lives as long as this");
    }
}

#[test]
fn two_threads_exchange_frames_through_few_buffers_without_a_lost_wakeup() {
    const FRAMES: u32 = 20_000;
    let mut link = Link::<CriticalSectionRawMutex, 3, 64>::new();
    let [left, right] = link.split(Stopped, ethernet());
    let control = left.control();
    thread::scope(|scope| {
        let (mut left, mut right) = (left, right);
        scope.spawn(move || {
            for n in 0..FRAMES {
                block_on(|cx| {
                    let token = left.transmit(cx)?;
                    token.consume(4, |frame| frame.copy_from_slice(&n.to_be_bytes()));
                    Some(())
                });
            }
        });
        scope.spawn(move || {
            for n in 0..FRAMES {
                let got = block_on(|cx| {
                    let (token, _) = right.receive(cx)?;
                    Some(token.consume(|frame| u32::from_be_bytes((*frame).try_into().unwrap())))
                });
                assert_eq!(got, n);
            }
        });
    });
    assert_eq!(control.counters(0).delivered, u64::from(FRAMES));
    assert_eq!(control.free_frames(), 3);
}
