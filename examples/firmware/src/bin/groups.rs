//! A host of both versions of IP that is in multicast groups, and answers what is sent to them: port 5000 of 239.1.2.3
//! and of ff02::123. The controller's filter lets the frames of these groups in, and those that IPv6 itself lives by.
//!
//! Its addresses are 192.168.69.2/24 and fdaa::2/64.
#![no_std]
#![no_main]

use core::net::{Ipv4Addr, Ipv6Addr};

use cygnet::{
    Config, Ipv4Cidr, Ipv6Cidr, Resources, Runner, Stack, StaticConfigV4, StaticConfigV6,
    UdpPacketMetadata, UdpSocket,
};
use cygnet_lan9118::{Buffers, Lan9118, Mmio};
use embassy_executor::Spawner;
use mps2::console;
use static_cell::ConstStaticCell;

type Ethernet = Lan9118<'static, Mmio>;

#[embassy_executor::main(executor = "mps2::Executor", entry = "cortex_m_rt::entry")]
async fn main(spawner: Spawner) {
    mps2::init();
    static FRAMES: ConstStaticCell<Buffers> = ConstStaticCell::new(Buffers::new());
    let address = cygnet_lan9118::Config::new([0x02, 0, 0, 0, 0x69, 0x02]);
    let driver = Lan9118::new(&mps2::ETHERNET, FRAMES.take(), address).expect("a LAN9118");
    mps2::enable_ethernet_interrupt();

    static RESOURCES: ConstStaticCell<Resources<'static, 1>> =
        ConstStaticCell::new(Resources::new());
    let network = Ipv4Cidr::new([192, 168, 69, 2].into(), 24);
    let mut config = Config::ipv4_static(StaticConfigV4::new(network));
    config.ipv6 = StaticConfigV6::new(Ipv6Cidr::new(ADDRESS_V6, 64)).into();
    let (stack, runner) = cygnet::new(driver, config, RESOURCES.take(), mps2::seed());
    spawner.spawn(net(runner).expect("one"));
    spawner.spawn(answer(stack).expect("one"));

    stack.wait_config_up().await;
    log::info!("up at 192.168.69.2 and {ADDRESS_V6}");
    console::print("ready\n");
}

#[embassy_executor::task]
async fn net(mut runner: Runner<'static, Ethernet>) -> ! {
    runner.run().await
}

#[embassy_executor::task]
async fn answer(stack: Stack<'static>) -> ! {
    static RECEIVE: Datagrams = ConstStaticCell::new([0; 2048]);
    static SEND: Datagrams = ConstStaticCell::new([0; 2048]);
    static RECEIVE_META: ConstStaticCell<[UdpPacketMetadata; 4]> =
        ConstStaticCell::new([UdpPacketMetadata::EMPTY; 4]);
    static SEND_META: ConstStaticCell<[UdpPacketMetadata; 4]> =
        ConstStaticCell::new([UdpPacketMetadata::EMPTY; 4]);
    let mut socket = UdpSocket::new(
        stack,
        RECEIVE_META.take().as_mut_slice(),
        RECEIVE.take().as_mut_slice(),
        SEND_META.take().as_mut_slice(),
        SEND.take().as_mut_slice(),
    )
    .expect("a free slot");
    socket.bind(5000).expect("a free port");
    socket.join_multicast_group(GROUP).expect("room for it");
    socket.join_multicast_group(GROUP_V6).expect("room for it");
    let mut buffer = [0; 256];
    loop {
        if let Ok((len, from)) = socket.recv_from(&mut buffer).await {
            // From an address of ours: that it came to a group's is seen to.
            let _ = socket.send_to(&buffer[..len], from).await;
        }
    }
}

type Datagrams = ConstStaticCell<[u8; 2048]>;

const ADDRESS_V6: Ipv6Addr = Ipv6Addr::new(0xfdaa, 0, 0, 0, 0, 0, 0, 2);
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 3);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x123);
