//! dnsmasq at the other end of a tap: leases and names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio};
use std::time::Duration;

use cygnet::wire::dns::{Name, RecordData, RecordType};
use cygnet::{Config, ConfigV4, DhcpConfig, DnsError, DnsSocket, IpAddress, Ipv4Cidr};
use cygnet::{SlaacConfig, Stack, StaticConfigV4, TcpConnector, TcpSocket};
use cygnet_host::process::Running;
use cygnet_host::{Interface, TokioClock, process};
use embedded_nal_async::Dns as _;

use crate::kernel::beside_kernel_with;

/// The kernel's address, where dnsmasq is.
const KERNEL: Ipv4Addr = Ipv4Addr::new(192, 168, 69, 100);

/// dnsmasq on the interface, and where its leases stand.
pub(crate) struct Dnsmasq {
    folder: tempfile::TempDir,
    interface: String,
    running: Option<Running>,
}

impl Dnsmasq {
    /// Starts it with these options beside the usual.
    pub(crate) fn start(&mut self, options: &str) {
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

    /// Ends it.
    pub(crate) fn stop(&mut self) {
        self.running = None;
    }

    /// The interface that it serves.
    pub(crate) fn interface(&self) -> &str {
        &self.interface
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until it has logged that; fails if that takes half a minute.
    pub(crate) async fn logs(&self, what: &str) {
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
    let mut with_ipv4 = Config::new();
    with_ipv4.ipv4 = config.into();
    beside(with_ipv4, (KERNEL, 24), options, test);
}

/// The same with any configuration, and with that address and prefix length for the kernel.
pub(crate) fn beside(
    config: Config,
    (kernel, prefix_len): (impl Into<IpAddr>, u8),
    options: &str,
    test: impl AsyncFnOnce(Stack<'static>, &mut Dnsmasq) + Send,
) {
    let address = (kernel.into(), prefix_len);
    beside_kernel_with(config, address, async |stack, interface| {
        let mut dnsmasq = Dnsmasq {
            folder: tempfile::tempdir().expect("a folder"),
            interface: interface.to_owned(),
            running: None,
        };
        dnsmasq.start(options);
        dnsmasq.logs("started").await;
        test(stack, &mut dnsmasq).await;
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

/// Names that dnsmasq knows, one of them with more text than fits a datagram.
fn zone() -> String {
    let mut zone = String::from(
        "local=/example.org/\nhost-record=www.example.org,192.0.2.1\nhost-record=www.example.org,192.0.2.2\n\
         cname=alias.example.org,www.example.org\nmx-host=example.org,mail.example.org,10\n\
         srv-host=_sip._tcp.example.org,www.example.org,5060,1,2\n\
         ptr-record=7.2.0.192.in-addr.arpa,seven.example.org\ntxt-record=small.example.org,one,two\n\
         cache-size=0\nlocal-ttl=60\nlog-queries\n",
    );
    for n in 0..40 {
        zone.push_str(&format!(
            "txt-record=big.example.org,{n}-{}\n",
            "swan".repeat(20)
        ));
    }
    zone
}

fn fixed() -> StaticConfigV4 {
    let address = Ipv4Cidr::new(Ipv4Addr::new(192, 168, 69, 1), 24);
    let config = StaticConfigV4::new(address).with_dns_server(KERNEL);
    config.with_domain(&Name::from_text("example.org").unwrap())
}

#[test]
fn names_are_found_over_udp() {
    beside_dnsmasq(fixed(), &zone(), async |stack, dnsmasq| {
        let dns = DnsSocket::new(stack, vec![0; 1600]).expect("a free slot");
        let mut www = dns.resolve("www.example.org").await.expect("addresses");
        www.sort_unstable();
        let expected = [1, 2].map(|last| IpAddress::Ipv4(Ipv4Addr::new(192, 0, 2, last)));
        assert_eq!(www[..], expected);
        assert_eq!(dns.resolve("www").await.expect("in the domain").len(), 2);
        assert_eq!(
            dns.resolve("alias.example.org")
                .await
                .expect("an alias")
                .len(),
            2
        );
        assert_eq!(
            dns.resolve("no.example.org").await,
            Err(DnsError::NoSuchName)
        );
        let data = dns.query_with("example.org", RecordType::MX, |answer| {
            answer.records().any(|record| {
                matches!(record.data, RecordData::Mx { preference: 10, exchange }
                    if exchange.to_string() == "mail.example.org")
            })
        });
        assert_eq!(data.await, Ok(true));
        let data = dns.query_with("_sip._tcp.example.org", RecordType::SRV, |answer| {
            answer.records().any(|record| {
                matches!(
                    record.data,
                    RecordData::Srv {
                        port: 5060,
                        priority: 1,
                        weight: 2,
                        ..
                    }
                )
            })
        });
        assert_eq!(data.await, Ok(true));
        let data = dns.query_with("small.example.org", RecordType::TXT, |answer| {
            answer.records().any(|record| match record.data {
                RecordData::Txt(strings) => strings.iter().eq([&b"one"[..], b"two"]),
                _ => false,
            })
        });
        assert_eq!(data.await, Ok(true));
        let mut buffer = [0; 512];
        let aaaa = dns
            .query("www.example.org", RecordType::AAAA, &mut buffer)
            .await;
        assert_eq!(aaaa.err(), Some(DnsError::NoData));
        let mut name = [0; 64];
        let address = Ipv4Addr::new(192, 0, 2, 7).into();
        let len = dns
            .get_host_by_address(address, &mut name)
            .await
            .expect("a name");
        assert_eq!(&name[..len], b"seven.example.org");
        // Whatever its capitals, asked once for each type: the rest came from the cache.
        let log = dnsmasq.log().to_ascii_lowercase();
        assert_eq!(log.matches("query[a] www.example.org ").count(), 1, "{log}");
    });
}

#[test]
fn long_answers_come_over_tcp() {
    beside_dnsmasq(fixed(), &zone(), async |stack, _| {
        let count =
            |answer: cygnet::DnsAnswer<'_>| (answer.is_truncated(), answer.records().count());
        let dns = DnsSocket::new(stack, vec![0; 8000]).expect("a free slot");
        let cut = dns
            .query_with("big.example.org", RecordType::TXT, count)
            .await
            .expect("a part");
        assert!(cut.0 && cut.1 < 40, "{cut:?}");
        let tcp = TcpSocket::new(stack, vec![0; 512], vec![0; 256]).expect("a free slot");
        let dns = dns.with_tcp(tcp);
        for _ in 0..3 {
            let all = dns
                .query_with("big.example.org", RecordType::TXT, count)
                .await;
            assert_eq!(all, Ok((false, 40)));
        }
    });
}

/// The kernel's IPv6 address.
const KERNEL_V6: Ipv6Addr = Ipv6Addr::new(0x2a00, 0, 0, 0, 0, 0, 0, 0x100);

#[test]
fn of_two_versions_the_one_that_answers_is_connected_to() {
    let zone = format!("local=/example.org/\nhost-record=swan.example.org,{KERNEL},{KERNEL_V6}\n");
    beside_dnsmasq(fixed(), &zone, async |stack, dnsmasq| {
        Interface::named(dnsmasq.interface.clone())
            .add_address(KERNEL_V6, 64)
            .expect("an address for an interface of one's own");
        let own = Ipv6Addr::new(0x2a00, 0, 0, 0, 0, 0, 0, 1);
        let config = cygnet::StaticConfigV6::new(cygnet::Ipv6Cidr::new(own, 64));
        stack.set_config_v6(config).expect("room for an address");
        let is_tentative = || {
            let shown =
                process::output(Command::new("ip").args(["-6", "addr", "show", "tentative"]));
            String::from_utf8_lossy(&shown.expect("ip").stdout).contains("inet6")
        };
        while stack.address_state(own.into()) != Some(cygnet::AddressState::Preferred)
            || is_tentative()
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let dns = || DnsSocket::new(stack, vec![0; 1600]).expect("a free slot");
        let both = [KERNEL_V6.into(), KERNEL.into()];
        assert_eq!(
            dns().resolve("swan.example.org").await.expect("addresses")[..],
            both
        );
        let pool = stack
            .add_owned_pool(2, 1000, 1000)
            .expect("room for a pool");
        let connector = TcpConnector::new_with_clock(stack, pool, dns(), TokioClock::new())
            .with_second_dns(dns());
        for (listening, reached) in [("[::]:80", KERNEL_V6.into()), ("0.0.0.0:80", KERNEL.into())] {
            let _listener = std::net::TcpListener::bind(listening).expect("a free port");
            let socket = connector
                .connect_host("swan.example.org", 80)
                .await
                .expect("one answers");
            let remote: Option<IpAddress> = socket.remote_endpoint().map(|remote| remote.addr);
            assert_eq!(remote, Some(reached), "{listening}");
        }
    });
}

#[test]
fn servers_that_a_lease_names_are_asked() {
    let options = format!("{RANGE}\ndomain=example.org\n{}", zone());
    beside_dnsmasq(quick(), &options, async |stack, _| {
        stack.wait_config_up().await;
        let dns = DnsSocket::new(stack, vec![0; 1600]).expect("a free slot");
        assert_eq!(
            dns.resolve("www")
                .await
                .expect("in the lease's domain")
                .len(),
            2
        );
    });
}

#[test]
fn servers_and_domains_that_a_router_names_are_asked() {
    let kernel = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1);
    let options = "enable-ra\ndhcp-range=2001:db8:1::,ra-only,64,1h\n\
                   dhcp-option=option6:dns-server,[2001:db8:1::1]\n\
                   dhcp-option=option6:domain-search,one.example.org\n\
                   host-record=swan.one.example.org,2001:db8:2::99";
    let config = Config::slaac(SlaacConfig::new());
    beside_kernel_with(config, (kernel.into(), 64), async |stack, interface| {
        let mut dnsmasq = Dnsmasq {
            folder: tempfile::tempdir().expect("a folder"),
            interface: interface.to_owned(),
            running: None,
        };
        dnsmasq.start(options);
        stack.wait_config_up().await;
        let config = stack.config_v6().expect("an address");
        assert_eq!(
            config.address.address().segments()[..4],
            [0x2001, 0xdb8, 1, 0]
        );
        assert_eq!(config.dns_servers[..], [kernel]);
        let dns = DnsSocket::new(stack, vec![0; 1600]).expect("a free slot");
        let answer = dns
            .query_with("swan", RecordType::AAAA, |answer| answer.records().count())
            .await;
        assert_eq!(answer, Ok(1), "{}", dnsmasq.log());
    });
}
