//! What the examples that connect to somebody do alike.

use std::future::pending;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cygnet::{ConnectError, ConnectHostError, DnsError, Stack, TcpConnector, TcpSocket};
use cygnet_host::TokioClock;
use cygnet_host::process::{self, Running};
use tokio::task::spawn_blocking;

use crate::device::DeviceOptions;
use crate::{Error, host};

/// Starts the program that the example is to talk to, if one is given. It ends when the result is dropped.
///
/// # Errors
///
/// The program cannot be started.
pub fn start_command(options: &DeviceOptions) -> Result<Option<Running>, Error> {
    let Some(mut command) = options.command() else {
        return Ok(None);
    };
    Ok(Some(process::spawn(&mut command)?))
}

/// Lets others talk to the example: for ever, or in a sandbox until a program in there is over, which is a shell if
/// none is given.
///
/// # Errors
///
/// The program cannot be started.
pub async fn serve_command(options: &DeviceOptions) -> Result<ExitCode, Error> {
    let command = options.command();
    if !options.is_sandboxed() {
        return pending().await;
    }
    let mut command = command.unwrap_or_else(|| {
        log::info!("this shell is in the sandbox; leave it to end the example");
        process::shell()
    });
    let status = spawn_blocking(move || process::run(&mut command)).await??;
    Ok(host::exit_code(status))
}

/// Connects to a port of a host that is given by address or by name, with buffers of that many bytes. With
/// `patience` a name server that is silent and a peer that refuses or is not found are asked again for some
/// seconds: a program that has just been started may not listen yet, and a link may lose what looks for it.
///
/// # Errors
///
/// Why there is no connection, and what to do about it.
pub async fn connect_host(
    stack: Stack<'static>,
    host: &str,
    port: u16,
    buffer: usize,
    patience: bool,
) -> Result<TcpSocket<'static>, Error> {
    if host.parse::<Ipv4Addr>().is_err() {
        host::wait_for_ipv6(stack).await;
    }
    let pool = stack.add_owned_pool(CONNECTIONS, buffer, buffer)?;
    let dns = host::dns_socket(stack)?;
    let connector = TcpConnector::new_with_clock(stack, pool, dns, TokioClock::new())
        .with_second_dns(host::dns_socket(stack)?);
    let patience = if patience { PATIENCE } else { Duration::ZERO };
    let begin = Instant::now();
    loop {
        let error = match connector.connect_host(host, port).await {
            Ok(socket) => return Ok(socket),
            Err(error) => error,
        };
        let advice = match error {
            ConnectHostError::Connect(ConnectError::Refused | ConnectError::Unreachable)
            | ConnectHostError::Dns(DnsError::TimedOut)
                if begin.elapsed() < patience =>
            {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            ConnectHostError::Connect(ConnectError::Refused) => {
                "; start a server there, or choose another port"
            }
            ConnectHostError::Connect(ConnectError::TimedOut | ConnectError::Unreachable) => {
                "; is the address right?"
            }
            _ => "",
        };
        return Err(format!("cannot connect to {host}, port {port}: {error}{advice}").into());
    }
}

/// How many addresses are tried at once.
const CONNECTIONS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(100);
