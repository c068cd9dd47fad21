//! cygnet on one end of a veth pair, by way of a packet socket, and the kernel on the other. The kernel leaves out
//! checksums there, and hands over segments by the dozen.

use cygnet::Discard;

use crate::bulk::{to_cygnet, to_kernel};
use crate::wire::{Wire, on_wire, program};

#[test]
fn pings_through_a_packet_socket_are_answered() {
    on_wire(Wire::PacketSocket, async |stack| {
        for size in [0, 1_472] {
            let arguments = format!("-c20 -i0.1 -W10 -Mdo -s{size} 192.168.69.1");
            let output = program("ping", &arguments).await;
            assert!(output.contains("20 received, 0% packet loss"), "{output}");
        }
        assert_eq!(stack.stats().discarded(Discard::BadChecksum), 0);
    });
}

#[test]
fn sixteen_mebibytes_arrive_through_a_packet_socket() {
    on_wire(Wire::PacketSocket, async |stack| {
        to_cygnet(stack, 16 << 20).await;
        to_kernel(stack, 16 << 20).await;
        assert_eq!(stack.stats().discarded(Discard::BadChecksum), 0);
    });
}
