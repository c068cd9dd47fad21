//! Conversations with cygnet at this end as well.

use std::time::Duration;

use cygnet::{
    Config, ConnectError, IcmpEndpoint, IcmpPacketMetadata, IcmpSocket, IpAddress, IpEndpoint,
    Ipv4Cidr, Resources, Stack, StaticConfigV4, TcpSocket, UdpPacketMetadata, UdpSocket,
};
use cygnet_host::TokioClock;
use tokio::time::{sleep, timeout};

use crate::Error;
use crate::wire::Wire;

/// A stack at 192.168.69.100, for as long as the program runs.
pub(crate) fn start(wire: Wire) -> Stack<'static> {
    let resources = Box::leak(Box::new(Resources::<8>::new()));
    let network = Ipv4Cidr::new([192, 168, 69, 100].into(), 24);
    let config = Config::ipv4_static(StaticConfigV4::new(network));
    let (stack, mut runner) = cygnet::new_with_clock(wire, config, resources, 7, TokioClock::new());
    tokio::task::spawn_local(async move { runner.run().await });
    stack
}

/// Twenty echo requests that fill a frame.
pub(crate) async fn ping(stack: Stack<'static>) -> Result<String, Error> {
    let meta = || vec![IcmpPacketMetadata::EMPTY; 4];
    let buffer = || vec![0; 8192];
    let mut socket = IcmpSocket::new(stack, meta(), buffer(), meta(), buffer())?;
    socket.bind(IcmpEndpoint::Ident(IDENT))?;
    let mut message = [0x5A; 8 + 1472];
    message[..2].copy_from_slice(&[8, 0]);
    message[4..6].copy_from_slice(&IDENT.to_be_bytes());
    for number in 0..PINGS {
        message[6..8].copy_from_slice(&number.to_be_bytes());
        socket.send_to(&message, IpAddress::from(BOARD)).await?;
        let mut reply = [0; 2048];
        let (len, _) = timeout(PATIENCE, socket.recv_from(&mut reply)).await??;
        // The reply's checksum may be that of the whole or be seen to already; the rest is as it was.
        if reply[0] != 0 || reply[4..len] != message[4..] {
            return Err("the reply is not what was sent".into());
        }
    }
    Ok(format!("{PINGS} of 1,472 bytes"))
}

/// Datagrams of several lengths come back.
pub(crate) async fn datagrams(stack: Stack<'static>) -> Result<String, Error> {
    let meta = || vec![UdpPacketMetadata::EMPTY; 4];
    let buffer = || vec![0; 8192];
    let mut socket = UdpSocket::new(stack, meta(), buffer(), meta(), buffer())?;
    socket.bind(0)?;
    let lengths = [0, 1, 2, 3, 100, 1471, 1472];
    for len in lengths {
        let data = pattern(len);
        socket.send_to(&data, endpoint(7)).await?;
        let mut reply = [0; 2048];
        let (got, _) = timeout(PATIENCE, socket.recv_from(&mut reply)).await??;
        if reply[..got] != data {
            return Err(format!("{len} bytes came back changed").into());
        }
    }
    Ok(format!("{} lengths up to 1,472 bytes", lengths.len()))
}

/// What is sent comes back, byte by byte.
pub(crate) async fn echo(stack: Stack<'static>, len: usize) -> Result<String, Error> {
    let mut socket = connect(stack, 7).await?;
    let data = pattern(len);
    let mut back = Vec::with_capacity(len);
    let (mut reader, mut writer) = socket.split();
    let send = async {
        let mut rest = data.as_slice();
        while !rest.is_empty() {
            let sent = writer.write(rest).await?;
            rest = &rest[sent..];
        }
        writer.shutdown_write();
        Ok::<_, Error>(())
    };
    let receive = async {
        let mut buffer = [0; 4096];
        loop {
            match reader.read(&mut buffer).await? {
                0 => return Ok::<_, Error>(()),
                got => back.extend_from_slice(&buffer[..got]),
            }
        }
    };
    tokio::try_join!(send, receive)?;
    if back != data {
        return Err(format!("{} of {len} bytes came back, or others", back.len()).into());
    }
    Ok(format!("{len} bytes as they were"))
}

/// Sends, until the board has taken all of it and closes.
pub(crate) async fn discard(stack: Stack<'static>, len: usize) -> Result<String, Error> {
    let mut socket = connect(stack, 9).await?;
    let data = pattern(len);
    let mut rest = data.as_slice();
    while !rest.is_empty() {
        let sent = socket.write(rest).await?;
        rest = &rest[sent..];
    }
    socket.close().await?;
    let mut nothing = [0; 1];
    if socket.read(&mut nothing).await? != 0 {
        return Err("something came back".into());
    }
    Ok(format!("{len} bytes"))
}

/// Receives so much.
pub(crate) async fn chargen(stack: Stack<'static>, len: usize) -> Result<String, Error> {
    let mut socket = connect(stack, 19).await?;
    let mut buffer = [0; 16 << 10];
    let mut total = 0;
    while total < len {
        match socket.read(&mut buffer).await? {
            0 => return Err("the board closes".into()),
            got => total += got,
        }
    }
    socket.abort().await;
    Ok(format!("{total} bytes"))
}

async fn connect(stack: Stack<'static>, port: u16) -> Result<TcpSocket<'static>, Error> {
    let mut socket = TcpSocket::new(stack, vec![0; BUFFER], vec![0; BUFFER])?;
    let connected = timeout(PATIENCE, async {
        loop {
            match socket.connect(endpoint(port)).await {
                // Discard and chargen serve one at a time, and may not be done with the last one.
                Err(ConnectError::Refused) if port != 7 => sleep(Duration::from_millis(20)).await,
                connected => return connected,
            }
        }
    });
    connected.await??;
    Ok(socket)
}

pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i ^ i >> 8 ^ i >> 16) as u8).collect()
}

fn endpoint(port: u16) -> IpEndpoint {
    IpEndpoint::from((BOARD, port))
}

pub(crate) const BOARD: std::net::Ipv4Addr = std::net::Ipv4Addr::new(192, 168, 69, 2);
const PATIENCE: Duration = Duration::from_secs(10);
const PINGS: u16 = 20;
const IDENT: u16 = 0x69;
const BUFFER: usize = 64 << 10;
