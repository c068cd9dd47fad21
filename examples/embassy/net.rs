//! After embassy's `net`: connects to 192.168.69.100, port 8000, and says hello there every second.
//!
//! ```sh
//! cargo run --release --example net -- --tap tap0 --static-ip      # socat stdio tcp4-listen:8000
//! cargo run --release --example net -- --sandbox --static-ip -- sh -c 'socat -u tcp4-listen:8000 - | head -n 3'
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use cygnet::{Stack, TcpSocket};
use cygnet_examples::host::GATEWAY;
use cygnet_examples::session::start_command;
use cygnet_examples::startup::Startup;
use cygnet_examples::{Error, arguments, exit};
use embedded_io_async::Write;
use tokio::time::sleep;

/// Connects to 192.168.69.100, port 8000, and says hello there every second
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    startup: Startup,
}

fn main() -> ExitCode {
    let Args { startup } = arguments();
    exit(startup.run(async |stack| greet(stack, &startup).await))
}

async fn greet(stack: Stack<'static>, startup: &Startup) -> Result<ExitCode, Error> {
    let _peer = start_command(&startup.device)?;
    stack.wait_config_up().await;

    let mut socket = TcpSocket::new(stack, vec![0; 4096], vec![0; 4096])?;
    socket.set_timeout(Some(cygnet::Duration::from_secs(10)));
    while let Err(error) = socket.connect((GATEWAY, 8000)).await {
        log::info!("{error}; once more in a second");
        sleep(Duration::from_secs(1)).await;
    }
    log::info!("connected");
    while socket.write_all(b"Hello!\n").await.is_ok() {
        sleep(Duration::from_secs(1)).await;
    }
    log::info!("the other side is gone");
    Ok(ExitCode::SUCCESS)
}
