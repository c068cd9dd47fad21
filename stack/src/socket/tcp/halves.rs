//! The two directions of a connection as two values, and embedded-io-async for all of them.

use core::future::poll_fn;
use core::marker::PhantomData;
use core::task::{Context, Poll};

use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};
use embedded_io_async::{ErrorType, Read, ReadReady, Write, WriteReady};

use super::io::Io;
use super::{TcpError, TcpSocket};
use crate::engine::Deed;

/// The receiving side of a [`TcpSocket`] that is split.
pub struct TcpReader<'a, 'd, M: RawMutex = NoopRawMutex> {
    io: Io<'d, M>,
    socket: PhantomData<&'a mut TcpSocket<'d, M>>,
}

/// The sending side of a [`TcpSocket`] that is split.
pub struct TcpWriter<'a, 'd, M: RawMutex = NoopRawMutex> {
    io: Io<'d, M>,
    socket: PhantomData<&'a mut TcpSocket<'d, M>>,
}

/// The receiving side of a connection, owning it together with an [`OwnedWriteHalf`].
pub struct OwnedReadHalf<'d, M: RawMutex = NoopRawMutex> {
    io: Io<'d, M>,
}

/// The sending side of a connection, owning it together with an [`OwnedReadHalf`]. Dropping it closes
/// the sending side.
pub struct OwnedWriteHalf<'d, M: RawMutex = NoopRawMutex> {
    io: Io<'d, M>,
}

pub(super) fn split<'a, 'd, M: RawMutex>(
    io: &Io<'d, M>,
) -> (TcpReader<'a, 'd, M>, TcpWriter<'a, 'd, M>) {
    let reader = TcpReader {
        io: *io,
        socket: PhantomData,
    };
    let writer = TcpWriter {
        io: *io,
        socket: PhantomData,
    };
    (reader, writer)
}

pub(super) fn into_split<'d, M: RawMutex>(
    io: Io<'d, M>,
) -> (OwnedReadHalf<'d, M>, OwnedWriteHalf<'d, M>) {
    io.stack.see_to(io.key, Deed::Split);
    (OwnedReadHalf { io }, OwnedWriteHalf { io })
}

impl<M: RawMutex> Drop for OwnedReadHalf<'_, M> {
    fn drop(&mut self) {
        self.io.stack.drop_handle(self.io.key);
    }
}

impl<M: RawMutex> Drop for OwnedWriteHalf<'_, M> {
    fn drop(&mut self) {
        self.io.shutdown();
        self.io.stack.drop_handle(self.io.key);
    }
}

/// The receiving side's methods and traits, the same for all that have one.
macro_rules! receiving {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> $type {
            /// As [`TcpSocket::read`].
            ///
            /// # Errors
            ///
            /// As [`TcpSocket::read`].
            pub fn read(
                &mut self,
                buffer: &mut [u8],
            ) -> impl Future<Output = Result<usize, TcpError>> {
                poll_fn(|cx| self.io.poll_read(cx, buffer))
            }

            /// As [`TcpSocket::poll_read`].
            pub fn poll_read(
                &mut self,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<Result<usize, TcpError>> {
                self.io.poll_read(cx, buffer)
            }

            /// As [`TcpSocket::read_with`].
            ///
            /// # Errors
            ///
            /// As [`TcpSocket::read`].
            pub async fn read_with<R>(
                &mut self,
                f: impl FnOnce(&mut [u8]) -> (usize, R),
            ) -> Result<R, TcpError> {
                self.io.read_with(f).await
            }

            /// As [`TcpSocket::wait_read_ready`].
            pub fn wait_read_ready(&self) -> impl Future<Output = ()> {
                poll_fn(|cx| self.io.poll_read_ready(cx))
            }
        }
    };
}

