//! A router of the kernel's between cygnet and a host of the kernel's, and behind it a link that takes
//! shorter packets.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use std::io::Read;

use cygnet::wire::{EthernetHeader, Icmpv4Message, Icmpv4Unreachable, IpProtocol, Ipv4Header};
use cygnet::{Duration, IpCidr, Ipv4Cidr, Stack};
use cygnet_host::{Interface, NetNs, process};
use cygnet_tuntap::Mode;

use crate::wire::{KERNEL, Wire, blocking, leak, on_wire, socket, stream, write_all};

/// The link behind the router takes packets of that many bytes.
const MTU: u16 = 1_100;

const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 1);
const HOST: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 2);

/// Makes this namespace a router to another, in which there is a host. Lives as long as the process, as the
/// test's thread does not.
fn lay_narrow_link() -> &'static NetNs {
    let host = leak(NetNs::new().expect("a namespace"));
    let set_up = || -> Result<(), cygnet_host::HostError> {
        let (near, far) = Interface::create_veth("narrow", "host")?;
        far.move_to(host)?;
        near.add_address(ROUTER, 24)?.set_mtu(MTU.into())?.up()?;
        host.run(|| far.add_address(HOST, 24)?.up().map(|_| ()))??;
        Ok(())
    };
    set_up().expect("interfaces of one's own can be set up");
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").expect("a router");
    let back = || {
        let arguments = ["route", "add", "default", "via", "10.1.0.1"];
        process::output(Command::new("ip").args(arguments)).expect("ip")
    };
    let routed = host.run(back).expect("the host's namespace");
    assert!(routed.status.success(), "{routed:?}");
    host
}

/// cygnet sends `len` bytes to the host behind the router; the length of its segments in the end.
async fn send(stack: Stack<'static>, len: usize) -> u16 {
    let host = lay_narrow_link();
    let network = IpCidr::Ipv4(Ipv4Cidr::new(Ipv4Addr::new(10, 1, 0, 0), 24));
    stack.add_route(network, Some(KERNEL.into())).unwrap();
    let listener = host
        .run(|| TcpListener::bind((HOST, 6_971)).expect("a free port"))
        .expect("the host's namespace");
    let mut socket = socket(stack);
    let sent = stream(len);
    let send = async {
        socket.connect((HOST, 6_971)).await.unwrap();
        write_all(&mut socket, &sent).await.unwrap();
        socket.flush().await.unwrap();
        let mss = socket.info().unwrap().mss;
        socket.close().await.unwrap();
        mss
    };
    let receive = blocking(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut received = Vec::new();
        connection.read_to_end(&mut received).unwrap();
        assert!(received == stream(len), "{} bytes arrived", received.len());
    });
    tokio::join!(send, receive).0
}

#[test]
fn the_routers_report_is_heard() {
    on_wire(Wire::Device(Mode::Tap), async |stack| {
        let mss = send(stack, 1 << 20).await;
        assert_eq!(stack.path_mtu(HOST.into()), Some(MTU));
        assert_eq!(mss, MTU - 52);
        assert!(stack.stats().retransmits > 0);
    });
}

#[test]
fn a_report_that_is_lost_makes_a_black_hole_that_is_got_around() {
    on_wire(Wire::Filtered(is_no_report), async |stack| {
        let longest = Duration::from_secs(60);
        let transfer = tokio::time::timeout(longest.into(), send(stack, 1 << 20));
        let mss = transfer.await.expect("the transfer comes to an end");
        assert_eq!(stack.path_mtu(HOST.into()), Some(1_500), "nobody said so");
        let fits = MTU - 52;
        assert!((fits - 8..=fits).contains(&mss), "{mss} of {fits}");
    });
}

/// Whether a frame is anything but what a router says about a packet that is too long.
fn is_no_report(frame: &mut [u8]) -> bool {
    let report = EthernetHeader::parse(frame)
        .and_then(|(_, packet)| Ipv4Header::parse(packet, false))
        .ok()
        .filter(|(header, _)| header.protocol == IpProtocol::ICMP)
        .and_then(|(_, message)| Icmpv4Message::parse(message, false).ok());
    !matches!(
        report,
        Some(Icmpv4Message::DestinationUnreachable {
            code: Icmpv4Unreachable::FragmentationNeeded,
            ..
        })
    )
}
