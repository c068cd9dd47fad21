//! Asks a DNS server, as the network host 192.168.69.1 with hardware address 02-00-00-00-00-02.
//!
//! ```sh
//! cargo run --release --example dns -- --tap tap0 --server 9.9.9.9 example.org MX
//! cargo run --release --example dns -- --sandbox www.example.org -- \
//!     dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --host-record=www.example.org,192.0.2.1
//! ```

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use cygnet::wire::dns::{Record, RecordData, RecordType};
use cygnet::{DnsError, Stack};
use cygnet_examples::device::DeviceOptions;
use cygnet_examples::host::{self, GATEWAY, Host};
use cygnet_examples::session::start_command;
use cygnet_examples::{Error, arguments, exit};

/// Prints the records of a name
///
/// The exit code is 0 if there are any, and 1 otherwise.
#[derive(Parser)]
struct Args {
    /// The name
    name: String,

    /// The type of its records
    #[arg(value_enum, ignore_case = true, default_value = "a")]
    kind: Kind,

    /// The server to ask
    #[arg(long, value_name = "ADDRESS", default_value_t = GATEWAY)]
    server: Ipv4Addr,

    #[command(flatten)]
    device: DeviceOptions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    A,
    Aaaa,
    Cname,
    Mx,
    Ptr,
    Srv,
    Txt,
}

const HOST: Host = Host {
    hardware_address: [0x02, 0, 0, 0, 0, 0x02],
    ..host::SERVER
};

fn main() -> ExitCode {
    let args = arguments::<Args>();
    let config = HOST.config(args.server);
    exit(host::run_with(
        &args.device,
        HOST.hardware_address,
        config,
        async |stack| ask(stack, &args).await,
    ))
}

async fn ask(stack: Stack<'static>, args: &Args) -> Result<ExitCode, Error> {
    let server = start_command(&args.device)?;
    let dns = host::dns_socket(stack)?;
    let mut buffer = vec![0; 65_535];
    let kind = record_type(args.kind);
    // A server that has just been started may not listen yet.
    let mut attempts = if server.is_some() { 50 } else { 1 };
    let answer = loop {
        attempts -= 1;
        match dns.query(&args.name, kind, &mut buffer).await {
            Err(DnsError::TimedOut) if attempts > 0 => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => return Err(format!("cannot find {}: {error}", args.name).into()),
            Ok(answer) => break answer.message().as_bytes().len(),
        }
    };
    let message = cygnet::wire::dns::DnsMessage::parse(&buffer[..answer])?;
    for record in message.answers() {
        print(&record);
    }
    Ok(ExitCode::SUCCESS)
}

fn record_type(kind: Kind) -> RecordType {
    match kind {
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Cname => RecordType::CNAME,
        Kind::Mx => RecordType::MX,
        Kind::Ptr => RecordType::PTR,
        Kind::Srv => RecordType::SRV,
        Kind::Txt => RecordType::TXT,
    }
}

fn print(record: &Record<'_>) {
    let (name, ttl) = (record.name, record.ttl);
    let text = match record.data {
        RecordData::A(address) => format!("A {address}"),
        RecordData::Aaaa(address) => format!("AAAA {address}"),
        RecordData::Cname(target) => format!("CNAME {target}"),
        RecordData::Ptr(target) => format!("PTR {target}"),
        RecordData::Mx {
            preference,
            exchange,
        } => format!("MX {preference} {exchange}"),
        RecordData::Srv {
            priority,
            weight,
            port,
            target,
        } => format!("SRV {priority} {weight} {port} {target}"),
        RecordData::Txt(strings) => {
            let strings: Vec<_> = strings
                .iter()
                .map(|s| s.escape_ascii().to_string())
                .collect();
            format!("TXT \"{}\"", strings.join("\" \""))
        }
        _ => format!("TYPE{}", record.kind.0),
    };
    println!("{name} {ttl} {text}");
}
