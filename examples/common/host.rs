//! A network host that an example plays: a stack on its device, in a tokio runtime of one thread.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{ExitCode, ExitStatus};
use std::time::SystemTime;

use cygnet::{AddressState, Clock, Config, ConfigV4, CongestionControl, DnsError, DnsSocket};
use cygnet::{Driver, Duration, IpAddress, Ipv4Cidr, Ipv6Cidr, Resources, Stack};
use cygnet::{StaticConfigV4, StaticConfigV6, TcpSocket};
use cygnet_host::TokioClock;
use cygnet_tuntap::{Device, TunTap};
use embedded_nal_async::{AddrType, Dns as _};
use tokio::task::{LocalSet, spawn_local};

use crate::Error;
use crate::device::DeviceOptions;
use crate::middleware::{DriverUser, Middleware};

/// Who the example is on the networks 192.168.69.0/24 and fdaa::/64, whose other end is 192.168.69.100 and
/// fdaa::100.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// Its hardware address, on a tap.
    pub hardware_address: [u8; 6],
    /// Its address.
    pub address: Ipv4Addr,
    /// Its IPv6 address. It makes itself a link-local one as well.
    pub address_v6: Ipv6Addr,
    /// The congestion control of its connections.
    pub congestion: CongestionControl,
}

/// The host that others connect to.
pub const SERVER: Host = Host {
    hardware_address: [0x02, 0, 0, 0, 0, 0x01],
    address: Ipv4Addr::new(192, 168, 69, 1),
    address_v6: Ipv6Addr::new(0xfdaa, 0, 0, 0, 0, 0, 0, 1),
    congestion: CongestionControl::Cubic,
};

/// The kernel's end, which is also the gateway.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 69, 100);
const GATEWAY_V6: Ipv6Addr = Ipv6Addr::new(0xfdaa, 0, 0, 0, 0, 0, 0, 0x100);

/// The sockets that a stack has at most: listeners and connections together.
const SOCKETS: usize = 256;

