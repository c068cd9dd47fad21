//! Moves a lot of data between the stack and the kernel through a tap device, as fast as it goes.
//!
//! ```sh
//! cargo run --release --example benchmark -- --tap tap0 reader
//! cargo run --release --example benchmark -- --sandbox writer
//! cargo run --release --example benchmark -- --sandbox --verify --drop-chance 10 --corrupt-chance 10 reader
//! ```
//!
//! The stack is 192.168.69.1 with hardware address 02-00-00-00-00-02. Another thread connects to it through
//! the kernel, and reads or writes in one direction. The two share the device with nobody, so that nothing but
//! the peer's window holds the stack back, unless `--congestion` says so: with it, every loss that
//! `--drop-chance` makes counts as congestion.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use cygnet::{Stack, TcpSocket};
use cygnet_examples::congestion::Congestion;
use cygnet_examples::device::DeviceOptions;
use cygnet_examples::host::{self, Host};
use cygnet_examples::pattern::Pattern;
use cygnet_examples::session::start_command;
use cygnet_examples::units::{self, BitRate};
use cygnet_examples::{Error, arguments, exit};
use tokio::sync::oneshot;

/// Measures how fast data goes between the stack and the kernel
#[derive(Parser)]
struct Args {
    /// What the kernel's side does
    mode: Mode,

    /// How much to move, in bytes or with K, M, G
    #[arg(long, default_value = "1G", value_parser = units::size)]
    size: u64,

    /// The stack's socket buffers
    #[arg(long, value_name = "SIZE", default_value = "1M", value_parser = units::buffer_size)]
    buffer: usize,

    /// The congestion control of the stack
    #[arg(long, value_enum, default_value_t = Congestion::None)]
    congestion: Congestion,

    /// Compare every byte that arrives with what was sent, which takes time of its own
    #[arg(long)]
    verify: bool,

    #[command(flatten)]
    device: DeviceOptions,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// The kernel reads what the stack sends
    Reader,
    /// The kernel writes what the stack receives
    Writer,
}

const HOST: Host = Host {
    hardware_address: [0x02, 0, 0, 0, 0, 0x02],
    ..host::SERVER
};
const PORT: u16 = 1234;

/// What has yet to be sent, or to arrive.
#[derive(Clone, Copy)]
struct Load {
    left: u64,
    /// What the bytes are; without it, whatever the buffers hold: making up data is not what is measured.
    pattern: Option<Pattern>,
}

/// What the kernel's side reads or writes at a time.
const CHUNK: usize = 1 << 18;
/// How long the kernel's side waits for a connection, and how long it tries again: it believes an ARP reply that
/// `--corrupt-chance` has changed for up to 45 seconds, and some more to find out.
const ATTEMPT: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let args = arguments::<Args>();
    let host = Host {
        congestion: args.congestion.into(),
        ..HOST
    };
    exit(host::run(&args.device, host, async |stack| {
        measure(stack, &args).await
    }))
}

async fn measure(stack: Stack<'static>, args: &Args) -> Result<ExitCode, Error> {
    let _beside = start_command(&args.device)?;
    let (size, mode) = (args.size, args.mode);
    let load = Load {
        left: size,
        pattern: args.verify.then_some(Pattern::new(1)),
    };
    let mut socket = TcpSocket::new(stack, vec![0; args.buffer], vec![0; args.buffer])?;
    let (done, kernel) = oneshot::channel();
    thread::spawn(move || {
        // Nobody waits for the result any more only if this side of the connection has failed.
        let _ = done.send(kernel_side(mode, load));
    });

    let stack_side = async {
        socket.accept(PORT).await?;
        match mode {
            Mode::Reader => send(&mut socket, load).await?,
            Mode::Writer => receive(&mut socket, load).await?,
        }
        Ok::<_, Error>(())
    };
    let (took, ()) = tokio::try_join!(async { kernel.await?.map_err(Error::from) }, stack_side)?;
    let rate = BitRate::new(size, took.as_secs_f64());
    log::info!("{size} bytes in {:.3} s", took.as_secs_f64());
    if args.verify {
        println!("{size} bytes arrived as they were sent");
    }
    println!("throughput: {:.3} Gbps", rate.as_gigabits());
    Ok(ExitCode::SUCCESS)
}

async fn send(socket: &mut TcpSocket<'static>, mut load: Load) -> Result<(), Error> {
    while load.left > 0 {
        socket.write_with(|room| (load.fill(room), ())).await?;
    }
    Ok(socket.close().await?)
}

async fn receive(socket: &mut TcpSocket<'static>, mut load: Load) -> Result<(), Error> {
    while socket
        .read_with(|data| (data.len(), load.take(data)))
        .await??
    {}
    Ok(socket.close().await?)
}

/// What the other thread does, and how long the data took.
fn kernel_side(mode: Mode, load: Load) -> Result<Duration, String> {
    let remote = SocketAddr::from((host::SERVER.address, PORT));
    let failed = |error: io::Error| format!("the kernel's side failed: {error}");
    let stream = connect(&remote).map_err(|error| {
        format!(
            "the kernel cannot connect to {remote}: {error}; is its end {}/24?",
            host::GATEWAY
        )
    })?;
    let started = Instant::now();
    match mode {
        Mode::Reader => read_all(stream, load).map_err(failed)?,
        Mode::Writer => write_all(stream, load).map_err(failed)?,
    }
    Ok(started.elapsed())
}

fn connect(remote: &SocketAddr) -> io::Result<TcpStream> {
    let begin = Instant::now();
    loop {
        let result = TcpStream::connect_timeout(remote, ATTEMPT);
        // What a lost ARP reply and a lost SYN end in.
        let lost = result.as_ref().is_err_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::HostUnreachable | io::ErrorKind::TimedOut
            )
        });
        if !lost || begin.elapsed() > PATIENCE {
            return result;
        }
    }
}

fn read_all(mut stream: TcpStream, mut load: Load) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = stream.read(&mut buffer)?;
        if !load.take(&buffer[..count]).map_err(io::Error::other)? {
            return Ok(());
        }
    }
}

/// Done when everything has arrived: the other side closes only then.
fn write_all(mut stream: TcpStream, mut load: Load) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    while load.left > 0 {
        let count = load.fill(&mut buffer);
        stream.write_all(&buffer[..count])?;
    }
    stream.shutdown(Shutdown::Write)?;
    match stream.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

impl Load {
    /// Puts what is sent next into `room`, and says how much that is.
    fn fill(&mut self, room: &mut [u8]) -> usize {
        let count = room
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if let Some(pattern) = &mut self.pattern {
            pattern.fill(&mut room[..count]);
        }
        self.left -= count as u64;
        count
    }

    /// Takes what has arrived, nothing at the end, and says whether there is more.
    fn take(&mut self, data: &[u8]) -> Result<bool, String> {
        if let Some(pattern) = &mut self.pattern
            && !pattern.matches(data)
        {
            let position = pattern.position();
            return Err(format!(
                "other bytes arrived than were sent, before byte {position}"
            ));
        }
        self.left = self
            .left
            .checked_sub(data.len() as u64)
            .ok_or("more bytes arrived than were sent")?;
        match (data.len(), self.left) {
            (0, 0) => Ok(false),
            (0, left) => Err(format!("the last {left} bytes did not arrive")),
            _ => Ok(true),
        }
    }
}
