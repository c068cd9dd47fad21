//! Multicast DNS with Avahi, on the kernel's side of a tap, which has a bus of its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::{Command, Stdio};

use cygnet::wire::IpVersion;
use cygnet::{
    Config, ConfigV6, DnsSocket, IpAddress, Ipv4Cidr, Ipv6Cidr, Stack, StaticConfigV4,
    StaticConfigV6,
};
use cygnet_host::process::{self, Running};
use embedded_nal_async::Dns;

use crate::kernel::beside_kernel_with;
use crate::mdns::{WEB, host_name};

/// The daemon, and the bus that its programs find it by.
struct Avahi {
    folder: tempfile::TempDir,
    _running: [Running; 2],
}

impl Avahi {
    fn start(interface: &str, version: IpVersion) -> Self {
        let yes_if = |is| if is { "yes" } else { "no" };
        let ipv4 = yes_if(version == IpVersion::Ipv4);
        let ipv6 = yes_if(version == IpVersion::Ipv6);
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("a file of one's own");
            path
        };
        let bus = write(
            "bus.conf",
            format!(
                "<busconfig><listen>{}</listen><policy context=\"default\"><allow user=\"*\"/>\
                 <allow own=\"*\"/><allow send_type=\"method_call\"/><allow send_type=\"signal\"/>\
                 <allow send_requested_reply=\"true\" send_type=\"method_return\"/>\
                 <allow send_requested_reply=\"true\" send_type=\"error\"/>\
                 <allow receive_type=\"method_call\"/><allow receive_type=\"method_return\"/>\
                 <allow receive_type=\"error\"/><allow receive_type=\"signal\"/></policy></busconfig>",
                address(folder.path())
            ),
        );
        let conf = write(
            "avahi.conf",
            format!(
                "[server]\nhost-name=duck\nuse-ipv4={ipv4}\nuse-ipv6={ipv6}\nallow-interfaces={interface}\n\
                 enable-dbus=yes\n[publish]\npublish-workstation=no\npublish-hinfo=no\n"
            ),
        );
        let mut dbus = Command::new("dbus-daemon");
        dbus.arg("--nofork").arg("--nopidfile");
        dbus.arg(format!("--config-file={}", bus.display()));
        let dbus = spawn(&mut dbus);
        // What it keeps in /run is nobody else's.
        let mut avahi = Command::new("unshare");
        avahi.args(["--mount", "sh", "-c"]).arg(
            "mount -t tmpfs none /run && mkdir /run/avahi-daemon && while ! test -S \"$2\"; do sleep 0.1; done; \
             exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f \"$1\"",
        );
        avahi.arg("sh").arg(conf).arg(folder.path().join("bus"));
        avahi.env("DBUS_SYSTEM_BUS_ADDRESS", address(folder.path()));
        let avahi = spawn(&mut avahi);
        Self {
            folder,
            _running: [dbus, avahi],
        }
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments);
        command.env("DBUS_SYSTEM_BUS_ADDRESS", address(self.folder.path()));
        command
    }

    /// What a program says, once it says `what`. Fails if that takes half a minute.
    async fn says(&self, program: &str, arguments: &[&str], what: &str) -> String {
        let mut said = String::new();
        for _ in 0..60 {
            let mut command = self.command(program, arguments);
            let output = tokio::task::spawn_blocking(move || process::output(&mut command));
            let output = output.await.unwrap();
            let output = output.expect("avahi's programs; .ci/install installs them");
            said = String::from_utf8_lossy(&output.stdout).into_owned();
            if said.contains(what) {
                return said;
            }
            said += &String::from_utf8_lossy(&output.stderr);
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
        panic!("no {what} in {said}");
    }
}

fn spawn(command: &mut Command) -> Running {
    command.stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    process::spawn(command).expect("dbus-daemon and avahi-daemon; .ci/install installs them")
}

fn address(folder: &Path) -> String {
    format!("unix:path={}", folder.join("bus").display())
}

const KERNEL: Ipv4Addr = Ipv4Addr::new(192, 168, 69, 100);
const KERNEL_V6: Ipv6Addr = Ipv6Addr::new(0xfdaa, 2, 0, 0, 0, 0, 0, 1);
const OURS_V6: Ipv6Addr = Ipv6Addr::new(0xfdaa, 2, 0, 0, 0, 0, 0, 2);

