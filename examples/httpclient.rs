//! A network host that fetches a page: 192.168.69.1 and fdaa::1 with hardware address 02-00-00-00-00-02.
//!
//! ```sh
//! cargo run --release --example httpclient -- --tap tap0 93.184.216.34 http://example.org/
//! cargo run --release --example httpclient -- --sandbox 192.168.69.100 http://host:8000/ \
//!     -- python3 -m http.server 8000
//! cargo run --release --example httpclient -- --sandbox fdaa::100 http://host:8000/ \
//!     -- python3 -m http.server -b :: 8000
//! ```

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use cygnet::Stack;
use cygnet_examples::device::DeviceOptions;
use cygnet_examples::host::{self, Host};
use cygnet_examples::session::{connect_host, start_command};
use cygnet_examples::{Error, arguments, exit};
use embedded_io_async::Write;
use url::Url;

/// A network host that fetches a page from a web server and prints it, headers and all
#[derive(Parser)]
struct Args {
    /// The address of the web server, or a name that the host at 192.168.69.100 knows
    address: String,

    /// The page, such as http://example.org/
    url: Url,

    #[command(flatten)]
    device: DeviceOptions,
}

const HOST: Host = Host {
    hardware_address: [0x02, 0, 0, 0, 0, 0x02],
    ..host::SERVER
};

/// Small on purpose, for packet traces worth reading.
const BUFFER: usize = 1024;

fn main() -> ExitCode {
    let args = arguments::<Args>();
    exit(host::run(&args.device, HOST, async |stack| {
        fetch(stack, &args).await
    }))
}

async fn fetch(stack: Stack<'static>, args: &Args) -> Result<ExitCode, Error> {
    let request = request(&args.url)?;
    let port = args.url.port_or_known_default().unwrap_or(80);
    let server = start_command(&args.device)?;
    let host = &args.address;
    let mut socket = connect_host(stack, host, port, BUFFER, server.is_some()).await?;
    socket.write_all(request.as_bytes()).await?;

    let mut page = [0; BUFFER];
    loop {
        let len = socket.read(&mut page).await?;
        if len == 0 {
            break;
        }
        match io::stdout().write_all(&page[..len]) {
            Ok(()) => {}
            // As with `| head`: nobody wants more.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Ok(ExitCode::SUCCESS);
            }
            Err(error) => return Err(error.into()),
        }
    }
    socket.close().await?;
    Ok(ExitCode::SUCCESS)
}

fn request(url: &Url) -> Result<String, Error> {
    if url.scheme() != "http" {
        return Err(format!("cannot fetch {url}; use an http:// URL").into());
    }
    let host = url.host_str().ok_or("the URL names no host")?;
    let port = url.port().map(|port| format!(":{port}"));
    let query = url.query().map(|query| format!("?{query}"));
    Ok(format!(
        "GET {}{} HTTP/1.1\r\nHost: {host}{}\r\nConnection: close\r\n\r\n",
        url.path(),
        query.unwrap_or_default(),
        port.unwrap_or_default(),
    ))
}
