//! A router of the kernel's between cygnet and a host of the kernel's, and behind it a link that takes shorter
//! packets of IPv6.

use std::io::Read;
use std::net::{Ipv6Addr, TcpListener};
use std::process::Command;

use cygnet::{IpCidr, Ipv6Cidr};
use cygnet_host::{Interface, NetNs, process};
use cygnet_tuntap::Mode;

use crate::ipv6::config;
use crate::wire::{KERNEL_V6, blocking, leak, socket, stream, with_config, write_all};

/// The link behind the router takes packets of that many bytes.
const MTU: u16 = 1_300;

const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfdbb, 0, 0, 0, 0, 0, 0, 1);
const HOST: Ipv6Addr = Ipv6Addr::new(0xfdbb, 0, 0, 0, 0, 0, 0, 2);

/// Makes this namespace a router to another, in which there is a host.
fn lay_narrow_link() -> &'static NetNs {
    let host = leak(NetNs::new().expect("a namespace"));
    let set_up = || -> Result<(), cygnet_host::HostError> {
        let (near, far) = Interface::create_veth("narrow", "host")?;
        far.move_to(host)?;
        near.add_address(ROUTER, 64)?.set_mtu(MTU.into())?.up()?;
        host.run(|| far.add_address(HOST, 64)?.up().map(|_| ()))??;
        Ok(())
    };
    set_up().expect("interfaces of one's own can be set up");
    std::fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1").expect("a router");
    let back = || {
        let arguments = ["-6", "route", "add", "default", "via", "fdbb::1"];
        process::output(Command::new("ip").args(arguments)).expect("ip")
    };
    let routed = host.run(back).expect("the host's namespace");
    assert!(routed.status.success(), "{routed:?}");
    host
}

#[test]
fn packet_too_big_from_the_kernels_router_is_heard() {
    with_config(Mode::Tap, config(), async |stack, _| {
        const LEN: usize = 1 << 20;
        stack.wait_config_up().await;
        let host = lay_narrow_link();
        let network = IpCidr::Ipv6(Ipv6Cidr::new(HOST, 64));
        stack.add_route(network, Some(KERNEL_V6.into())).unwrap();
        let listener = host
            .run(|| TcpListener::bind((HOST, 6_971)).expect("a free port"))
            .expect("the host's namespace");
        let mut socket = socket(stack);
        let send = async {
            socket.connect((HOST, 6_971)).await.unwrap();
            write_all(&mut socket, &stream(LEN)).await.unwrap();
            socket.flush().await.unwrap();
            let mss = socket.info().unwrap().mss;
            socket.close().await.unwrap();
            mss
        };
        let receive = blocking(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut received = Vec::new();
            connection.read_to_end(&mut received).unwrap();
            assert!(received == stream(LEN), "{} bytes arrived", received.len());
        });
        let (mss, ()) = tokio::join!(send, receive);
        assert_eq!(stack.path_mtu(HOST.into()), Some(MTU));
        assert_eq!(mss, MTU - 40 - 20 - 12);
        assert!(stack.stats().retransmits > 0);
    });
}
