//! `echo` on embassy-net: the same services, buffers, slots and measurements, to compare with. It has no
//! listener, so each of four tasks waits for a connection of its own.
#![no_std]
#![no_main]

use cygnet_lan9118::{Buffers, Lan9118, Mmio};
use embassy_executor::Spawner;
use embassy_net::tcp::TcpSocket;
use embassy_net::udp::{PacketMetadata, UdpSocket};
use embassy_net::{Config, Ipv4Cidr, Runner, Stack, StackResources, StaticConfigV4};
use embedded_io_async::Write;
use mps2::{console, meter};
use static_cell::{ConstStaticCell, StaticCell};

type Ethernet = Lan9118<'static, Mmio>;

#[embassy_executor::main(executor = "mps2::Executor", entry = "cortex_m_rt::entry")]
async fn main(spawner: Spawner) {
    mps2::init();
    static FRAMES: ConstStaticCell<Buffers> = ConstStaticCell::new(Buffers::new());
    let address = cygnet_lan9118::Config::new([0x02, 0, 0, 0, 0x69, 0x02]);
    let driver = Lan9118::new(&mps2::ETHERNET, FRAMES.take(), address).expect("a LAN9118");
    mps2::enable_ethernet_interrupt();

    static RESOURCES: StaticCell<StackResources<SOCKETS>> = StaticCell::new();
    let config = Config::ipv4_static(StaticConfigV4 {
        address: Ipv4Cidr::new([192, 168, 69, 2].into(), 24),
        gateway: Some([192, 168, 69, 100].into()),
        dns_servers: Default::default(),
    });
    let resources = RESOURCES.init(StackResources::new());
    let [a, b, c, d, e, f, g, h, ..] = mps2::seed();
    let seed = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let (stack, runner) = embassy_net::new(driver, config, resources, seed);
    spawner.spawn(net(runner).expect("one"));

    static BUFFERS: ConstStaticCell<Aligned<[[[u8; BUFFER]; 2]; BACKLOG]>> =
        ConstStaticCell::new(Aligned([[[0; BUFFER]; 2]; BACKLOG]));
    for pair in &mut BUFFERS.take().0 {
        spawner.spawn(echo(stack, pair).expect("as many as the pool of tasks"));
    }
    spawner.spawn(echo_datagrams(stack).expect("one"));
    spawner.spawn(discard(stack).expect("one"));
    spawner.spawn(chargen(stack).expect("one"));

    stack.wait_config_up().await;
    log::info!("up at 192.168.69.2");
    console::print("ready\n");
}

#[embassy_executor::task]
async fn net(mut runner: Runner<'static, Ethernet>) -> ! {
    runner.run().await
}

#[embassy_executor::task(pool_size = BACKLOG)]
async fn echo(stack: Stack<'static>, buffers: &'static mut [[u8; BUFFER]; 2]) -> ! {
    let [receive, send] = buffers;
    let mut buffer = Aligned([0; 1460]);
    loop {
        let mut socket = TcpSocket::new(stack, receive, send);
        if socket.accept(7).await.is_err() {
            continue;
        }
        loop {
            match socket.read(&mut buffer.0).await {
                Ok(0) | Err(_) => break,
                Ok(len) => {
                    if socket.write_all(&buffer.0[..len]).await.is_err() {
                        break;
                    }
                }
            }
        }
        socket.close();
        let _ = socket.flush().await;
    }
}

#[embassy_executor::task]
async fn echo_datagrams(stack: Stack<'static>) -> ! {
    static RECEIVE: Datagrams = ConstStaticCell::new(Aligned([0; 4096]));
    static SEND: Datagrams = ConstStaticCell::new(Aligned([0; 4096]));
    static RECEIVE_META: ConstStaticCell<[PacketMetadata; 8]> =
        ConstStaticCell::new([PacketMetadata::EMPTY; 8]);
    static SEND_META: ConstStaticCell<[PacketMetadata; 8]> =
        ConstStaticCell::new([PacketMetadata::EMPTY; 8]);
    let mut socket = UdpSocket::new(
        stack,
        RECEIVE_META.take(),
        &mut RECEIVE.take().0,
        SEND_META.take(),
        &mut SEND.take().0,
    );
    socket.bind(7).expect("a free port");
    let mut buffer = Aligned([0; 1472]);
    loop {
        if let Ok((len, from)) = socket.recv_from(&mut buffer.0).await {
            let _ = socket.send_to(&buffer.0[..len], from).await;
        }
    }
}

#[embassy_executor::task]
async fn discard(stack: Stack<'static>) -> ! {
    static RECEIVE: Stream = ConstStaticCell::new(Aligned([0; BUFFER]));
    static SEND: ConstStaticCell<[u8; 64]> = ConstStaticCell::new([0; 64]);
    let (receive, send) = (&mut RECEIVE.take().0, SEND.take());
    let mut buffer = Aligned([0; BUFFER]);
    loop {
        let mut socket = TcpSocket::new(stack, receive, send);
        if socket.accept(9).await.is_err() {
            continue;
        }
        let (mut total, start) = (0, meter::busy_cycles());
        while let Ok(len @ 1..) = socket.read(&mut buffer.0).await {
            total += len as u64;
        }
        let cycles = meter::busy_cycles() - start;
        socket.close();
        let _ = socket.flush().await;
        console::print_numbers("discard", &[total, cycles, meter::stack_depth() as u64]);
    }
}

#[embassy_executor::task]
async fn chargen(stack: Stack<'static>) -> ! {
    static RECEIVE: ConstStaticCell<[u8; 64]> = ConstStaticCell::new([0; 64]);
    static SEND: Stream = ConstStaticCell::new(Aligned([0; BUFFER]));
    static LINES: Aligned<[u8; 1480]> = Aligned(lines());
    let (receive, send) = (RECEIVE.take(), &mut SEND.take().0);
    loop {
        let mut socket = TcpSocket::new(stack, receive, send);
        if socket.accept(19).await.is_err() {
            continue;
        }
        let (mut total, start) = (0, meter::busy_cycles());
        while socket.write_all(&LINES.0).await.is_ok() {
            total += LINES.0.len() as u64;
        }
        let cycles = meter::busy_cycles() - start;
        console::print_numbers("chargen", &[total, cycles, meter::stack_depth() as u64]);
    }
}

/// Twenty lines of the pattern of RFC 864: 72 characters each, each line from one further on.
const fn lines() -> [u8; 1480] {
    let mut lines = [b'\n'; 1480];
    let mut at = 0;
    while at < lines.len() {
        let (line, column) = (at / 74, at % 74);
        if column < 72 {
            lines[at] = b' ' + ((line + column) % 95) as u8;
        } else if column == 72 {
            lines[at] = b'\r';
        }
        at += 1;
    }
    lines
}

/// Bytes on a word boundary: copies from and to them run word by word.
#[repr(align(4))]
struct Aligned<T>(T);

type Stream = ConstStaticCell<Aligned<[u8; BUFFER]>>;
type Datagrams = ConstStaticCell<Aligned<[u8; 4096]>>;

const SOCKETS: usize = 8;
const BACKLOG: usize = 4;
const BUFFER: usize = 4096;

/// As long as one more slot for a socket, for the report to read.
#[unsafe(no_mangle)]
#[used]
static RAM_PER_CONNECTION: [u8; size_of::<StackResources<{ SOCKETS + 1 }>>()
    - size_of::<StackResources<SOCKETS>>()] =
    [0; size_of::<StackResources<{ SOCKETS + 1 }>>() - size_of::<StackResources<SOCKETS>>()];
