//! A network host that answers: 192.168.69.1 and fdaa::1 with hardware address 02-00-00-00-00-01.
//!
//! ```sh
//! cargo run --release --example server -- --tap tap0
//! cargo run --release --example server -- --sandbox            # a shell in which it can be reached
//! cargo run --release --example server -- --sandbox -- ping -c 4 192.168.69.1
//! cargo run --release --example server -- --sandbox -- ping -c 4 fdaa::1
//! ```
//!
//! | try | and see |
//! | --- | --- |
//! | `ping 192.168.69.1` | replies |
//! | `socat stdio udp4-connect:192.168.69.1:6969 <<<"abcdefg"` | the datagram reversed |
//! | `socat stdio tcp4-connect:192.168.69.1:6969` | "hello", and the end |
//! | `socat stdio tcp4-connect:192.168.69.1:6970 <<<"abcdefg"` | what is sent, in reversed chunks |
//! | `socat stdio tcp4-connect:192.168.69.1:6971 </dev/urandom` | nothing: it swallows all. It asks a silent peer each second whether it is there, and gives up after two |
//! | `socat stdio tcp4-connect:192.168.69.1:6972 >/dev/null` | data without end |
//! | `socat stdio 'tcp6-connect:[fdaa::1]:6969'`, and so on | the same over IPv6 |
//!
//! A gigabyte in each direction over a wire that loses a fifth of all frames, and arrives as it was:
//!
//! ```sh
//! lossy="cargo run --release --example server -- --sandbox --drop-chance 10 --corrupt-chance 10 --sha256"
//! $lossy --congestion none --size 1G -- sh -c 'socat -u tcp4-connect:192.168.69.1:6972 - | sha256sum'
//! $lossy -- bash -c '
//!     ip neigh replace 192.168.69.1 lladdr 02:00:00:00:00:01 nud permanent dev tap0
//!     ip route change 192.168.69.0/24 dev tap0 src 192.168.69.100 rto_min 5ms congctl bbr
//!     head -c 1G /dev/urandom | tee >(sha256sum >&2) | socat -t 600 - tcp4-connect:192.168.69.1:6971'
//! ```
//!
//! Without the permanent neighbor the kernel takes the time that a lost ARP request costs for a round trip, and
//! with the usual shortest timeout of 200 ms each retransmission that is lost twice costs as much.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use cygnet::{
    BufferPool, Duration, Stack, TcpError, TcpListener, TcpSocket, UdpPacketMetadata, UdpSocket,
};
use cygnet_examples::congestion::Congestion;
use cygnet_examples::device::DeviceOptions;
use cygnet_examples::host::{self, Host};
use cygnet_examples::pattern::Pattern;
use cygnet_examples::session::serve_command;
use cygnet_examples::units::{self, BitRate};
use cygnet_examples::{Error, arguments, exit, reverse_chunk};
use embedded_io_async::Write;
use sha2::{Digest, Sha256};
use tokio::task::spawn_local;

/// A network host that answers pings and serves the ports 6969 (UDP: reversed datagrams; TCP: "hello"),
/// 6970 (reversed chunks), 6971 (takes data) and 6972 (gives data), at 192.168.69.1 and fdaa::1
///
/// With --sandbox it runs COMMAND, or a shell, where it can be reached, and ends with it.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    device: DeviceOptions,

    /// The buffers of connections to the ports 6971 and 6972; those of the others have 64 bytes
    #[arg(long, value_name = "SIZE", default_value = "256K", value_parser = units::buffer_size)]
    buffer: usize,

    /// Port 6972 gives this much and ends, in bytes or with K, M, G [default: without end]
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    size: Option<u64>,

    /// The congestion control of the stack
    #[arg(long, value_enum, default_value_t = Congestion::Cubic)]
    congestion: Congestion,

    /// Print the SHA-256 of what went through the ports 6971 and 6972
    #[arg(long)]
    sha256: bool,
}

/// Small on purpose, so that running out of room is easy to see.
const SMALL_BUFFER: usize = 64;
/// The connections to the ports 6969 and 6970 together, and to 6971 and 6972 together.
const SMALL_CONNECTIONS: usize = 128;
const BULK_CONNECTIONS: usize = 64;

fn main() -> ExitCode {
    let args = arguments::<Args>();
    let host = Host {
        congestion: args.congestion.into(),
        ..host::SERVER
    };
    exit(host::run(&args.device, host, async |stack| {
        serve(stack, &args).await
    }))
}

async fn serve(stack: Stack<'static>, args: &Args) -> Result<ExitCode, Error> {
    let small = stack.add_owned_pool(SMALL_CONNECTIONS, SMALL_BUFFER, SMALL_BUFFER)?;
    let bulk = stack.add_owned_pool(BULK_CONNECTIONS, args.buffer, args.buffer)?;
    let (size, sha256) = (args.size, args.sha256);
    spawn_local(echo_datagrams(bind_udp(stack, 6969)?));
    listen(stack, 6969, small, hello)?;
    listen(stack, 6970, small, reverse)?;
    listen(stack, 6971, bulk, async move |socket| {
        take(socket, Meter::new(sha256)).await
    })?;
    listen(stack, 6972, bulk, async move |socket| {
        give(socket, size, Meter::new(sha256)).await
    })?;
    let host = host::SERVER;
    log::info!("serving at {} and {}", host.address, host.address_v6);

    serve_command(&args.device).await
}

