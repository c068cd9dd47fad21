//! `loopback` on embassy-net: the same transfer over the same virtual link, to compare with.
#![no_std]
#![no_main]

use core::task::{Context, Waker};

use cygnet_driver::{Clock, Instant};
use cygnet_embassy::AsEmbassy;
use cygnet_link::{Link, Port, PortConfig};
use embassy_executor::Spawner;
use embassy_net::tcp::TcpSocket;
use embassy_net::{Config, Ipv4Cidr, Runner, Stack, StackResources, StaticConfigV4};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embedded_io_async::Write;
use mps2::{console, meter};
use static_cell::{ConstStaticCell, StaticCell};

type LinkPort = AsEmbassy<Port<'static, NoopRawMutex, EmbassyClock>>;

#[embassy_executor::main(executor = "mps2::Executor", entry = "cortex_m_rt::entry")]
async fn main(spawner: Spawner) {
    mps2::init();
    static LINK: ConstStaticCell<Link<'static, NoopRawMutex, FRAMES, 1514>> =
        ConstStaticCell::new(Link::new());
    let ports = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]].map(PortConfig::ethernet);
    let [left, right] = LINK.take().split(EmbassyClock, ports);
    static LEFT: StaticCell<StackResources<2>> = StaticCell::new();
    static RIGHT: StaticCell<StackResources<2>> = StaticCell::new();
    let left_resources = LEFT.init(StackResources::new());
    let right_resources = RIGHT.init(StackResources::new());
    let (client, runner) = embassy_net::new(AsEmbassy(left), address(1), left_resources, 1);
    spawner.spawn(net(runner).expect("two"));
    let (server, runner) = embassy_net::new(AsEmbassy(right), address(2), right_resources, 2);
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
    let mut socket = TcpSocket::new(stack, receive, send);
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
    socket.close();
    let _ = socket.flush().await;
}

async fn receive(stack: Stack<'static>) {
    static BUFFERS: ConstStaticCell<Pair> = ConstStaticCell::new(Aligned([[0; BUFFER]; 2]));
    let [receive, send] = &mut BUFFERS.take().0;
    let mut socket = TcpSocket::new(stack, receive, send);
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
    assert!(total == SIZE);
    console::print_numbers(
        "loopback",
        &[total as u64, cycles, meter::stack_depth() as u64],
    );
}

fn address(host: u8) -> Config {
    Config::ipv4_static(StaticConfigV4 {
        address: Ipv4Cidr::new([10, 0, 0, host].into(), 24),
        gateway: None,
        dns_servers: Default::default(),
    })
}

/// The clock of the virtual link.
#[derive(Clone, Copy)]
struct EmbassyClock;

impl Clock for EmbassyClock {
    fn now(&self) -> Instant {
        Instant::from_micros(embassy_time::Instant::now().as_micros())
    }

    fn wake_at(&self, at: Instant, waker: &Waker) {
        let mut timer = embassy_time::Timer::at(embassy_time::Instant::from_micros(at.as_micros()));
        let mut cx = Context::from_waker(waker);
        if core::pin::Pin::new(&mut timer).poll(&mut cx).is_ready() {
            waker.wake_by_ref();
        }
    }
}

#[repr(align(4))]
struct Aligned<T>(T);

type Pair = Aligned<[[u8; BUFFER]; 2]>;

const SERVER: core::net::Ipv4Addr = core::net::Ipv4Addr::new(10, 0, 0, 2);
const SIZE: usize = 1 << 20;
const BUFFER: usize = 4096;
const FRAMES: usize = 16;
