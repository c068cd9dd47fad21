//! The classic services of a host: echo (RFC 862) over TCP and UDP, discard (RFC 863) and chargen (RFC 864)
//! over TCP. The TCP echo has a listener with a backlog of four, and four tasks that serve.
//!
//! Its address is 192.168.69.2/24. When a discard or chargen connection ends, it prints what the transfer cost.
#![no_std]
#![no_main]

use cygnet::{
    Config, Ipv4Cidr, Resources, Runner, Stack, StaticConfigV4, TcpListener, TcpPool, TcpSocket,
    UdpPacketMetadata, UdpSocket,
};
use cygnet_lan9118::{Buffers, Lan9118, Mmio};
use embassy_executor::Spawner;
use embassy_futures::join::join_array;
/// One executor needs no more; for several there is `CriticalSectionRawMutex`.
#[cfg(not(feature = "timed-lock"))]
use embassy_sync::blocking_mutex::raw::NoopRawMutex as Lock;
use embedded_io_async::Write;
#[cfg(feature = "timed-lock")]
use mps2::TimedMutex as Lock;
use mps2::{console, meter};
use static_cell::ConstStaticCell;

type Ethernet = Lan9118<'static, Mmio>;

#[embassy_executor::main(executor = "mps2::Executor", entry = "cortex_m_rt::entry")]
async fn main(spawner: Spawner) {
    mps2::init();
    static FRAMES: ConstStaticCell<Buffers> = ConstStaticCell::new(Buffers::new());
    let address = cygnet_lan9118::Config::new([0x02, 0, 0, 0, 0x69, 0x02]);
    let driver = Lan9118::new(&mps2::ETHERNET, FRAMES.take(), address).expect("a LAN9118");
    mps2::enable_ethernet_interrupt();

    static RESOURCES: ConstStaticCell<Resources<'static, SOCKETS, Lock>> =
        ConstStaticCell::new(Resources::new());
    let network = Ipv4Cidr::new([192, 168, 69, 2].into(), 24);
    let config = StaticConfigV4::new(network).with_gateway([192, 168, 69, 100].into());
    let config = Config::ipv4_static(config);
    let (stack, runner) = cygnet::new(driver, config, RESOURCES.take(), mps2::seed());
    spawner.spawn(net(runner).expect("one"));

    static POOL: ConstStaticCell<TcpPool<'static, BACKLOG, BUFFER, BUFFER>> =
        ConstStaticCell::new(TcpPool::new());
    let pool = stack.add_pool(POOL.take()).expect("room for a pool");
    let listener = TcpListener::bind(stack, 7, pool).expect("a free port");
    spawner.spawn(echo(listener).expect("one"));
    spawner.spawn(echo_datagrams(stack).expect("one"));
    spawner.spawn(discard(stack).expect("one"));
    spawner.spawn(chargen(stack).expect("one"));

    stack.wait_config_up().await;
    log::info!("up at 192.168.69.2");
    console::print("ready\n");
}

/// Moves packets. Everything else waits for it.
#[embassy_executor::task]
async fn net(mut runner: Runner<'static, Ethernet, Lock>) -> ! {
    runner.run().await
}

/// Serves as many connections at a time as there are buffers, in one task: a listener wakes few tasks, and
/// any number of futures in each.
#[embassy_executor::task]
async fn echo(listener: TcpListener<'static, Lock>) {
    // Not in the futures, which are moved to where they stay.
    static BUFFERS: ConstStaticCell<[Aligned<[u8; 1460]>; BACKLOG]> =
        ConstStaticCell::new([const { Aligned([0; 1460]) }; BACKLOG]);
    join_array(
        BUFFERS
            .take()
            .each_mut()
            .map(|buffer| serve(&listener, buffer)),
    )
    .await;
}

/// Serves one connection after the other.
async fn serve(listener: &TcpListener<'static, Lock>, buffer: &mut Aligned<[u8; 1460]>) {
    loop {
        let Ok(mut socket) = listener.accept().await else {
            return;
        };
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
        // Dropped: what was written still arrives, and then the end, in the background.
    }
}

#[embassy_executor::task]
async fn echo_datagrams(stack: Stack<'static, Lock>) -> ! {
    static RECEIVE: Datagrams = ConstStaticCell::new(Aligned([0; 4096]));
    static SEND: Datagrams = ConstStaticCell::new(Aligned([0; 4096]));
    static RECEIVE_META: ConstStaticCell<[UdpPacketMetadata; 8]> =
        ConstStaticCell::new([UdpPacketMetadata::EMPTY; 8]);
    static SEND_META: ConstStaticCell<[UdpPacketMetadata; 8]> =
        ConstStaticCell::new([UdpPacketMetadata::EMPTY; 8]);
    let mut socket = UdpSocket::new(
        stack,
        RECEIVE_META.take().as_mut_slice(),
        RECEIVE.take().0.as_mut_slice(),
        SEND_META.take().as_mut_slice(),
        SEND.take().0.as_mut_slice(),
    )
    .expect("a free slot");
    socket.bind(7).expect("a free port");
    let mut buffer = Aligned([0; 1472]);
    loop {
        if let Ok((len, from)) = socket.recv_from(&mut buffer.0).await {
            // A peer that cannot be reached is its own problem.
            let _ = socket.send_to(&buffer.0[..len], from).await;
        }
    }
}

#[embassy_executor::task]
async fn discard(stack: Stack<'static, Lock>) -> ! {
    static RECEIVE: Stream = ConstStaticCell::new(Aligned([0; BUFFER]));
    static SEND: ConstStaticCell<[u8; 64]> = ConstStaticCell::new([0; 64]);
    let receive = RECEIVE.take().0.as_mut_slice();
    let mut socket =
        TcpSocket::new(stack, receive, SEND.take().as_mut_slice()).expect("a free slot");
    let mut buffer = Aligned([0; BUFFER]);
    loop {
        if socket.accept(9).await.is_err() {
            continue;
        }
        let (mut total, start) = (0, meter::busy_cycles());
        while let Ok(len @ 1..) = socket.read(&mut buffer.0).await {
            total += len as u64;
        }
        let cycles = meter::busy_cycles() - start;
        let _ = socket.close().await;
        console::print_numbers("discard", &[total, cycles, meter::stack_depth() as u64]);
        #[cfg(feature = "timed-lock")]
        console::print_numbers("lock", &[mps2::longest_hold()]);
    }
}

#[embassy_executor::task]
async fn chargen(stack: Stack<'static, Lock>) -> ! {
    static RECEIVE: ConstStaticCell<[u8; 64]> = ConstStaticCell::new([0; 64]);
    static SEND: Stream = ConstStaticCell::new(Aligned([0; BUFFER]));
    static LINES: Aligned<[u8; 1480]> = Aligned(lines());
    let send = SEND.take().0.as_mut_slice();
    let mut socket =
        TcpSocket::new(stack, RECEIVE.take().as_mut_slice(), send).expect("a free slot");
    loop {
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

/// A listener, its four connections, and three sockets.
const SOCKETS: usize = 8;
/// The TCP echo serves so many at a time.
const BACKLOG: usize = 4;
/// The length in bytes of each TCP buffer.
const BUFFER: usize = 4096;

/// As long as one more slot for a socket, for the report to read.
#[unsafe(no_mangle)]
#[used]
static RAM_PER_CONNECTION: [u8; size_of::<Resources<'static, { SOCKETS + 1 }>>()
    - size_of::<Resources<'static, SOCKETS>>()] = [0;
    size_of::<Resources<'static, { SOCKETS + 1 }>>() - size_of::<Resources<'static, SOCKETS>>()];
