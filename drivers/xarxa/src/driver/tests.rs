//! Against a fake driver, with the real pool of buffers.

extern crate std;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;
use std::vec::Vec;

use cygnet_driver::TxMeta;

use super::*;

const ADDRESS: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// Holds frames that came and that were sent.
#[derive(Default)]
struct Fake {
    received: Vec<PacketBuf>,
    /// Comes in just when the driver is told whom to wake.
    arrives_late: Option<PacketBuf>,
    sent: Vec<Vec<u8>>,
    is_full: bool,
    is_up: bool,
    is_deaf: bool,
    waker: Option<Waker>,
    filter: Vec<[u8; 6]>,
    capabilities: xarxa::Capabilities,
}

impl xarxa::Driver for Fake {
    fn capabilities(&self) -> xarxa::Capabilities {
        self.capabilities.clone()
    }

    fn hardware_address(&self) -> xarxa::HardwareAddress {
        xarxa::HardwareAddress::Ethernet(ADDRESS)
    }

    fn link_state(&mut self) -> xarxa::LinkState {
        match self.is_up {
            true => xarxa::LinkState::Up,
            false => xarxa::LinkState::Down,
        }
    }

    fn register_waker(&mut self, waker: &Waker) -> Result<(), NotSupported> {
        if self.is_deaf {
            return Err(NotSupported);
        }
        self.waker = Some(waker.clone());
        self.received.extend(self.arrives_late.take());
        Ok(())
    }

    fn receive(&mut self) -> Option<PacketBuf> {
        self.received.pop()
    }

    fn can_transmit(&mut self) -> bool {
        !self.is_full
    }

    fn transmit(&mut self, buffer: PacketBuf) -> Result<(), PacketBuf> {
        if self.is_full {
            return Err(buffer);
        }
        self.sent.push(buffer.to_vec());
        Ok(())
    }

    fn set_multicast_filter(&mut self, addresses: &[[u8; 6]]) {
        self.filter = addresses.to_vec();
    }
}

/// One test at a time: there is one pool in the process.
fn pool() -> MutexGuard<'static, ()> {
    static POOL: Mutex<()> = Mutex::new(());
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

fn frame(bytes: &[u8]) -> PacketBuf {
    let mut frame = PacketBuf::try_new().unwrap();
    frame.reserve(3);
    frame.set_len(bytes.len());
    frame.copy_from_slice(bytes);
    frame
}

/// All buffers that there are.
fn all_buffers() -> Vec<PacketBuf> {
    std::iter::from_fn(PacketBuf::try_new).collect()
}

/// A task that counts how often it is woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn nobody() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

#[test]
fn what_cannot_wake_a_task_is_refused() {
    let fake = Fake {
        is_deaf: true,
        ..Fake::default()
    };
    assert_eq!(XarxaDriver::new(fake).err(), Some(NotSupported));
}

#[test]
fn a_frame_comes_with_room_for_the_answer() {
    let _pool = pool();
    let mut driver = XarxaDriver::new(Fake::default()).ok().unwrap();
    assert!(driver.receive(&mut nobody()).is_none());

    driver.inner().received.push(frame(&[1, 2, 3, 4]));
    let (rx, tx) = driver.receive(&mut nobody()).unwrap();
    assert_eq!(rx.meta(), RxMeta::new());
    let last = rx.consume(|frame| {
        assert_eq!(frame, [1, 2, 3, 4]);
        frame[3]
    });
    tx.unwrap()
        .consume(2, |frame| frame.copy_from_slice(&[last, 9]));
    assert_eq!(driver.inner().sent, [[4, 9]]);
}

#[test]
fn a_full_transmit_side_does_not_stall_reception() {
    let _pool = pool();
    let mut driver = XarxaDriver::new(Fake::default()).ok().unwrap();
    driver.inner().is_full = true;
    driver.inner().received.push(frame(&[1]));
    let task = Arc::new(Task::default());
    let waker = Waker::from(task.clone());
    let (_, tx) = driver.receive(&mut Context::from_waker(&waker)).unwrap();
    assert!(tx.is_none());
    assert!(driver.inner().waker.as_ref().unwrap().will_wake(&waker));
    assert!(driver.transmit(&mut nobody()).is_none());
    driver.inner().is_full = false;
    assert!(driver.transmit(&mut nobody()).is_some());
    assert_eq!(task.0.load(Ordering::Relaxed), 0);
}

