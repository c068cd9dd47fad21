//! A wire between two devices that loses frames on request.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::{Context, Poll};

use cygnet_driver::{Driver, RxToken, TxToken};

/// How many frames of a thousand are lost, in each direction.
pub(crate) struct Loss {
    permille: Cell<u32>,
    state: Cell<u32>,
    lost: Cell<u32>,
}

impl Loss {
    /// None at first. The seed says which will be.
    pub(crate) fn new(seed: u32) -> Self {
        Self {
            permille: Cell::new(0),
            state: Cell::new(seed | 1),
            lost: Cell::new(0),
        }
    }

    pub(crate) fn set_permille(&self, permille: u32) {
        self.permille.set(permille);
    }

    /// How many frames were lost so far.
    pub(crate) fn lost(&self) -> u32 {
        self.lost.get()
    }

    fn strikes(&self) -> bool {
        // Xorshift (Marsaglia 2003), which is good enough for dice.
        let mut x = self.state.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.state.set(x);
        let strikes = x % 1000 < self.permille.get();
        self.lost.set(self.lost.get() + u32::from(strikes));
        strikes
    }
}

/// Carries frames both ways, for ever.
pub(crate) async fn relay(mut a: impl Driver, mut b: impl Driver, loss: &Loss) {
    poll_fn::<(), _>(|cx| {
        carry(&mut a, &mut b, loss, cx);
        carry(&mut b, &mut a, loss, cx);
        Poll::Pending
    })
    .await;
}

fn carry(from: &mut impl Driver, to: &mut impl Driver, loss: &Loss, cx: &mut Context<'_>) {
    while let Some((rx, _)) = from.receive(cx) {
        rx.consume(|frame| {
            if loss.strikes() {
                return;
            }
            if let Some(tx) = to.transmit(cx) {
                tx.consume(frame.len(), |room| room.copy_from_slice(frame));
            }
        });
    }
}
