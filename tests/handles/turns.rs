//! What a poll of the runner gives to a driver: to each socket its turn, and never more than there is room for.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use cygnet::{
    Config, IpEndpoint, Ipv4Cidr, Resources, StaticConfigV4, Stats, UdpPacketMetadata, UdpSocket,
};
use cygnet_config::{TRANSMIT_BURST, TRANSMIT_TURN};
use cygnet_driver::{Capabilities, Driver, HardwareAddress, LinkState, Medium, RxToken, TxToken};
use cygnet_tests::VirtualClock;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

use crate::now;

/// A device with so much room, and the first byte of each datagram that it was given.
struct Device {
    room: Rc<RefCell<usize>>,
    says: Says,
    sent: Rc<RefCell<Vec<u8>>>,
}

/// What a device says about its room.
#[derive(Clone, Copy)]
enum Says {
    /// That there is some.
    Whether,
    /// How much there is.
    HowMuch,
    /// Two frames more than there is.
    TooMuch,
}

struct Slot<'a>(&'a mut Device);

enum Never {}

impl TxToken for Slot<'_> {
    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        *self.0.room.borrow_mut() -= 1;
        self.0.sent.borrow_mut().push(frame[28]);
        result
    }
}

impl RxToken for Never {
    fn consume<R>(self, _: impl FnOnce(&mut [u8]) -> R) -> R {
        match self {}
    }
}

impl Driver for Device {
    type RxToken<'a> = Never;
    type TxToken<'a> = Slot<'a>;

    fn receive(&mut self, _: &mut Context<'_>) -> Option<(Never, Option<Slot<'_>>)> {
        None
    }

    fn transmit(&mut self, _: &mut Context<'_>) -> Option<Slot<'_>> {
        let any = *self.room.borrow() > 0;
        any.then_some(Slot(self))
    }

    fn transmit_room(&mut self, _: &mut Context<'_>) -> usize {
        let room = *self.room.borrow();
        match self.says {
            Says::Whether => room.min(1),
            Says::HowMuch => room,
            Says::TooMuch => room + 2,
        }
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Medium::Ip, 1_500)
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ip
    }
}

/// What a device with `rooms` room at each poll of the runner is given, poll by poll, when the two sockets of a
/// host have so many datagrams to send. Those of the second have names that are greater by 100.
fn polls(says: Says, rooms: &[usize], datagrams: [u8; 2]) -> Vec<Vec<u8>> {
    polls_and_stats(says, rooms, datagrams).0
}

/// The same, and what the stack has counted.
fn polls_and_stats(says: Says, rooms: &[usize], datagrams: [u8; 2]) -> (Vec<Vec<u8>>, Stats) {
    let (room, sent) = (Rc::default(), Rc::default());
    let device = Device {
        room: Rc::clone(&room),
        says,
        sent: Rc::clone(&sent),
    };
    let mut metadata = [const { [UdpPacketMetadata::EMPTY; 255] }; 4];
    let mut bytes = [[0; 4_096]; 4];
    let [rx_meta, tx_meta, other_rx_meta, other_tx_meta] = &mut metadata;
    let [rx, tx, other_rx, other_tx] = &mut bytes;
    let address = Ipv4Cidr::new([10, 0, 0, 1].into(), 24);
    let config = Config::ipv4_static(StaticConfigV4::new(address));
    let mut resources = Resources::<2, NoopRawMutex>::new();
    let clock = VirtualClock::new();
    let (stack, mut runner) = cygnet::new_with_clock(device, config, &mut resources, 1, clock);
    let mut cx = Context::from_waker(Waker::noop());
    let mut running = pin!(runner.run());
    let mut poll = || {
        let _ = running.as_mut().poll(&mut cx);
        sent.borrow_mut().drain(..).collect::<Vec<u8>>()
    };
    // The link is up from here on.
    assert_eq!(poll(), []);

    let to = IpEndpoint::new(Ipv4Addr::new(10, 0, 0, 2).into(), 7);
    let mut sockets = [
        UdpSocket::new(stack, rx_meta, rx, tx_meta, tx).unwrap(),
        UdpSocket::new(stack, other_rx_meta, other_rx, other_tx_meta, other_tx).unwrap(),
    ];
    for (socket, (first, count)) in sockets
        .iter_mut()
        .zip([(0, datagrams[0]), (100, datagrams[1])])
    {
        socket.bind(0).unwrap();
        for name in first..first + count {
            now(socket.send_to(&[name], to)).unwrap();
        }
    }
    let mut polls = Vec::new();
    for &frames in rooms {
        *room.borrow_mut() = frames;
        polls.push(poll());
    }
    (polls, stack.stats())
}

#[test]
fn sockets_take_turns_and_a_poll_is_bounded() {
    let both = [TRANSMIT_BURST as u8; 2];
    for says in [Says::Whether, Says::HowMuch] {
        let polls = polls(says, &[1_000, 1_000, 1_000], both);
        assert_eq!(polls[0].len(), TRANSMIT_BURST);
        assert_eq!(polls[1].len(), TRANSMIT_BURST);
        assert_eq!(polls[2].len(), 0);
        let sent = polls.concat();
        for (nth, turn) in sent.chunks(TRANSMIT_TURN).enumerate() {
            let of_first = |name: &u8| *name < 100;
            assert_eq!(
                turn.iter().filter(|name| of_first(name)).count() % turn.len(),
                0
            );
            assert_eq!(of_first(&turn[0]), nth % 2 == 0, "turn {nth}: {turn:?}");
        }
    }
}

#[test]
fn what_finds_no_room_goes_in_order_when_there_is_some() {
    for says in [Says::Whether, Says::HowMuch] {
        let rooms = [0, 1, 0, 3, 2, 1, 1_000, 1_000];
        let polls = polls(says, &rooms, [10, 0]);
        let lens: Vec<usize> = polls.iter().map(Vec::len).collect();
        assert_eq!(lens, [0, 1, 0, 3, 2, 1, 3, 0]);
        assert_eq!(polls.concat(), (0..10).collect::<Vec<u8>>());
    }
}

/// `Driver::transmit_room`: "so many tokens `Driver::transmit` gives".
#[test]
fn a_device_that_says_too_much_loses_one_frame_each_time_and_it_is_counted() {
    let rooms = [0, 3, 1, 1_000, 1_000];
    let (polls, stats) = polls_and_stats(Says::TooMuch, &rooms, [7, 3]);
    // Lost are 0, 1 and 3.
    let taken = [vec![], vec![100, 101, 102], vec![2], vec![4, 5, 6], vec![]];
    assert_eq!(polls, taken);
    assert_eq!((stats.sent, stats.refused), (7, 3));
}
