//! radvd at the other end of a tap: routers, prefixes and name servers.

use std::net::Ipv6Addr;
use std::process::{Command, Stdio};
use std::time::Duration;

use cygnet::{AddressState, Config, IpAddress, SlaacConfig, Stack, StaticConfigV6};
use cygnet_host::process::{self, Running};

use crate::kernel::beside_kernel_with;

/// radvd on the interface.
struct Radvd {
    folder: tempfile::TempDir,
    interface: String,
    running: Option<Running>,
}

impl Radvd {
    /// Starts it anew with what it says of the interface. The one before says goodbye.
    async fn start(&mut self, options: &str) {
        self.stop().await;
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let config = format!(
            "interface {} {{\nAdvSendAdvert on;\nMinRtrAdvInterval 3;\nMaxRtrAdvInterval 4;\n{options}\n}};\n",
            self.interface
        );
        let file = path("conf");
        std::fs::write(&file, config).expect("a file of one's own");
        let mut command = Command::new("radvd");
        command
            .args(["--nodaemon", "--logmethod=stderr", "--config", &file])
            .args(["--pidfile", &path("pid")])
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        self.running = Some(process::spawn(&mut command).expect("radvd; .ci/install installs it"));
    }

    /// Ends it as its user would, so that it says that its router is gone.
    async fn stop(&mut self) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        let id = running.child().id().to_string();
        process::output(Command::new("kill").args(["-TERM", &id])).expect("kill");
        until("radvd ends", || {
            let state = running.child().try_wait();
            state.expect("a child of one's own").is_some()
        })
        .await;
    }
}

/// Waits until that is so; fails if it takes a minute.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("waited for: {what}");
}

/// Runs `test` with a stack that listens to routers, beside radvd that says that.
fn beside_radvd(options: &str, test: impl AsyncFnOnce(Stack<'static>, &mut Radvd) + Send) {
    let config = Config::slaac(SlaacConfig::new());
    beside_kernel_with(config, (KERNEL.into(), 64), async |stack, interface| {
        // radvd speaks only where it would forward.
        std::fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1").expect("a sandbox");
        let mut radvd = Radvd {
            folder: tempfile::tempdir().expect("a folder"),
            interface: interface.to_owned(),
            running: None,
        };
        radvd.start(options).await;
        stack.wait_config_up().await;
        test(stack, &mut radvd).await;
        radvd.stop().await;
    });
}

/// The kernel's address, on the link.
const KERNEL: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1);

/// For hours.
const PREFIX: &str =
    "prefix 2001:db8:1::/64 { AdvPreferredLifetime 7200; AdvValidLifetime 14400; };";

fn config(stack: Stack<'static>) -> StaticConfigV6 {
    stack.config_v6().expect("an address")
}

#[test]
fn an_address_is_made_with_all_that_goes_with_it() {
    let options = format!(
        "AdvLinkMTU 1400;\nAdvDefaultPreference high;\nAdvOtherConfigFlag on;\nAdvCurHopLimit 33;\n\
         AdvReachableTime 20000;\nAdvRetransTimer 500;\n{PREFIX}\n\
         RDNSS 2001:db8:1::53 2001:db8:1::54 {{ AdvRDNSSLifetime 300; }};\n\
         DNSSL one.example.org two.example.org {{ AdvDNSSLLifetime 300; }};\n\
         route 2001:db8:77::/48 {{ AdvRouteLifetime 600; }};"
    );
    beside_radvd(&options, async |stack, _| {
        let config = config(stack);
        let address = config.address.address();
        assert_eq!(address.segments()[..4], [0x2001, 0xdb8, 1, 0]);
        assert!(config.gateway.expect("a router").is_unicast_link_local());
        let servers: [Ipv6Addr; 2] =
            ["2001:db8:1::53", "2001:db8:1::54"].map(|server| server.parse().unwrap());
        assert_eq!(config.dns_servers[..], servers[..]);
        assert_eq!(stack.path_mtu(KERNEL.into()), Some(1_400));
        let flags = stack.router_flags();
        assert!(flags.other && !flags.managed);
        // The kernel reaches it, and by it the link-local address of the router.
        let ping = tokio::task::spawn_blocking(move || {
            process::output(Command::new("ping").args([
                "-6",
                "-c3",
                "-i0.2",
                "-W5",
                &address.to_string(),
            ]))
        });
        let output = ping.await.unwrap().expect("ping");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    });
}

#[test]
fn a_prefix_that_is_not_preferred_any_more_deprecates_its_address() {
    beside_radvd(PREFIX, async |stack, radvd| {
        let old: IpAddress = config(stack).address.address().into();
        assert_eq!(stack.address_state(old), Some(AddressState::Preferred));
        let renumbered = "prefix 2001:db8:1::/64 { AdvPreferredLifetime 0; AdvValidLifetime 14400; };\n\
                          prefix 2001:db8:2::/64 { };";
        radvd.start(renumbered).await;
        until("the old address is deprecated", || {
            stack.address_state(old) == Some(AddressState::Deprecated)
        })
        .await;
        until("the new address is used", || {
            config(stack).address.address().segments()[2] == 2
        })
        .await;
    });
}

#[test]
fn lifetimes_end_when_radvd_is_silent() {
    let short = "prefix 2001:db8:1::/64 { AdvPreferredLifetime 5; AdvValidLifetime 8; };\n\
                 RDNSS 2001:db8:1::53 { AdvRDNSSLifetime 6; };";
    beside_radvd(short, async |stack, radvd| {
        let address: IpAddress = config(stack).address.address().into();
        // Killed, so that it says nothing more.
        radvd.running = None;
        until("the address is deprecated", || {
            stack.address_state(address) == Some(AddressState::Deprecated)
        })
        .await;
        until("the address is gone", || {
            stack.address_state(address).is_none()
        })
        .await;
        assert!(!stack.is_config_up());
    });
}

#[test]
fn a_router_that_says_goodbye_is_gone() {
    beside_radvd(PREFIX, async |stack, radvd| {
        assert!(config(stack).gateway.is_some());
        radvd.stop().await;
        until("no gateway is left", || config(stack).gateway.is_none()).await;
        // What it said of the prefix holds.
        assert!(stack.is_config_up());
        radvd.start(PREFIX).await;
        until("it is back", || config(stack).gateway.is_some()).await;
    });
}
