//! What a network offers a device that starts in it: leases and names by dnsmasq, a page, and the time.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::process::{Child, Command};

use crate::Error;

/// All of it, until dropped.
pub(crate) struct Services {
    dnsmasq: Child,
    web: TcpListener,
    time: UdpSocket,
}

impl Services {
    /// Starts them on an interface of the kernel that has the address [`KERNEL`].
    pub(crate) async fn start(interface: &str) -> Result<Self, Error> {
        let options = [
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--no-ping",
            "--bind-interfaces",
            "--except-interface=lo",
            "--user=root",
            "--pid-file=",
            "--leasefile-ro",
            "--log-facility=/dev/null",
            "--dhcp-authoritative",
            "--dhcp-range=192.168.69.200,192.168.69.209,2m",
            "--address=/www.cygnet.test/192.168.69.100",
            "--address=/time.cygnet.test/192.168.69.100",
        ];
        let mut command = Command::new("dnsmasq");
        command
            .args(options)
            .arg(format!("--interface={interface}"))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let started = command.spawn();
        Ok(Self {
            dnsmasq: started.map_err(|error| format!("cannot start dnsmasq: {error}"))?,
            web: TcpListener::bind((KERNEL, 80)).await?,
            time: UdpSocket::bind((KERNEL, 123)).await?,
        })
    }

    /// Whether dnsmasq is still there.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        match self.dnsmasq.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("dnsmasq ended: {status}").into()),
        }
    }

    /// Serves one page, and returns the request.
    pub(crate) async fn serve_page(&self) -> Result<String, Error> {
        let (mut stream, _) = self.web.accept().await?;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut request).await? == 0 {
                return Err("the request has no end".into());
            }
        }
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", PAGE.len());
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(PAGE.as_bytes()).await?;
        stream.shutdown().await?;
        // The board closes as well, and nothing else comes.
        match stream.read(&mut [0; 1]).await? {
            0 => Ok(String::from_utf8(request)?),
            _ => Err("something came after the request".into()),
        }
    }

    /// Tells the time once, as a server of stratum 2 does (RFC 5905, section 7.3); seconds since 1970.
    pub(crate) async fn tell_time(&self) -> Result<u64, Error> {
        let mut request = [0; 128];
        let (len, from) = self.time.recv_from(&mut request).await?;
        let version = request[0] >> 3 & 7;
        if len < MESSAGE || request[0] & 7 != CLIENT {
            return Err(format!("not a client's request: {:02x?}", &request[..len]).into());
        }
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let now = timestamp(since_1970);
        let mut answer = [0; MESSAGE];
        answer[..4].copy_from_slice(&[version << 3 | SERVER, 2, 6, 0xec]);
        answer[12..16].copy_from_slice(&KERNEL.octets());
        answer[16..24].copy_from_slice(&timestamp(since_1970 - Duration::from_secs(16)));
        answer[24..32].copy_from_slice(&request[40..48]);
        answer[32..40].copy_from_slice(&now);
        answer[40..48].copy_from_slice(&now);
        self.time.send_to(&answer, from).await?;
        Ok(since_1970.as_secs())
    }
}

/// The time in NTP's format (RFC 5905, section 6): seconds since 1900, and 32 bits of their fraction.
fn timestamp(since_1970: Duration) -> [u8; 8] {
    let fraction = (u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000;
    ((since_1970.as_secs() + SECONDS_TO_1970) << 32 | fraction).to_be_bytes()
}

/// What is on the page.
pub(crate) const PAGE: &str = "hello from the kernel's side\n";

const KERNEL: Ipv4Addr = Ipv4Addr::new(192, 168, 69, 100);

/// The length in bytes of a message without extensions.
const MESSAGE: usize = 48;
/// Modes (RFC 5905, figure 10).
const CLIENT: u8 = 3;
const SERVER: u8 = 4;
const SECONDS_TO_1970: u64 = 2_208_988_800;
