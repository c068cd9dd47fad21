//! How the examples after embassy's start: with an address by DHCP, or a fixed one.

use std::net::Ipv4Addr;
use std::process::ExitCode;

use clap::Args;
use cygnet::{ConfigV4, DhcpConfig, Stack};

use crate::Error;
use crate::device::DeviceOptions;
use crate::host::{self, GATEWAY, Host};

/// Their options.
#[derive(Args, Clone, Debug)]
pub struct Startup {
    /// Have the address 192.168.69.2 instead of one by DHCP
    #[arg(long)]
    static_ip: bool,

    /// The device.
    #[command(flatten)]
    pub device: DeviceOptions,
}

const HOST: Host = Host {
    hardware_address: [0x02, 0, 0, 0, 0, 0x02],
    address: Ipv4Addr::new(192, 168, 69, 2),
    ..host::SERVER
};

impl Startup {
    /// Starts a stack on the device, and runs `application` beside it to its end.
    ///
    /// Call it first thing in `main`, before any thread exists.
    ///
    /// # Errors
    ///
    /// The application's, or what is wrong with the device.
    pub fn run(
        &self,
        application: impl AsyncFnOnce(Stack<'static>) -> Result<ExitCode, Error>,
    ) -> Result<ExitCode, Error> {
        let config: ConfigV4 = if self.static_ip {
            HOST.config(GATEWAY).into()
        } else {
            self.device.check_dhcp()?;
            DhcpConfig::new().into()
        };
        host::run_with(&self.device, HOST.hardware_address, config, async |stack| {
            if !self.static_ip {
                log::info!("waiting for an address by DHCP; --static-ip is one without");
            }
            application(stack).await
        })
    }
}
