//! A network host that makes itself IPv6 addresses from what routers advertise, and says so whenever that
//! changes: hardware address 02-00-00-00-00-01.
//!
//! ```sh
//! cargo run --release --example slaac -- --tap tap0    # in a bridge with your LAN, or beside radvd
//! cargo run --release --example slaac -- --sandbox --once -- \
//!     dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --enable-ra --dhcp-range=fdaa::,ra-only
//! ```

use std::process::ExitCode;

use clap::Parser;
use cygnet::{AddressState, Config, ConfigEvent, SlaacConfig, Stack};
use cygnet_examples::device::DeviceOptions;
use cygnet_examples::session::start_command;
use cygnet_examples::{Error, arguments, exit, host};

/// A network host that makes itself IPv6 addresses and prints what it got, whenever that changes
#[derive(Parser)]
struct Args {
    /// Also make temporary addresses, from which connections go out
    #[arg(long)]
    temporary: bool,

    /// End as soon as an address can be used
    #[arg(long)]
    once: bool,

    #[command(flatten)]
    device: DeviceOptions,
}

fn main() -> ExitCode {
    let args = arguments::<Args>();
    exit(run(&args))
}

fn run(args: &Args) -> Result<ExitCode, Error> {
    let mut slaac = SlaacConfig::new();
    slaac.temporary_addresses = args.temporary;
    let config = Config::slaac(slaac);
    let hardware_address = host::SERVER.hardware_address;
    host::run_configured(&args.device, hardware_address, config, async |stack| {
        watch(stack, args).await
    })
}

async fn watch(stack: Stack<'static>, args: &Args) -> Result<ExitCode, Error> {
    let mut events = stack.config_events();
    let _server = start_command(&args.device)?;
    println!("looking for routers");
    loop {
        tokio::select! {
            event = events.next() => print_event(event),
            () = stack.wait_config_change() => {
                print_config(stack);
                if args.once && stack.is_config_up() {
                    return Ok(ExitCode::SUCCESS);
                }
            }
        }
    }
}

fn print_event(event: ConfigEvent) {
    match event {
        ConfigEvent::LinkUp => println!("the link is up"),
        ConfigEvent::LinkDown => println!("no link"),
        ConfigEvent::AddressAdded(address) => println!("+ {address}"),
        ConfigEvent::AddressDeprecated(address) => println!("~ {address}, no more for new uses"),
        ConfigEvent::AddressRemoved(address) => println!("- {address}"),
        ConfigEvent::AddressConflict(address) => println!("! {address} is another's"),
        other => println!("{other:?}"),
    }
}

fn print_config(stack: Stack<'static>) {
    let Some(config) = stack.config_v6() else {
        println!("no address");
        return;
    };
    let address = config.address.address().into();
    let note = match stack.address_state(address) {
        Some(AddressState::Deprecated) => ", no more for new uses",
        _ => "",
    };
    println!("address:     {}{note}", config.address);
    match config.gateway {
        Some(gateway) => println!("gateway:     {gateway}"),
        None => println!("gateway:     none"),
    }
    for server in &config.dns_servers {
        println!("DNS server:  {server}");
    }
    let flags = stack.router_flags();
    if flags.managed || flags.other {
        println!(
            "DHCPv6:      {}",
            if flags.managed {
                "for addresses"
            } else {
                "for all but addresses"
            }
        );
    }
}
