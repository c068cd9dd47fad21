//! The bottleneck with the kernel's TCP at its ends, in real time: what Linux makes of it.
//!
//! ```text
//!   namespace 1                            this process                             namespace 2
//!   tun with every host's address --- links, router, narrow link --- tun with the server's address
//! ```
//!
//! The links are those of the simulation, with the same round-trip times for the same seed, and the kernel's
//! flows are paced, as cygnet's are. What else the machine does shows in the figures: they are of use where it
//! has two processors, and nothing else to do.

use std::future::poll_fn;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd as _;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cygnet::Driver as _;
use cygnet_driver::RxToken as _;
use cygnet_examples::simulation::Simulation;
use cygnet_examples::{Error, kernel};
use cygnet_host::{Interface, NetNs};
use cygnet_tuntap::{Device, Mode};
use futures_util::future::try_join_all;
use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt};
use nix::{libc, unistd};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};

use crate::bottleneck::{self, BUFFER, LEN, Network, NetworkPort, SERVER};
use crate::cell::{Cell, Measured};
use crate::flow::FlowResult;

/// # Errors
///
/// The kernel refuses a namespace, a device or the congestion control, or its flows do not end in time.
pub(crate) fn measure(cell: Cell, flows: usize) -> Result<Measured, Error> {
    let [clients, server] = [NetNs::new()?, NetNs::new()?];
    let hosts: Vec<_> = (0..flows).map(bottleneck::host_address).collect();
    let tuns = [tun(&clients, &hosts)?, tun(&server, &[SERVER])?];
    let mut simulation = Simulation::new();
    let network = Network::new(simulation.clock(), cell.seed, flows);
    let mut router = network.router;
    simulation.spawn(poll_fn(move |cx| router.poll(cx)));
    let mut ends = Ends {
        tuns,
        near: network.near,
        far: network.far,
        packet: [0; MTU],
    };
    simulation.spawn(poll_fn(move |cx| ends.poll(cx)));

    let (listens, wait) = mpsc::channel();
    let receiving = in_namespace(server, async move || receive_all(flows, listens).await);
    let congestion = cell.controller_name();
    let sending = in_namespace(clients, async move || {
        wait.recv().map_err(|_| "the server does not listen")?;
        send_all(flows, kernel_name(congestion)).await
    });
    simulation.run_in_real_time(poll_fn(|_| {
        match receiving.is_finished() && sending.is_finished() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }));
    let starts = result(sending)?;
    let ends = result(receiving)?;
    let results = starts.into_iter().zip(ends).map(|(start, end)| FlowResult {
        received: LEN,
        seconds: end.duration_since(start).as_secs_f64(),
        complete: true,
    });
    let results: Vec<_> = results.collect();
    Ok(Measured::new(cell, &results, network.trunk.drop_rate()))
}

/// A device in a namespace that has those addresses.
fn tun(namespace: &NetNs, addresses: &[Ipv4Addr]) -> Result<Device, Error> {
    let open = || {
        kernel::set_buffers(BUFFER)?;
        let device = Device::open("narrow0", Mode::Tun)?;
        let interface = Interface::named(device.name());
        for &address in addresses {
            interface.add_address(address, 16)?;
        }
        interface.up()?;
        Ok(device)
    };
    namespace
        .run(|| open().map_err(|error: Error| error.to_string()))?
        .map_err(Error::from)
}

/// What joins the devices with the network.
struct Ends {
    /// The hosts', and the server's.
    tuns: [Device; 2],
    near: Vec<NetworkPort>,
    far: NetworkPort,
    packet: [u8; MTU],
}

impl Ends {
    /// Passes on whatever is there. Never ready: it has no end of its own.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let [hosts, server] = &self.tuns;
        while let Ok(len) = unistd::read(hosts, &mut self.packet) {
            let packet = &self.packet[..len];
            let near = bottleneck::sender_index(packet).and_then(|nth| self.near.get_mut(nth));
            if let Some(near) = near {
                near.try_send(packet);
            }
        }
        while let Ok(len) = unistd::read(server, &mut self.packet) {
            self.far.try_send(&self.packet[..len]);
        }
        for near in &mut self.near {
            pass(near, hosts, cx);
        }
        pass(&mut self.far, server, cx);
        Poll::Pending
    }
}

