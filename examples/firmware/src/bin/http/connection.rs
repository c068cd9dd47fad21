//! cygnet's sockets as picoserve wants them, and embassy-time as its timer.

use cygnet::{TcpError, TcpReader, TcpSocket, TcpWriter};
use embedded_io_async::{ErrorType, Write as BaseWrite};
use picoserve::Timeouts;
use picoserve::io::{Socket, Write};
use picoserve::mem::{BorrowedBuffer, BorrowedCursor};
use picoserve::time::{Duration, Timer};

/// The name of this runtime to picoserve.
pub(crate) struct Embassy;

/// embassy-time.
pub(crate) struct EmbassyTimer;

impl Timer<Embassy> for EmbassyTimer {
    fn delay(&self, duration: Duration) -> impl Future<Output = ()> {
        embassy_time::Timer::after_millis(duration.as_millis())
    }
}

impl Socket<Embassy> for TcpSocket<'static> {
    type Error = TcpError;
    type ReadHalf<'a> = TcpReader<'a, 'static>;
    type WriteHalf<'a> = Writer<'a>;

    fn split(&mut self) -> (Self::ReadHalf<'_>, Self::WriteHalf<'_>) {
        let (reader, writer) = self.split();
        (reader, Writer(writer))
    }

    async fn abort<T: Timer<Embassy>>(
        mut self,
        timeouts: &Timeouts,
        timer: &T,
    ) -> Result<(), picoserve::Error<TcpError>> {
        let aborted = TcpSocket::abort(&mut self);
        let aborted = timer.run_with_timeout(timeouts.write, aborted).await;
        aborted.map_err(picoserve::Error::WriteTimeout)
    }

    /// Dropped, the socket closes in the background, and its task is free for the next one.
    async fn shutdown<T: Timer<Embassy>>(
        self,
        _: &Timeouts,
        _: &T,
    ) -> Result<(), picoserve::Error<TcpError>> {
        Ok(())
    }
}

/// The sending half of a socket, which picoserve writes to in place.
pub(crate) struct Writer<'a>(TcpWriter<'a, 'static>);

impl ErrorType for Writer<'_> {
    type Error = TcpError;
}

impl BaseWrite for Writer<'_> {
    async fn write(&mut self, data: &[u8]) -> Result<usize, TcpError> {
        self.0.write(data).await
    }

    async fn flush(&mut self) -> Result<(), TcpError> {
        self.0.flush().await
    }
}

impl Write for Writer<'_> {
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
