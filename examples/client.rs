//! A network host that connects to somebody and sends back what it gets, in reversed chunks: 192.168.69.2
//! and fdaa::2 with hardware address 02-00-00-00-00-02.
//!
//! ```sh
//! cargo run --release --example client -- --tap tap0 192.168.69.100 1234    # socat stdio tcp4-listen:1234
//! cargo run --release --example client -- --sandbox 192.168.69.100 1234 -- socat stdio tcp4-listen:1234
//! cargo run --release --example client -- --sandbox fdaa::100 1234 -- socat stdio tcp6-listen:1234
//! ```

use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;

use clap::Parser;
use cygnet::{Duration, Stack};
use cygnet_examples::device::DeviceOptions;
use cygnet_examples::host::{self, Host};
use cygnet_examples::session::{connect_host, start_command};
use cygnet_examples::{Error, arguments, exit, reverse_chunk};
use embedded_io_async::Write;

/// A network host that connects to a port and sends back what it gets, in reversed chunks
#[derive(Parser)]
struct Args {
    /// The address to connect to, or a name that the host at 192.168.69.100 knows
    address: String,

    /// The port to connect to
    port: u16,

    #[command(flatten)]
    device: DeviceOptions,
}

const HOST: Host = Host {
    hardware_address: [0x02, 0, 0, 0, 0, 0x02],
    address: Ipv4Addr::new(192, 168, 69, 2),
    address_v6: Ipv6Addr::new(0xfdaa, 0, 0, 0, 0, 0, 0, 2),
    ..host::SERVER
};

fn main() -> ExitCode {
    let args = arguments::<Args>();
    exit(host::run(&args.device, HOST, async |stack| {
        talk(stack, &args).await
    }))
}

async fn talk(stack: Stack<'static>, args: &Args) -> Result<ExitCode, Error> {
    let mut peer = start_command(&args.device)?;
    let (host, port) = (&args.address, args.port);
    let mut socket = connect_host(stack, host, port, 1500, peer.is_some()).await?;
    let remote = socket.remote_endpoint().ok_or("the connection is over")?;
    log::info!("connected to {remote}");
    // It may be long until the peer says something; a peer that is gone is noticed.
    socket.set_keep_alive(Some(Duration::from_secs(10)));

    let mut buffer = [0; 1500];
    loop {
        let len = socket.read(&mut buffer).await?;
        let chunk = &mut buffer[..len];
        if chunk.is_empty() {
            break;
        }
        log::info!("{}", chunk.escape_ascii());
        reverse_chunk(chunk);
        socket.write_all(chunk).await?;
    }
    socket.close().await?;
    log::info!("{remote} has closed the connection");
    if let Some(peer) = &mut peer {
        // It may still have to print what it got.
        peer.child().wait()?;
    }
    Ok(ExitCode::SUCCESS)
}