/// The sending side's.
macro_rules! sending {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> $type {
            /// As [`TcpSocket::write`].
            ///
            /// # Errors
            ///
            /// As [`TcpSocket::write`].
            pub fn write(&mut self, data: &[u8]) -> impl Future<Output = Result<usize, TcpError>> {
                poll_fn(|cx| self.io.poll_write(cx, data))
            }

            /// As [`TcpSocket::poll_write`].
            pub fn poll_write(
                &mut self,
                cx: &mut Context<'_>,
                data: &[u8],
            ) -> Poll<Result<usize, TcpError>> {
                self.io.poll_write(cx, data)
            }

            /// As [`TcpSocket::write_with`].
            ///
            /// # Errors
            ///
            /// As [`TcpSocket::write`].
            pub async fn write_with<R>(
                &mut self,
                f: impl FnOnce(&mut [u8]) -> (usize, R),
            ) -> Result<R, TcpError> {
                self.io.write_with(f).await
            }

            /// As [`TcpSocket::flush`].
            ///
            /// # Errors
            ///
            /// As [`TcpSocket::flush`].
            pub fn flush(&mut self) -> impl Future<Output = Result<(), TcpError>> {
                poll_fn(|cx| self.io.poll_flush(cx))
            }

            /// As [`TcpSocket::shutdown_write`].
            pub fn shutdown_write(&mut self) {
                self.io.shutdown();
            }

            /// As [`TcpSocket::wait_write_ready`].
            pub fn wait_write_ready(&self) -> impl Future<Output = ()> {
                poll_fn(|cx| self.io.poll_write_ready(cx))
            }
        }
    };
}

receiving!(['d, M: RawMutex] TcpReader<'_, 'd, M>);
receiving!(['d, M: RawMutex] OwnedReadHalf<'d, M>);
sending!(['d, M: RawMutex] TcpWriter<'_, 'd, M>);
sending!(['d, M: RawMutex] OwnedWriteHalf<'d, M>);

/// embedded-io-async for what can be read from.
macro_rules! embedded_read {
    ($type:ty) => {
        impl<M: RawMutex> Read for $type {
            fn read(&mut self, buffer: &mut [u8]) -> impl Future<Output = Result<usize, TcpError>> {
                poll_fn(|cx| self.io.poll_read(cx, buffer))
            }
        }

        impl<M: RawMutex> ReadReady for $type {
            fn read_ready(&mut self) -> Result<bool, TcpError> {
                Ok(self.io.is_read_ready())
            }
        }
    };
}

/// embedded-io-async for what can be written to.
macro_rules! embedded_write {
    ($type:ty) => {
        impl<M: RawMutex> Write for $type {
            fn write(&mut self, data: &[u8]) -> impl Future<Output = Result<usize, TcpError>> {
                poll_fn(|cx| self.io.poll_write(cx, data))
            }

            fn write_all(&mut self, data: &[u8]) -> impl Future<Output = Result<(), TcpError>> {
                let mut rest = data;
                poll_fn(move |cx| self.io.poll_write_all(cx, &mut rest))
            }

            fn flush(&mut self) -> impl Future<Output = Result<(), TcpError>> {
                poll_fn(|cx| self.io.poll_flush(cx))
            }
        }

        impl<M: RawMutex> WriteReady for $type {
            fn write_ready(&mut self) -> Result<bool, TcpError> {
                Ok(self.io.is_write_ready())
            }
        }
    };
}

impl<M: RawMutex> ErrorType for TcpSocket<'_, M> {
    type Error = TcpError;
}
impl<M: RawMutex> ErrorType for TcpReader<'_, '_, M> {
    type Error = TcpError;
}
impl<M: RawMutex> ErrorType for TcpWriter<'_, '_, M> {
    type Error = TcpError;
}
impl<M: RawMutex> ErrorType for OwnedReadHalf<'_, M> {
    type Error = TcpError;
}
impl<M: RawMutex> ErrorType for OwnedWriteHalf<'_, M> {
    type Error = TcpError;
}

embedded_read!(TcpSocket<'_, M>);
embedded_read!(TcpReader<'_, '_, M>);
embedded_read!(OwnedReadHalf<'_, M>);
embedded_write!(TcpSocket<'_, M>);
embedded_write!(TcpWriter<'_, '_, M>);
embedded_write!(OwnedWriteHalf<'_, M>);
