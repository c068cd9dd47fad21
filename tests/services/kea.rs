//! Kea as a DHCP server of either version at the other end of a tap: leases of a few seconds, and delegated prefixes,
//! neither of which dnsmasq gives.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio};
use std::time::Duration;

use cygnet::{Config, ConfigV4, ConfigV6, DhcpConfig, Dhcpv6Config, Ipv4Cidr, Ipv6Cidr, Stack};
use cygnet_host::process::{self, Running};

use crate::kernel::beside_kernel_with;

/// A server on the interface, and where it writes.
struct Kea {
    folder: tempfile::TempDir,
    interface: String,
    program: &'static str,
    /// What its configuration has beside the usual.
    section: String,
    running: Option<Running>,
}

impl Kea {
    /// Starts it, anew if it runs.
    async fn start(&mut self) {
        self.running = None;
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let config = format!(
            r#"{{ "{}": {{
                "interfaces-config": {{
                    "interfaces": [ "{}" ],
                    "service-sockets-max-retries": 100,
                    "service-sockets-retry-wait-time": 100
                }},
                "lease-database": {{ "type": "memfile", "name": "{}", "lfc-interval": 0 }},
                "loggers": [ {{
                    "name": "{}", "severity": "DEBUG", "debuglevel": 50,
                    "output_options": [ {{ "output": "{}", "flush": true }} ]
                }} ],
                {}
            }} }}"#,
            if self.is_v6() { "Dhcp6" } else { "Dhcp4" },
            self.interface,
            path("leases"),
            self.program,
            path("log"),
            self.section,
        );
        // What the one before had to say is over.
        let _ = std::fs::remove_file(path("log"));
        let file = path("conf");
        std::fs::write(&file, config).expect("a file of one's own");
        let mut command = Command::new(self.program);
        command.args(["-c", &file]).stdin(Stdio::null());
        // What it has to say before it has read where to.
        let errors = File::create(path("errors")).expect("a file of one's own");
        command.stdout(Stdio::null()).stderr(errors);
        command.env("KEA_PIDFILE_DIR", self.folder.path());
        command.env("KEA_LOCKFILE_DIR", self.folder.path());
        // It lives where only root's PATH leads.
        let paths = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{paths}:/usr/sbin"));
        let running = process::spawn(&mut command);
        self.running = Some(running.expect("Kea; .ci/install installs it"));
        self.logs("_STARTED", 1).await;
    }

    fn is_v6(&self) -> bool {
        self.program.ends_with('6')
    }

    fn log(&self) -> String {
        let read = |name| std::fs::read_to_string(self.folder.path().join(name));
        ["log", "errors"]
            .map(|name| read(name).unwrap_or_default())
            .concat()
    }

    /// Waits until it has logged that so many times; fails if that takes half a minute.
    async fn logs(&self, what: &str, times: usize) {
        for _ in 0..300 {
            if self.log().matches(what).count() >= times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no {what} in:\n{}", self.log());
    }
}

