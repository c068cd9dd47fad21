//! Frames that go missing or bad, as often as configured and to nobody's surprise.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};

use cygnet_driver::{
    Driver, Duration, Instant, PartialChecksum, RxChecksum, RxMeta, RxToken, TxMeta, TxToken,
};
use cygnet_middleware::{
    Direction, Fault, FaultConfig, FaultInjector, FaultKind, Tracer, WriteSink,
};

use crate::support::{
    CountingWaker, FakeDevice, TestClock, assert_passes_through, context, receive, send,
};

const FRAME: [u8; 64] = [0xa5; 64];

fn config(change: impl FnOnce(&mut FaultConfig)) -> FaultConfig {
    let mut config = FaultConfig::default();
    change(&mut config);
    config
}

/// Sends and receives `count` frames, and says what came through.
fn run(config: FaultConfig, seed: u64, count: usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let clock = TestClock::default();
    let device = FakeDevice::receiving(&vec![&FRAME[..]; count]);
    let mut driver = FaultInjector::new(device, &clock, config, seed);
    let received = (0..count).filter_map(|_| receive(&mut driver)).collect();
    for _ in 0..count {
        send(&mut driver, &FRAME);
    }
    let sent = driver.into_inner().sent;
    (received, sent.into_iter().map(|(frame, _)| frame).collect())
}

fn assert_near(count: usize, expected: usize) {
    assert!(
        count * 5 > expected * 4 && count * 5 < expected * 6,
        "{count} is not near {expected}"
    );
}

#[test]
fn without_faults_everything_passes_and_the_clock_is_not_read() {
    let clock = TestClock::default();
    let device = FakeDevice::receiving(&[&FRAME]);
    let mut driver = FaultInjector::new(device, &clock, FaultConfig::default(), 1);
    assert_eq!(receive(&mut driver).as_deref(), Some(&FRAME[..]));
    send(&mut driver, &FRAME);
    assert_eq!(driver.into_inner().sent_frames(), [FRAME]);
    assert_eq!(clock.reads.get(), 0);
}

#[test]
fn drops_as_often_as_configured_in_both_directions() {
    let (received, sent) = run(config(|c| c.drop_chance = 15), 1, 10_000);
    assert_near(10_000 - received.len(), 1_500);
    assert_near(10_000 - sent.len(), 1_500);
    let (received, sent) = run(config(|c| c.drop_chance = 100), 1, 100);
    assert_eq!((received.len(), sent.len()), (0, 0));
}

#[test]
fn corrupts_one_octet_as_often_as_configured() {
    let (received, sent) = run(config(|c| c.corrupt_chance = 15), 1, 10_000);
    for frames in [received, sent] {
        let changes: Vec<usize> = frames
            .iter()
            .map(|frame| frame.iter().filter(|octet| **octet != 0xa5).count())
            .collect();
        assert_eq!(frames.len(), 10_000);
        assert!(changes.iter().all(|octets| *octets <= 1));
        assert_near(changes.iter().sum(), 1_500);
    }
}

#[test]
fn the_same_seed_gives_the_same_faults() {
    let config = config(|c| {
        c.drop_chance = 20;
        c.corrupt_chance = 20;
    });
    assert_eq!(run(config, 7, 500), run(config, 7, 500));
    assert_ne!(run(config, 7, 500), run(config, 8, 500));
}

#[test]
fn frames_above_the_size_limit_are_dropped() {
    let clock = TestClock::default();
    let device = FakeDevice::receiving(&[&[1; 101], &[2; 100]]);
    let mut driver = FaultInjector::new(device, &clock, config(|c| c.size_limit = Some(100)), 1);
    assert_eq!(receive(&mut driver), None);
    assert_eq!(receive(&mut driver), Some(vec![2; 100]));
    send(&mut driver, &[3; 101]);
    send(&mut driver, &[4; 100]);
    assert_eq!(driver.into_inner().sent_frames(), [[4; 100]]);
}

#[test]
fn a_bucket_lets_so_many_frames_pass_in_an_interval() {
    let clock = TestClock::default();
    let config = config(|c| {
        c.tx_rate_limit = Some(4);
        c.rx_rate_limit = Some(2);
        c.shaping_interval = Duration::from_millis(50);
    });
    let device = FakeDevice::receiving(&[&FRAME[..]; 20]);
    let mut driver = FaultInjector::new(device, &clock, config, 1);
    for (now, sent_so_far) in [(0, 4), (49, 4), (50, 8), (99, 8), (100, 12)] {
        clock.now.set(Instant::from_millis(now));
        (0..6).for_each(|_| send(&mut driver, &FRAME));
        assert_eq!(driver.inner_mut().sent.len(), sent_so_far, "at {now} ms");
    }
    clock.now.set(Instant::from_millis(200));
    let received = (0..10).filter(|_| receive(&mut driver).is_some()).count();
    assert_eq!(received, 2);
}

#[test]
fn a_dropped_frame_wakes_the_task_to_look_for_the_next_one() {
    let clock = TestClock::default();
    let device = FakeDevice::receiving(&[&FRAME]);
    let mut driver = FaultInjector::new(device, &clock, config(|c| c.drop_chance = 100), 1);
    let woken = Arc::new(CountingWaker::default());
    let waker = Waker::from(woken.clone());
    let mut cx = Context::from_waker(&waker);
    assert!(driver.receive(&mut cx).is_none());
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    assert!(driver.receive(&mut cx).is_none());
    assert_eq!(woken.0.load(Ordering::SeqCst), 1, "the device has no more");
}

