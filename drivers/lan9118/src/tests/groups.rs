//! The filter as the stack sets it: for the groups of IPv4 and IPv6 that it is in, and no others.

use core::net::{Ipv4Addr, Ipv6Addr};
use core::pin::pin;
use core::task::{Context, Waker};

use cygnet::time::Instant;
use cygnet::{Clock, Config, Ipv4Cidr, Ipv6Cidr, Resources, StaticConfigV4, StaticConfigV6};

use super::{chip, driver};
use crate::model::Model;
use crate::registers::phy_bits;

/// Time stands still.
struct Midnight;

impl Clock for Midnight {
    fn now(&self) -> Instant {
        Instant::ZERO
    }

    fn wake_at(&self, _: Instant, _: &Waker) {}
}

#[test]
fn the_stacks_groups_pass_and_others_do_not() {
    let (shared, mut buffers) = chip();
    let driver = driver(&shared, &mut buffers);
    shared.bus.plug(phy_bits::ABILITIES);
    shared.on_interrupt();
    let address = Ipv6Addr::new(0xfdaa, 0, 0, 0, 0, 0, 0x12, 0x3456);
    let mut config = Config::ipv4_static(StaticConfigV4::new(Ipv4Cidr::new(
        Ipv4Addr::new(192, 168, 69, 2),
        24,
    )));
    config.ipv6 = StaticConfigV6::new(Ipv6Cidr::new(address, 64)).into();
    let mut resources = Resources::<2>::new();
    let (stack, mut runner) = cygnet::new_with_clock(driver, config, &mut resources, 7, Midnight);
    let mut run = pin!(runner.run());
    let mut poll = || {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(run.as_mut().poll(&mut cx).is_pending());
    };

    poll();
    let all_hosts = [0x01, 0, 0x5E, 0, 0, 1];
    let all_nodes = [0x33, 0x33, 0, 0, 0, 1];
    let solicited = [0x33, 0x33, 0xFF, 0x12, 0x34, 0x56];
    let (mdns, mdns_v6) = ([0x01, 0, 0x5E, 0, 0, 0xFB], [0x33, 0x33, 0, 0, 0, 0xFB]);
    let taken = |to| takes(&shared.bus, to);
    assert_eq!([all_hosts, all_nodes, solicited].map(taken), [true; 3]);
    assert_eq!([mdns, mdns_v6].map(taken), [false; 2]);

    stack
        .join_multicast_group(Ipv4Addr::new(224, 0, 0, 251))
        .unwrap();
    stack
        .join_multicast_group(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb))
        .unwrap();
    poll();
    assert_eq!([mdns, mdns_v6, solicited].map(taken), [true; 3]);

    stack
        .leave_multicast_group(Ipv4Addr::new(224, 0, 0, 251))
        .unwrap();
    poll();
    assert_eq!([mdns, mdns_v6].map(taken), [false, true]);
}

/// Whether the chip's filter lets frames to that address in.
fn takes(bus: &Model, to: [u8; 6]) -> bool {
    bus.with(|chip| chip.passes(&to))
}
