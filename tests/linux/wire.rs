//! A stack on a device in a fresh namespace, perhaps behind a bad wire.

use std::future::poll_fn;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4};
use std::process::Command;
use std::task::{Context, Poll};
use std::time::Duration;

use cygnet::{Config, EcnPolicy, Ipv4Cidr, Resources, Stack, StaticConfigV4, TcpError, TcpSocket};
use cygnet_driver::{Driver, HardwareAddress, RxToken, TxToken};
use cygnet_host::{Interface, TokioClock, linux_test, process};
use cygnet_link::{Impairments, Link, PortConfig};
use cygnet_middleware::{FaultConfig, FaultInjector};
use cygnet_tuntap::{Device, Mode, PacketOptions, PacketSocket, TunTap};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

/// cygnet's address.
pub(crate) const CYGNET: Ipv4Addr = Ipv4Addr::new(192, 168, 69, 1);
/// The kernel's address.
pub(crate) const KERNEL: Ipv4Addr = Ipv4Addr::new(192, 168, 69, 100);

/// cygnet's IPv6 address.
pub(crate) const CYGNET_V6: Ipv6Addr = Ipv6Addr::new(0xfdaa, 0, 0, 0, 0, 0, 0, 1);
/// The kernel's IPv6 address.
pub(crate) const KERNEL_V6: Ipv6Addr = Ipv6Addr::new(0xfdaa, 0, 0, 0, 0, 0, 0, 0x100);

/// What is between cygnet and the kernel.
#[derive(Clone, Copy)]
pub(crate) enum Wire {
    /// The device of that kind.
    Device(Mode),
    /// A veth pair, of which cygnet has one end by way of a packet socket.
    PacketSocket,
    /// A tap that loses and corrupts frames.
    Faulty(FaultConfig),
    /// A tap at the far end of a link with these impairments, the same both ways.
    Long(Impairments),
    /// A tap behind something that looks at every frame, may change it, and lets it pass or not. cygnet asks for
    /// congestion notification.
    Filtered(fn(&mut [u8]) -> bool),
}