/// Runs `test` beside a stack that is configured as `config` says, and Kea with that section.
fn beside_kea(
    program: &'static str,
    config: Config,
    section: &str,
    test: impl AsyncFnOnce(Stack<'static>, &mut Kea) + Send,
) {
    let kernel: (IpAddr, u8) = match program {
        "kea-dhcp6" => (KERNEL_V6.into(), 64),
        _ => (KERNEL.into(), 24),
    };
    beside_kernel_with(config, kernel, async |stack, interface| {
        let mut kea = Kea {
            folder: tempfile::tempdir().expect("a folder"),
            interface: interface.to_owned(),
            program,
            section: section.replace("INTERFACE", interface),
            running: None,
        };
        kea.start().await;
        test(stack, &mut kea).await;
    });
}

const KERNEL: Ipv4Addr = Ipv4Addr::new(192, 168, 69, 100);
const KERNEL_V6: Ipv6Addr = Ipv6Addr::new(0xfdaa, 1, 0, 0, 0, 0, 0, 1);

/// Leases of nine seconds, renewed after two.
const SECTION: &str = r#"
    "valid-lifetime": 9, "renew-timer": 2, "rebind-timer": 6,
    "subnet4": [ { "subnet": "192.168.69.0/24", "pools": [ { "pool": "192.168.69.200 - 192.168.69.210" } ] } ],
    "option-data": [
        { "name": "routers", "data": "192.168.69.100" },
        { "name": "domain-name-servers", "data": "192.168.69.100, 192.168.69.101" },
        { "name": "domain-search", "data": "one.example.org, two.example.org" },
        { "name": "ntp-servers", "data": "192.168.69.7" },
        { "name": "interface-mtu", "data": "1400" }
    ]"#;

fn dhcpv4() -> Config {
    let mut dhcp = DhcpConfig::new();
    dhcp.probe = false;
    dhcp.hostname = Some("swan".try_into().unwrap());
    let mut config = Config::new();
    config.ipv4 = ConfigV4::from(dhcp);
    config
}

#[test]
fn a_lease_of_ipv4_is_obtained_renewed_and_given_back() {
    beside_kea("kea-dhcp4", dhcpv4(), SECTION, async |stack, kea| {
        stack.wait_config_up().await;
        let lease = stack.dhcp_lease().expect("a lease");
        assert_eq!(lease.server, KERNEL);
        assert!(Ipv4Cidr::new(KERNEL, 24).contains(&lease.address.address()));
        assert_eq!(lease.gateway, Some(KERNEL));
        assert_eq!(lease.dns_servers[0], KERNEL);
        assert_eq!(lease.ntp_servers[..], [Ipv4Addr::new(192, 168, 69, 7)]);
        assert_eq!(lease.mtu, Some(1400));
        let domains: Vec<_> = lease.domains.iter().map(|d| d.to_string()).collect();
        assert_eq!(domains, ["one.example.org", "two.example.org"]);
        // The first was for the offer that was accepted; it stays the same address.
        kea.logs("DHCP4_LEASE_ALLOC", 3).await;
        assert_eq!(stack.dhcp_lease().map(|l| l.address), Some(lease.address));
        stack.set_config_v4(ConfigV4::None).unwrap();
        kea.logs("DHCP4_RELEASE ", 1).await;
    });
}

#[test]
fn a_lease_of_ipv4_ends_without_its_server_and_comes_back_with_it() {
    beside_kea("kea-dhcp4", dhcpv4(), SECTION, async |stack, kea| {
        stack.wait_config_up().await;
        kea.running = None;
        stack.wait_config_down().await;
        assert_eq!(stack.dhcp_lease(), None);
        kea.start().await;
        stack.wait_config_up().await;
        assert!(stack.dhcp_lease().is_some());
    });
}

/// Leases of forty seconds, renewed after two, and prefixes for networks behind.
const SECTION_V6: &str = r#"
    "server-id": { "type": "EN", "enterprise-id": 32473, "identifier": "0102030405060708", "persist": false },
    "preferred-lifetime": 38, "valid-lifetime": 40, "renew-timer": 2, "rebind-timer": 8,
    "subnet6": [ {
        "subnet": "fdaa:1::/64", "interface": "INTERFACE", "rapid-commit": RAPID,
        "pools": [ { "pool": "fdaa:1::100 - fdaa:1::1ff" } ],
        "pd-pools": [ { "prefix": "fdaa:1:1::", "prefix-len": 48, "delegated-len": 56 } ]
    } ],
    "option-data": [
        { "name": "dns-servers", "data": "fdaa:1::1" },
        { "name": "domain-search", "data": "one.example.org, two.example.org" }
    ]"#;

fn beside_kea_v6(config: Dhcpv6Config, test: impl AsyncFnOnce(Stack<'static>, &mut Kea) + Send) {
    let rapid = if config.rapid_commit { "true" } else { "false" };
    let section = SECTION_V6.replace("RAPID", rapid);
    beside_kea("kea-dhcp6", Config::dhcpv6(config), &section, test);
}

#[test]
fn a_lease_of_ipv6_is_obtained_renewed_and_given_back() {
    for rapid_commit in [false, true] {
        let mut config = Dhcpv6Config::stateful();
        config.rapid_commit = rapid_commit;
        beside_kea_v6(config, async |stack, kea| {
            stack.wait_config_up().await;
            let lease = stack.dhcpv6_lease().expect("a lease");
            let address = lease.addresses[0].address;
            assert!(Ipv6Cidr::new(KERNEL_V6, 64).contains(&address));
            assert_eq!(lease.dns_servers[..], [KERNEL_V6]);
            let domains: Vec<_> = lease.domains.iter().map(|d| d.to_string()).collect();
            assert_eq!(domains, ["one.example.org", "two.example.org"]);
            kea.logs("DHCP6_LEASE_RENEW", 2).await;
            let renewed = stack.dhcpv6_lease().expect("a lease").addresses;
            assert_eq!(renewed[0].address, address);
            stack.set_config_v6(ConfigV6::LinkLocal).unwrap();
            kea.logs("DHCP6_RELEASE_NA ", 1).await;
        });
    }
}

#[test]
fn a_prefix_is_delegated_and_renewed() {
    let mut config = Dhcpv6Config::stateful();
    config.prefix_delegation = true;
    beside_kea_v6(config, async |stack, kea| {
        stack.wait_config_up().await;
        let delegated = Ipv6Cidr::new(Ipv6Addr::new(0xfdaa, 1, 1, 0, 0, 0, 0, 0), 48);
        let prefix = || stack.dhcpv6_lease().expect("a lease").prefixes[0].prefix;
        let first = prefix();
        assert_eq!(first.prefix_len(), 56);
        assert!(delegated.contains(&first.address()));
        kea.logs("DHCP6_LEASE_RENEW", 4).await;
        assert_eq!(prefix(), first);
        stack.set_config_v6(ConfigV6::LinkLocal).unwrap();
        kea.logs("DHCP6_RELEASE_PD ", 1).await;
    });
}

#[test]
fn a_lease_of_ipv6_is_rebound_when_its_server_missed_the_renewal() {
    beside_kea_v6(Dhcpv6Config::stateful(), async |stack, kea| {
        stack.wait_config_up().await;
        let address = stack.dhcpv6_lease().expect("a lease").addresses[0].address;
        // T1 comes after two seconds, T2 after eight.
        kea.running = None;
        tokio::time::sleep(Duration::from_secs(5)).await;
        kea.start().await;
        kea.logs("DHCP6_LEASE_RENEW", 1).await;
        let lease = stack.dhcpv6_lease().expect("it was extended");
        assert_eq!(lease.addresses[0].address, address);
    });
}