#[test]
fn a_dropped_frame_is_written_all_the_same() {
    let clock = TestClock::default();
    let mut driver = FaultInjector::new(
        FakeDevice::new(),
        &clock,
        config(|c| c.drop_chance = 100),
        1,
    );
    let token = driver.transmit(&mut context()).expect("room");
    let written = token.consume(1514, |frame| {
        frame.fill(1);
        frame.len()
    });
    assert_eq!(written, 1514);
    assert!(driver.into_inner().sent.is_empty());
}

#[test]
fn capabilities_fit_the_buffers() {
    let clock = TestClock::default();
    let mut device = FakeDevice::new();
    device.capabilities.max_frame_len = 9_014;
    device.capabilities.max_segmented_len = 65_535;
    device.capabilities.checksums.transmit = true;
    let capabilities = device.capabilities;
    let driver = FaultInjector::new(device, &clock, FaultConfig::default(), 1);
    assert_eq!(driver.capabilities().max_frame_len, 1_514);
    let driver = driver.with_scratch::<9_014>();
    let mut expected = capabilities;
    expected.max_segmented_len = 0;
    assert_eq!(driver.capabilities(), expected);
}

#[test]
fn frames_longer_than_the_buffers_are_dropped_or_passed_but_panic_nobody() {
    let clock = TestClock::default();
    let device = FakeDevice::receiving(&[&[1; 65]]);
    let config = config(|c| c.drop_chance = 0);
    let mut driver = FaultInjector::new(device, &clock, config, 1).with_scratch::<64>();
    assert_eq!(receive(&mut driver), None);
    driver.config_mut().drop_chance = 100;
    send(&mut driver, &[2; 65]);
    assert_eq!(driver.into_inner().sent_frames(), [[2; 65]]);
}

#[test]
fn offload_does_not_repair_a_corrupted_frame() {
    let clock = TestClock::default();
    let mut device = FakeDevice::new();
    let mut verified = RxMeta::new();
    verified.checksum = RxChecksum::Valid;
    device.to_receive.push_back((FRAME.to_vec(), verified));
    let mut driver = FaultInjector::new(device, &clock, config(|c| c.corrupt_chance = 100), 1);
    let (rx, tx) = driver.receive(&mut context()).expect("a frame");
    assert_eq!(rx.meta().checksum, RxChecksum::Unverified);
    rx.consume(|frame| assert_ne!(*frame, FRAME));

    let mut to_complete = TxMeta::new();
    to_complete.checksum = Some(PartialChecksum {
        start: 34,
        offset: 16,
    });
    let mut tx = tx.expect("room");
    tx.set_meta(to_complete);
    tx.consume(64, |frame| frame.copy_from_slice(&FRAME));
    assert_eq!(driver.into_inner().sent[0].1.checksum, None);
}

#[test]
fn every_fault_is_told_with_its_frame() {
    let clock = TestClock::default();
    let device = FakeDevice::receiving(&[&[1; 10], &[2; 10]]);
    let mut told = Vec::new();
    let mut driver = FaultInjector::new(device, &clock, FaultConfig::default(), 1).with_sink(
        |fault: Fault<'_>| told.push((fault.to_string(), fault.kind, fault.frame.to_vec())),
    );
    driver.config_mut().drop_chance = 100;
    receive(&mut driver);
    driver.config_mut().drop_chance = 0;
    driver.config_mut().size_limit = Some(5);
    send(&mut driver, &[3; 6]);
    driver.config_mut().size_limit = None;
    driver.config_mut().corrupt_chance = 100;
    let corrupted = receive(&mut driver).expect("a frame");
    drop(driver);
    assert_eq!(
        told,
        [
            (
                "rx: dropping a frame at random".into(),
                FaultKind::Dropped,
                vec![1; 10]
            ),
            (
                "tx: dropping a frame that is too long".into(),
                FaultKind::TooLong,
                vec![3; 6]
            ),
            (
                "rx: corrupting an octet of a frame".into(),
                FaultKind::Corrupted,
                corrupted
            ),
        ]
    );
}

#[test]
fn a_tracer_inside_sees_dropped_frames_that_were_received_but_not_those_sent() {
    let clock = TestClock::default();
    let tracer = Tracer::new(FakeDevice::receiving(&[&FRAME]), WriteSink(String::new()));
    let mut driver = FaultInjector::new(tracer, &clock, config(|c| c.drop_chance = 100), 1);
    assert_eq!(receive(&mut driver), None);
    send(&mut driver, &FRAME);
    let trace = driver.into_inner().into_parts().1.into_sink().0;
    assert!(trace.starts_with(&format!("{} 64 ", Direction::Rx)) && trace.lines().count() == 1);
}

#[test]
fn a_tracer_outside_sees_dropped_frames_that_were_sent_but_not_those_received() {
    let clock = TestClock::default();
    let device = FakeDevice::receiving(&[&FRAME]);
    let injector = FaultInjector::new(device, &clock, config(|c| c.drop_chance = 100), 1);
    let mut driver = Tracer::new(injector, WriteSink(String::new()));
    assert_eq!(receive(&mut driver), None);
    send(&mut driver, &FRAME);
    let trace = driver.into_parts().1.into_sink().0;
    assert!(trace.starts_with(&format!("{} 64 ", Direction::Tx)) && trace.lines().count() == 1);
}

#[test]
fn everything_else_passes_through() {
    let clock = TestClock::default();
    let mut driver = FaultInjector::new(FakeDevice::new(), &clock, FaultConfig::default(), 1);
    assert_passes_through(&mut driver, |driver| driver.inner_mut());
}
