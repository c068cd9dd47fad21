//! After embassy's `tcp_accept`: whoever connects to port 9999 is counted to five for.
//!
//! There, a connection that comes while another is served is refused. Here the listener takes it, and it is next.
//!
//! ```sh
//! cargo run --release --example tcp_accept -- --tap tap0 --static-ip
//! cargo run --release --example tcp_accept -- --sandbox --static-ip -- socat -u tcp4-connect:192.168.69.2:9999 -
//! ```

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use cygnet::{Stack, TcpError, TcpListener, TcpSocket};
use cygnet_examples::session::serve_command;
use cygnet_examples::startup::Startup;
use cygnet_examples::{Error, arguments, exit};
use embedded_io_async::Write;
use tokio::time::sleep;

/// Counts to five for whoever connects to port 9999
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
            served = serve(stack) => served.map(|never| match never {}),
            ended = serve_command(&startup.device) => ended,
        }
    }))
}

/// Serves one connection after the other.
async fn serve(stack: Stack<'static>) -> Result<Infallible, Error> {
    let pool = stack.add_owned_pool(4, 4096, 4096)?;
    let listener = TcpListener::bind(stack, 9999, pool)?;
    stack.wait_config_up().await;
    loop {
        let mut socket = listener.accept().await?;
        log::info!("a connection");
        if let Err(error) = count(&mut socket).await {
            log::info!("it ended early: {error}");
        }
        // Dropped: what was written still arrives, and then the end, in the background.
    }
}

async fn count(socket: &mut TcpSocket<'static>) -> Result<(), TcpError> {
    for number in 1..=5 {
        socket.write_all(format!("{number}\n").as_bytes()).await?;
        sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}
