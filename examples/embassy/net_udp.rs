//! After embassy's `net_udp`: each datagram to port 9400 goes back to where it came from.
//!
//! ```sh
//! cargo run --release --example net_udp -- --tap tap0 --static-ip
//! cargo run --release --example net_udp -- --sandbox --static-ip -- \
//!     sh -c 'echo hello | socat -t 1 stdio udp4-connect:192.168.69.2:9400'
//! ```

use std::convert::Infallible;
use std::process::ExitCode;

use clap::Parser;
use cygnet::{Stack, UdpPacketMetadata, UdpSocket};
use cygnet_examples::session::serve_command;
use cygnet_examples::startup::Startup;
use cygnet_examples::{Error, arguments, exit};

/// Sends each datagram to port 9400 back
///
/// With --sandbox it runs COMMAND, or a shell, where it can be reached, and ends with it.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    startup: Startup,
}

fn main() -> ExitCode {
    let Args { startup } = arguments();
    exit(startup.run(async |stack| {
        tokio::select! {
            served = echo(stack) => served.map(|never| match never {}),
            ended = serve_command(&startup.device) => ended,
        }
    }))
}

async fn echo(stack: Stack<'static>) -> Result<Infallible, Error> {
    let records = || vec![UdpPacketMetadata::EMPTY; 16];
    let bytes = || vec![0; 4096];
    let mut socket = UdpSocket::new(stack, records(), bytes(), records(), bytes())?;
    socket.bind(9400)?;
    stack.wait_config_up().await;
    let mut buffer = [0; 4096];
    loop {
        let (len, from) = socket.recv_from(&mut buffer).await?;
        log::info!("{len} bytes from {}", from.endpoint);
        // With what is known about where it came to, so that the answer comes from there.
        if let Err(error) = socket.send_to(&buffer[..len], from).await {
            log::info!("no answer to {}: {error}", from.endpoint);
        }
    }
}
