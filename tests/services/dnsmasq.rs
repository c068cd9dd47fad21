//! dnsmasq at the other end of a tap: DHCP from its side.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::time::Duration;

use cygnet::{Config, ConfigV4, DhcpConfig, IpAddress, Ipv4Cidr, Resources, Stack};
use cygnet_host::process::Running;
use cygnet_host::{Interface, TokioClock, linux_test, process};
use cygnet_tuntap::{Device, Mode, TunTap};

/// The kernel's address, where dnsmasq is.
const KERNEL: Ipv4Addr = Ipv4Addr::new(192, 168, 69, 100);

const HARDWARE: [u8; 6] = [2, 0, 0, 0, 0, 0x42];

/// dnsmasq on the interface, and where its leases stand.
struct Dnsmasq {
    folder: tempfile::TempDir,
    interface: String,
    running: Option<Running>,
}

impl Dnsmasq {
    /// Starts it with these options beside the usual.
    fn start(&mut self, options: &str) {
        self.running = None;
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let config = format!(
            "keep-in-foreground\nbind-interfaces\ninterface={}\nexcept-interface=lo\nno-resolv\nno-hosts\n\
             user=root\npid-file={}\ndhcp-leasefile={}\nno-ping\nlog-dhcp\nlog-facility={}\n\
             {options}\n",
            self.interface,
            path("pid"),
            path("leases"),
            path("log"),
        );
        let file = path("conf");
        std::fs::write(&file, config).expect("a file of one's own");
        let mut command = Command::new("dnsmasq");
        command
            .arg(format!("--conf-file={file}"))
            .stdin(Stdio::null());
        self.running =
            Some(process::spawn(&mut command).expect("dnsmasq; .ci/install installs it"));
    }

