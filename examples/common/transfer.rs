//! A transfer that proves itself: a client sends a stream that the server can make for itself, and the
//! server compares every byte.
//!
//! ```text
//!   client                                   server
//!     |   connect                              |  accept
//!     |   the data, then the end      ----->   |  reads and compares
//!     |   reads                       <-----   |  how many bytes came, then the end
//! ```
//!
//! The two may be on one stack or on two. Nothing here needs `std` or a heap.

use core::fmt;

use cygnet::{ConnectError, IpEndpoint, ListenError, TcpError, TcpSocket};
use embassy_sync::blocking_mutex::raw::RawMutex;
use embedded_io_async::{Read, ReadExactError, Write};
use futures_util::future::try_join;

use crate::pattern::Pattern;

/// A step of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server has a connection.
    Accepted(Option<IpEndpoint>),
    /// The client has a connection.
    Connected(Option<IpEndpoint>),
    /// So many bytes have arrived so far.
    Progress(u64),
    /// The client has written everything and closed its side.
    Sent(u64),
    /// The server has read everything, and it was what the client wrote.
    Received(u64),
    /// The client has the server's answer and the end.
    Answered(u64),
}

/// Why the conversation ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server cannot listen.
    Listen(ListenError),
    /// The client cannot connect.
    Connect(ConnectError),
    /// The connection broke.
    Connection(TcpError),
    /// Other bytes arrived than were sent, the first of them before this position.
    Corrupted(u64),
    /// The connection ended before everything was there.
    Short(u64),
}

/// Sends `len` bytes from the client to the server, which listens at the endpoint `at`. `observe` hears of
/// each step.
///
/// # Errors
///
/// [`Failure`] says what went wrong.
pub async fn transfer<M: RawMutex>(
    client: TcpSocket<'_, M>,
    server: TcpSocket<'_, M>,
    at: IpEndpoint,
    len: u64,
    observe: impl Fn(Event),
) -> Result<(), Failure> {
    // The client waits for the server's answer, so without a server it would wait for ever: whoever
    // fails first ends both.
    try_join(serve(server, at, &observe), ask(client, at, len, &observe)).await?;
    Ok(())
}

async fn serve<M: RawMutex>(
    mut socket: TcpSocket<'_, M>,
    at: IpEndpoint,
    observe: impl Fn(Event),
) -> Result<(), Failure> {
    socket.accept(at).await.map_err(Failure::Listen)?;
    observe(Event::Accepted(socket.remote_endpoint()));
    let mut expected = Pattern::new(SEED);
    loop {
        let (count, matches) = socket
            .read_with(|data| (data.len(), (data.len(), expected.matches(data))))
            .await?;
        if !matches {
            return Err(Failure::Corrupted(expected.position()));
        }
        if count == 0 {
            break;
        }
        observe(Event::Progress(expected.position()));
    }
    observe(Event::Received(expected.position()));
    socket.write_all(&expected.position().to_be_bytes()).await?;
    socket.close().await?;
    Ok(())
}

async fn ask<M: RawMutex>(
    mut socket: TcpSocket<'_, M>,
    at: IpEndpoint,
    len: u64,
    observe: impl Fn(Event),
) -> Result<(), Failure> {
    socket.connect(at).await.map_err(Failure::Connect)?;
    observe(Event::Connected(socket.local_endpoint()));
    let mut data = Pattern::new(SEED);
    while data.position() < len {
        let left = usize::try_from(len - data.position()).unwrap_or(usize::MAX);
        socket
            .write_with(|room| {
                let count = room.len().min(left);
                data.fill(&mut room[..count]);
                (count, ())
            })
            .await?;
    }
    socket.shutdown_write();
    observe(Event::Sent(len));

    let mut answer = [0; 8];
    socket.read_exact(&mut answer).await?;
    let received = u64::from_be_bytes(answer);
    observe(Event::Answered(received));
    if received != len {
        return Err(Failure::Short(received));
    }
    Ok(())
}

impl From<TcpError> for Failure {
    fn from(error: TcpError) -> Self {
        Self::Connection(error)
    }
}

impl From<ReadExactError<TcpError>> for Failure {
    fn from(error: ReadExactError<TcpError>) -> Self {
        match error {
            ReadExactError::UnexpectedEof => Self::Short(0),
            ReadExactError::Other(error) => Self::Connection(error),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = |f: &mut fmt::Formatter<'_>, endpoint: &Option<IpEndpoint>| match endpoint {
            Some(endpoint) => endpoint.fmt(f),
            None => f.write_str("an end that is gone already"),
        };
        match self {
            Self::Accepted(from) => {
                f.write_str("server: a connection from ")?;
                endpoint(f, from)
            }
            Self::Connected(local) => {
                f.write_str("client: connected from ")?;
                endpoint(f, local)
            }
            Self::Progress(len) => write!(f, "server: {len} bytes so far"),
            Self::Sent(len) => write!(f, "client: wrote {len} bytes and closed its side"),
            Self::Received(len) => write!(f, "server: read {len} bytes, all as they were written"),
            Self::Answered(len) => write!(f, "client: the server says that {len} bytes arrived"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(error) => write!(f, "the server cannot listen: {error}"),
            Self::Connect(error) => write!(f, "the client cannot connect: {error}"),
            Self::Connection(error) => write!(f, "the connection broke: {error}"),
            Self::Corrupted(at) => {
                write!(f, "other bytes arrived than were sent, before byte {at}")
            }
            Self::Short(len) => write!(f, "only {len} bytes arrived"),
        }
    }
}

impl core::error::Error for Failure {}

/// The seed of the data.
const SEED: u64 = 1;
