//! Neighbor discovery and duplicate address detection against the kernel's.

use core::net::Ipv6Addr;
use core::time::Duration;
use std::net::TcpListener as KernelListener;

use cygnet::{AddressState, ConnectError, IpCidr, Ipv6Cidr, Stack};
use cygnet_tuntap::Mode;

use crate::ipv6::config;
use crate::wire::{CYGNET_V6, KERNEL_V6, program, socket, with_config};

/// The kernel's view of its neighbors.
async fn neighbors() -> String {
    program("ip", "-6 neigh show").await
}

async fn state_becomes(stack: Stack<'static>, address: Ipv6Addr, state: AddressState) {
    for _ in 0..200 {
        if stack.address_state(address.into()) == Some(state) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{address} is {:?}", stack.address_state(address.into()));
}

#[test]
fn both_sides_find_each_other() {
    with_config(Mode::Tap, config(), async |stack, _| {
        stack.wait_config_up().await;
        // cygnet asks first.
        let _listener = KernelListener::bind((KERNEL_V6, 6_970)).unwrap();
        let mut client = socket(stack);
        client.connect((KERNEL_V6, 6_970)).await.unwrap();
        assert!(neighbors().await.contains("fdaa::1 "));
        client.abort().await;
        // The kernel has forgotten, and asks again.
        let _ = program("ip", "-6 neigh flush all").await;
        assert!(!neighbors().await.contains("fdaa::1 "));
        let output = program("ping", "-6 -c1 -W10 fdaa::1").await;
        assert!(output.contains("1 received"), "{output}");
        let neighbors = neighbors().await;
        assert!(neighbors.contains("fdaa::1 "), "{neighbors}");
        assert!(neighbors.contains("REACHABLE"), "{neighbors}");
    });
}

/// The kernel probes what it has not heard of for a while, and cygnet confirms it.
#[test]
fn the_kernels_probes_are_answered() {
    with_config(Mode::Tap, config(), async |stack, interface| {
        stack.wait_config_up().await;
        let _ = program("ping", "-6 -c1 -W10 fdaa::1").await;
        let name = interface.name();
        let probe = format!("-6 neigh change fdaa::1 dev {name} nud probe");
        let _ = program("ip", &probe).await;
        for _ in 0..100 {
            let neighbors = neighbors().await;
            if neighbors.contains("REACHABLE") {
                return;
            }
            assert!(!neighbors.contains("FAILED"), "{neighbors}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{}", neighbors().await);
    });
}

#[test]
fn a_neighbor_that_is_not_there_is_unreachable() {
    with_config(Mode::Tap, config(), async |stack, _| {
        stack.wait_config_up().await;
        let mut client = socket(stack);
        client.set_timeout(Some(cygnet::Duration::from_secs(10)));
        let nobody = Ipv6Addr::new(0xfdaa, 0, 0, 0, 0, 0, 0, 0x999);
        let connected = client.connect((nobody, 80)).await;
        assert!(
            matches!(
                connected,
                Err(ConnectError::Unreachable | ConnectError::TimedOut)
            ),
            "{connected:?}"
        );
        assert!(stack.stats().unreachable > 0);
    });
}

/// An address that the kernel holds is refused, and the others work.
#[test]
fn an_address_that_the_kernel_holds_is_a_duplicate() {
    with_config(Mode::Tap, config(), async |stack, _| {
        let duplicate = Ipv6Cidr::new(KERNEL_V6, 64);
        stack.add_address(IpCidr::Ipv6(duplicate)).unwrap();
        state_becomes(stack, KERNEL_V6, AddressState::Duplicate).await;
        state_becomes(stack, CYGNET_V6, AddressState::Preferred).await;
        assert!(stack.stats().discarded(cygnet::Discard::AddressConflict) > 0);
        // Who has it can still be talked to.
        let _listener = KernelListener::bind((KERNEL_V6, 6_970)).unwrap();
        let mut client = socket(stack);
        client.connect((KERNEL_V6, 6_970)).await.unwrap();
        let output = program("ping", "-6 -c1 -W10 fdaa::1").await;
        assert!(output.contains("1 received"), "{output}");
    });
}

/// The kernel asks whether somebody has an address of cygnet's, and hears that.
#[test]
fn the_kernel_finds_cygnets_address_taken() {
    with_config(Mode::Tap, config(), async |stack, interface| {
        stack.wait_config_up().await;
        let name = interface.name();
        let _ = program("ip", &format!("-6 addr add fdaa::1/64 dev {name}")).await;
        for _ in 0..100 {
            let addresses = program("ip", &format!("-6 addr show dev {name}")).await;
            if addresses.contains("fdaa::1/64 scope global dadfailed") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{}", program("ip", "-6 addr").await);
    });
}
