//! The driver on a model of the chip.

extern crate std;

#[cfg(feature = "cygnet")]
mod groups;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::vec::Vec;

use crate::model::{Model, filter_bits, reference_hash};
use crate::registers::{mac, mac_cr, phy_bits, rx_status, tx_status};
use crate::{Buffers, Config, Error, Lan9118, MAX_FRAME_LEN, Shared};

#[test]
fn starts_with_its_address_and_all_multicast() {
    let (shared, mut buffers) = chip();

    let _driver = driver(&shared, &mut buffers);

    shared.bus.with(|s| {
        assert_eq!(s.mac[mac::ADDRL as usize], 0x6900_0002);
        assert_eq!(s.mac[mac::ADDRH as usize], 0x0207);
        let running = mac_cr::RXEN | mac_cr::TXEN | mac_cr::MCPAS | mac_cr::FDPX;
        assert_eq!(s.mac[mac::MAC_CR as usize], running);
    });
    assert_eq!(shared.bus.enabled(), 0, "nobody waits for interrupts yet");
}

#[test]
fn says_what_keeps_it_from_starting() {
    let (shared, mut buffers) = chip();
    shared.bus.with(|s| s.foreign = true);
    assert_eq!(
        Lan9118::new(&shared, &mut buffers, CONFIG).err(),
        Some(Error::NoChip)
    );

    shared.bus.with(|s| (s.foreign, s.stuck) = (false, true));
    assert_eq!(
        Lan9118::new(&shared, &mut buffers, CONFIG).err(),
        Some(Error::Timeout)
    );

    shared.bus.with(|s| s.stuck = false);
    assert!(Lan9118::new(&shared, &mut buffers, CONFIG).is_ok());
}

#[test]
fn wakes_up_a_chip_that_saves_power() {
    let (shared, mut buffers) = chip();
    shared.bus.with(|s| s.asleep = true);

    assert_eq!(Lan9118::new(&shared, &mut buffers, CONFIG).err(), None);
}

#[test]
fn one_chip_has_one_driver_at_a_time() {
    let (shared, mut buffers) = chip();
    let mut others = Buffers::new();

    let first = driver(&shared, &mut buffers);
    assert_eq!(
        Lan9118::new(&shared, &mut others, CONFIG).err(),
        Some(Error::InUse)
    );
    drop(first);

    assert_eq!(
        shared.bus.with(|s| s.mac[mac::MAC_CR as usize]),
        0,
        "stopped"
    );
    assert!(Lan9118::new(&shared, &mut others, CONFIG).is_ok());
}

#[test]
fn receives_frames_of_any_length_in_order_and_aligned() {
    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);
    for len in 14..=MAX_FRAME_LEN {
        shared.bus.arrive(&pattern(len));
        shared.bus.arrive(&pattern(60));

        for expected in [len, 60] {
            let (rx, _) = driver.poll_receive(&nobody()).expect("a frame");
            rx.read(|frame| {
                assert_eq!(frame, pattern(expected));
                assert_eq!(frame[14..].as_ptr().align_offset(4), 0);
            });
        }
        assert!(driver.poll_receive(&nobody()).is_none());
    }
    let frames = 2 * (MAX_FRAME_LEN - 13);
    assert_eq!(driver.counters().received as usize, frames);
}

#[test]
fn a_frame_that_is_not_taken_comes_again() {
    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);
    shared.bus.arrive(&pattern(100));

    assert!(driver.poll_receive(&nobody()).is_some());

    let (rx, _) = driver.poll_receive(&nobody()).expect("the same frame");
    rx.read(|frame| assert_eq!(frame, pattern(100)));
}

#[test]
fn bad_frames_are_dropped_and_counted() {
    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);
    shared
        .bus
        .arrive_with(&pattern(99), rx_status::ERROR | rx_status::CRC_ERROR);
    shared.bus.arrive_with(&pattern(20), rx_status::ERROR);
    shared.bus.arrive(&pattern(MAX_FRAME_LEN + 1));
    for len in 0..4 {
        shared.bus.arrive_as_scrap(&pattern(len));
    }
    shared.bus.arrive(&pattern(64));
    shared.bus.with(|s| s.drop_count = 3);

    let (rx, _) = driver.poll_receive(&nobody()).expect("the good one");
    rx.read(|frame| assert_eq!(frame, pattern(64)));

    let counters = driver.counters();
    assert_eq!(counters.received, 1);
    assert_eq!(counters.receive_crc_errors, 1);
    assert_eq!(counters.receive_errors, 6);
    assert_eq!(counters.receive_dropped, 3);
    assert_eq!(
        driver.counters().receive_dropped,
        3,
        "the chip's count starts anew"
    );
}