/// Accepts connections to a port for ever, and gives each to a task that runs `service`.
fn listen(
    stack: Stack<'static>,
    port: u16,
    pool: BufferPool<'static>,
    service: impl AsyncFn(&mut TcpSocket<'static>) -> Result<Meter, TcpError> + Clone + 'static,
) -> Result<(), Error> {
    let listener = TcpListener::bind(stack, port, pool)?;
    spawn_local(async move {
        // The errors of `accept` are about its callers, and there is one.
        while let Ok(mut socket) = listener.accept().await {
            let service = service.clone();
            spawn_local(async move {
                let peer = socket.remote_endpoint().map(|peer| peer.to_string());
                let name = format!("tcp:{port} {}", peer.as_deref().unwrap_or("(gone)"));
                log::info!("{name}: connected");
                match service(&mut socket).await {
                    Ok(meter) => log::info!("{name}: done, {}", meter.report()),
                    Err(error) => log::info!("{name}: {error}"),
                }
            });
        }
    });
    Ok(())
}

/// UDP 6969: each datagram goes back reversed.
async fn echo_datagrams(socket: UdpSocket<'static>) {
    loop {
        let mut data = [0; SMALL_BUFFER];
        let received = socket.recv_from(&mut data).await;
        let Ok((len, from)) = received else { continue };
        reverse_chunk(&mut data[..len]);
        log::info!("udp:6969 {}: {len} bytes", from.endpoint);
        if let Err(error) = socket.send_to(&data[..len], from).await {
            log::info!("udp:6969 {}: {error}", from.endpoint);
        }
    }
}

fn bind_udp(stack: Stack<'static>, port: u16) -> Result<UdpSocket<'static>, Error> {
    let records = || vec![UdpPacketMetadata::EMPTY; 4];
    let bytes = || vec![0; SMALL_BUFFER];
    let mut socket = UdpSocket::new(stack, records(), bytes(), records(), bytes())?;
    socket.bind(port)?;
    Ok(socket)
}

/// TCP 6969: says hello and closes.
async fn hello(socket: &mut TcpSocket<'static>) -> Result<Meter, TcpError> {
    let mut meter = Meter::new(false);
    socket.write_all(b"hello\n").await?;
    meter.count(b"hello\n");
    socket.close().await?;
    Ok(meter)
}

/// TCP 6970: each chunk that arrives goes back reversed.
async fn reverse(socket: &mut TcpSocket<'static>) -> Result<Meter, TcpError> {
    let mut meter = Meter::new(false);
    let mut buffer = [0; SMALL_BUFFER];
    loop {
        let len = socket.read(&mut buffer).await?;
        let chunk = &mut buffer[..len];
        if chunk.is_empty() {
            socket.close().await?;
            return Ok(meter);
        }
        reverse_chunk(chunk);
        socket.write_all(chunk).await?;
        meter.count(chunk);
    }
}

/// TCP 6971: takes whatever comes, as long as somebody is there.
async fn take(socket: &mut TcpSocket<'static>, mut meter: Meter) -> Result<Meter, TcpError> {
    socket.set_keep_alive(Some(Duration::from_secs(1)));
    socket.set_timeout(Some(Duration::from_secs(2)));
    loop {
        let count = socket
            .read_with(|data| {
                meter.count(data);
                (data.len(), data.len())
            })
            .await?;
        if count == 0 {
            socket.close().await?;
            return Ok(meter);
        }
    }
}

/// TCP 6972: gives data, and ends after `size` bytes if there is a limit.
async fn give(
    socket: &mut TcpSocket<'static>,
    size: Option<u64>,
    mut meter: Meter,
) -> Result<Meter, TcpError> {
    let mut data = Pattern::new(0);
    loop {
        let left = size.map_or(u64::MAX, |size| size - data.position());
        if left == 0 {
            socket.close().await?;
            return Ok(meter);
        }
        socket
            .write_with(|room| {
                let count = room.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                data.fill(&mut room[..count]);
                meter.count(&room[..count]);
                (count, ())
            })
            .await?;
    }
}

/// What went through a connection.
struct Meter {
    started: Instant,
    bytes: u64,
    hash: Option<Sha256>,
}

impl Meter {
    fn new(sha256: bool) -> Self {
        Self {
            started: Instant::now(),
            bytes: 0,
            hash: sha256.then(Sha256::new),
        }
    }

    fn count(&mut self, data: &[u8]) {
        self.bytes += data.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(data);
        }
    }

    fn report(self) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = BitRate::new(self.bytes, seconds);
        let mut report = format!("{} bytes in {seconds:.3} s, {rate}", self.bytes);
        if let Some(hash) = self.hash {
            report.push_str(", sha256 ");
            for byte in hash.finalize() {
                report.push_str(&format!("{byte:02x}"));
            }
        }
        report
    }
}
