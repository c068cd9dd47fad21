//! Loses and corrupts frames on purpose, to see how the stack and its peers cope.

mod bucket;
mod config;
mod report;
mod token;

pub use config::FaultConfig;
pub use report::{Fault, FaultKind, FaultSink, Silent};
pub use token::{FaultyRxToken, FaultyTxToken};

use core::task::Context;

use cygnet_driver::{
    Capabilities, Clock, Driver, HardwareAddress, Instant, LinkState, MulticastFilter, RxChecksum,
    RxToken,
};
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg32;

use crate::Direction;
use bucket::Bucket;

/// A driver that drops and corrupts frames as its [`FaultConfig`] says, the same way each time for
/// the same seed.
///
/// # Where frames go
///
/// A token cannot be taken back once a frame is being written or read, so the injector keeps two
/// buffers of `SCRATCH` bytes. A received frame is copied into the first before the stack hears of
/// it, for only then is its length known; a dropped one thus never shows. A frame to send is doomed
/// or not before it is written: a doomed one goes to the second buffer and no further, and the
/// device's own token is given back unused.
///
/// # Capabilities
///
/// They are those of the device, except that frames fit `SCRATCH` (see [`Self::with_scratch`]), and
/// that the device cuts up no segments: a fault hits one frame of the wire, not forty. Checksum offload
/// stays, and does not repair a corrupted frame: to the stack it is no longer verified, and to the
/// device it is not left to complete.
pub struct FaultInjector<D, C, S = Silent, const SCRATCH: usize = 1514> {
    inner: D,
    clock: C,
    faults: Faults<S>,
    received: [u8; SCRATCH],
    doomed: [u8; SCRATCH],
}

/// The dice, the buckets, and where faults are told.
struct Faults<S> {
    config: FaultConfig,
    rng: Pcg32,
    rx_bucket: Bucket,
    tx_bucket: Bucket,
    sink: S,
}

impl<D: Driver, C: Clock> FaultInjector<D, C> {
    /// Injects faults into what passes `inner`. `clock` is read only where a rate is limited.
    pub fn new(inner: D, clock: C, config: FaultConfig, seed: u64) -> Self {
        Self {
            inner,
            clock,
            faults: Faults {
                config,
                rng: Pcg32::seed_from_u64(seed),
                rx_bucket: Bucket::default(),
                tx_bucket: Bucket::default(),
                sink: Silent,
            },
            received: [0; 1514],
            doomed: [0; 1514],
        }
    }
}

impl<D, C, S, const SCRATCH: usize> FaultInjector<D, C, S, SCRATCH> {
    /// Tells `sink` of every fault, with the frame. Beside a tracer inside the injector, that comes
    /// after the trace of a received frame and before that of a sent one.
    pub fn with_sink<T: FaultSink>(self, sink: T) -> FaultInjector<D, C, T, SCRATCH> {
        let Faults {
            config,
            rng,
            rx_bucket,
            tx_bucket,
            sink: _,
        } = self.faults;
        FaultInjector {
            inner: self.inner,
            clock: self.clock,
            faults: Faults {
                config,
                rng,
                rx_bucket,
                tx_bucket,
                sink,
            },
            received: self.received,
            doomed: self.doomed,
        }
    }

    /// Has buffers for frames of up to `LEN` bytes. Longer ones are not received, and the stack is
    /// told not to send any.
    pub fn with_scratch<const LEN: usize>(self) -> FaultInjector<D, C, S, LEN> {
        FaultInjector {
            inner: self.inner,
            clock: self.clock,
            faults: self.faults,
            received: [0; LEN],
            doomed: [0; LEN],
        }
    }

    /// What to do to frames from now on.
    pub fn config_mut(&mut self) -> &mut FaultConfig {
        &mut self.faults.config
    }

    /// Where faults are told.
    pub fn sink_mut(&mut self) -> &mut S {
        &mut self.faults.sink
    }

    /// The driver inside.
    pub fn inner_mut(&mut self) -> &mut D {
        &mut self.inner
    }

    /// Takes the decorator off.
    pub fn into_inner(self) -> D {
        self.inner
    }
}

