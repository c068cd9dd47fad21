//! What the examples that connect to somebody do alike.

use std::time::Duration;

use cygnet::{ConnectError, IpEndpoint, TcpSocket};
use cygnet_host::process::{self, Running};

use crate::Error;
use crate::device::DeviceOptions;

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

/// Connects to `remote`. With `patience` a peer that refuses is asked again for some seconds: a program
/// that has just been started may not listen yet.
///
/// # Errors
///
/// Why there is no connection, and what to do about it.
pub async fn connect(
    socket: &mut TcpSocket<'static>,
    remote: IpEndpoint,
    patience: bool,
) -> Result<(), Error> {
    let mut attempts = if patience { ATTEMPTS } else { 1 };
    loop {
        attempts -= 1;
        match socket.connect(remote).await {
            Ok(()) => return Ok(()),
            Err(ConnectError::Refused) if attempts > 0 => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                let advice = match error {
                    ConnectError::Refused => "; start a server there, or choose another port",
                    ConnectError::TimedOut | ConnectError::Unreachable => "; is the address right?",
                    _ => "",
                };
                return Err(format!("cannot connect to {remote}: {error}{advice}").into());
            }
        }
    }
}

const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);