#[test]
fn a_frame_wakes_the_task_once_until_it_has_looked() {
    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);
    let task = Task::new();
    assert!(driver.poll_receive(&task.context()).is_none());

    shared.bus.arrive(&pattern(60));
    assert!(shared.bus.interrupts());
    shared.on_interrupt();
    assert_eq!(task.wakes(), 1);
    shared.bus.arrive(&pattern(61));
    assert!(!shared.bus.interrupts(), "masked while the task is at it");

    for len in [60, 61] {
        let (rx, _) = driver.poll_receive(&task.context()).expect("a frame");
        rx.read(|frame| assert_eq!(frame.len(), len));
    }
    assert!(driver.poll_receive(&task.context()).is_none());
    shared.bus.arrive(&pattern(62));
    assert!(shared.bus.interrupts(), "unmasked when all were taken");
}

#[test]
fn a_frame_that_comes_while_interrupts_are_enabled_is_not_missed() {
    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);
    shared.bus.with(|s| s.arrives_late = Some(pattern(77)));

    let (rx, _) = driver.poll_receive(&nobody()).expect("the late frame");

    rx.read(|frame| assert_eq!(frame, pattern(77)));
}

#[test]
fn sends_frames_of_any_length() {
    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);
    for len in 14..=MAX_FRAME_LEN {
        let tx = driver.poll_transmit(&nobody()).expect("room");
        tx.write(len, |frame| frame.copy_from_slice(&pattern(len)));
    }

    let sent: Vec<_> = (14..=MAX_FRAME_LEN).map(pattern).collect();
    shared.bus.with(|s| assert_eq!(s.sent, sent));
    assert_eq!(driver.counters().sent as usize, sent.len());
}

#[test]
fn room_that_is_not_used_sends_nothing() {
    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);

    assert!(driver.poll_transmit(&nobody()).is_some());

    shared.bus.with(|s| assert!(s.sent.is_empty()));
    assert_eq!(driver.counters().sent, 0);
}

#[test]
fn waits_for_room_and_receives_meanwhile() {
    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);
    shared.bus.with(|s| s.congested = true);
    let task = Task::new();
    let mut sent = 0;
    while let Some(tx) = driver.poll_transmit(&task.context()) {
        tx.write(MAX_FRAME_LEN, |frame| frame.fill(1));
        sent += 1;
    }
    assert_eq!(sent, 3, "so many fit 4,608 bytes");

    shared.bus.arrive(&pattern(60));
    let (rx, tx) = driver.poll_receive(&task.context()).expect("a frame");
    assert!(tx.is_none());
    rx.read(|frame| assert_eq!(frame, pattern(60)));

    assert_eq!(task.wakes(), 0);
    shared.bus.drain();
    assert!(shared.bus.interrupts());
    shared.on_interrupt();
    assert_eq!(task.wakes(), 1);
    assert!(driver.poll_transmit(&task.context()).is_some());
}

#[test]
fn frames_that_were_not_sent_are_counted() {
    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);
    for status in [
        0,
        tx_status::ERROR,
        tx_status::ERROR | tx_status::NO_CARRIER,
        tx_status::ERROR | tx_status::LOSS_OF_CARRIER,
    ] {
        shared.bus.with(|s| s.next_tx_status = status);
        let tx = driver.poll_transmit(&nobody()).expect("room");
        tx.write(60, |frame| frame.fill(0));
    }

    // Statuses are read when there is to be room for more.
    assert!(driver.poll_transmit(&nobody()).is_some());
    let counters = driver.counters();
    assert_eq!(counters.sent, 4);
    assert_eq!(counters.transmit_errors, 1);
    assert_eq!(counters.transmit_carrier_errors, 2);
}

#[test]
fn follows_the_link_by_interrupt() {
    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);
    let task = Task::new();
    assert!(!driver.poll_link(&task.context()));

    for (partner, up) in [
        (phy_bits::ABILITIES, true),
        (0, false),
        (phy_bits::ABILITIES, true),
    ] {
        let before = task.wakes();
        shared.bus.plug(partner);
        assert!(shared.bus.interrupts());
        shared.on_interrupt();
        assert_eq!(task.wakes(), before + 1);
        assert!(!shared.bus.interrupts(), "masked until the task has looked");
        assert_eq!(driver.poll_link(&task.context()), up);
    }
}

#[test]
fn the_mac_takes_the_duplex_that_was_negotiated() {
    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);
    for (partner, expected) in [
        (
            phy_bits::ABILITY_100_FULL | phy_bits::ABILITY_10_FULL,
            mac_cr::FDPX,
        ),
        (
            phy_bits::ABILITY_100_HALF | phy_bits::ABILITY_10_FULL,
            mac_cr::RCVOWN,
        ),
        (phy_bits::ABILITY_10_FULL, mac_cr::FDPX),
        // A partner that does not negotiate is met at half duplex.
        (1 << 5, mac_cr::RCVOWN),
    ] {
        shared.bus.plug(partner);
        shared.on_interrupt();
        assert!(driver.poll_link(&nobody()));
        let mac_cr = shared.bus.with(|s| s.mac[mac::MAC_CR as usize]);
        assert_eq!(
            mac_cr & (mac_cr::FDPX | mac_cr::RCVOWN),
            expected,
            "{partner:#x}"
        );
    }
}

