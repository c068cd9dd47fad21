//! Packets of `0xEE` but for the headers that lead to the checksum.

extern crate std;

use std::vec::Vec;

use xarxa_driver::ChecksumOffload;

use super::*;

fn device(medium: Medium, set: impl FnOnce(&mut ChecksumCapabilities)) -> Capabilities {
    let mut device = Capabilities::default();
    device.medium = medium;
    set(&mut device.checksum);
    device
}

fn packet_v4(protocol: u8, fragment: u16) -> [u8; 64] {
    let mut packet = [0xEE; 64];
    packet[0] = 0x46;
    packet[6..8].copy_from_slice(&fragment.to_be_bytes());
    packet[9] = protocol;
    packet
}

fn packet_v6(next: u8) -> [u8; 64] {
    let mut packet = [0xEE; 64];
    packet[0] = 0x6E;
    packet[6] = next;
    packet
}

/// Where the packet is zero afterwards.
fn cleared(mut packet: [u8; 64], set: impl FnOnce(&mut ChecksumCapabilities)) -> Vec<usize> {
    let before = packet;
    clear(&mut packet, &device(Medium::Ip, set));
    let changed = (0..64).filter(|&at| packet[at] != before[at]);
    changed.inspect(|&at| assert_eq!(packet[at], 0)).collect()
}

#[test]
fn each_checksum_is_zeroed_where_it_is() {
    let tx = ChecksumOffload::BOTH;
    assert_eq!(cleared(packet_v4(6, 0), |sums| sums.ipv4 = tx), [10, 11]);
    assert_eq!(cleared(packet_v4(6, 0), |sums| sums.tcp = tx), [40, 41]);
    assert_eq!(cleared(packet_v4(17, 0), |sums| sums.udp = tx), [30, 31]);
    assert_eq!(cleared(packet_v4(1, 0), |sums| sums.icmpv4 = tx), [26, 27]);
    assert_eq!(cleared(packet_v6(6), |sums| sums.tcp = tx), [56, 57]);
    assert_eq!(cleared(packet_v6(58), |sums| sums.icmpv6 = tx), [42, 43]);
}

#[test]
fn others_stay() {
    let rx = ChecksumOffload {
        rx: true,
        tx: false,
    };
    assert_eq!(cleared(packet_v4(6, 0), |sums| sums.tcp = rx), []);
    let tx = ChecksumOffload::BOTH;
    assert_eq!(cleared(packet_v4(17, 0), |sums| sums.tcp = tx), []);
    assert_eq!(cleared(packet_v4(1, 0), |sums| sums.icmpv6 = tx), []);
    assert_eq!(cleared(packet_v4(2, 0), |sums| sums.icmpv4 = tx), []);
    let arp = [0; 64];
    assert_eq!(
        cleared(arp, |sums| *sums = ChecksumCapabilities::all_offloaded()),
        []
    );
}

#[test]
fn in_fragments_that_of_the_header_alone_is_the_devices() {
    for fragment in [0x2000, 0x0001] {
        let packet = packet_v4(17, fragment);
        let all = |sums: &mut _| *sums = ChecksumCapabilities::all_offloaded();
        assert_eq!(cleared(packet, all), [10, 11]);
    }
}

#[test]
fn it_is_found_behind_options_for_each_hop() {
    let mut packet = packet_v6(0);
    packet[40..42].copy_from_slice(&[58, 0]);
    let set = |sums: &mut ChecksumCapabilities| sums.icmpv6 = ChecksumOffload::BOTH;
    assert_eq!(cleared(packet, set), [50, 51]);
}

#[test]
fn what_is_cut_off_is_left_alone() {
    let device = device(Medium::Ethernet, |sums| {
        *sums = ChecksumCapabilities::all_offloaded();
    });
    for packet in [
        packet_v4(6, 0),
        packet_v4(17, 0),
        packet_v6(0),
        packet_v6(6),
    ] {
        for len in 0..=64 {
            let mut frame: Vec<u8> = [&[0xEE; 14], &packet[..]].concat();
            frame.truncate(len);
            clear(&mut frame, &device);
            assert_eq!(frame.len(), len);
        }
    }
}

#[test]
fn an_ethernet_header_is_in_front() {
    let mut frame: Vec<u8> = [&[0xEE; 14], &packet_v4(17, 0)[..]].concat();
    clear(
        &mut frame,
        &device(Medium::Ethernet, |sums| sums.udp = ChecksumOffload::BOTH),
    );
    assert_eq!(&frame[44..46], [0, 0]);
    assert_eq!(frame[24..26], [0xEE, 0xEE]);
}
