//! The kernel's side: a thread with a blocking socket, which also holds the watch.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::{Direction, PORT, Transfer};

/// Resolves when the kernel's side is done, be it well or not. Nothing is ever sent: that the sender is
/// gone says it all.
pub(crate) type Done = oneshot::Receiver<Infallible>;

/// Connects to the stack and moves the data. The thread returns how long the data took.
pub(crate) fn start(
    stack: Ipv4Addr,
    transfer: Transfer,
) -> (JoinHandle<io::Result<Duration>>, Done) {
    let (sender, done) = oneshot::channel();
    let thread = thread::spawn(move || {
        // Dropped at the end, even after a panic.
        let _sender = sender;
        let stream = TcpStream::connect_timeout(&SocketAddr::from((stack, PORT)), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let started = Instant::now();
        match transfer.direction {
            Direction::Reader => read_all(stream, transfer.size)?,
            Direction::Writer => write_all(stream, transfer.size)?,
        }
        Ok(started.elapsed())
    });
    (thread, done)
}

fn read_all(mut stream: TcpStream, size: u64) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut received = 0;
    loop {
        match stream.read(&mut chunk)? {
            0 if received == size => return Ok(()),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => received += count as u64,
        }
    }
}

/// Done when everything has arrived: the stack closes only then.
fn write_all(mut stream: TcpStream, size: u64) -> io::Result<()> {
    let chunk = vec![0; CHUNK];
    let mut left = size;
    while left > 0 {
        let count = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        stream.write_all(&chunk[..count])?;
        left -= count as u64;
    }
    stream.shutdown(Shutdown::Write)?;
    match stream.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// What is read or written at a time, in bytes.
const CHUNK: usize = 1 << 18;
/// The longest standstill.
const PATIENCE: Duration = Duration::from_secs(10);
