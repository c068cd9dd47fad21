//! dnsmasq as a DHCPv6 server at the other end of a tap.

use core::net::Ipv6Addr;
use std::process::Command;
use std::time::Duration;

use cygnet::{Config, ConfigV6, Dhcpv6Config, Stack};
use cygnet_host::{Interface, process};

use crate::dnsmasq::{Dnsmasq, beside};

/// The kernel's address, where dnsmasq is.
const KERNEL: Ipv6Addr = Ipv6Addr::new(0xfdaa, 1, 0, 0, 0, 0, 0, 1);

/// Addresses from ::100 on, for two minutes; that is the least that dnsmasq gives.
const RANGE: &str = "dhcp-authoritative\ndhcp-range=fdaa:1::100,fdaa:1::1ff,64,2m\n\
                     dhcp-option=option6:dns-server,[fdaa:1::1]\n\
                     dhcp-option=option6:domain-search,one.example.org,two.example.org";

fn beside_dnsmasq(
    config: Dhcpv6Config,
    options: &str,
    test: impl AsyncFnOnce(Stack<'static>, &mut Dnsmasq) + Send,
) {
    beside(Config::dhcpv6(config), (KERNEL, 64), options, test);
}

/// The first address of the lease, when it can be used.
async fn leased(stack: Stack<'static>) -> Ipv6Addr {
    stack.wait_config_up().await;
    stack.dhcpv6_lease().expect("a lease").addresses[0].address
}

/// What is given is renewed as if it were for so many seconds: less than any that dnsmasq gives.
fn short(seconds: u64) -> Dhcpv6Config {
    let mut config = Dhcpv6Config::stateful();
    config.max_lifetime = Some(cygnet::Duration::from_secs(seconds));
    config
}

#[test]
fn addresses_are_obtained_in_two_messages_or_in_four() {
    for rapid_commit in [false, true] {
        let mut config = Dhcpv6Config::stateful();
        config.rapid_commit = rapid_commit;
        let options = format!(
            "{RANGE}\n{}",
            if rapid_commit {
                "dhcp-rapid-commit"
            } else {
                ""
            }
        );
        beside_dnsmasq(config, &options, async |stack, dnsmasq| {
            let address = leased(stack).await;
            assert_eq!(address.segments()[..4], KERNEL.segments()[..4]);
            let lease = stack.dhcpv6_lease().expect("a lease");
            assert_eq!(lease.dns_servers[..], [KERNEL]);
            let domains: Vec<_> = lease.domains.iter().map(|d| d.to_string()).collect();
            assert_eq!(domains, ["one.example.org", "two.example.org"]);
            let seconds = lease.addresses[0].valid.expect("an end").as_secs();
            assert!((110..=120).contains(&seconds), "{seconds}");
            let log = dnsmasq.log();
            assert_eq!(log.contains("DHCPADVERTISE("), !rapid_commit, "{log}");
            let ping = tokio::task::spawn_blocking(move || {
                let arguments = ["-6", "-c1", "-W5", &address.to_string()];
                process::output(Command::new("ping").args(arguments)).expect("ping")
            });
            let output = ping.await.unwrap();
            assert!(output.status.success(), "the kernel reaches it");
        });
    }
}

#[test]
fn information_is_obtained_without_an_address() {
    let options = "dhcp-range=fdaa:1::,ra-stateless\ndhcp-option=option6:dns-server,[fdaa:1::1]\n\
                   dhcp-option=option6:information-refresh-time,1h";
    beside_dnsmasq(
        Dhcpv6Config::stateless(),
        options,
        async |stack, dnsmasq| {
            while stack.dhcpv6_lease().is_none() {
                stack.wait_config_change().await;
            }
            let lease = stack.dhcpv6_lease().expect("information");
            assert_eq!(lease.dns_servers[..], [KERNEL]);
            assert!(lease.addresses.is_empty());
            dnsmasq.logs("DHCPINFORMATION-REQUEST(").await;
        },
    );
}

#[test]
fn a_short_lease_is_renewed() {
    beside_dnsmasq(short(4), RANGE, async |stack, dnsmasq| {
        let address = leased(stack).await;
        for _ in 0..300 {
            if dnsmasq.log().matches("DHCPRENEW(").count() >= 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let log = dnsmasq.log();
        assert!(log.matches("DHCPRENEW(").count() >= 2, "{log}");
        assert!(!log.contains("DHCPREBIND("), "{log}");
        assert_eq!(leased(stack).await, address);
    });
}

#[test]
fn an_address_is_given_back() {
    beside_dnsmasq(Dhcpv6Config::stateful(), RANGE, async |stack, dnsmasq| {
        let address = leased(stack).await;
        stack.set_config_v6(ConfigV6::LinkLocal).unwrap();
        assert_eq!(stack.address_state(address.into()), None);
        dnsmasq.logs("DHCPRELEASE(").await;
        dnsmasq.logs("release received").await;
        stack.set_config_v6(Dhcpv6Config::stateful()).unwrap();
        leased(stack).await;
    });
}

#[test]
fn a_server_that_is_gone_takes_the_address_with_it_and_brings_it_back() {
    beside_dnsmasq(short(6), RANGE, async |stack, dnsmasq| {
        let address = leased(stack).await;
        dnsmasq.stop();
        stack.wait_config_down().await;
        assert_eq!(stack.dhcpv6_lease(), None);
        assert_eq!(stack.address_state(address.into()), None);
        dnsmasq.start(RANGE);
        assert_eq!(leased(stack).await, address, "dnsmasq remembers");
    });
}

#[test]
fn a_server_that_missed_the_renewal_hears_the_rebinding() {
    beside_dnsmasq(short(20), RANGE, async |stack, dnsmasq| {
        let address = leased(stack).await;
        dnsmasq.stop();
        // T1 comes after ten seconds, T2 after sixteen.
        tokio::time::sleep(Duration::from_secs(10)).await;
        dnsmasq.start(RANGE);
        dnsmasq.logs("DHCPREBIND(").await;
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert_eq!(leased(stack).await, address, "longer than it was given for");
    });
}

#[test]
fn an_address_in_use_is_declined() {
    let options = format!("{RANGE}\ndhcp-host=id:00:03:00:01:02:00:00:00:00:42,[fdaa:1::150]");
    let taken = Ipv6Addr::new(0xfdaa, 1, 0, 0, 0, 0, 0, 0x150);
    beside_dnsmasq(
        Dhcpv6Config::stateful(),
        &options,
        async |stack, dnsmasq| {
            let interface = Interface::named(dnsmasq.interface().to_owned());
            interface
                .add_address(taken, 64)
                .expect("an address for the kernel");
            dnsmasq.logs("DHCPDECLINE(").await;
            assert_ne!(leased(stack).await, taken);
        },
    );
}

/// RFC 4861, section 4.2: what is to be had by DHCPv6 is for the router to say, which is dnsmasq as well.
#[test]
fn a_router_says_what_is_obtained() {
    let stateful = format!("enable-ra\n{RANGE}");
    let config = || Config::slaac(cygnet::SlaacConfig::new());
    beside(config(), (KERNEL, 64), &stateful, async |stack, dnsmasq| {
        let address = leased(stack).await;
        assert_eq!(address.segments()[..4], KERNEL.segments()[..4]);
        assert!(stack.router_flags().managed);
        dnsmasq.logs("DHCPREPLY(").await;
    });
    let stateless = "enable-ra\ndhcp-range=fdaa:1::,ra-stateless,64\n\
                     dhcp-option=option6:domain-search,one.example.org";
    beside(config(), (KERNEL, 64), stateless, async |stack, dnsmasq| {
        while stack.dhcpv6_lease().is_none() {
            stack.wait_config_change().await;
        }
        let flags = stack.router_flags();
        assert!(flags.other && !flags.managed);
        let lease = stack.dhcpv6_lease().expect("information");
        let domains: Vec<_> = lease.domains.iter().map(|d| d.to_string()).collect();
        assert_eq!(domains, ["one.example.org"]);
        assert!(lease.addresses.is_empty());
        // The address is made of the prefix.
        stack.wait_config_up().await;
        let made = stack.config_v6().expect("an address").address.address();
        assert_eq!(made.segments()[..4], KERNEL.segments()[..4]);
        dnsmasq.logs("DHCPINFORMATION-REQUEST(").await;
    });
}
