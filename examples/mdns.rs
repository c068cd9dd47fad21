//! A network host that others on the link find by its name, as 192.168.69.1 with hardware address
//! 02-00-00-00-00-01.
//!
//! ```sh
//! cargo run --release --example mdns -- --tap tap0 --name swan --service _http._tcp:80
//! avahi-resolve -n swan.local; avahi-browse -r _http._tcp
//! cargo run --release --example mdns -- --tap tap0 --find duck.local
//! cargo run --release --example mdns -- --sandbox -- \
//!     sh examples/tests/avahi.sh sh -c 'sleep 5; avahi-resolve -n swan.local'
//! ```

use std::process::ExitCode;

use clap::Parser;
use cygnet::wire::dns::RecordType;
use cygnet::{DnsError, MdnsService, MdnsServiceId, Stack};
use cygnet_examples::device::DeviceOptions;
use cygnet_examples::host::{self, GATEWAY, SERVER};
use cygnet_examples::session::{serve_command, start_command};
use cygnet_examples::{Error, arguments, exit};

/// Names a host and its services on the link, or finds others there
#[derive(Parser)]
struct Args {
    /// The name to have, without .local
    #[arg(long, default_value = "swan")]
    name: String,

    /// A service to announce, of that type and on that port; may be given twice
    #[arg(long, value_name = "TYPE:PORT", value_parser = service)]
    service: Vec<(String, u16)>,

    /// Print the address of another host, such as duck.local, and end
    #[arg(long, value_name = "NAME")]
    find: Option<String>,

    #[command(flatten)]
    device: DeviceOptions,
}

fn main() -> ExitCode {
    let args = arguments::<Args>();
    exit(host::run_with(
        &args.device,
        SERVER.hardware_address,
        SERVER.config(GATEWAY),
        async |stack| run(stack, &args).await,
    ))
}

async fn run(stack: Stack<'static>, args: &Args) -> Result<ExitCode, Error> {
    if let Some(name) = &args.find {
        return find(stack, name, &args.device).await;
    }
    let services = announce(stack, args)?;
    tokio::select! {
        () = report(stack, &services) => unreachable!("it goes on for ever"),
        ended = serve_command(&args.device) => ended,
    }
}

/// Takes the name and the services.
fn announce(stack: Stack<'static>, args: &Args) -> Result<Vec<MdnsServiceId>, Error> {
    stack.set_mdns_host(Some(&args.name))?;
    let services = args.service.iter().map(|(kind, port)| {
        Ok(stack.add_mdns_service(&MdnsService {
            instance: &args.name,
            kind,
            port: *port,
            text: &[],
        })?)
    });
    services.collect()
}

/// Prints what they are called, whenever that changes.
async fn report(stack: Stack<'static>, services: &[MdnsServiceId]) {
    loop {
        stack.wait_mdns_up().await;
        println!("this is {}.local", stack.mdns_host().unwrap_or_default());
        for service in services.iter().filter_map(|id| stack.mdns_instance(*id)) {
            println!("a service is called {service}");
        }
        stack.wait_config_change().await;
    }
}

/// Asks for a host. A program that has just been started, and is to answer, is asked again.
async fn find(
    stack: Stack<'static>,
    name: &str,
    device: &DeviceOptions,
) -> Result<ExitCode, Error> {
    let other = start_command(device)?;
    let mut attempts = if other.is_some() { ATTEMPTS } else { 1 };
    let dns = host::dns_socket(stack)?;
    let mut buffer = vec![0; 1500];
    loop {
        attempts -= 1;
        match dns.query(name, RecordType::A, &mut buffer).await {
            Ok(answer) => {
                for record in answer.records() {
                    println!("{} {:?}", record.name, record.data);
                }
                return Ok(ExitCode::SUCCESS);
            }
            Err(DnsError::TimedOut) if attempts > 0 => {}
            Err(error) => return Err(format!("cannot find {name}: {error}").into()),
        }
    }
}

const ATTEMPTS: u32 = 10;

fn service(text: &str) -> Result<(String, u16), String> {
    let (kind, port) = text.split_once(':').ok_or("TYPE:PORT")?;
    let port = port.parse().map_err(|_| "not a port")?;
    Ok((kind.to_owned(), port))
}