#[test]
fn filters_multicast_by_hash() {
    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);
    let groups = [[0x01, 0, 0x5E, 0, 0, 1], [0x33, 0x33, 0, 0, 0, 0xFB]];

    driver.filter_multicast(Some(&groups)).expect("an answer");

    shared.bus.with(|s| {
        assert_eq!(filter_bits(s.mac[mac::MAC_CR as usize]), mac_cr::HPFILT);
        let table =
            u64::from(s.mac[mac::HASHH as usize]) << 32 | u64::from(s.mac[mac::HASHL as usize]);
        let expected = groups
            .iter()
            .fold(0, |table, group| table | 1 << reference_hash(group));
        assert_eq!(table, expected);
    });
    for (to, passes) in [
        (groups[0], true),
        (groups[1], true),
        ([0x33, 0x33, 0, 0, 0, 0xFD], false),
        ([0xFF; 6], true),
        (CONFIG.address, true),
    ] {
        assert_eq!(receives(&shared, &mut driver, to), passes, "{to:02x?}");
    }
    driver.filter_multicast(None).expect("an answer");
    let mac_cr = shared.bus.with(|s| s.mac[mac::MAC_CR as usize]);
    assert_eq!(filter_bits(mac_cr), mac_cr::MCPAS);
    assert!(receives(&shared, &mut driver, [0x33, 0x33, 0, 0, 0, 0xFD]));
}

#[test]
fn the_link_does_not_undo_the_filter() {
    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);
    driver.filter_multicast(Some(&[])).expect("an answer");

    shared.bus.plug(phy_bits::ABILITY_10_FULL);
    shared.on_interrupt();
    assert!(driver.poll_link(&nobody()));

    let mac_cr = shared.bus.with(|s| s.mac[mac::MAC_CR as usize]);
    assert_eq!(filter_bits(mac_cr), mac_cr::HPFILT);
}

#[cfg(feature = "cygnet")]
#[test]
fn is_a_driver_for_cygnet() {
    use cygnet_driver::{Driver, HardwareAddress, LinkState, RxToken, TxToken};

    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);
    assert_eq!(driver.link_state(&mut nobody()), LinkState::Down);
    assert_eq!(
        Driver::hardware_address(&driver),
        HardwareAddress::Ethernet(CONFIG.address)
    );
    shared.bus.arrive(&pattern(60));

    let (rx, tx) = driver.receive(&mut nobody()).expect("a frame");
    let request = rx.consume(|frame| frame.to_vec());
    tx.expect("room")
        .consume(request.len(), |frame| frame.copy_from_slice(&request));

    shared.bus.with(|s| assert_eq!(s.sent, [pattern(60)]));
}

#[cfg(feature = "embassy")]
#[test]
fn is_a_driver_for_embassy_and_holds_frames_back_until_there_is_room() {
    use embassy_net_driver::{Driver, RxToken, TxToken};

    let (shared, mut buffers) = chip();
    let mut driver = driver(&shared, &mut buffers);
    shared.bus.with(|s| s.congested = true);
    while let Some(tx) = driver.transmit(&mut nobody()) {
        tx.consume(MAX_FRAME_LEN, |frame| frame.fill(1));
    }
    shared.bus.arrive(&pattern(60));
    assert!(driver.receive(&mut nobody()).is_none());

    shared.bus.drain();
    let (rx, tx) = driver.receive(&mut nobody()).expect("a frame");
    let request = rx.consume(|frame| frame.to_vec());
    tx.consume(request.len(), |frame| frame.copy_from_slice(&request));

    shared
        .bus
        .with(|s| assert_eq!(s.sent.last(), Some(&pattern(60))));
}

/// A task that counts how often it is woken.
struct Task {
    wakes: Arc<Wakes>,
    waker: Waker,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Task {
    fn new() -> Self {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        Self { wakes, waker }
    }

    fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::Relaxed)
    }
}

fn chip() -> (Shared<Model>, Buffers) {
    (Shared::new(Model::default()), Buffers::new())
}

fn driver<'d>(shared: &'d Shared<Model>, buffers: &'d mut Buffers) -> Lan9118<'d, Model> {
    Lan9118::new(shared, buffers, CONFIG).expect("a chip that starts")
}

/// Whether a frame to that address comes in.
fn receives(shared: &Shared<Model>, driver: &mut Lan9118<'_, Model>, to: [u8; 6]) -> bool {
    let mut frame = pattern(60);
    frame[..6].copy_from_slice(&to);
    shared.bus.arrive(&frame);
    let received = driver.poll_receive(&nobody());
    received
        .map(|(rx, _)| rx.read(|got| assert_eq!(got, frame)))
        .is_some()
}

fn nobody() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + len) as u8).collect()
}

const CONFIG: Config = Config::new([0x02, 0, 0, 0x69, 0x07, 0x02]);
