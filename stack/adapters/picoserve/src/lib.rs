//! cygnet's sockets as [picoserve] wants them, and embassy-time as its timer.
//!
//! A connection that a listener accepted is served as it is:
//!
//! ```
//! use cygnet::TcpListener;
//! use cygnet_picoserve::{Embassy, EmbassyTimer};
//! use picoserve::routing::PathRouter;
//! use picoserve::{Config, Router, Server};
//!
//! async fn serve<P: PathRouter>(listener: &TcpListener<'static>, router: &Router<P>, config: &Config) {
//!     let mut buffer = [0; 1024];
//!     while let Ok(socket) = listener.accept().await {
//!         let server = Server::<Embassy, _, _, _>::custom(router, EmbassyTimer, config, &mut buffer);
//!         let _ = server.serve(socket).await;
//!     }
//! }
//! ```
#![no_std]
#![forbid(unsafe_code)]

use cygnet::{TcpError, TcpReader, TcpSocket, TcpWriter};
use embassy_sync::blocking_mutex::raw::RawMutex;
use embedded_io_async::{ErrorType, Write as BaseWrite};
use picoserve::Timeouts;
use picoserve::io::{Socket, Write};
use picoserve::mem::{BorrowedBuffer, BorrowedCursor};
use picoserve::time::{Duration, Timer};

/// The name of this runtime to picoserve.
#[derive(Debug)]
pub enum Embassy {}

/// embassy-time.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbassyTimer;

impl Timer<Embassy> for EmbassyTimer {
    fn delay(&self, duration: Duration) -> impl Future<Output = ()> {
        embassy_time::Timer::after_millis(duration.as_millis())
    }
}

impl<'d, M: RawMutex> Socket<Embassy> for TcpSocket<'d, M> {
    type Error = TcpError;
    type ReadHalf<'a>
        = TcpReader<'a, 'd, M>
    where
        Self: 'a;
    type WriteHalf<'a>
        = Writer<'a, 'd, M>
    where
        Self: 'a;

    fn split(&mut self) -> (Self::ReadHalf<'_>, Self::WriteHalf<'_>) {
        let (reader, writer) = self.split();
        (reader, Writer(writer))
    }

    /// Resets the connection. Cancellation safe.
    async fn abort<T: Timer<Embassy>>(
        mut self,
        timeouts: &Timeouts,
        timer: &T,
    ) -> Result<(), picoserve::Error<TcpError>> {
        let aborted = TcpSocket::abort(&mut self);
        let aborted = timer.run_with_timeout(timeouts.write, aborted).await;
        aborted.map_err(picoserve::Error::WriteTimeout)
    }

    /// Ends the sending side, and swallows what the client still says until it has ended, too, or the time to read a
    /// request is over. The rest goes on in the background.
    ///
    /// A connection that is closed while the client sends is reset, and what it has not got of the answer by then is
    /// lost (RFC 9112, section 9.6).
    async fn shutdown<T: Timer<Embassy>>(
        mut self,
        timeouts: &Timeouts,
        timer: &T,
    ) -> Result<(), picoserve::Error<TcpError>> {
        self.shutdown_write();
        let swallow = async {
            while self.read_with(|data| (data.len(), data.len())).await? > 0 {}
            Ok(())
        };
        let swallowed = timer.run_with_timeout(timeouts.read_request, swallow);
        // A client that says nothing and stays does so at its own cost.
        swallowed
            .await
            .unwrap_or(Ok(()))
            .map_err(picoserve::Error::Read)
    }
}

/// The sending half of a socket, which picoserve writes to in place.
pub struct Writer<'a, 'd, M: RawMutex>(TcpWriter<'a, 'd, M>);

impl<M: RawMutex> ErrorType for Writer<'_, '_, M> {
    type Error = TcpError;
}

impl<M: RawMutex> BaseWrite for Writer<'_, '_, M> {
    /// As [`TcpWriter::write`].
    async fn write(&mut self, data: &[u8]) -> Result<usize, TcpError> {
        self.0.write(data).await
    }

    /// As [`TcpWriter::flush`].
    async fn flush(&mut self) -> Result<(), TcpError> {
        self.0.flush().await
    }
}

impl<M: RawMutex> Write for Writer<'_, '_, M> {
    /// As [`TcpWriter::write_with`].
    async fn write_with<F: FnOnce(BorrowedCursor<'_>) -> R, R>(
        &mut self,
        f: F,
    ) -> Result<R, TcpError> {
        let write = |room: &mut [u8]| {
            let mut buffer = BorrowedBuffer::new(room);
            let result = f(buffer.unfilled());
            (buffer.len(), result)
        };
        self.0.write_with(write).await
    }
}
