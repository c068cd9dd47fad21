//! After embassy's `net_dns`: finds a host by its name, and ends.
//!
//! ```sh
//! cargo run --release --example net_dns -- --tap tap0 www.example.com
//! cargo run --release --example net_dns -- --sandbox --static-ip -- \
//!     dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --host-record=www.example.com,192.0.2.1
//! ```

use std::process::ExitCode;

use clap::Parser;
use cygnet::{DnsError, DnsSocket, Stack};
use cygnet_examples::session::start_command;
use cygnet_examples::startup::Startup;
use cygnet_examples::{Error, arguments, exit};

/// Prints the addresses of a host
#[derive(Parser)]
struct Args {
    /// Its name
    #[arg(default_value = "www.example.com")]
    name: String,

    #[command(flatten)]
    startup: Startup,
}

fn main() -> ExitCode {
    let args = arguments::<Args>();
    exit(args.startup.run(async |stack| find(stack, &args).await))
}

async fn find(stack: Stack<'static>, args: &Args) -> Result<ExitCode, Error> {
    let server = start_command(&args.startup.device)?;
    stack.wait_config_up().await;

    let dns = DnsSocket::new(stack, vec![0; 1520])?;
    let name = &args.name;
    // A server that has just been started may not listen yet.
    let mut again = if server.is_some() { 5 } else { 0 };
    loop {
        match dns.resolve(name).await {
            Ok(addresses) => {
                for address in addresses {
                    println!("{address}");
                }
                return Ok(ExitCode::SUCCESS);
            }
            Err(DnsError::TimedOut | DnsError::ServerFailure) if again > 0 => again -= 1,
            Err(error) => return Err(format!("cannot find {name}: {error}").into()),
        }
    }
}
