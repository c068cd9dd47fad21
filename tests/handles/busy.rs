//! A runner that always has something to do keeps time all the same.

use std::cell::Cell;
use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use cygnet::{
    Config, ConnectError, Ipv4Cidr, Resources, StaticConfigV4, TcpSocket, UdpPacketMetadata,
    UdpSocket,
};
use cygnet_driver::{
    Capabilities, Clock as _, Driver, Duration, HardwareAddress, Instant, LinkState, Medium,
    RxToken, TxToken,
};
use cygnet_tests::VirtualClock;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

/// Brings the same frame without end once it is let loose. What is sent is lost.
struct Flood {
    frame: Vec<u8>,
    loose: Rc<Cell<bool>>,
}

struct Frame<'a>(&'a mut [u8]);

struct Lost;

impl Driver for Flood {
    type RxToken<'a> = Frame<'a>;
    type TxToken<'a> = Lost;

    fn receive(&mut self, _: &mut Context<'_>) -> Option<(Frame<'_>, Option<Lost>)> {
        (self.loose.get()).then_some((Frame(&mut self.frame), Some(Lost)))
    }

    fn transmit(&mut self, _: &mut Context<'_>) -> Option<Lost> {
        Some(Lost)
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Medium::Ethernet, 1514)
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(STATION)
    }
}

impl RxToken for Frame<'_> {
    fn consume<R>(self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        f(self.0)
    }
}

impl TxToken for Lost {
    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        f(&mut vec![0; len])
    }
}

/// How long it takes until a neighbor that does not answer is given up, while frames never end. Who reads
/// datagrams takes all that there are.
fn giving_up_under(frame: Vec<u8>) -> Duration {
    let (clock, loose) = (VirtualClock::new(), Rc::new(Cell::new(false)));
    let flood = Flood {
        frame,
        loose: loose.clone(),
    };
    let config = Config::ipv4_static(StaticConfigV4::new(Ipv4Cidr::new(US, 24)));
    let (mut metas, mut data) = ([UdpPacketMetadata::EMPTY; 4], [0; 64]);
    let mut nothing = [UdpPacketMetadata::EMPTY; 0];
    let (mut receive, mut send) = ([0; 64], [0; 64]);
    let mut resources = Resources::<2, NoopRawMutex>::new();
    let (stack, mut runner) =
        cygnet::new_with_clock(flood, config, &mut resources, [7; 32], clock.clone());
    let mut running = pin!(runner.run());
    let cx = &mut Context::from_waker(Waker::noop());
    let mut turn = || {
        clock.advance(clock.now() + Duration::from_millis(10));
        assert!(running.as_mut().poll(cx).is_pending());
        clock.now()
    };
    // With nothing to do the runner goes to sleep, and nothing is due ever.
    while turn() < Instant::from_secs(60) {}

    let udp = UdpSocket::new(
        stack,
        &mut metas[..],
        &mut data[..],
        &mut nothing[..],
        &mut [][..],
    );
    let mut udp = udp.unwrap();
    udp.bind(PORT).unwrap();
    let mut tcp = TcpSocket::new(stack, &mut receive[..], &mut send[..]).unwrap();
    loose.set(true);
    let mut connecting = pin!(tcp.connect((Ipv4Addr::new(10, 0, 0, 2), 80)));
    let cx = &mut Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = connecting.as_mut().poll(cx) {
            assert_eq!(result, Err(ConnectError::Unreachable));
            return clock.now().since(Instant::from_secs(60));
        }
        let mut buffer = [0; 8];
        while let Poll::Ready(received) = pin!(udp.recv_from(&mut buffer)).poll(cx) {
            received.unwrap();
        }
        assert!(turn() < Instant::from_secs(120), "time stands still");
    }
}

/// A datagram to a socket of ours, without a checksum of its own (RFC 768).
fn datagram() -> Vec<u8> {
    let mut header = [
        0x45, 0, 0, 29, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 9, 10, 0, 0, 1,
    ];
    let sum = cygnet::wire::checksum::Sum::of(&header).finish();
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    let ethernet = [&STATION[..], &[2, 0, 0, 0, 0, 9], &[8, 0]].concat();
    let [high, low] = PORT.to_be_bytes();
    [&ethernet[..], &header, &[0, 9, high, low, 0, 9, 0, 0, b'!']].concat()
}

/// RFC 4861 has hosts ask three times, a second apart, and so does this stack for either version of IP.
#[test]
fn time_goes_on_while_frames_arrive_that_nobody_wants() {
    let noise = [&STATION[..], &[2, 0, 0, 0, 0, 9], &[0x88, 0xb5]].concat();
    let span = giving_up_under(noise);
    assert!((2..=5).contains(&span.as_secs()), "{span:?}");
}

#[test]
fn time_goes_on_while_every_poll_wakes_somebody() {
    let span = giving_up_under(datagram());
    assert!((2..=5).contains(&span.as_secs()), "{span:?}");
}

const STATION: [u8; 6] = [2, 0, 0, 0, 0, 1];
const US: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const PORT: u16 = 7;
