//! The device of an example: a tap or tun interface that is there, or one in a sandbox of its own.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use clap::Args;
use cygnet_host::{Sandbox, SandboxConfig};
use cygnet_tuntap::{Device, Mode};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::{InterfaceFlags, if_nametoindex};

use crate::Error;
use crate::middleware::{CaptureOptions, FaultOptions};

/// The options of every example on a tap or tun device.
#[derive(Args, Clone, Debug)]
pub struct DeviceOptions {
    /// Use this tap interface (Ethernet) [default: tap0]
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "tun",
        help_heading = "Device"
    )]
    tap: Option<String>,

    /// Use this tun interface (bare IP packets)
    #[arg(long, value_name = "NAME", help_heading = "Device")]
    tun: Option<String>,

    /// Run in a network namespace of its own, with the interface in it set up: needs no privileges and
    /// leaves the host's network alone
    #[arg(long, help_heading = "Device")]
    sandbox: bool,

    /// What is captured and printed.
    #[command(flatten)]
    pub capture: CaptureOptions,

    /// What goes wrong.
    #[command(flatten)]
    pub faults: FaultOptions,

    /// A program to run in the sandbox, with its arguments
    #[arg(last = true, value_name = "COMMAND", requires = "sandbox")]
    command: Vec<OsString>,
}

impl DeviceOptions {
    /// A tap interface of that name in a sandbox, and a program to run in there.
    pub fn sandboxed(name: &str, command: Vec<OsString>) -> Self {
        Self {
            tap: Some(name.to_owned()),
            tun: None,
            sandbox: true,
            capture: CaptureOptions::default(),
            faults: FaultOptions::default(),
            command,
        }
    }

    /// Opens the device. In a sandbox, the whole process is in there afterwards: call it before any thread
    /// exists.
    ///
    /// # Errors
    ///
    /// There is no such device, it is not allowed, or it is not set up.
    pub fn open(&self) -> Result<Device, Error> {
        let (name, mode) = match (&self.tap, &self.tun) {
            (_, Some(name)) => (name.as_str(), Mode::Tun),
            (Some(name), None) => (name.as_str(), Mode::Tap),
            (None, None) => ("tap0", Mode::Tap),
        };
        if self.sandbox {
            let config = SandboxConfig {
                name: name.to_owned(),
                mode,
                ..SandboxConfig::default()
            };
            return Ok(Sandbox::enter(&config)?.into_device());
        }
        // To root, opening an interface that is not there would create one that leads nowhere.
        if if_nametoindex(name).is_err() {
            return Err(format!(
                "there is no interface {name}; use --sandbox, or create it with \
                 `sudo ip tuntap add name {name} mode {} user $USER`",
                mode.as_str()
            )
            .into());
        }
        let device = Device::open(name, mode)?;
        check_setup(name)?;
        Ok(device)
    }

    /// # Errors
    ///
    /// There is no DHCP for IPv4 where there are bare IP packets: the protocol is made for Ethernet.
    pub fn check_dhcp(&self) -> Result<(), Error> {
        match &self.tun {
            Some(name) => Err(format!("there is no DHCP on {name}; use --tap").into()),
            None => Ok(()),
        }
    }

    /// Whether the device is in a sandbox.
    pub fn is_sandboxed(&self) -> bool {
        self.sandbox
    }

    /// The program to run in the sandbox, if one is given.
    pub fn command(&self) -> Option<Command> {
        let (program, arguments) = self.command.split_first()?;
        let mut command = Command::new(program);
        command.args(arguments);
        Some(command)
    }
}

/// Says what the kernel's end lacks: without it nothing would happen, and nobody would know why.
fn check_setup(name: &str) -> Result<(), Error> {
    let ends: Vec<_> = getifaddrs()?
        .filter(|end| end.interface_name == name)
        .collect();
    let is_up = |flags: InterfaceFlags| flags.contains(InterfaceFlags::IFF_UP);
    if !ends.iter().any(|end| is_up(end.flags)) {
        return Err(format!("{name} is down; use `sudo ip link set {name} up`").into());
    }
    // A bridge has the address in its place.
    let bridged = Path::new("/sys/class/net")
        .join(name)
        .join("master")
        .exists();
    let has_address = ends.iter().any(|end| {
        end.address
            .as_ref()
            .is_some_and(|address| address.as_sockaddr_in().is_some())
    });
    if !has_address && !bridged {
        return Err(format!(
            "{name} has no address; use `sudo ip addr add 192.168.69.100/24 dev {name}`"
        )
        .into());
    }
    Ok(())
}
