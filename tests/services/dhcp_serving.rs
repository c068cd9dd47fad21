//! The stack as a DHCP server: others that it gives addresses to.

use std::net::Ipv4Addr;

use cygnet::{
    Config, ConfigV4, DhcpConfig, DhcpServerConfig, DhcpServerError, DhcpServerEvent, Discard,
    Duration, Ipv4Cidr, StaticConfigV4,
};
use cygnet_driver::LinkState;
use cygnet_tests::{Network, Setup};
use embassy_futures::join::join3;

fn last(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

fn pool(first: u8, to: u8) -> DhcpServerConfig {
    let mut config = DhcpServerConfig::new(last(first), last(to));
    config.gateway = Some(last(1));
    config.dns_servers.push(last(1)).unwrap();
    config.domain = Some("example.org".try_into().unwrap());
    config
}

/// A server as host 0, at 10.0.0.1, and clients.
fn network<const N: usize>(client: DhcpConfig) -> Network<'static, N> {
    Network::with(1, move |n| {
        let mut setup = Setup::new(n);
        if n > 0 {
            setup.config = Config::dhcpv4(client.clone());
        }
        setup
    })
}

fn quick() -> DhcpConfig {
    let mut config = DhcpConfig::new();
    config.probe = false;
    config
}

fn address(stack: cygnet::Stack<'_>) -> Option<Ipv4Addr> {
    Some(stack.config_v4()?.address.address())
}

#[test]
fn clients_get_addresses_and_talk() {
    let network = network::<3>(DhcpConfig::new());
    let [server, a, b] = &network.hosts;
    network.executor.block_on(async {
        server.stack.start_dhcp_server(pool(10, 20)).unwrap();
        let first = join3(
            server.stack.wait_dhcp_server_event(),
            a.stack.wait_config_up(),
            b.stack.wait_config_up(),
        )
        .await
        .0;
        let second = server.stack.wait_dhcp_server_event().await;
        let given = |event| match event {
            DhcpServerEvent::Given(grant) => (grant.hardware.0[5], grant.address),
            other => panic!("{other:?}"),
        };
        let mut given = [given(first), given(second)];
        given.sort_unstable();
        let config = a.stack.config_v4().unwrap();
        assert_eq!(
            given,
            [
                (2, address(a.stack).unwrap()),
                (3, address(b.stack).unwrap())
            ]
        );
        assert_eq!(server.stack.dhcp_server_leases().len(), 2);
        assert_eq!(config.address.prefix_len(), 24);
        assert_eq!(config.gateway, Some(last(1)));
        assert_eq!(config.dns_servers[..], [last(1)]);

        let (here, there) = (a.udp_at(7), b.udp_at(7));
        here.send_to(b"hello", (address(b.stack).unwrap(), 7))
            .await
            .unwrap();
        there.recv_from(&mut [0; 9]).await.unwrap();
    });
}

#[test]
fn leases_are_renewed_for_as_long_as_their_clients_are_there() {
    let network = network::<2>(quick());
    let [server, client] = &network.hosts;
    network.executor.block_on(async {
        let mut config = pool(10, 20);
        config.lease_time = Duration::from_secs(120);
        server.stack.start_dhcp_server(config).unwrap();
        client.stack.wait_config_up().await;
        let given = server.stack.wait_dhcp_server_event().await;
        assert!(matches!(given, DhcpServerEvent::Given(_)));
        network.executor.sleep(Duration::from_secs(1000)).await;
        assert!(client.stack.is_config_up());
        assert_eq!(server.stack.dhcp_server_leases().len(), 1);
        network.control.set_link_state(1, LinkState::Down);
        let from = network.executor.now();
        let ended = server.stack.wait_dhcp_server_event().await;
        assert!(matches!(ended, DhcpServerEvent::Ended(_)), "{ended:?}");
        let after = network.executor.now().since(from).as_secs();
        assert!((50..=121).contains(&after), "{after}");
        network.control.set_link_state(1, LinkState::Up);
        client.stack.wait_config_up().await;
    });
}

