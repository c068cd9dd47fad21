//! A web server by picoserve: one page with the stack's counters as they are.
//!
//! Its address is 192.168.69.2/24, and it serves three connections at a time.
#![no_std]
#![no_main]

use core::fmt::Write;

use cygnet::{Config, Ipv4Cidr, Resources, Runner, Stack, StaticConfigV4, TcpListener, TcpPool};
use cygnet_lan9118::{Buffers, Lan9118, Mmio};
use cygnet_picoserve::{Embassy, EmbassyTimer};
use embassy_executor::Spawner;
use embassy_futures::join::join_array;
use embassy_time::Instant;
use mps2::console;
use picoserve::routing::{PathRouter, get};
use picoserve::time::Duration;
use picoserve::{Router, Server, Timeouts};
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
    let network = Ipv4Cidr::new([192, 168, 69, 2].into(), 24);
    let config = Config::ipv4_static(StaticConfigV4::new(network));
    let (stack, runner) = cygnet::new(driver, config, RESOURCES.take(), mps2::seed());
    spawner.spawn(net(runner).expect("one"));
    spawner.spawn(web(stack).expect("one"));

    stack.wait_config_up().await;
    log::info!("a page at http://192.168.69.2/");
    console::print("ready\n");
}

#[embassy_executor::task]
async fn net(mut runner: Runner<'static, Ethernet>) -> ! {
    runner.run().await
}

/// All connections share a listener, and none a buffer.
#[embassy_executor::task]
async fn web(stack: Stack<'static>) {
    static POOL: ConstStaticCell<TcpPool<'static, CONNECTIONS, 1024, 2048>> =
        ConstStaticCell::new(TcpPool::new());
    let pool = stack.add_pool(POOL.take()).expect("room for a pool");
    let listener = TcpListener::bind(stack, 80, pool).expect("a free port");
    let router = Router::new().route("/", get(async move || page(&stack)));
    let serve = [const { () }; CONNECTIONS].map(|()| serve(&listener, &router));
    join_array(serve).await;
}

/// Serves one connection after the other.
async fn serve<P: PathRouter>(listener: &TcpListener<'static>, router: &Router<P>) {
    let config = picoserve::Config::new(Timeouts {
        start_read_request: Duration::from_secs(5),
        persistent_start_read_request: Duration::from_secs(1),
        read_request: Duration::from_secs(1),
        write: Duration::from_secs(5),
    })
    .keep_connection_alive();
    let mut buffer = [0; 1024];
    while let Ok(socket) = listener.accept().await {
        let server = Server::<Embassy, _, _, _>::custom(router, EmbassyTimer, &config, &mut buffer);
        match server.serve(socket).await {
            Ok(info) => log::info!("{} requests handled", info.handled_requests_count),
            Err(error) => log::warn!("a connection ended early: {error}"),
        }
    }
}

/// What the stack has counted.
fn page(stack: &Stack<'static>) -> heapless::String<512> {
    let (stats, uptime) = (stack.stats(), Instant::now().as_millis());
    let mut page = heapless::String::new();
    // Fits; of a longer one the page would end early.
    let _ = writeln!(page, "cygnet on a Cortex-M3, up for {uptime} ms");
    let _ = writeln!(
        page,
        "{} frames received, {} discarded",
        stats.received,
        stats.discarded_total()
    );
    let _ = writeln!(page, "{} frames sent", stats.sent);
    let _ = writeln!(page, "{} segments sent again", stats.retransmits);
    page
}

/// Served at a time.
const CONNECTIONS: usize = 3;
/// A listener and its connections.
const SOCKETS: usize = CONNECTIONS + 1;
