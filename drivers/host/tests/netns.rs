//! Namespaces and interfaces, against the kernel.
#![cfg(target_os = "linux")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use cygnet_host::{HostError, Interface, NetNs, linux_test, process};
use cygnet_tuntap::{Device, Mode};

/// What `ip` with these arguments says in the calling thread's namespace.
fn ip(arguments: &str) -> String {
    let mut ip = Command::new("ip");
    let output = process::output(ip.args(arguments.split(' '))).unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_fresh_namespace_has_the_loopback_interface_up_and_nothing_else() {
    linux_test(|_| {
        let links = ip("-oneline link show");
        assert_eq!(links.lines().count(), 1, "{links}");
        assert!(links.contains("lo: <LOOPBACK,UP"), "{links}");
    });
}

#[test]
fn the_caller_stays_outside() {
    let inode = || std::fs::read_link("/proc/thread-self/ns/net").unwrap();
    let before = inode();
    linux_test(|_| assert_ne!(inode(), before));
    assert_eq!(inode(), before);
}

#[test]
fn a_panic_inside_goes_on_outside() {
    linux_test(|namespace| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _ = namespace.run(|| panic!("inside"));
        }));
        let message = panicked.unwrap_err();
        assert_eq!(message.downcast_ref(), Some(&"inside"));
    });
}

#[test]
fn a_namespace_can_be_entered_again_and_again() {
    linux_test(|namespace| {
        let _device = Device::open("tap0", Mode::Tap).unwrap();
        for _ in 0..2 {
            let links = namespace.run(|| ip("-oneline link show")).unwrap();
            assert!(links.contains("tap0"), "{links}");
        }
        let other = NetNs::new().unwrap();
        let links = other.run(|| ip("-oneline link show")).unwrap();
        assert!(!links.contains("tap0"), "{links}");
    });
}

#[test]
fn an_interface_is_set_up_as_told() {
    linux_test(|_| {
        let device = Device::open("tap0", Mode::Tap).unwrap();
        let address = Ipv6Addr::new(0xfdaa, 0, 0, 0, 0, 0, 0, 0x100);
        Interface::named(device.name())
            .set_mtu(4000)
            .unwrap()
            .set_hardware_address([2, 0, 0, 0, 0, 0x77])
            .unwrap()
            .add_address([192, 168, 69, 100], 24)
            .unwrap()
            .add_address(address, 64)
            .unwrap()
            .up()
            .unwrap();

        let addresses = ip("address show tap0");
        for expected in [
            "UP",
            "mtu 4000",
            "link/ether 02:00:00:00:00:77",
            "inet 192.168.69.100/24 brd 192.168.69.255",
            "inet6 fdaa::100/64",
        ] {
            assert!(addresses.contains(expected), "{expected} in {addresses}");
        }
        // Duplicate address detection would hold it back for a second.
        let own = addresses.lines().find(|line| line.contains("fdaa::100"));
        assert!(!own.unwrap().contains("tentative"), "{addresses}");

        Interface::named("tap0").down().unwrap();
        assert!(!ip("link show tap0").contains("UP"));
    });
}

#[test]
fn routes_and_neighbors_are_added() {
    linux_test(|_| {
        let _device = Device::open("tap0", Mode::Tap).unwrap();
        let gateway = Ipv4Addr::new(192, 168, 69, 1);
        Interface::named("tap0")
            .add_address([192, 168, 69, 100], 24)
            .unwrap()
            .up()
            .unwrap()
            .add_neighbor(gateway, [2, 0, 0, 0, 0, 1])
            .unwrap()
            .add_route([10, 0, 0, 0], 8, Some(gateway.into()))
            .unwrap()
            .add_route(Ipv6Addr::UNSPECIFIED, 0, None)
            .unwrap();

        let routes = ip("route show");
        assert!(
            routes.contains("10.0.0.0/8 via 192.168.69.1 dev tap0"),
            "{routes}"
        );
        let routes = ip("-6 route show default");
        assert!(routes.contains("default dev tap0"), "{routes}");
        let neighbors = ip("neighbor show");
        let expected = "192.168.69.1 dev tap0 lladdr 02:00:00:00:00:01 PERMANENT";
        assert!(neighbors.contains(expected), "{neighbors}");
    });
}

#[test]
fn a_wire_joins_two_namespaces() {
    linux_test(|here| {
        let there = NetNs::new().unwrap();
        let (near, far) = Interface::create_veth("near", "far").unwrap();
        far.move_to(&there).unwrap();
        near.add_address([192, 168, 69, 1], 24)
            .unwrap()
            .up()
            .unwrap();
        there
            .run(|| {
                far.add_address([192, 168, 69, 2], 24)
                    .unwrap()
                    .up()
                    .unwrap();
            })
            .unwrap();
        assert!(!ip("link show").contains("far"));

        let ping = |to: &str| {
            let mut ping = Command::new("ping");
            let output = process::output(ping.args(["-c1", "-W10", to])).unwrap();
            assert!(output.status.success(), "{output:?}");
        };
        ping("192.168.69.2");
        there.run(|| ping("192.168.69.1")).unwrap();
        here.run(|| near.delete().unwrap()).unwrap();
        assert!(!there.run(|| ip("link show")).unwrap().contains("far"));
    });
}

#[test]
fn interfaces_can_be_set_up_from_within_a_runtime() {
    linux_test(|_| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let _device = Device::open("tap0", Mode::Tap).unwrap();
            Interface::named("tap0").up().unwrap();
        });
    });
}

#[test]
fn an_error_names_the_interface_and_the_attempt() {
    linux_test(|_| {
        let missing = Interface::named("tap9").up().unwrap_err();
        assert!(matches!(missing, HostError::NoSuchInterface { .. }));
        assert!(missing.to_string().contains("tap9"), "{missing}");

        let loopback = Interface::named("lo");
        let twice = loopback.add_address([127, 0, 0, 1], 8).unwrap_err();
        let line = twice.to_string();
        assert!(
            line.starts_with("cannot add the address 127.0.0.1/8 to lo: "),
            "{line}"
        );
        assert!(
            line.ends_with("; remove the old one, or choose another"),
            "{line}"
        );

        let v6_gateway = IpAddr::from(Ipv6Addr::LOCALHOST);
        let mixed = loopback
            .add_route([10, 0, 0, 0], 8, Some(v6_gateway))
            .unwrap_err();
        assert!(matches!(mixed, HostError::Interface { .. }), "{mixed:?}");
        let too_long = loopback.add_address([10, 0, 0, 1], 99).unwrap_err();
        assert!(
            matches!(too_long, HostError::Interface { .. }),
            "{too_long:?}"
        );
    });
}