#[test]
fn a_frame_that_comes_while_the_waker_is_registered_is_not_missed() {
    let _pool = pool();
    let mut driver = XarxaDriver::new(Fake::default()).ok().unwrap();
    driver.inner().arrives_late = Some(frame(&[7]));
    let (rx, _) = driver.receive(&mut nobody()).unwrap();
    assert_eq!(rx.consume(|frame| frame.to_vec()), [7]);
}

#[test]
fn without_buffers_it_tries_again_and_sends_in_what_a_frame_came_in() {
    let _pool = pool();
    let mut driver = XarxaDriver::new(Fake::default()).ok().unwrap();
    let mut taken = all_buffers();
    let task = Arc::new(Task::default());
    let waker = Waker::from(task.clone());
    let mut cx = Context::from_waker(&waker);
    assert!(driver.transmit(&mut cx).is_none());
    assert_eq!(task.0.load(Ordering::Relaxed), 1);

    let mut request = taken.pop().unwrap();
    request.reserve(100);
    request.set_len(50);
    driver.inner().received.push(request);
    let (rx, tx) = driver.receive(&mut cx).unwrap();
    assert!(tx.is_none(), "it came in the only one");
    rx.consume(|_| ());
    let tx = driver.transmit(&mut cx).expect("that one");
    tx.consume(1514, |frame| frame.fill(1));
    assert_eq!(driver.inner().sent, [[1; 1514]]);
}

#[test]
fn room_that_is_not_used_goes_back() {
    let _pool = pool();
    let mut driver = XarxaDriver::new(Fake::default()).ok().unwrap();
    for _ in 0..100 {
        assert!(driver.transmit(&mut nobody()).is_some());
    }
    assert_eq!(driver.inner().sent.len(), 0);
    assert_eq!(all_buffers().len(), xarxa::config::PACKET_BUF_COUNT);
}

#[test]
fn it_is_what_it_is_there() {
    let mut fake = Fake::default();
    fake.capabilities.max_transmission_unit = 9000;
    let mut driver = XarxaDriver::new(fake).ok().unwrap();
    let capabilities = driver.capabilities();
    assert_eq!(capabilities.medium, Medium::Ethernet);
    assert_eq!(
        capabilities.max_frame_len, 1514,
        "no more than fits a buffer"
    );
    assert_eq!(capabilities.checksums, Checksums::NONE);
    assert_eq!(
        driver.hardware_address(),
        HardwareAddress::Ethernet(ADDRESS)
    );
    assert_eq!(driver.link_state(&mut nobody()), LinkState::Down);
    driver.inner().is_up = true;
    assert_eq!(driver.link_state(&mut nobody()), LinkState::Up);
    let group = [0x01, 0, 0x5E, 0, 0, 1];
    driver.set_multicast_filter(MulticastFilter::Ethernet(&[group]));
    driver.set_multicast_filter(MulticastFilter::All);
    assert_eq!(driver.inner().filter, [group]);
}

#[test]
fn checksums_are_left_to_a_device_that_computes_them() {
    let _pool = pool();
    let mut fake = Fake::default();
    fake.capabilities.checksum = xarxa::ChecksumCapabilities::all_offloaded();
    fake.capabilities.medium = xarxa::Medium::Ip;
    let mut driver = XarxaDriver::new(fake).ok().unwrap();
    let both = Checksums {
        transmit: true,
        receive: true,
    };
    assert_eq!(driver.capabilities().checksums, both);

    driver.inner().received.push(frame(&[0x45]));
    let (rx, tx) = driver.receive(&mut nobody()).unwrap();
    assert_eq!(rx.meta().checksum, RxChecksum::Valid);
    rx.consume(|_| ());
    let mut tx = tx.unwrap();
    tx.set_meta(TxMeta::new());
    tx.consume(28, |packet| {
        packet.fill(0xEE);
        packet[0] = 0x45;
        packet[6..8].fill(0);
        packet[9] = 17;
    });
    let sent = &driver.inner().sent[0];
    assert_eq!((&sent[10..12], &sent[26..28]), (&[0, 0][..], &[0, 0][..]));
    assert_eq!(sent.iter().filter(|byte| **byte == 0xEE).count(), 20);
}