impl<D: Driver, C: Clock, S: FaultSink, const SCRATCH: usize> Driver
    for FaultInjector<D, C, S, SCRATCH>
{
    type RxToken<'a>
        = FaultyRxToken<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = FaultyTxToken<'a, D::TxToken<'a>, C, S>
    where
        Self: 'a;

    /// After a dropped frame this gives nothing and wakes the task at once, to look for the next one:
    /// a device that never runs dry cannot hold the task up.
    fn receive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<(Self::RxToken<'_>, Option<Self::TxToken<'_>>)> {
        let Self {
            inner,
            clock,
            faults,
            received,
            doomed,
        } = self;
        let (rx, tx) = inner.receive(cx)?;
        let mut meta = rx.meta();
        let kept = rx.consume(|frame| faults.receive(frame, received, || clock.now()));
        let Some(Kept { len, corrupted }) = kept else {
            cx.waker().wake_by_ref();
            return None;
        };
        if corrupted {
            meta.checksum = RxChecksum::Unverified;
        }
        let frame = received.get_mut(..len).unwrap_or_default();
        let tx = tx.map(|token| FaultyTxToken::new(token, clock, faults, doomed));
        Some((FaultyRxToken::new(frame, meta), tx))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Self::TxToken<'_>> {
        let token = self.inner.transmit(cx)?;
        let (faults, doomed) = (&mut self.faults, &mut self.doomed);
        Some(FaultyTxToken::new(token, &self.clock, faults, doomed))
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        self.inner.link_state(cx)
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.capabilities();
        capabilities.max_frame_len = capabilities.max_frame_len.min(SCRATCH);
        capabilities.max_segmented_len = 0;
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        self.inner.hardware_address()
    }

    fn set_multicast_filter(&mut self, filter: MulticastFilter<'_>) {
        self.inner.set_multicast_filter(filter);
    }
}

/// A received frame that was not dropped.
struct Kept {
    len: usize,
    corrupted: bool,
}

impl<S: FaultSink> Faults<S> {
    /// Copies a received frame to `kept`, perhaps corrupted, unless it is dropped.
    fn receive(
        &mut self,
        frame: &[u8],
        kept: &mut [u8],
        now: impl FnOnce() -> Instant,
    ) -> Option<Kept> {
        let drop = self.why_drop(Direction::Rx, frame.len(), now);
        let room = kept.get_mut(..frame.len());
        let (None, Some(room)) = (drop, room) else {
            let kind = drop.unwrap_or(FaultKind::TooLong);
            self.report(Direction::Rx, kind, frame);
            return None;
        };
        room.copy_from_slice(frame);
        let corrupted = self.is_corruption_due();
        if corrupted {
            self.corrupt(Direction::Rx, room);
        }
        Some(Kept {
            len: frame.len(),
            corrupted,
        })
    }

    /// Whether and why to drop a frame of that length.
    fn why_drop(
        &mut self,
        direction: Direction,
        len: usize,
        now: impl FnOnce() -> Instant,
    ) -> Option<FaultKind> {
        if self.happens(self.config.drop_chance) {
            return Some(FaultKind::Dropped);
        }
        if self.config.size_limit.is_some_and(|limit| len > limit) {
            return Some(FaultKind::TooLong);
        }
        let (limit, bucket) = match direction {
            Direction::Rx => (self.config.rx_rate_limit, &mut self.rx_bucket),
            Direction::Tx => (self.config.tx_rate_limit, &mut self.tx_bucket),
        };
        let allowed =
            limit.is_none_or(|size| bucket.take(now(), size, self.config.shaping_interval));
        (!allowed).then_some(FaultKind::RateLimited)
    }

    fn is_corruption_due(&mut self) -> bool {
        self.happens(self.config.corrupt_chance)
    }

    /// Gives one octet of a frame another value.
    fn corrupt(&mut self, direction: Direction, frame: &mut [u8]) {
        let at = self.below(frame.len());
        let change = self.below(255) as u8 + 1;
        if let Some(octet) = frame.get_mut(at) {
            *octet ^= change;
        }
        self.report(direction, FaultKind::Corrupted, frame);
    }

    fn report(&mut self, direction: Direction, kind: FaultKind, frame: &[u8]) {
        self.sink.fault(Fault {
            direction,
            kind,
            frame,
        });
    }

    /// Throws the dice. Draws nothing where there is no chance.
    fn happens(&mut self, percent: u8) -> bool {
        percent > 0 && self.below(100) < usize::from(percent)
    }

    /// A uniform number below `bound`, or 0.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        let number = (u128::from(self.rng.next_u64()) * u128::from(bound)) >> 64;
        number as usize
    }
}
