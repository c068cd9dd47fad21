//! Messages of DHCP: what is read can be written again the same, and a client and a server take anything.
//!
//! An input is one byte that says for whom it is, then a message of DHCPv4.

use cygnet::wire::dhcpv4::{CLIENT_PORT, SERVER_PORT, option};
use cygnet::wire::{DhcpMessage, DhcpReply, DhcpRequest, DhcpWriter};
use cygnet::{Duration, IpAddress};
use cygnet_driver::Medium;
use std::net::Ipv4Addr;

use crate::frames::{Call, User};
use crate::packets::{framed, udp_packet};
use crate::stand::{Memory, OUR_ADDRESS, PEER_ADDRESS, Stand};

/// See the module.
pub fn run(input: &[u8]) {
    let Some((&role, message)) = input.split_first() else {
        return;
    };
    if let Ok(parsed) = DhcpMessage::parse(message)
        && message.len() <= 1_472
    {
        read(&parsed);
        match role % 3 {
            0 => to_client(message),
            1 => to_server(message),
            _ => to_relayed_server(message),
        }
    }
}

/// Reads each option in every way, and writes the message again.
fn read(message: &DhcpMessage<'_>) {
    let options = &message.options;
    let mut buffer = vec![0; 8_192];
    let mut writer = if message.is_reply {
        let reply = DhcpReply {
            xid: message.xid,
            broadcast: message.broadcast,
            ciaddr: message.ciaddr,
            yiaddr: message.yiaddr,
            giaddr: message.giaddr,
            chaddr: message.chaddr,
        };
        DhcpWriter::reply(&mut buffer, &reply)
    } else {
        let request = DhcpRequest {
            xid: message.xid,
            secs: 0,
            broadcast: message.broadcast,
            ciaddr: message.ciaddr,
            chaddr: message.chaddr,
        };
        DhcpWriter::new(&mut buffer, &request)
    };
    for code in codes() {
        let bytes: Vec<u8> = options.bytes(code).collect();
        assert_eq!(
            bytes.len(),
            options.parts(code).map(<[u8]>::len).sum::<usize>()
        );
        assert_eq!(options.addresses(code).count(), bytes.len() / 4);
        if let Some(first) = options.first(code) {
            assert!(bytes.starts_with(first));
            assert_eq!(options.u32(code).is_some(), first.len() == 4);
            assert_eq!(options.u16(code).is_some(), first.len() == 2);
            assert_eq!(options.address(code).is_some(), first.len() == 4);
        }
        for part in options.parts(code) {
            writer = writer.option(code, part);
        }
    }
    assert!(
        options
            .prefix_len()
            .is_none_or(|len| (1..=32).contains(&len))
    );
    for (destination, _) in options.classless_routes() {
        assert_eq!(destination, destination.network());
    }
    let len = writer.finish();
    let again = DhcpMessage::parse(&buffer[..len]).expect("our own message");
    assert_eq!((again.kind, again.xid), (message.kind, message.xid));
    assert_eq!(
        (again.yiaddr, again.ciaddr),
        match message.is_reply {
            true => (message.yiaddr, message.ciaddr),
            false => (Ipv4Addr::UNSPECIFIED, message.ciaddr),
        }
    );
    for code in codes() {
        assert!(again.options.parts(code).eq(options.parts(code)));
    }
}

/// Those that stand for themselves.
fn codes() -> impl Iterator<Item = u8> {
    (1..=254).filter(|&code| code != option::OVERLOAD)
}

/// To a client that looks for a server, then to one that may have an address from it, then when that is to be
/// renewed.
fn to_client(message: &[u8]) {
    let mut memory = Memory::new();
    let mut user = User::new(Stand::new(&mut memory, Medium::Ethernet));
    user.call(Call::DhcpOrLinkLocal);
    for wait in [0, 100, 10_000, 3_600_000] {
        user.pass(Duration::from_millis(wait));
        let ports = (SERVER_PORT, CLIENT_PORT);
        for dst in [Ipv4Addr::BROADCAST, OUR_ADDRESS] {
            let packet = udp_packet((PEER_ADDRESS, dst), ports, message);
            let frame = user.make_absolute(&framed(&packet));
            user.receive(&frame);
        }
        user.talk(10);
    }
    user.leave();
}

fn to_server(message: &[u8]) {
    serve(Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, message);
}

fn to_relayed_server(message: &[u8]) {
    serve(PEER_ADDRESS, OUR_ADDRESS, message);
}

/// What it gives or keeps for a while must be gone when the time is over.
fn serve(src: Ipv4Addr, dst: Ipv4Addr, message: &[u8]) {
    let mut memory = Memory::new();
    let mut user = User::new(Stand::new(&mut memory, Medium::Ethernet));
    user.call(Call::StartDhcpServer);
    let ports = (CLIENT_PORT, SERVER_PORT);
    for wait in [0, 1_000, 3_600_000] {
        user.pass(Duration::from_millis(wait));
        user.receive(&framed(&udp_packet((src, dst), ports, message)));
        user.pass(Duration::from_secs(3));
    }
    let (stack, own) = (user.stack(), IpAddress::from(OUR_ADDRESS));
    for grant in stack.dhcp_server_leases() {
        assert_ne!(IpAddress::from(grant.address), own);
    }
    user.leave();
}
