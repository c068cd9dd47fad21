//! Against a fake cygnet driver with room for one frame each way.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::task::Waker;

extern crate std;
use std::sync::Arc;
use std::task::Wake;

use cygnet_driver::{Capabilities, Checksums, Medium};
use embassy::{Checksum, Driver as _, RxToken as _, TxToken as _};

use super::*;

/// Holds one received frame, and one to send.
struct Fake {
    received: Option<[u8; 4]>,
    sent: Option<([u8; 64], usize)>,
    address: HardwareAddress,
    link: LinkState,
    /// Withholds the room to answer, although there is room to send.
    never_answers: bool,
    /// Whom to wake when there is room.
    waits_for_room: Option<Waker>,
}

impl Fake {
    fn new() -> Self {
        Self {
            received: None,
            sent: None,
            address: HardwareAddress::Ip,
            link: LinkState::Up,
            never_answers: false,
            waits_for_room: None,
        }
    }
}

struct FakeRx<'a>(&'a mut Option<[u8; 4]>);
struct FakeTx<'a>(&'a mut Option<([u8; 64], usize)>);

impl cygnet_driver::RxToken for FakeRx<'_> {
    fn consume<R>(self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        f(&mut self.0.take().unwrap())
    }
}

impl cygnet_driver::TxToken for FakeTx<'_> {
    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let mut frame = [0xee; 64];
        let result = f(&mut frame[..len]);
        *self.0 = Some((frame, len));
        result
    }
}

impl Driver for Fake {
    type RxToken<'a> = FakeRx<'a>;
    type TxToken<'a> = FakeTx<'a>;

    fn receive(&mut self, _: &mut Context<'_>) -> Option<(FakeRx<'_>, Option<FakeTx<'_>>)> {
        self.received?;
        let room = self.sent.is_none() && !self.never_answers;
        Some((
            FakeRx(&mut self.received),
            room.then_some(FakeTx(&mut self.sent)),
        ))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<FakeTx<'_>> {
        if self.sent.is_some() {
            self.waits_for_room = Some(cx.waker().clone());
            return None;
        }
        Some(FakeTx(&mut self.sent))
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        self.link
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Medium::Ip, 1500);
        capabilities.max_burst = Some(5);
        capabilities.max_segmented_len = 65535;
        capabilities.checksums = Checksums {
            transmit: true,
            receive: true,
        };
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        self.address
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

#[test]
fn a_frame_comes_with_room_for_the_answer() {
    let mut driver = AsEmbassy(Fake::new());
    assert!(driver.receive(&mut context()).is_none());

    driver.0.received = Some([1, 2, 3, 4]);
    let (rx, tx) = driver.receive(&mut context()).unwrap();
    let last = rx.consume(|frame| {
        assert_eq!(frame, [1, 2, 3, 4]);
        frame[3]
    });
    tx.consume(2, |frame| frame.copy_from_slice(&[last, 9]));

    assert!(driver.0.received.is_none());
    let (frame, len) = driver.0.sent.unwrap();
    assert_eq!(frame[..len], [4, 9]);
}

#[test]
fn a_full_transmit_side_keeps_the_frame_and_waits_for_room() {
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let mut driver = AsEmbassy(Fake::new());
    driver
        .transmit(&mut context())
        .unwrap()
        .consume(1, |frame| frame.fill(0));
    driver.0.received = Some([1, 2, 3, 4]);

    assert!(driver.receive(&mut Context::from_waker(&waker)).is_none());
    assert_eq!(driver.0.received, Some([1, 2, 3, 4]));
    assert!(driver.0.waits_for_room.take().unwrap().will_wake(&waker));
    assert_eq!(
        wakes.0.load(Relaxed),
        0,
        "it must not spin while there is no room"
    );

    driver.0.sent = None;
    assert!(driver.receive(&mut context()).is_some());
}

#[test]
fn a_frame_without_room_for_the_answer_is_asked_for_again() {
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let mut driver = AsEmbassy(Fake::new());
    driver.0.received = Some([1, 2, 3, 4]);
    driver.0.never_answers = true;

    assert!(driver.receive(&mut Context::from_waker(&waker)).is_none());
    assert_eq!(wakes.0.load(Relaxed), 1);
}

#[test]
fn the_link_state_and_the_address_pass_through() {
    let mut driver = AsEmbassy(Fake::new());
    assert!(driver.link_state(&mut context()) == embassy::LinkState::Up);
    driver.0.link = LinkState::Down;
    assert!(driver.link_state(&mut context()) == embassy::LinkState::Down);

    for (ours, theirs) in [
        (HardwareAddress::Ip, embassy::HardwareAddress::Ip),
        (
            HardwareAddress::Ethernet([2; 6]),
            embassy::HardwareAddress::Ethernet([2; 6]),
        ),
        (
            HardwareAddress::Ieee802154([7; 8]),
            embassy::HardwareAddress::Ieee802154([7; 8]),
        ),
    ] {
        driver.0.address = ours;
        assert_eq!(driver.hardware_address(), theirs);
    }
}

#[test]
fn all_checksums_are_left_to_the_stack() {
    let capabilities = AsEmbassy(Fake::new()).capabilities();
    assert_eq!(capabilities.max_transmission_unit, 1500);
    assert_eq!(capabilities.max_burst_size, Some(5));
    let checksum = capabilities.checksum;
    for left in [
        checksum.ipv4,
        checksum.udp,
        checksum.tcp,
        checksum.icmpv4,
        checksum.icmpv6,
    ] {
        assert!(matches!(left, Checksum::Both));
    }
}
