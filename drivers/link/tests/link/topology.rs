//! Who receives what: link, loopback, hub; and the state of cables.

use std::task::{Context, Waker};

use cygnet_driver::{Driver, HardwareAddress, LinkState, Medium, RxToken, TxToken};
use cygnet_link::{Impairments, Link, Loopback, Network, PortConfig, percent};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

use crate::support::{CountingWaker, VirtualClock, drain, ethernet};

#[test]
fn a_link_carries_frames_in_order_and_both_ways() {
    let clock = VirtualClock::default();
    let mut link = Link::<NoopRawMutex, 16, 64>::new();
    let [mut left, mut right] = link.split(&clock, ethernet());

    for n in 0..5 {
        assert!(left.try_send(&[n; 10]));
        assert!(right.try_send(&[n + 100; 20]));
    }

    assert_eq!(
        drain(&mut right),
        (0..5).map(|n| vec![n; 10]).collect::<Vec<_>>()
    );
    assert_eq!(
        drain(&mut left),
        (100..105).map(|n| vec![n; 20]).collect::<Vec<_>>()
    );
    let counters = left.control().counters(0);
    assert_eq!((counters.sent, counters.delivered), (5, 5));
}

#[test]
fn a_perfect_link_never_reads_the_clock() {
    let clock = VirtualClock::default();
    let mut link = Link::<NoopRawMutex, 16, 64>::new();
    let [mut left, mut right] = link.split(&clock, ethernet());
    for _ in 0..100 {
        assert!(left.try_send(b"frame"));
        assert_eq!(drain(&mut right).len(), 1);
    }
    assert_eq!((clock.reads.get(), clock.next_alarm()), (0, None));
}

#[test]
fn a_loopback_port_receives_what_it_sends() {
    let clock = VirtualClock::default();
    let mut loopback = Loopback::<NoopRawMutex, 4, 64>::new();
    let [mut port] = loopback.split(&clock, [PortConfig::ip()]);
    assert!(port.try_send(b"one") && port.try_send(b"two"));
    assert_eq!(drain(&mut port), [b"one", b"two"]);
    assert_eq!(port.control().free_frames(), 4);
}

#[test]
fn a_hub_sends_to_every_port_but_the_sender() {
    let clock = VirtualClock::default();
    let mut hub = Network::<NoopRawMutex, 4, 8, 64>::new();
    let [mut a, mut b, mut c, mut d] = hub.split(&clock, ethernet());
    assert!(b.try_send(b"hello"));
    for port in [&mut a, &mut c, &mut d] {
        assert_eq!(drain(port), [b"hello"]);
    }
    assert!(drain(&mut b).is_empty());
    let control = a.control();
    assert_eq!(
        (control.free_frames(), control.counters(1).delivered),
        (8, 3)
    );
}

#[test]
fn one_receiver_of_a_hub_does_not_see_what_another_does_to_its_frame() {
    let clock = VirtualClock::default();
    let mut hub = Network::<NoopRawMutex, 3, 8, 64>::new();
    let [mut a, mut b, mut c] = hub.split(&clock, ethernet());
    assert!(a.try_send(b"hello"));
    let mut cx = Context::from_waker(Waker::noop());
    let (token, _) = b.receive(&mut cx).unwrap();
    token.consume(|frame| frame.fill(0));
    assert_eq!(drain(&mut c), [b"hello"]);
}

#[test]
fn a_dropped_port_of_a_hub_holds_nothing_up() {
    let clock = VirtualClock::default();
    let mut hub = Network::<NoopRawMutex, 3, 2, 64>::new();
    let [mut a, mut b, c] = hub.split(&clock, ethernet());
    assert!(a.try_send(b"one") && a.try_send(b"two"));
    assert_eq!(drain(&mut b).len(), 2);
    assert!(
        !a.try_send(b"three"),
        "the idle port still holds both buffers"
    );
    drop(c);
    assert!(a.try_send(b"three"));
    assert_eq!(drain(&mut b), [b"three"]);
}

#[test]
fn a_stack_answers_into_the_token_that_came_with_the_frame() {
    let clock = VirtualClock::default();
    let mut link = Link::<NoopRawMutex, 4, 64>::new();
    let [mut left, mut right] = link.split(&clock, ethernet());
    assert!(left.try_send(b"ping"));
    let mut cx = Context::from_waker(Waker::noop());
    let (rx, tx) = right.receive(&mut cx).unwrap();
    let len = rx.consume(|frame| frame.len());
    tx.unwrap()
        .consume(len, |frame| frame.copy_from_slice(b"pong"));
    assert_eq!(drain(&mut left), [b"pong"]);
}

#[test]
fn a_port_reports_its_configuration() {
    let clock = VirtualClock::default();
    let mut network = Network::<NoopRawMutex, 3, 2, 2048>::new();
    let configs = [
        PortConfig::ethernet([2, 0, 0, 0, 0, 9]),
        PortConfig::ip().max_frame_len(1280),
        PortConfig::ethernet([2, 0, 0, 0, 0, 8]).max_frame_len(9000),
    ];
    let [a, b, c] = network.split(&clock, configs);
    assert_eq!(
        a.hardware_address(),
        HardwareAddress::Ethernet([2, 0, 0, 0, 0, 9])
    );
    assert_eq!(
        (a.capabilities().medium, a.capabilities().max_frame_len),
        (Medium::Ethernet, 1514)
    );
    assert_eq!(b.hardware_address(), HardwareAddress::Ip);
    assert_eq!(
        (b.capabilities().medium, b.capabilities().max_frame_len),
        (Medium::Ip, 1280)
    );
    assert_eq!(
        c.capabilities().max_frame_len,
        2048,
        "no more than a buffer holds"
    );
    assert_eq!([a.index(), b.index(), c.index()], [0, 1, 2]);
}

#[test]
fn pulling_a_cable_wakes_the_stack_and_drops_what_was_on_its_way() {
    let clock = VirtualClock::default();
    let mut link = Link::<NoopRawMutex, 4, 64>::new();
    let [mut left, mut right] = link.split(&clock, ethernet());
    let control = left.control();
    let (woken, waker) = CountingWaker::new();
    let mut cx = Context::from_waker(&waker);
    assert_eq!(right.link_state(&mut cx), LinkState::Up);
    assert!(left.try_send(b"on its way"));

    control.set_link_state(1, LinkState::Down);

    assert_eq!(woken.count(), 1);
    assert_eq!(right.link_state(&mut cx), LinkState::Down);
    assert!(left.try_send(b"to a dead end") && right.try_send(b"from a dead end"));
    assert!(drain(&mut left).is_empty() && drain(&mut right).is_empty());
    assert_eq!(
        (
            control.counters(0).link_drops,
            control.counters(1).link_drops
        ),
        (2, 1)
    );
    assert_eq!(control.free_frames(), 4);

    control.set_link_state(1, LinkState::Up);
    assert_eq!(woken.count(), 2);
    assert!(left.try_send(b"again"));
    assert_eq!(drain(&mut right), [b"again"]);
    control.set_link_state(1, LinkState::Up);
    assert_eq!(woken.count(), 2, "no change, no wake-up");
}

#[test]
fn ports_that_do_not_exist_are_ignored() {
    let clock = VirtualClock::default();
    let mut link = Link::<NoopRawMutex, 4, 64>::new();
    let [left, _right] = link.split(&clock, ethernet());
    let control = left.control();
    control.set_link_state(7, LinkState::Down);
    control.set_impairments(7, Impairments::new().loss(percent(100)));
    assert_eq!(control.counters(7), Default::default());
    assert_eq!(control.in_flight(7), 0);
}