    /// What it has logged.
    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until it has logged that; fails if that takes half a minute.
    async fn logs(&self, what: &str) {
        for _ in 0..300 {
            if self.log().contains(what) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no {what} in:\n{}", self.log());
    }
}

/// Runs `test` beside a stack that is configured as `config` says, on a tap with dnsmasq.
fn beside_dnsmasq(
    config: impl Into<ConfigV4>,
    options: &str,
    test: impl AsyncFnOnce(Stack<'static>, &mut Dnsmasq) + Send,
) {
    let ipv4 = config.into();
    linux_test(|_| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let limit = Duration::from_secs(120);
        let ended = runtime.block_on(async {
            let device = Device::open("", Mode::Tap).expect("a device");
            let interface = Interface::named(device.name());
            let set_up = || interface.add_address(KERNEL, 24)?.up();
            set_up().expect("an interface of one's own can be set up");
            let mut dnsmasq = Dnsmasq {
                folder: tempfile::tempdir().expect("a folder"),
                interface: device.name().to_owned(),
                running: None,
            };
            dnsmasq.start(options);
            dnsmasq.logs("started").await;
            let driver = TunTap::new(device)
                .expect("a driver")
                .with_hardware_address(HARDWARE);
            let resources = Box::leak(Box::new(Resources::<16>::new()));
            let mut config = Config::new();
            config.ipv4 = ipv4;
            let clock = TokioClock::new();
            let (stack, mut runner) =
                cygnet::new_with_clock(driver, config, resources, [5; 32], clock);
            let story = async {
                tokio::select! {
                    _ = runner.run() => {}
                    () = test(stack, &mut dnsmasq) => {}
                }
            };
            let ended = tokio::time::timeout(limit, story).await;
            if ended.is_err() {
                let _ = std::io::stderr().write_all(dnsmasq.log().as_bytes());
            }
            ended
        });
        runtime.shutdown_background();
        ended.expect("the test hangs");
    });
}

fn quick() -> DhcpConfig {
    let mut config = DhcpConfig::new();
    config.probe = false;
    config
}

/// Addresses from .200 on, for two minutes; that is the least that dnsmasq gives.
const RANGE: &str = "dhcp-authoritative\ndhcp-range=192.168.69.200,192.168.69.210,2m";

#[test]
fn a_lease_is_obtained_with_what_goes_with_it() {
    let mut config = DhcpConfig::new();
    config.hostname = Some("swan".try_into().unwrap());
    config.vendor_class = Some("bird".try_into().unwrap());
    let options = format!(
        "{RANGE}\ndomain=example.org\ndhcp-option=option:router,192.168.69.100\n\
         dhcp-option=option:dns-server,192.168.69.100\ndhcp-option=option:mtu,1400\n\
         dhcp-option=option:ntp-server,192.168.69.7\n\
         dhcp-option=option:domain-search,one.example.org,two.example.org\n\
         dhcp-option=option:classless-static-route,198.51.100.0/24,192.168.69.100\n\
         dhcp-vendorclass=set:bird,bird\ndhcp-option=tag:bird,option:ntp-server,192.168.69.8"
    );
    beside_dnsmasq(config, &options, async |stack, dnsmasq| {
        stack.wait_config_up().await;
        let lease = stack.dhcp_lease().expect("a lease");
        assert_eq!(lease.server, KERNEL);
        assert_eq!(lease.address.prefix_len(), 24);
        assert!(Ipv4Cidr::new(KERNEL, 24).contains(&lease.address.address()));
        assert_eq!(lease.gateway, Some(KERNEL));
        assert_eq!(lease.dns_servers[..], [KERNEL]);
        assert_eq!(lease.mtu, Some(1400));
        assert_eq!(lease.ntp_servers[..], [Ipv4Addr::new(192, 168, 69, 8)]);
        let domains: Vec<_> = lease.domains.iter().map(|d| d.to_string()).collect();
        assert_eq!(domains, ["one.example.org", "two.example.org"]);
        assert_eq!(lease.routes.len(), 1);
        assert_eq!(lease.duration, Some(cygnet::Duration::from_secs(120)));
        // dnsmasq has written down who it is.
        dnsmasq.logs("swan").await;
        let ping = format!("-c1 -W5 {}", lease.address.address());
        let ping: Vec<_> = ping.split(' ').map(str::to_owned).collect();
        let output = tokio::task::spawn_blocking(move || {
            process::output(Command::new("ping").args(&ping)).expect("ping")
        });
        assert!(
            output.await.unwrap().status.success(),
            "the kernel reaches it"
        );
    });
}

#[test]
fn a_short_lease_is_renewed() {
    let mut config = quick();
    // Shorter than any that dnsmasq gives.
    config.max_lease = Some(cygnet::Duration::from_secs(2));
    beside_dnsmasq(config, RANGE, async |stack, dnsmasq| {
        stack.wait_config_up().await;
        let address = stack.config_v4();
        // The first acknowledgment gives the lease, the others renew it.
        for _ in 0..300 {
            if dnsmasq.log().matches("DHCPACK(").count() >= 3 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let log = dnsmasq.log();
        assert!(log.matches("DHCPACK(").count() >= 3, "{log}");
        assert_eq!(log.matches("DHCPDISCOVER(").count(), 1, "{log}");
        assert!(stack.is_config_up());
        assert_eq!(stack.config_v4(), address);
    });
}

#[test]
fn an_address_of_another_network_is_refused() {
    let mut config = quick();
    config.previous_address = Some(Ipv4Addr::new(10, 9, 8, 7));
    beside_dnsmasq(config, RANGE, async |stack, dnsmasq| {
        dnsmasq.logs("DHCPNAK(").await;
        stack.wait_config_up().await;
        let address = stack.config_v4().expect("a configuration").address;
        assert!(address.contains(&KERNEL), "{address}");
    });
}

#[test]
fn a_lease_is_given_back() {
    beside_dnsmasq(quick(), RANGE, async |stack, dnsmasq| {
        stack.wait_config_up().await;
        let address = stack.config_v4().unwrap().address.address();
        stack.set_config_v4(None).unwrap();
        dnsmasq.logs("DHCPRELEASE(").await;
        let line = format!("{address} 02:00:00:00:00:42");
        assert!(dnsmasq.log().contains(&line), "{}", dnsmasq.log());
        assert!(!stack.is_config_up());
        stack.set_config_v4(quick()).unwrap();
        stack.wait_config_up().await;
    });
}

#[test]
fn an_address_in_use_is_declined() {
    // The only address is one that the kernel has as well.
    let options = "dhcp-authoritative\ndhcp-range=192.168.69.200,192.168.69.201,2m\n\
                   dhcp-host=02:00:00:00:00:42,192.168.69.200";
    let mut config = DhcpConfig::new();
    // To that address the kernel would talk to itself.
    config.broadcast = true;
    beside_dnsmasq(config, options, async |stack, dnsmasq| {
        let interface = Interface::named(dnsmasq.interface.clone());
        let taken = Ipv4Addr::new(192, 168, 69, 200);
        interface
            .add_address(taken, 24)
            .expect("an address for the kernel");
        dnsmasq.logs("DHCPDECLINE(").await;
        stack.wait_config_up().await;
        let address = stack.config_v4().unwrap().address.address();
        assert_ne!(IpAddress::Ipv4(address), IpAddress::Ipv4(taken));
    });
}