#[test]
fn a_client_gives_its_address_back() {
    let network = network::<2>(quick());
    let [server, client] = &network.hosts;
    network.executor.block_on(async {
        server.stack.start_dhcp_server(pool(10, 20)).unwrap();
        client.stack.wait_config_up().await;
        server.stack.wait_dhcp_server_event().await;
        client.stack.set_config_v4(None).unwrap();
        let ended = server.stack.wait_dhcp_server_event().await;
        assert!(matches!(ended, DhcpServerEvent::Ended(_)), "{ended:?}");
        assert_eq!(server.stack.dhcp_server_leases().len(), 0);
    });
}

#[test]
fn an_address_that_somebody_has_is_declined_and_another_given() {
    let network = Network::<3>::with(1, |n| {
        let mut setup = Setup::new(n);
        if n == 1 {
            let mut dhcp = DhcpConfig::new();
            // That of the third host.
            dhcp.previous_address = Some(last(3));
            setup.config = Config::dhcpv4(dhcp);
        }
        setup
    });
    let [server, client, _holder] = &network.hosts;
    network.executor.block_on(async {
        server.stack.start_dhcp_server(pool(3, 4)).unwrap();
        let given = server.stack.wait_dhcp_server_event().await;
        assert!(matches!(given, DhcpServerEvent::Given(grant) if grant.address == last(3)));
        let declined = server.stack.wait_dhcp_server_event().await;
        assert!(matches!(declined, DhcpServerEvent::Declined(grant) if grant.address == last(3)));
        client.stack.wait_config_up().await;
        assert_eq!(address(client.stack), Some(last(4)));
    });
}

#[test]
fn a_client_that_was_off_asks_for_what_it_had() {
    let network = network::<2>(quick());
    let [server, client] = &network.hosts;
    network.executor.block_on(async {
        server.stack.start_dhcp_server(pool(10, 20)).unwrap();
        client.stack.wait_config_up().await;
        let before = address(client.stack);
        network.control.set_link_state(1, LinkState::Down);
        client.stack.wait_config_down().await;
        let from = network.executor.now();
        network.control.set_link_state(1, LinkState::Up);
        client.stack.wait_config_up().await;
        network.executor.sleep(Duration::from_secs(1)).await;
        assert_eq!(address(client.stack), before);
        assert!(network.executor.now().since(from) <= Duration::from_secs(2));

        // One of another network is refused, and another given at once.
        let mut dhcp = quick();
        dhcp.previous_address = Some(Ipv4Addr::new(192, 0, 2, 1));
        client.stack.set_config_v4(dhcp).unwrap();
        client.stack.wait_config_up().await;
        assert_eq!(address(client.stack), before);
    });
}

#[test]
fn a_server_that_was_off_knows_clients_again_if_it_is_the_only_one() {
    let network = network::<2>(quick());
    let [server, client] = &network.hosts;
    network.executor.block_on(async {
        let mut config = pool(10, 20);
        config.authoritative = true;
        server.stack.start_dhcp_server(config.clone()).unwrap();
        client.stack.wait_config_up().await;
        let before = address(client.stack);
        server.stack.start_dhcp_server(config).unwrap();
        assert_eq!(server.stack.dhcp_server_leases().len(), 0);
        network.executor.sleep(Duration::from_secs(901)).await;
        assert_eq!(server.stack.dhcp_server_leases().len(), 1);
        assert_eq!(address(client.stack), before);
    });
}

#[test]
fn a_pool_that_is_used_up_is_counted() {
    let network = network::<3>(quick());
    let [server, a, b] = &network.hosts;
    network.executor.block_on(async {
        server.stack.start_dhcp_server(pool(10, 10)).unwrap();
        network.executor.sleep(Duration::from_secs(60)).await;
        assert_ne!(a.stack.is_config_up(), b.stack.is_config_up());
        assert!(server.stack.stats().discarded(Discard::DhcpPoolExhausted) > 2);
        let (lucky, unlucky) = if a.stack.is_config_up() {
            (a, b)
        } else {
            (b, a)
        };
        lucky.stack.set_config_v4(None).unwrap();
        unlucky.stack.wait_config_up().await;
        assert_eq!(address(unlucky.stack), Some(last(10)));
    });
}

