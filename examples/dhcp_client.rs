//! A network host that gets its address by DHCP, and says so whenever that changes: hardware address
//! 02-00-00-00-00-01.
//!
//! ```sh
//! cargo run --release --example dhcp_client -- --tap tap0    # in a bridge with your LAN, or beside dnsmasq
//! cargo run --release --example dhcp_client -- --sandbox --once -- \
//!     dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --dhcp-range=192.168.69.200,192.168.69.210
//! cargo run --release --example dhcp_client -- --sandbox --once --ipv6 -- \
//!     dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --dhcp-range=fdaa::200,fdaa::210
//! ```

use std::process::ExitCode;

use clap::Parser;
use cygnet::{Config, ConfigV6, DhcpConfig, DhcpLease, Dhcpv6Config, Dhcpv6Lease, Duration, Stack};
use cygnet_examples::device::DeviceOptions;
use cygnet_examples::session::start_command;
use cygnet_examples::{Error, arguments, exit, host, units};

/// A network host that gets its address by DHCP and prints what it got, whenever that changes
#[derive(Parser)]
struct Args {
    /// An IPv6 address, by DHCPv6
    #[arg(long, conflicts_with_all = ["hostname", "no_probe"])]
    ipv6: bool,

    /// The name to tell the server
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,

    /// Use the address without looking for others who do
    #[arg(long)]
    no_probe: bool,

    /// Renew as if the lease were no longer than this, a second or more; ms or s
    #[arg(long, value_name = "TIME", value_parser = lease)]
    max_lease: Option<Duration>,

    /// Give the address back and end as soon as it can be used
    #[arg(long)]
    once: bool,

    #[command(flatten)]
    device: DeviceOptions,
}

fn main() -> ExitCode {
    let args = arguments::<Args>();
    exit(run(&args))
}

/// DHCP counts seconds, and a lease of none would be asked for again at once, for ever.
fn lease(text: &str) -> Result<Duration, String> {
    let lease = units::time(text)?;
    if lease < Duration::from_secs(1) {
        return Err("use a second or more".to_owned());
    }
    Ok(lease)
}

fn run(args: &Args) -> Result<ExitCode, Error> {
    let hardware_address = host::SERVER.hardware_address;
    if args.ipv6 {
        let mut config = Dhcpv6Config::stateful();
        config.max_lifetime = args.max_lease;
        config.prefix_delegation = true;
        let config = Config::dhcpv6(config);
        return host::run_configured(&args.device, hardware_address, config, async |stack| {
            watch(stack, args).await
        });
    }
    args.device.check_dhcp()?;
    let mut config = DhcpConfig::new();
    if let Some(name) = &args.hostname {
        let name = name.as_str().try_into();
        config.hostname = Some(name.map_err(|_| "a host's name has at most 63 bytes")?);
    }
    config.probe = !args.no_probe;
    config.max_lease = args.max_lease;
    host::run_with(&args.device, hardware_address, config, async |stack| {
        watch(stack, args).await
    })
}

async fn watch(stack: Stack<'static>, args: &Args) -> Result<ExitCode, Error> {
    let _server = start_command(&args.device)?;
    println!("looking for an address");
    loop {
        match Lease::of(stack, args.ipv6).filter(|_| stack.is_config_up()) {
            Some(lease) => {
                lease.print();
                if args.once {
                    stack.set_config_v4(None)?;
                    stack.set_config_v6(ConfigV6::None)?;
                    // The release leaves when the runner comes by.
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                    return Ok(ExitCode::SUCCESS);
                }
            }
            None if stack.is_link_up() => println!("no address"),
            None => println!("no link"),
        }
        stack.wait_config_change().await;
    }
}

/// What a server of either version gave.
enum Lease {
    V4(Box<DhcpLease>),
    V6(Box<Dhcpv6Lease>),
}

impl Lease {
    fn of(stack: Stack<'static>, ipv6: bool) -> Option<Self> {
        match ipv6 {
            true => stack.dhcpv6_lease().map(|lease| Self::V6(Box::new(lease))),
            false => stack.dhcp_lease().map(|lease| Self::V4(Box::new(lease))),
        }
    }

    fn print(&self) {
        match self {
            Self::V4(lease) => print(lease),
            Self::V6(lease) => print_v6(lease),
        }
    }
}

fn print_v6(lease: &Dhcpv6Lease) {
    let time = |lifetime: Option<Duration>| match lifetime {
        Some(lifetime) => format!("for {} s", lifetime.as_secs()),
        None => "for ever".to_owned(),
    };
    for given in &lease.addresses {
        println!("address:     {} {}", given.address, time(given.valid));
    }
    for given in &lease.prefixes {
        println!("prefix:      {} {}", given.prefix, time(given.valid));
    }
    for server in &lease.dns_servers {
        println!("DNS server:  {server}");
    }
    for domain in lease.domains.iter() {
        println!("domain:      {domain}");
    }
}

fn print(lease: &DhcpLease) {
    let list = |items: &[std::net::Ipv4Addr]| {
        let items: Vec<_> = items.iter().map(ToString::to_string).collect();
        items.join(", ")
    };
    println!("address:     {} from {}", lease.address, lease.server);
    match lease.duration {
        Some(duration) => println!("lease:       {} s", duration.as_secs()),
        None => println!("lease:       for ever"),
    }
    if let Some(gateway) = lease.gateway {
        println!("gateway:     {gateway}");
    }
    for (destination, router) in &lease.routes {
        match router {
            Some(router) => println!("route:       {destination} through {router}"),
            None => println!("route:       {destination}"),
        }
    }
    if !lease.dns_servers.is_empty() {
        println!("DNS servers: {}", list(&lease.dns_servers));
    }
    for domain in lease.domains.iter() {
        println!("domain:      {domain}");
    }
    if !lease.ntp_servers.is_empty() {
        println!("NTP servers: {}", list(&lease.ntp_servers));
    }
    if let Some(mtu) = lease.mtu {
        println!("MTU:         {mtu}");
    }
}
