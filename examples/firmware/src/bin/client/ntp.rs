//! cygnet's UDP sockets as sntpc wants them, and embassy-time as its clock.

use core::net::SocketAddr;

use cygnet::{IpEndpoint, UdpSocket};
use embassy_time::Instant;
use sntpc::{Error, NtpTimestampGenerator, NtpUdpSocket, Result};

/// A socket that is bound, connected or not.
pub(crate) struct Ntp(pub(crate) UdpSocket<'static>);

impl NtpUdpSocket for Ntp {
    async fn send_to(&self, data: &[u8], to: SocketAddr) -> Result<usize> {
        let to = IpEndpoint::try_from(to).map_err(|_| Error::Network)?;
        let sent = self.0.send_to(data, to).await;
        sent.map(|()| data.len()).map_err(|_| Error::Network)
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr)> {
        let received = self.0.recv_from(buffer).await;
        let (len, from) = received.map_err(|_| Error::Network)?;
        Ok((len, from.endpoint.into()))
    }
}

/// The time since the start: all that a device knows before it has asked. sntpc measures with it how long the answer
/// took.
#[derive(Clone, Copy, Default)]
pub(crate) struct Uptime {
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