#[test]
fn a_server_without_an_address_of_its_own_keeps_silent() {
    let network = network::<2>(quick());
    let [server, client] = &network.hosts;
    network.executor.block_on(async {
        server.stack.start_dhcp_server(pool(10, 20)).unwrap();
        let fixed = server.stack.config_v4();
        server.stack.set_config_v4(None).unwrap();
        network.executor.sleep(Duration::from_secs(30)).await;
        assert!(!client.stack.is_config_up());
        server.stack.set_config_v4(fixed).unwrap();
        client.stack.wait_config_up().await;
        server.stack.stop_dhcp_server().unwrap();
        client.stack.set_config_v4(quick()).unwrap();
        network.executor.sleep(Duration::from_secs(30)).await;
        assert!(!client.stack.is_config_up());
        let empty = server.stack.start_dhcp_server(pool(20, 10));
        assert_eq!(empty, Err(DhcpServerError::EmptyPool));
    });
}

#[cfg(target_os = "linux")]
mod udhcpc {
    //! BusyBox's client on the kernel's side of a tap.

    use std::process::{Command, Stdio};

    use cygnet_host::process;

    use super::*;
    use crate::kernel::beside_kernel;

    fn server() -> ConfigV4 {
        StaticConfigV4::new(Ipv4Cidr::new(Ipv4Addr::new(192, 168, 69, 1), 24)).into()
    }

    fn at(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(192, 168, 69, last)
    }

    /// Takes what it is given, and writes down what that was.
    const SCRIPT: &str = "#!/bin/sh\n\
        echo \"$1 $ip/$mask router=$router dns=$dns domain=$domain lease=$lease mtu=$mtu\" >>\"$LOG\"\n\
        case $1 in\n\
        bound) ip addr add \"$ip/$mask\" dev \"$interface\" ;;\n\
        deconfig) ip addr flush dev \"$interface\" ;;\n\
        esac\n";

    #[test]
    fn it_gets_an_address_renews_it_and_gives_it_back() {
        beside_kernel(server(), None, async |stack, interface| {
            let folder = tempfile::tempdir().expect("a folder");
            let script = folder.path().join("script");
            let log = folder.path().join("log");
            std::fs::write(&script, SCRIPT).expect("a file of one's own");
            let mut executable = std::fs::metadata(&script).unwrap().permissions();
            std::os::unix::fs::PermissionsExt::set_mode(&mut executable, 0o700);
            std::fs::set_permissions(&script, executable).unwrap();
            let mut config = DhcpServerConfig::new(at(10), at(20));
            config.gateway = Some(at(1));
            config.dns_servers.push(at(1)).unwrap();
            config.domain = Some("example.org".try_into().unwrap());
            config.mtu = Some(1400);
            stack.start_dhcp_server(config).unwrap();

            let mut command = Command::new("udhcpc");
            command
                .args(["-f", "-R", "-t20", "-T1", "-i", interface, "-s"])
                .arg(&script)
                .args(["-O", "mtu"])
                .env("LOG", &log)
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            let mut udhcpc = process::spawn(&mut command).expect("udhcpc; .ci/install installs it");
            let DhcpServerEvent::Given(grant) = stack.wait_dhcp_server_event().await else {
                panic!("a lease");
            };
            let ping = ["-c1", "-W10", "192.168.69.1"];
            let logs = async |what: &str| {
                for _ in 0..300 {
                    let text = std::fs::read_to_string(&log).unwrap_or_default();
                    if text.contains(what) {
                        return;
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
                panic!("no {what} in {:?}", std::fs::read_to_string(&log));
            };
            let address = grant.address;
            logs(&format!(
                "bound {address}/24 router=192.168.69.1 dns=192.168.69.1 domain=example.org lease=1800 mtu=1400"
            ))
            .await;
            let output = tokio::task::spawn_blocking(move || {
                process::output(Command::new("ping").args(ping)).expect("ping")
            });
            assert!(
                output.await.unwrap().status.success(),
                "it is on the network"
            );

            let id = udhcpc.child().id().to_string();
            let signal = |name: &str| {
                let sent = process::output(Command::new("kill").args([name, &id]));
                assert!(sent.expect("kill").status.success());
            };
            signal("-USR1");
            logs("renew").await;
            signal("-TERM");
            let ended = stack.wait_dhcp_server_event().await;
            assert!(
                matches!(ended, DhcpServerEvent::Ended(grant) if grant.address == address),
                "{ended:?}"
            );
            assert_eq!(stack.stats().discarded(Discard::UnmatchedDhcp), 0);
        });
    }
}