/// Opens the device, starts a stack on it, and runs `application` beside it to its end.
///
/// Call it first thing in `main`, before any thread exists.
pub fn run(
    options: &DeviceOptions,
    host: Host,
    application: impl AsyncFnOnce(Stack<'static>) -> Result<ExitCode, Error>,
) -> Result<ExitCode, Error> {
    let mut config = Config::ipv4_static(host.config(GATEWAY));
    let ipv6 = StaticConfigV6::new(Ipv6Cidr::new(host.address_v6, 64));
    config.ipv6 = ipv6.with_gateway(GATEWAY_V6).into();
    config.congestion_control = host.congestion;
    run_configured(options, host.hardware_address, config, application)
}

/// As [`run`], with any IPv4 configuration and no IPv6.
pub fn run_with(
    options: &DeviceOptions,
    hardware_address: [u8; 6],
    ipv4: impl Into<ConfigV4>,
    application: impl AsyncFnOnce(Stack<'static>) -> Result<ExitCode, Error>,
) -> Result<ExitCode, Error> {
    let mut config = Config::new();
    config.ipv4 = ipv4.into();
    run_configured(options, hardware_address, config, application)
}

/// As [`run`], with any configuration.
pub fn run_configured(
    options: &DeviceOptions,
    hardware_address: [u8; 6],
    config: Config,
    application: impl AsyncFnOnce(Stack<'static>) -> Result<ExitCode, Error>,
) -> Result<ExitCode, Error> {
    options.capture.start_logging();
    let device = options.open()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let result = LocalSet::new().block_on(&runtime, async {
        let stack = start(options, hardware_address, config, device)?;
        application(stack).await
    });
    // A thread that waits for a program or reads a terminal must not hold up the end.
    runtime.shutdown_background();
    result
}

impl Host {
    /// Its configuration, with the gateway as gateway, and that server to ask for names.
    pub fn config(&self, dns_server: Ipv4Addr) -> StaticConfigV4 {
        StaticConfigV4::new(Ipv4Cidr::new(self.address, 24))
            .with_gateway(GATEWAY)
            .with_dns_server(dns_server)
    }
}

/// A DNS socket with room for long answers, some of which come over TCP.
///
/// # Errors
///
/// There is no free slot.
pub fn dns_socket(stack: Stack<'static>) -> Result<DnsSocket<'static>, Error> {
    let tcp = TcpSocket::new(stack, vec![0; 4096], vec![0; 512])?;
    Ok(DnsSocket::new(stack, vec![0; 65_535 + 512])?.with_tcp(tcp))
}

/// The address of a host that is given by address or by name, as soon as packets can go there. With `patience`
/// a name server that does not answer is asked again for some seconds: it may have just been started.
///
/// # Errors
///
/// It has none.
pub async fn resolve(
    stack: Stack<'static>,
    host: &str,
    patience: bool,
) -> Result<IpAddress, Error> {
    let address = look_up(stack, host, patience).await?;
    if address.is_ipv6() {
        wait_for_ipv6(stack).await;
    }
    Ok(address.try_into()?)
}

/// Waits until duplicates of the IPv6 addresses have been looked for, which takes a second or two.
pub async fn wait_for_ipv6(stack: Stack<'static>) {
    let is_pending = |address: Option<Ipv6Addr>| {
        address.is_some_and(|address| {
            stack.address_state(address.into()) == Some(AddressState::Tentative)
        })
    };
    let own = || stack.config_v6().map(|config| config.address.address());
    while is_pending(own()) || is_pending(stack.link_local_v6()) {
        stack.wait_config_change().await;
    }
}

async fn look_up(stack: Stack<'static>, host: &str, patience: bool) -> Result<IpAddr, Error> {
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    let dns = dns_socket(stack)?;
    let mut attempts = if patience { ATTEMPTS } else { 1 };
    loop {
        attempts -= 1;
        match dns.get_host_by_name(host, AddrType::Either).await {
            Ok(address) => return Ok(address),
            Err(DnsError::TimedOut) if attempts > 0 => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(format!("cannot find {host}: {error}").into()),
        }
    }
}

const ATTEMPTS: u32 = 50;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// The kernel's view of an address that only IPv4 stacks understand.
///
/// # Errors
///
/// It is an IPv6 address.
pub fn ipv4(address: IpAddr) -> Result<Ipv4Addr, Error> {
    match address {
        IpAddr::V4(address) => Ok(address),
        IpAddr::V6(address) => Err(format!(
            "{address} is an IPv6 address, which is not supported yet; use an IPv4 address"
        )
        .into()),
    }
}

/// What a program's end is to the one that ran it, as in a shell.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt;
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

fn start(
    options: &DeviceOptions,
    hardware_address: [u8; 6],
    config: Config,
    device: Device,
) -> Result<Stack<'static>, Error> {
    let driver = TunTap::new(device)?.with_hardware_address(hardware_address);
    let clock: &'static TokioClock = Box::leak(Box::new(TokioClock::new()));
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let middleware = Middleware {
        capture: &options.capture,
        faults: options.faults.config(),
        seed: getrandom::u64()?,
        clock,
        epoch: epoch(clock),
    };
    middleware.wrap(
        driver,
        StartStack {
            clock,
            config,
            seed,
        },
    )
}

/// When the clock started, since 1970.
pub fn epoch(clock: &TokioClock) -> Duration {
    let since_1970 = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(Duration::ZERO, Duration::from);
    since_1970.saturating_sub(Duration::from_micros(clock.now().as_micros()))
}

struct StartStack {
    clock: &'static TokioClock,
    config: Config,
    seed: [u8; 32],
}

impl DriverUser for StartStack {
    type Output = Stack<'static>;

    /// The stack lives as long as the program, so its memory need not be given back.
    fn with<D: Driver + 'static>(self, driver: D) -> Stack<'static> {
        let resources = Box::leak(Box::new(Resources::<SOCKETS>::new()));
        let (stack, mut runner) =
            cygnet::new_with_clock(driver, self.config, resources, self.seed, self.clock);
        spawn_local(async move { runner.run().await });
        stack
    }
}