/// Gives the kernel what has arrived. It drops what it has no room for, as any interface does.
fn pass(port: &mut NetworkPort, tun: &Device, cx: &mut Context<'_>) {
    while let Some((packet, _)) = port.receive(cx) {
        packet.consume(|packet| {
            let _ = unistd::write(tun, packet);
        });
    }
}

/// When each flow began.
async fn send_all(flows: usize, congestion: &'static str) -> Result<Vec<Instant>, Error> {
    try_join_all((0..flows).map(|nth| send(nth, congestion))).await
}

async fn send(nth: usize, congestion: &'static str) -> Result<Instant, Error> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((bottleneck::host_address(nth), 0).into())?;
    setsockopt(&socket, sockopt::TcpCongestion, &congestion.into())
        .map_err(|error| format!("the kernel has no congestion control {congestion}: {error}"))?;
    pace(&socket)?;
    let start = Instant::now();
    let to = (SERVER, bottleneck::port(nth)).into();
    let mut connection = socket.connect(to).await?;
    connection.write_all(&vec![0x5a; LEN as usize]).await?;
    // Open until the server has everything.
    let _ = connection.read(&mut [0]).await?;
    Ok(start)
}

/// Has the kernel pace a connection, by what its congestion control says: it does where there is a limit.
fn pace(socket: &TcpSocket) -> Result<(), Errno> {
    let (level, option) = (libc::SOL_SOCKET, libc::SO_MAX_PACING_RATE);
    let (value, len) = ((&raw const NO_LIMIT).cast(), size_of_val(&NO_LIMIT) as u32);
    // SAFETY: `value` is where `len` bytes are, for as long as the program runs.
    Errno::result(unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, value, len) })?;
    Ok(())
}

/// When each flow was complete.
async fn receive_all(flows: usize, listens: mpsc::Sender<()>) -> Result<Vec<Instant>, Error> {
    let bind = |nth| TcpListener::bind((SERVER, bottleneck::port(nth)));
    let listeners = try_join_all((0..flows).map(bind)).await?;
    listens.send(())?;
    try_join_all(listeners.iter().map(receive)).await
}

async fn receive(listener: &TcpListener) -> Result<Instant, Error> {
    let (mut connection, _) = listener.accept().await?;
    let mut data = vec![0; BUFFER];
    let mut left = LEN as usize;
    while left > 0 {
        match connection.read(&mut data[..left.min(BUFFER)]).await? {
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            count => left -= count,
        }
    }
    Ok(Instant::now())
}

/// Runs `story` on a thread within a namespace.
fn in_namespace<T: Send + 'static>(
    namespace: NetNs,
    story: impl AsyncFnOnce() -> Result<T, Error> + Send + 'static,
) -> JoinHandle<Result<T, String>> {
    thread::spawn(move || {
        let run = || {
            namespace.enter()?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async { tokio::time::timeout(LONGEST, story()).await })?
        };
        run().map_err(|error| error.to_string())
    })
}

fn result<T>(thread: JoinHandle<Result<T, String>>) -> Result<T, Error> {
    let result = thread
        .join()
        .map_err(|_| "a thread of the kernel's flows panicked")?;
    Ok(result?)
}

/// What the kernel calls a controller.
fn kernel_name(controller: &'static str) -> &'static str {
    match controller {
        "newreno" => "reno",
        other => other,
    }
}

/// The highest limit, in bytes per second, that is not read as none.
static NO_LIMIT: u32 = u32::MAX - 1;

/// Of a device.
const MTU: usize = 1_500;

/// Flows that take longer are stuck.
const LONGEST: Duration = Duration::from_secs(120);