/// Runs `test` beside a stack that is on that wire, in a namespace of its own. The test must end
/// within five minutes.
pub(crate) fn on_wire(wire: Wire, test: impl AsyncFnOnce(Stack<'static>) + Send) {
    within_namespace(async || run(wire, test).await);
}

/// Runs `test` beside a stack with that configuration, on a device of that kind on which the kernel has the
/// addresses [`KERNEL`] and [`KERNEL_V6`] as well as a link-local one, in a namespace of its own.
pub(crate) fn with_config(
    mode: Mode,
    config: Config,
    test: impl AsyncFnOnce(Stack<'static>, Interface) + Send,
) {
    within_namespace(async || {
        let (interface, driver) = interface_and_driver(mode);
        let set_up = || interface.add_address(KERNEL_V6, 64).map(|_| ());
        set_up().expect("an interface of one's own can be set up");
        let story = async |stack| {
            // The kernel takes an address into use in its own time, even one that it does not look for others
            // with.
            while program("ip", "-6 addr show tentative")
                .await
                .contains("inet6")
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            test(stack, interface).await;
        };
        beside(driver, config, story).await;
    });
}

fn within_namespace(test: impl AsyncFnOnce() + Send) {
    linux_test(|_| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let hang = Duration::from_secs(300);
        let ended = runtime.block_on(async { tokio::time::timeout(hang, test()).await });
        // What still blocks on the kernel's side would hold up the report.
        runtime.shutdown_background();
        ended.expect("the test hangs");
    });
}

/// As [`on_wire`], on a plain tap.
pub(crate) fn on_tap(test: impl AsyncFnOnce(Stack<'static>) + Send) {
    on_wire(Wire::Device(Mode::Tap), test);
}

async fn run(wire: Wire, test: impl AsyncFnOnce(Stack<'static>)) {
    match wire {
        Wire::Device(mode) => beside(device(mode), ipv4(EcnPolicy::Accept), test).await,
        Wire::PacketSocket => beside(packet_socket(), ipv4(EcnPolicy::Accept), test).await,
        Wire::Faulty(faults) => {
            let (interface, tap) = interface_and_driver(Mode::Tap);
            // Spoilt ARP would have the kernel believe in a neighbor that is not there: half a minute each.
            interface
                .add_neighbor(CYGNET, ethernet_address(&tap))
                .expect("an interface of one's own can be set up");
            let faulty = FaultInjector::new(tap, &*leak(TokioClock::new()), faults, 1);
            beside(faulty, ipv4(EcnPolicy::Accept), test).await;
        }
        Wire::Long(impairments) => through(impairments, |_| true, test).await,
        Wire::Filtered(filter) => through(Impairments::new(), filter, test).await,
    }
}

async fn through(
    impairments: Impairments,
    filter: fn(&mut [u8]) -> bool,
    test: impl AsyncFnOnce(Stack<'static>),
) {
    let mut tap = device(Mode::Tap);
    let port = PortConfig::ethernet(ethernet_address(&tap)).impairments(impairments);
    let link = leak(Link::<NoopRawMutex, 256, 1514>::new());
    let [near, mut far] = link.split(&*leak(TokioClock::new()), [port, port]);
    let bridge = poll_fn(|cx| {
        forward(cx, &mut far, &mut tap, filter);
        forward(cx, &mut tap, &mut far, filter);
        Poll::Pending
    });
    tokio::select! {
        () = bridge => {}
        () = beside(near, ipv4(EcnPolicy::Request), test) => {}
    }
}

/// The driver of a device whose other end is up and has the kernel's address.
fn device(mode: Mode) -> TunTap {
    interface_and_driver(mode).1
}

fn interface_and_driver(mode: Mode) -> (Interface, TunTap) {
    let device = Device::open("", mode).expect("a device");
    let interface = Interface::named(device.name());
    let set_up = || interface.add_address(KERNEL, 24)?.up().map(|_| ());
    set_up().expect("an interface of one's own can be set up");
    (interface, TunTap::new(device).expect("a driver"))
}

/// The driver of one end of a pair whose other end has the kernel's address. The kernel has none at this end.
fn packet_socket() -> PacketSocket {
    let pair = Interface::create_veth("near", "far");
    let (near, far) = pair.expect("interfaces of one's own can be made");
    let set_up = || {
        near.up()?;
        far.add_address(KERNEL, 24)?.up().map(|_| ())
    };
    set_up().expect("an interface of one's own can be set up");
    PacketSocket::open(near.name(), PacketOptions::default()).expect("a driver")
}

fn ethernet_address(tap: &TunTap) -> [u8; 6] {
    match tap.hardware_address() {
        HardwareAddress::Ethernet(address) => address,
        _ => unreachable!("a tap is an Ethernet device"),
    }
}

fn ipv4(ecn: EcnPolicy) -> Config {
    let mut config = Config::ipv4_static(StaticConfigV4::new(Ipv4Cidr::new(CYGNET, 24)));
    config.ecn = ecn;
    config
}

async fn beside<D: Driver + 'static>(
    driver: D,
    config: Config,
    test: impl AsyncFnOnce(Stack<'static>),
) {
    let resources = leak(Resources::<128>::new());
    let seed = [3; 32];
    let clock = TokioClock::new();
    let (stack, mut runner) = cygnet::new_with_clock(driver, config, resources, seed, clock);
    tokio::select! {
        _ = runner.run() => {}
        () = test(stack) => {}
    }
}

/// Moves frames as long as there are any that pass, and room for them.
fn forward(
    cx: &mut Context<'_>,
    from: &mut impl Driver,
    to: &mut impl Driver,
    filter: fn(&mut [u8]) -> bool,
) {
    for _ in 0..BURST {
        let Some(tx) = to.transmit(cx) else { return };
        let Some((rx, _)) = from.receive(cx) else {
            return;
        };
        rx.consume(|frame| {
            if filter(frame) {
                tx.consume(frame.len(), |room| room.copy_from_slice(frame));
            }
        });
    }
    cx.waker().wake_by_ref();
}

/// Stacks and buffers live as long as the test's process, which is short.
pub(crate) fn leak<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}

/// A socket with buffers of 64 KiB.
pub(crate) fn socket(stack: Stack<'static>) -> TcpSocket<'static> {
    let buffer = || vec![0; 65_535].leak();
    TcpSocket::new(stack, buffer(), buffer()).expect("a free slot")
}

/// Writes all of `data`.
pub(crate) async fn write_all(socket: &mut TcpSocket<'_>, mut data: &[u8]) -> Result<(), TcpError> {
    while !data.is_empty() {
        let count = socket.write(data).await?;
        data = &data[count..];
    }
    Ok(())
}

/// Reads to the end.
pub(crate) async fn read_to_end(socket: &mut TcpSocket<'_>) -> Result<Vec<u8>, TcpError> {
    let mut data = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        match socket.read(&mut buffer).await? {
            0 => return Ok(data),
            count => data.extend_from_slice(&buffer[..count]),
        }
    }
}

/// Does something that blocks, such as using the kernel's sockets, in this namespace.
pub(crate) async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    // The pool's threads are started by this one, which puts them into its namespace.
    tokio::task::spawn_blocking(f).await.expect("no panic")
}

/// Runs a program in this namespace with that input, and returns what it wrote. It must succeed.
pub(crate) async fn program(name: &'static str, arguments: &str) -> String {
    let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
    blocking(move || {
        let output = process::output(Command::new(name).args(&arguments))
            .unwrap_or_else(|error| panic!("{error}"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{name} {arguments:?}: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text
    })
    .await
}

/// A port of cygnet's.
pub(crate) fn cygnet(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(CYGNET, port)
}

/// Bytes that never repeat a block, so that a swap or a gap shows.
pub(crate) fn stream(len: usize) -> Vec<u8> {
    (0..len as u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

/// Frames that the bridge moves before others get a turn.
const BURST: usize = 64;
