//! Two stacks on drivers written for xarxa, and a cable between them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use cygnet::{Config, Ipv4Cidr, Resources, StaticConfigV4, TcpSocket};
use cygnet_host::TokioClock;
use cygnet_xarxa::XarxaDriver;
use tokio::time::timeout;
use xarxa_driver::{Driver, HardwareAddress, NotSupported, PacketBuf};

/// Frames in one direction, and who waits for them and for room.
#[derive(Default)]
struct Lane {
    frames: VecDeque<PacketBuf>,
    wakers: Vec<Waker>,
}

impl Lane {
    fn wake(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }
}

struct Port {
    address: [u8; 6],
    inward: Rc<RefCell<Lane>>,
    outward: Rc<RefCell<Lane>>,
}

impl Driver for Port {
    fn capabilities(&self) -> xarxa_driver::Capabilities {
        xarxa_driver::Capabilities::default()
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.address)
    }

    fn register_waker(&mut self, waker: &Waker) -> Result<(), NotSupported> {
        for lane in [&self.inward, &self.outward] {
            lane.borrow_mut().wakers.push(waker.clone());
        }
        Ok(())
    }

    fn receive(&mut self) -> Option<PacketBuf> {
        let mut lane = self.inward.borrow_mut();
        let frame = lane.frames.pop_front()?;
        lane.wake();
        Some(frame)
    }

    fn can_transmit(&mut self) -> bool {
        self.outward.borrow().frames.len() < ROOM
    }

    fn transmit(&mut self, frame: PacketBuf) -> Result<(), PacketBuf> {
        if !self.can_transmit() {
            return Err(frame);
        }
        let mut lane = self.outward.borrow_mut();
        lane.frames.push_back(frame);
        lane.wake();
        Ok(())
    }
}

/// Frames on their way in one direction; both together take more buffers than there are.
const ROOM: usize = 12;

#[tokio::test(flavor = "current_thread")]
async fn two_stacks_talk() {
    let (there, back) = (Rc::<RefCell<Lane>>::default(), Rc::default());
    let port = |host, inward: &Rc<_>, outward: &Rc<_>| {
        let port = Port {
            address: [2, 0, 0, 0, 0, host],
            inward: Rc::clone(inward),
            outward: Rc::clone(outward),
        };
        XarxaDriver::new(port).expect("it wakes")
    };
    let config = |host| {
        let address = Ipv4Cidr::new([10, 0, 0, host].into(), 24);
        Config::ipv4_static(StaticConfigV4::new(address))
    };
    let clock = TokioClock::new();
    let (mut ours, mut theirs) = (Resources::<2>::new(), Resources::<2>::new());
    let (client, mut left) =
        cygnet::new_with_clock(port(1, &back, &there), config(1), &mut ours, 1, &clock);
    let (server, mut right) =
        cygnet::new_with_clock(port(2, &there, &back), config(2), &mut theirs, 2, &clock);

    let data: Vec<u8> = (0..200_000_u32).map(|n| (n ^ n >> 8) as u8).collect();
    let send = async {
        let mut socket = TcpSocket::new(client, vec![0; 16_384], vec![0; 16_384]).unwrap();
        socket
            .connect((Ipv4Addr::new(10, 0, 0, 2), 7))
            .await
            .unwrap();
        let mut rest = data.as_slice();
        while !rest.is_empty() {
            let written = socket.write(rest).await.unwrap();
            rest = &rest[written..];
        }
        socket.close().await.unwrap();
    };
    let receive = async {
        let mut socket = TcpSocket::new(server, vec![0; 16_384], vec![0; 16_384]).unwrap();
        socket.accept(7).await.unwrap();
        let mut received = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match socket.read(&mut buffer).await.unwrap() {
                0 => return received,
                len => received.extend_from_slice(&buffer[..len]),
            }
        }
    };
    let both = async { tokio::join!(send, receive).1 };
    let received = tokio::select! {
        received = timeout(Duration::from_secs(60), both) => received.expect("it hangs"),
        _ = left.run() => unreachable!(),
        _ = right.run() => unreachable!(),
    };
    assert!(received == data);
}
