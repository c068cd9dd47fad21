//! What the tracer prints, and when.

use std::fmt;

use cygnet_driver::{Capabilities, Driver, Medium};
use cygnet_middleware::{Detail, Direction, Tracer, WriteSink};

use crate::support::{FakeDevice, assert_passes_through, context, receive, send};

const ARP: [u8; 14] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6];

#[test]
fn prints_one_line_for_each_frame_in_both_directions() {
    let device = FakeDevice::receiving(&[&ARP]);
    let mut tracer = Tracer::new(device, WriteSink(String::new()));
    assert_eq!(receive(&mut tracer).as_deref(), Some(&ARP[..]));
    send(&mut tracer, &[0; 20]);
    let (device, trace) = tracer.into_parts();
    assert_eq!(trace.into_sink().0, "rx 14 [|arp]\ntx 20 802.3, length 0\n");
    assert_eq!(device.sent_frames(), [[0; 20]]);
}

#[test]
fn prints_all_bytes_when_asked_to() {
    let device = FakeDevice::receiving(&[&ARP]);
    let mut tracer = Tracer::new(device, WriteSink(String::new())).detail(Detail::Full);
    receive(&mut tracer);
    let (_, trace) = tracer.into_parts();
    assert_eq!(
        trace.into_sink().0,
        "rx 14 [|arp]\n    \
         Ethernet 02:00:00:00:00:02 > 02:00:00:00:00:01, ethertype 0x0806\n    \
         0000  02 00 00 00 00 01 02 00 00 00 00 02 08 06        ..............\n"
    );
}

#[test]
fn prints_bare_ip_packets_by_the_medium() {
    let mut device = FakeDevice::receiving(&[&[0x45]]);
    device.capabilities = Capabilities::new(Medium::Ip, 1500);
    let mut tracer = Tracer::new(device, WriteSink(String::new()));
    receive(&mut tracer);
    assert_eq!(tracer.into_parts().1.into_sink().0, "rx 1 IP [|ip]\n");
}

#[test]
fn a_closure_gets_the_direction_too() {
    let mut seen = Vec::new();
    let device = FakeDevice::receiving(&[&ARP]);
    let mut tracer = Tracer::new(device, |direction, text: fmt::Arguments<'_>| {
        seen.push((direction, text.to_string()));
    });
    send(&mut tracer, &ARP);
    receive(&mut tracer);
    drop(tracer);
    assert_eq!(
        seen,
        [
            (Direction::Tx, "tx 14 [|arp]".to_string()),
            (Direction::Rx, "rx 14 [|arp]".to_string()),
        ]
    );
}

#[test]
fn a_token_dropped_unused_is_not_traced() {
    let device = FakeDevice::receiving(&[&ARP]);
    let mut tracer = Tracer::new(device, WriteSink(String::new()));
    assert!(tracer.receive(&mut context()).is_some());
    assert!(tracer.transmit(&mut context()).is_some());
    assert_eq!(tracer.into_parts().1.into_sink().0, "");
}

#[test]
fn a_write_error_does_not_stop_traffic() {
    struct Full;
    impl fmt::Write for Full {
        fn write_str(&mut self, _: &str) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    let mut tracer = Tracer::new(FakeDevice::receiving(&[&ARP, &ARP]), WriteSink(Full));
    assert!(receive(&mut tracer).is_some() && receive(&mut tracer).is_some());
}

#[test]
fn everything_else_passes_through() {
    let mut device = FakeDevice::new();
    device.capabilities.max_segmented_len = 65_535;
    device.capabilities.checksums.transmit = true;
    let capabilities = device.capabilities;
    let mut tracer = Tracer::new(device, WriteSink(String::new()));
    assert_eq!(tracer.capabilities(), capabilities);
    assert_passes_through(&mut tracer, |tracer| tracer.inner_mut());
}