fn beside_avahi(test: impl AsyncFnOnce(Stack<'static>, &Avahi) + Send) {
    let ours = Ipv4Cidr::new(Ipv4Addr::new(192, 168, 69, 1), 24);
    let config = Config::ipv4_static(StaticConfigV4::new(ours));
    beside_kernel_with(
        config,
        (IpAddr::V4(KERNEL), 24),
        async |stack, interface| {
            test(stack, &Avahi::start(interface, IpVersion::Ipv4)).await;
        },
    );
}

/// Both sides without IPv4, the kernel with a link-local address beside that one.
fn beside_avahi_v6(
    kernel: Option<Ipv6Addr>,
    test: impl AsyncFnOnce(Stack<'static>, &Avahi) + Send,
) {
    let kernel = kernel.map(|address| (IpAddr::V6(address), 64));
    let mut config = Config::new();
    config.ipv6 = ConfigV6::Static(StaticConfigV6::new(Ipv6Cidr::new(OURS_V6, 64)));
    beside_kernel_with(config, kernel, async |stack, interface| {
        test(stack, &Avahi::start(interface, IpVersion::Ipv6)).await;
    });
}

#[test]
fn it_finds_our_host_and_our_service() {
    beside_avahi(async |stack, avahi| {
        stack.set_mdns_host(Some("swan")).unwrap();
        let web = stack.add_mdns_service(&WEB).unwrap();
        stack.wait_mdns_up().await;
        let found = avahi.says("avahi-resolve", &["-4", "-n", "swan.local"], "swan.local\t");
        assert!(found.await.contains("192.168.69.1"));
        let browse = ["-r", "-t", "-p", "_http._tcp"];
        let found = avahi.says("avahi-browse", &browse, "=;").await;
        let line = found.lines().find(|line| line.starts_with("=;")).unwrap();
        assert!(
            line.ends_with(";swan.local;192.168.69.1;80;\"path=/\""),
            "{line}"
        );
        let all = avahi.says("avahi-browse", &["-a", "-t", "-p", "-k"], "Swan");
        assert!(all.await.contains("_http._tcp"), "by its type");
        stack.remove_mdns_service(web).unwrap();
        let mut gone = false;
        for _ in 0..60 {
            let mut command = avahi.command("avahi-browse", &browse);
            let said = process::output(&mut command).unwrap().stdout;
            gone = !String::from_utf8_lossy(&said).contains("Swan");
            if gone {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
        assert!(gone, "it heard the goodbye");
    });
}

#[test]
fn a_name_that_it_has_is_left_to_it() {
    beside_avahi(async |stack, avahi| {
        // It is up when it answers for itself.
        avahi
            .says(
                "avahi-resolve",
                &["-4", "-n", "duck.local"],
                "192.168.69.100",
            )
            .await;
        stack.set_mdns_host(Some("duck")).unwrap();
        stack.wait_mdns_up().await;
        assert_eq!(host_name(stack), "duck-2");
        let ours = avahi.says(
            "avahi-resolve",
            &["-4", "-n", "duck-2.local"],
            "192.168.69.1",
        );
        ours.await;
    });
}

#[test]
fn over_ipv6_it_finds_our_host_by_name_and_by_address() {
    beside_avahi_v6(Some(KERNEL_V6), async |stack, avahi| {
        stack.set_mdns_host(Some("swan")).unwrap();
        stack.add_mdns_service(&WEB).unwrap();
        stack.wait_mdns_up().await;
        // Which of our addresses it says is its choice.
        let by_name = ["-6", "-n", "swan.local"];
        let said = avahi.says("avahi-resolve", &by_name, "swan.local\t").await;
        let link_local = stack.link_local_v6().expect("an address");
        let ours = [OURS_V6, link_local].map(|address| address.to_string());
        assert!(ours.iter().any(|ours| said.contains(ours)), "{said}");
        for address in &ours {
            let by_address = ["-a", address.as_str()];
            avahi
                .says("avahi-resolve", &by_address, "\tswan.local")
                .await;
        }
        let browse = ["-r", "-t", "-p", "_http._tcp"];
        let found = avahi.says("avahi-browse", &browse, "=;").await;
        let line = found.lines().find(|line| line.starts_with("=;")).unwrap();
        assert!(line.contains(";IPv6;"), "{line}");
        assert!(line.ends_with(";80;\"path=/\""), "{line}");
        // An address that is gone is not said any more.
        stack.remove_address(IpAddress::Ipv6(OURS_V6)).unwrap();
        let by_name = ["-6", "-n", "swan.local"];
        let said = avahi.says("avahi-resolve", &by_name, &ours[1]).await;
        assert!(!said.contains(&ours[0]), "{said}");
    });
}

#[test]
fn over_ipv6_its_host_is_found_by_name_and_by_address() {
    // Of the link-local address Avahi tells only where there is no other.
    beside_avahi_v6(None, async |stack, avahi| {
        let by_name = ["-6", "-n", "duck.local"];
        avahi.says("avahi-resolve", &by_name, "duck.local\t").await;
        stack.wait_config_up().await;
        let dns = DnsSocket::new(stack, vec![0; 1600]).unwrap();
        let link_local = std::fs::read_to_string("/proc/thread-self/net/if_inet6").unwrap();
        let link_local = link_local
            .lines()
            .find_map(|line| line.split(' ').next().filter(|a| a.starts_with("fe80")))
            .expect("every interface has one");
        let link_local = Ipv6Addr::from(u128::from_str_radix(link_local, 16).unwrap());
        let found = dns.resolve("duck.local").await.unwrap();
        assert_eq!(found[..], [IpAddress::Ipv6(link_local)]);
        let mut name = [0; 64];
        let len = dns
            .get_host_by_address(IpAddr::V6(link_local), &mut name)
            .await;
        assert_eq!(&name[..len.unwrap()], b"duck.local");
        // The name is taken.
        stack.set_mdns_host(Some("duck")).unwrap();
        stack.wait_mdns_up().await;
        assert_eq!(host_name(stack), "duck-2");
    });
}
