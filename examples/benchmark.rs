//! Moves a lot of data between the stack and the kernel through a tap device, as fast as it goes.
//!
//! ```sh
//! cargo run --release --example benchmark -- --tap tap0 reader
//! cargo run --release --example benchmark -- --sandbox writer
//! ```
//!
//! The stack is 192.168.69.1 with hardware address 02-00-00-00-00-02. Another thread connects to it through
//! the kernel, and reads or writes in one direction.

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
    #[arg(long, value_enum, default_value_t = Congestion::Cubic)]
    congestion: Congestion,

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

/// What the kernel's side reads or writes at a time.
const CHUNK: usize = 1 << 18;
/// How long the kernel's side waits for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

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
    let mut socket = TcpSocket::new(stack, vec![0; args.buffer], vec![0; args.buffer])?;
    let (done, kernel) = oneshot::channel();
    thread::spawn(move || {
        // Nobody waits for the result any more only if this side of the connection has failed.
        let _ = done.send(kernel_side(mode, size));
    });

    let stack_side = async {
        socket.accept(PORT).await?;
        match mode {
            Mode::Reader => send(&mut socket, size).await?,
            Mode::Writer => receive(&mut socket, size).await?,
        }
        Ok::<_, Error>(())
    };
    let (took, ()) = tokio::try_join!(async { kernel.await?.map_err(Error::from) }, stack_side)?;
    let rate = BitRate::new(size, took.as_secs_f64());
    log::info!("{size} bytes in {:.3} s", took.as_secs_f64());
    println!("throughput: {:.3} Gbps", rate.as_gigabits());
    Ok(ExitCode::SUCCESS)
}

/// Sends whatever the buffer holds: making up data is not what is measured.
async fn send(socket: &mut TcpSocket<'static>, size: u64) -> Result<(), Error> {
    let mut left = size;
    while left > 0 {
        left -= socket
            .write_with(|room| {
                let count = room.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                (count, count as u64)
            })
            .await?;
    }
    Ok(socket.close().await?)
}

async fn receive(socket: &mut TcpSocket<'static>, size: u64) -> Result<(), Error> {
    let mut received = 0;
    loop {
        let count = socket.read_with(|data| (data.len(), data.len())).await?;
        if count == 0 {
            break;
        }
        received += count as u64;
    }
    if received != size {
        return Err(format!("{received} bytes arrived of {size}").into());
    }
    Ok(socket.close().await?)
}

/// What the other thread does, and how long the data took.
fn kernel_side(mode: Mode, size: u64) -> Result<Duration, String> {
    let remote = SocketAddr::from((host::SERVER.address, PORT));
    let failed = |error: io::Error| format!("the kernel's side failed: {error}");
    let stream = TcpStream::connect_timeout(&remote, PATIENCE).map_err(|error| {
        format!(
            "the kernel cannot connect to {remote}: {error}; is its end {}/24?",
            host::GATEWAY
        )
    })?;
    let started = Instant::now();
    match mode {
        Mode::Reader => read_all(stream, size).map_err(failed)?,
        Mode::Writer => write_all(stream, size).map_err(failed)?,
    }
    Ok(started.elapsed())
}

fn read_all(mut stream: TcpStream, size: u64) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    let mut received = 0;
    loop {
        match stream.read(&mut buffer)? {
            0 if received == size => return Ok(()),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => received += count as u64,
        }
    }
}

/// Done when everything has arrived: the other side closes only then.
fn write_all(mut stream: TcpStream, size: u64) -> io::Result<()> {
    let buffer = vec![0; CHUNK];
    let mut left = size;
    while left > 0 {
        let count = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        stream.write_all(&buffer[..count])?;
        left -= count as u64;
    }
    stream.shutdown(Shutdown::Write)?;
    match stream.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}
