//! Conversations with Linux at this end: its sockets, ping and curl.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::Error;
use crate::peer::{BOARD, pattern};

/// Two hundred echo requests that fill a frame, none lost.
pub(crate) async fn ping() -> Result<String, Error> {
    ping_with(&["-s", "1472", "192.168.69.2"]).await
}

/// The same by IPv6.
pub(crate) async fn ping_v6() -> Result<String, Error> {
    ping_with(&["-6", "-s", "1452", "fdaa::2"]).await
}

async fn ping_with(arguments: &[&str]) -> Result<String, Error> {
    let mut command = Command::new("ping");
    // The interval is also how long the last answer may take.
    command.args(["-c", "200", "-i", "0.05", "-q"]);
    let output = command.args(arguments).output().await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said
        .lines()
        .find(|line| line.contains("packets transmitted"));
    let line = line.unwrap_or("it says nothing");
    if !line.contains(" 200 received") {
        return Err(line.into());
    }
    Ok(line.into())
}

/// The board answers what is sent to its group.
pub(crate) async fn group_v4() -> Result<String, Error> {
    // By this address the kernel knows the interface.
    let socket = UdpSocket::bind("192.168.69.100:0").await?;
    ask_group(&socket, "239.1.2.3:5000".parse()?, BOARD.into()).await
}

/// The same by IPv6.
pub(crate) async fn group_v6(interface: &str) -> Result<String, Error> {
    let index = std::fs::read_to_string("/proc/self/net/if_inet6")?;
    let index = index
        .lines()
        .find(|line| line.ends_with(interface))
        .and_then(|line| u32::from_str_radix(line.split(' ').nth(1)?, 16).ok())
        .ok_or("the interface has no address of IPv6")?;
    let group = SocketAddrV6::new("ff02::123".parse()?, 5000, 0, index);
    // From the address that the board's is in one network with.
    let socket = UdpSocket::bind("[fdaa::100]:0").await?;
    ask_group(&socket, group.into(), "fdaa::2".parse()?).await
}

async fn ask_group(socket: &UdpSocket, group: SocketAddr, board: IpAddr) -> Result<String, Error> {
    let data = pattern(200);
    socket.send_to(&data, group).await?;
    let mut reply = [0; 256];
    let received = timeout(Duration::from_secs(5), socket.recv_from(&mut reply));
    let (got, from) = received.await??;
    if (&reply[..got], from.ip()) != (&data[..], board) {
        return Err(format!("another answer, from {from}").into());
    }
    Ok(format!("{group} answers from {from}"))
}

/// Datagrams of several lengths come back.
pub(crate) async fn datagrams() -> Result<String, Error> {
    let socket = UdpSocket::bind("0.0.0.0:0").await?;
    socket.connect((BOARD, 7)).await?;
    let lengths = [0, 1, 2, 3, 100, 1471, 1472];
    for len in lengths {
        let data = pattern(len);
        socket.send(&data).await?;
        let mut reply = [0; 2048];
        let got = timeout(Duration::from_secs(5), socket.recv(&mut reply)).await??;
        if reply[..got] != data {
            return Err(format!("{len} bytes came back changed").into());
        }
    }
    Ok(format!("{} lengths up to 1,472 bytes", lengths.len()))
}

/// What is sent comes back, byte by byte.
pub(crate) async fn echo(len: usize) -> Result<String, Error> {
    let data = pattern(len);
    let stream = TcpStream::connect((BOARD, 7)).await?;
    let (mut reader, mut writer) = stream.into_split();
    let send = async {
        writer.write_all(&data).await?;
        writer.shutdown().await
    };
    let mut back = Vec::with_capacity(len);
    let receive = reader.read_to_end(&mut back);
    tokio::try_join!(send, receive)?;
    if back != data {
        return Err(format!("{} of {len} bytes came back, or others", back.len()).into());
    }
    Ok(format!("{len} bytes as they were"))
}

/// The board takes a mebibyte and closes.
pub(crate) async fn discard() -> Result<String, Error> {
    let data = pattern(1 << 20);
    let mut stream = TcpStream::connect((BOARD, 9)).await?;
    stream.write_all(&data).await?;
    stream.shutdown().await?;
    let mut back = Vec::new();
    stream.read_to_end(&mut back).await?;
    if !back.is_empty() {
        return Err("something came back".into());
    }
    Ok(format!("{} bytes", data.len()))
}

/// The pattern of RFC 864, as the board has it: twenty lines of 72 characters, again and again.
pub(crate) async fn chargen() -> Result<String, Error> {
    let line = |n: u8| (0..72).map(move |column| b' ' + (n + column) % 95);
    let lines: Vec<u8> = (0..20).flat_map(|n| line(n).chain(*b"\r\n")).collect();
    let mut stream = TcpStream::connect((BOARD, 19)).await?;
    let mut total = 0;
    let mut block = vec![0; lines.len()];
    while total < 1 << 20 {
        stream.read_exact(&mut block).await?;
        if block != lines {
            return Err(format!("another pattern after {total} bytes").into());
        }
        total += block.len();
    }
    Ok(format!("{total} bytes of the pattern"))
}

/// All four connections of the listener's backlog are made, and then each is served.
pub(crate) async fn simultaneous() -> Result<String, Error> {
    let connect = || TcpStream::connect((BOARD, 7));
    let (a, b, c, d) = tokio::try_join!(connect(), connect(), connect(), connect())?;
    let mut streams = [a, b, c, d];
    for (number, stream) in (0..).zip(&mut streams) {
        stream.write_all(&[number; 1000]).await?;
    }
    for (number, stream) in (0..).zip(&mut streams) {
        let mut back = [0; 1000];
        stream.read_exact(&mut back).await?;
        if back != [number; 1000] {
            return Err("a connection got what another one had sent".into());
        }
    }
    Ok("4 of 4 served".into())
}

/// Connections that come and go at once, none refused.
pub(crate) async fn cycles() -> Result<String, Error> {
    let mut failed = Vec::new();
    for number in 0..CYCLES {
        if let Err(error) = cycle().await {
            failed.push(format!("{number}: {error}"));
            sleep(Duration::from_millis(10)).await;
        }
    }
    match failed.first() {
        None => Ok(format!("{CYCLES} of {CYCLES} served")),
        Some(first) => Err(format!("{} of {CYCLES} failed, number {first}", failed.len()).into()),
    }
}

async fn cycle() -> Result<(), Error> {
    let served = async {
        let mut stream = TcpStream::connect((BOARD, 7)).await?;
        stream.write_all(b"hello").await?;
        let mut back = [0; 5];
        stream.read_exact(&mut back).await?;
        Ok::<_, Error>(())
    };
    timeout(Duration::from_secs(10), served).await?
}

/// A page and its counters, twice: they count.
pub(crate) async fn page() -> Result<String, Error> {
    let first = curl().await?;
    let second = curl().await?;
    if first == second {
        return Err("the counters on the page do not count".into());
    }
    Ok(format!("{} bytes, then {}", first.len(), second.len()))
}

async fn curl() -> Result<String, Error> {
    let mut command = Command::new("curl");
    command.args(["-sS", "--fail", "--max-time", "20", "http://192.168.69.2/"]);
    let output = command.output().await?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let page = String::from_utf8(output.stdout)?;
    if !page.contains("frames received") {
        return Err(format!("an unexpected page: {page}").into());
    }
    Ok(page)
}

const CYCLES: usize = 200;
