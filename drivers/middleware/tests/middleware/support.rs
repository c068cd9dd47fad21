//! A driver that receives what a test puts into it and keeps what is sent.

use std::cell::Cell;
use std::collections::VecDeque;
use std::task::{Context, Wake, Waker};

use cygnet_driver::{
    Capabilities, Clock, Driver, HardwareAddress, Instant, LinkState, Medium, MulticastFilter,
    RxMeta, RxToken, TxMeta, TxToken,
};

/// A device without a wire.
pub(crate) struct FakeDevice {
    pub(crate) capabilities: Capabilities,
    pub(crate) link: LinkState,
    pub(crate) to_receive: VecDeque<(Vec<u8>, RxMeta)>,
    pub(crate) sent: Vec<(Vec<u8>, TxMeta)>,
    pub(crate) has_room: bool,
    pub(crate) multicast: Vec<[u8; 6]>,
}

pub(crate) const ADDRESS: HardwareAddress = HardwareAddress::Ethernet([2, 0, 0, 0, 0, 1]);

impl FakeDevice {
    pub(crate) fn new() -> Self {
        Self {
            capabilities: Capabilities::new(Medium::Ethernet, 1514),
            link: LinkState::Up,
            to_receive: VecDeque::new(),
            sent: Vec::new(),
            has_room: true,
            multicast: Vec::new(),
        }
    }

    /// One that has these frames to receive.
    pub(crate) fn receiving(frames: &[&[u8]]) -> Self {
        let mut device = Self::new();
        device.to_receive = frames
            .iter()
            .map(|frame| (frame.to_vec(), RxMeta::default()))
            .collect();
        device
    }

    pub(crate) fn sent_frames(&self) -> Vec<&[u8]> {
        self.sent.iter().map(|(frame, _)| &frame[..]).collect()
    }
}

pub(crate) struct FakeRx(Vec<u8>, RxMeta);

pub(crate) struct FakeTx<'a>(&'a mut Vec<(Vec<u8>, TxMeta)>, TxMeta);

impl Driver for FakeDevice {
    type RxToken<'a> = FakeRx;
    type TxToken<'a> = FakeTx<'a>;

    fn receive(&mut self, _: &mut Context<'_>) -> Option<(FakeRx, Option<FakeTx<'_>>)> {
        let (frame, meta) = self.to_receive.pop_front()?;
        let tx = self
            .has_room
            .then_some(FakeTx(&mut self.sent, TxMeta::default()));
        Some((FakeRx(frame, meta), tx))
    }

    fn transmit(&mut self, _: &mut Context<'_>) -> Option<FakeTx<'_>> {
        self.has_room
            .then_some(FakeTx(&mut self.sent, TxMeta::default()))
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        self.link
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        ADDRESS
    }

    fn set_multicast_filter(&mut self, filter: MulticastFilter<'_>) {
        if let MulticastFilter::Ethernet(addresses) = filter {
            self.multicast = addresses.to_vec();
        }
    }
}

impl RxToken for FakeRx {
    fn meta(&self) -> RxMeta {
        self.1
    }

    fn consume<R>(mut self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        f(&mut self.0)
    }
}

impl TxToken for FakeTx<'_> {
    fn set_meta(&mut self, meta: TxMeta) {
        self.1 = meta;
    }

    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        self.0.push((frame, self.1));
        result
    }
}

/// A clock that a test sets.
#[derive(Default)]
pub(crate) struct TestClock {
    pub(crate) now: Cell<Instant>,
    pub(crate) reads: Cell<usize>,
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        self.reads.set(self.reads.get() + 1);
        self.now.get()
    }

    fn wake_at(&self, _: Instant, _: &Waker) {}
}

/// A waker that counts.
#[derive(Default)]
pub(crate) struct CountingWaker(pub(crate) std::sync::atomic::AtomicUsize);

impl Wake for CountingWaker {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
}

pub(crate) fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// Sends one frame; panics if there is no room.
pub(crate) fn send(driver: &mut impl Driver, frame: &[u8]) {
    let token = driver.transmit(&mut context()).expect("room");
    token.consume(frame.len(), |buffer| buffer.copy_from_slice(frame));
}

/// Receives one frame, if there is one.
pub(crate) fn receive(driver: &mut impl Driver) -> Option<Vec<u8>> {
    let (token, _) = driver.receive(&mut context())?;
    Some(token.consume(|frame| frame.to_vec()))
}

/// Everything that a decorator is to hand through, read through it.
pub(crate) fn assert_passes_through<D: Driver>(
    driver: &mut D,
    device: impl Fn(&mut D) -> &mut FakeDevice,
) {
    use cygnet_driver::{PartialChecksum, RxChecksum};

    assert_eq!(driver.hardware_address(), ADDRESS);
    assert_eq!(driver.link_state(&mut context()), LinkState::Up);
    device(driver).link = LinkState::Down;
    assert_eq!(driver.link_state(&mut context()), LinkState::Down);

    let group = [0x33, 0x33, 0, 0, 0, 1];
    driver.set_multicast_filter(MulticastFilter::Ethernet(&[group]));
    assert_eq!(device(driver).multicast, [group]);

    let mut rx_meta = RxMeta::new();
    rx_meta.checksum = RxChecksum::Valid;
    rx_meta.coalesced = Some(1448);
    device(driver).to_receive.push_back((vec![1; 10], rx_meta));
    let (rx, tx) = driver.receive(&mut context()).expect("a frame");
    assert_eq!(rx.meta(), rx_meta);
    rx.consume(|frame| assert_eq!(frame, [1; 10]));

    let mut tx_meta = TxMeta::new();
    tx_meta.checksum = Some(PartialChecksum {
        start: 34,
        offset: 16,
    });
    let mut tx = tx.expect("room for an answer");
    tx.set_meta(tx_meta);
    tx.consume(5, |frame| frame.fill(2));
    assert_eq!(device(driver).sent, [(vec![2; 5], tx_meta)]);

    device(driver).has_room = false;
    assert!(driver.transmit(&mut context()).is_none());
    device(driver).to_receive.push_back((vec![1; 10], rx_meta));
    assert!(matches!(driver.receive(&mut context()), Some((_, None))));
}
