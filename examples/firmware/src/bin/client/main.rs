//! What a device does when it starts: it gets an address by DHCP, fetches a page by its name, and asks for the time.
//!
//! reqwless fetches the page, on embedded-nal-async's `TcpConnect` and `Dns`; sntpc asks for the time, on a socket of
//! its `UdpStack`. Each step prints a line, and the last one ends the program.
#![no_std]
#![no_main]

mod error;

use core::net::SocketAddr;

use cygnet::{
    Config, DhcpConfig, DnsSocket, Duration, Resources, Runner, Stack, TcpClient, TcpPool, UdpPool,
    UdpSockets,
};
use cygnet_lan9118::{Buffers, Lan9118, Mmio};
use cygnet_sntpc::{NtpSocket, Uptime};
use embassy_executor::Spawner;
use embedded_nal_async::{AddrType, Dns, UdpStack};
use error::Error;
use mps2::console;
use reqwless::client::HttpClient;
use reqwless::request::Method;
use sntpc::NtpContext;
use static_cell::ConstStaticCell;

type Ethernet = Lan9118<'static, Mmio>;

#[embassy_executor::main(executor = "mps2::Executor", entry = "cortex_m_rt::entry")]
async fn main(spawner: Spawner) {
    mps2::init();
    static FRAMES: ConstStaticCell<Buffers> = ConstStaticCell::new(Buffers::new());
    let address = cygnet_lan9118::Config::new([0x02, 0, 0, 0, 0x69, 0x02]);
    let driver = Lan9118::new(&mps2::ETHERNET, FRAMES.take(), address).expect("a LAN9118");
    mps2::enable_ethernet_interrupt();

    static RESOURCES: ConstStaticCell<Resources<'static, SOCKETS>> =
        ConstStaticCell::new(Resources::new());
    let config = Config::dhcpv4(DhcpConfig::new());
    let (stack, runner) = cygnet::new(driver, config, RESOURCES.take(), mps2::seed());
    spawner.spawn(net(runner).expect("one"));

    match start(stack).await {
        Ok(()) => mps2::exit(true),
        Err(error) => {
            log::error!("{error}");
            mps2::exit(false)
        }
    }
}

#[embassy_executor::task]
async fn net(mut runner: Runner<'static, Ethernet>) -> ! {
    runner.run().await
}

async fn start(stack: Stack<'static>) -> Result<(), Error> {
    stack.wait_config_up().await;
    if let Some(lease) = stack.dhcp_lease() {
        log::info!("{} by DHCP from {}", lease.address, lease.server);
    }

    static DNS: ConstStaticCell<[u8; 1520]> = ConstStaticCell::new([0; 1520]);
    let dns = DnsSocket::new(stack, DNS.take().as_mut_slice())?;
    fetch(stack, &dns).await?;
    ask_time(stack, &dns).await
}

/// Fetches a page.
async fn fetch(stack: Stack<'static>, dns: &DnsSocket<'static>) -> Result<(), Error> {
    static POOL: ConstStaticCell<TcpPool<'static, 1, 1024, 1024>> =
        ConstStaticCell::new(TcpPool::new());
    let pool = stack.add_pool(POOL.take())?;
    let mut tcp = TcpClient::new(stack, pool);
    tcp.set_timeout(Some(Duration::from_secs(10)));

    // For the header and the whole page, in turn.
    let mut buffer = [0; 2048];
    let mut client = HttpClient::new(&tcp, dns);
    let mut request = client.request(Method::GET, PAGE).await?;
    let response = request.send(&mut buffer).await?;
    let status = response.status.0;
    let page = response.body().read_to_end().await?;
    log::info!("{PAGE}: status {status}, {} bytes", page.len());
    console::print(core::str::from_utf8(page).map_err(|_| Error::Page)?);
    Ok(())
}

/// Asks a server for the time.
async fn ask_time(stack: Stack<'static>, dns: &DnsSocket<'static>) -> Result<(), Error> {
    static POOL: ConstStaticCell<UdpPool<'static, 1, 1, 128, 128>> =
        ConstStaticCell::new(UdpPool::new());
    let pool = stack.add_udp_pool(POOL.take())?;
    let sockets = UdpSockets::new(stack, pool);

    let address = dns.get_host_by_name(TIME_SERVER, AddrType::Either).await?;
    let server = SocketAddr::new(address, 123);
    let (_, socket) = sockets.connect(server).await?;
    let socket = NtpSocket(socket.into_socket());
    let context = NtpContext::new(Uptime::default());
    let asked = sntpc::get_time(server, &socket, context);
    // The network owes nobody an answer.
    let patience = embassy_time::Duration::from_secs(5);
    let answered = embassy_time::with_timeout(patience, asked).await;
    let time = answered.map_err(|_| Error::Silence)??;
    log::info!(
        "{} s since 1970 by {TIME_SERVER}, stratum {}",
        time.sec(),
        time.stratum()
    );
    Ok(())
}

const PAGE: &str = "http://www.cygnet.test/hello.txt";
const TIME_SERVER: &str = "time.cygnet.test";
/// One each for DNS, the page and the time; a second one for connections, since a closed one takes its time to end.
const SOCKETS: usize = 4;
