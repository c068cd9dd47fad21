//! Two stacks in one chip, on a virtual link: a bulk transfer from one to the other, which it times itself.
//!
//! It needs no network and no Ethernet controller, prints what the transfer cost, and ends.
#![no_std]
#![no_main]

use core::net::Ipv4Addr;

use cygnet::{Config, EmbassyClock, Ipv4Cidr, Resources, Runner, Stack, StaticConfigV4, TcpSocket};
use cygnet_link::{Link, Port, PortConfig};
use embassy_executor::Spawner;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embedded_io_async::Write;
use mps2::{console, meter};
use static_cell::ConstStaticCell;

type LinkPort = Port<'static, NoopRawMutex, EmbassyClock>;

#[embassy_executor::main(executor = "mps2::Executor", entry = "cortex_m_rt::entry")]
async fn main(spawner: Spawner) {
    mps2::init();
    static LINK: ConstStaticCell<Link<'static, NoopRawMutex, FRAMES, 1514>> =
        ConstStaticCell::new(Link::new());
    let ports = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]].map(PortConfig::ethernet);
    let [left, right] = LINK.take().split(EmbassyClock, ports);

    static LEFT: ConstStaticCell<Resources<'static, 2>> = ConstStaticCell::new(Resources::new());
    static RIGHT: ConstStaticCell<Resources<'static, 2>> = ConstStaticCell::new(Resources::new());
    let (client, runner) = cygnet::new(left, address(1), LEFT.take(), 1);
    spawner.spawn(net(runner).expect("two"));
    let (server, runner) = cygnet::new(right, address(2), RIGHT.take(), 2);
    spawner.spawn(net(runner).expect("two"));

    spawner.spawn(send(client).expect("one"));
    receive(server).await;
    mps2::exit(true);
}

#[embassy_executor::task(pool_size = 2)]
async fn net(mut runner: Runner<'static, LinkPort>) -> ! {
    runner.run().await
}

#[embassy_executor::task]
async fn send(stack: Stack<'static>) {
    static BUFFERS: ConstStaticCell<Pair> = ConstStaticCell::new(Aligned([[0; BUFFER]; 2]));
    let [receive, send] = &mut BUFFERS.take().0;
    let mut socket =
        TcpSocket::new(stack, receive.as_mut_slice(), send.as_mut_slice()).expect("a free slot");
    socket.connect((SERVER, 1)).await.expect("a connection");
    let mut sent = 0;
    let data = Aligned([0x55; 1460]);
    while sent < SIZE {
        let len = data.0.len().min(SIZE - sent);
        socket
            .write_all(&data.0[..len])
            .await
            .expect("a connection");
        sent += len;
    }
    let _ = socket.close().await;
}

async fn receive(stack: Stack<'static>) {
    static BUFFERS: ConstStaticCell<Pair> = ConstStaticCell::new(Aligned([[0; BUFFER]; 2]));
    let [receive, send] = &mut BUFFERS.take().0;
    let mut socket =
        TcpSocket::new(stack, receive.as_mut_slice(), send.as_mut_slice()).expect("a free slot");
    socket.accept(1).await.expect("a connection");
    let (mut total, start) = (0, meter::busy_cycles());
    let mut buffer = Aligned([0; 1460]);
    loop {
        match socket.read(&mut buffer.0).await.expect("a connection") {
            0 => break,
            len => total += len,
        }
    }
    let cycles = meter::busy_cycles() - start;
    assert!(total == SIZE, "all of it arrives");
    console::print_numbers(
        "loopback",
        &[total as u64, cycles, meter::stack_depth() as u64],
    );
}

fn address(host: u8) -> Config {
    let network = Ipv4Cidr::new([10, 0, 0, host].into(), 24);
    Config::ipv4_static(StaticConfigV4::new(network))
}

/// Bytes on a word boundary: copies from and to them run word by word.
#[repr(align(4))]
struct Aligned<T>(T);

type Pair = Aligned<[[u8; BUFFER]; 2]>;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// How much is transferred, in bytes.
const SIZE: usize = 1 << 20;
/// The length in bytes of each TCP buffer.
const BUFFER: usize = 4096;
/// The frames that can be on their way at a time.
const FRAMES: usize = 16;
