//! cygnet's UDP sockets as [sntpc] wants them, and embassy-time as its clock.
//!
//! ```
//! use core::net::SocketAddr;
//!
//! use cygnet::UdpSocket;
//! use cygnet_sntpc::{NtpSocket, Uptime};
//! use sntpc::{NtpContext, NtpResult};
//!
//! /// Waits for ever if nobody answers: combine it with a timeout.
//! async fn ask(server: SocketAddr, socket: UdpSocket<'static>) -> sntpc::Result<NtpResult> {
//!     let context = NtpContext::new(Uptime::default());
//!     sntpc::get_time(server, &NtpSocket(socket), context).await
//! }
//! ```
#![no_std]
#![forbid(unsafe_code)]

use core::net::SocketAddr;

use cygnet::{IpEndpoint, UdpSocket};
use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};
use embassy_time::Instant;
use sntpc::{Error, NtpTimestampGenerator, NtpUdpSocket, Result};

/// A socket that is bound, connected to the server or not. Connected, it hears nobody else.
pub struct NtpSocket<'d, M: RawMutex = NoopRawMutex>(pub UdpSocket<'d, M>);

impl<M: RawMutex> NtpUdpSocket for NtpSocket<'_, M> {
    /// As [`UdpSocket::send_to`]. Cancellation safe.
    ///
    /// # Errors
    ///
    /// [`Error::Network`], whatever it is.
    async fn send_to(&self, data: &[u8], to: SocketAddr) -> Result<usize> {
        let to = IpEndpoint::try_from(to).map_err(|_| Error::Network)?;
        let sent = self.0.send_to(data, to).await;
        sent.map(|()| data.len()).map_err(|_| Error::Network)
    }

    /// As [`UdpSocket::recv_from`]. Cancellation safe.
    ///
    /// # Errors
    ///
    /// [`Error::Network`], whatever it is: a datagram that is too long, too.
    async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr)> {
        let received = self.0.recv_from(buffer).await;
        let (len, from) = received.map_err(|_| Error::Network)?;
        Ok((len, from.endpoint.into()))
    }
}

/// The time since the start: all that a device knows before it has asked. sntpc measures with it how long the answer
/// took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uptime {
    micros: u64,
}

impl NtpTimestampGenerator for Uptime {
    fn init(&mut self) {
        self.micros = Instant::now().as_micros();
    }

    fn timestamp_sec(&self) -> u64 {
        self.micros / 1_000_000
    }

    fn timestamp_subsec_micros(&self) -> u32 {
        (self.micros % 1_000_000) as u32
    }
}
