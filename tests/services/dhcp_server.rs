//! A DHCP server that does what its test says.

use std::net::Ipv4Addr;

use cygnet::wire::dhcpv4::{CLIENT_PORT, SERVER_PORT, option};
use cygnet::wire::{DhcpMessage, DhcpMessageKind, EthernetAddress};
use cygnet::{IpAddress, IpEndpoint, UdpSocket};
use cygnet_tests::Host;

/// The server's socket, on a host with a fixed address.
pub(crate) struct Server<'d> {
    socket: UdpSocket<'d>,
    address: Ipv4Addr,
}

/// A client's message.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) kind: DhcpMessageKind,
    pub(crate) from: IpAddress,
    pub(crate) requested: Option<Ipv4Addr>,
    pub(crate) ciaddr: Ipv4Addr,
    pub(crate) hostname: Option<Vec<u8>>,
    xid: u32,
    chaddr: EthernetAddress,
}

/// What the server gives.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) address: Ipv4Addr,
    pub(crate) seconds: u32,
    pub(crate) options: Vec<(u8, Vec<u8>)>,
}

impl Offer {
    pub(crate) fn new(last: u8) -> Self {
        Self {
            address: Ipv4Addr::new(10, 0, 0, last),
            seconds: 600,
            options: vec![(option::SUBNET_MASK, vec![255, 255, 255, 0])],
        }
    }

    pub(crate) fn with(mut self, code: u8, value: &[u8]) -> Self {
        self.options.push((code, value.to_vec()));
        self
    }
}

impl<'d> Server<'d> {
    pub(crate) fn on(host: &Host<'d>) -> Self {
        Self {
            socket: host.udp_at(SERVER_PORT),
            address: host.address,
        }
    }

    /// The next message.
    pub(crate) async fn receive(&self) -> Request {
        let mut buffer = [0; 1500];
        let (len, meta) = self.socket.recv_from(&mut buffer).await.expect("a message");
        let message = DhcpMessage::parse(&buffer[..len]).expect("a DHCP message");
        assert_eq!(meta.endpoint.port, CLIENT_PORT);
        Request {
            kind: message.kind,
            from: meta.endpoint.addr,
            requested: message.options.address(option::REQUESTED_ADDRESS),
            ciaddr: message.ciaddr,
            hostname: message.options.first(option::HOSTNAME).map(<[u8]>::to_vec),
            xid: message.xid,
            chaddr: message.chaddr,
        }
    }

    /// The next message, which is of that kind.
    pub(crate) async fn expect(&self, kind: DhcpMessageKind) -> Request {
        let request = self.receive().await;
        assert_eq!(request.kind, kind, "{request:?}");
        request
    }

    /// Answers a message, to everybody or to one address.
    pub(crate) async fn answer(
        &self,
        request: &Request,
        kind: DhcpMessageKind,
        offer: &Offer,
        to: Ipv4Addr,
    ) {
        let mut bytes = vec![0; 240];
        (bytes[0], bytes[1], bytes[2]) = (2, 1, 6);
        bytes[4..8].copy_from_slice(&request.xid.to_be_bytes());
        if kind != DhcpMessageKind::Nak {
            bytes[16..20].copy_from_slice(&offer.address.octets());
        }
        bytes[28..34].copy_from_slice(&request.chaddr.0);
        bytes[236..240].copy_from_slice(&[99, 130, 83, 99]);
        let seconds = offer.seconds.to_be_bytes().to_vec();
        let mut options = vec![
            (option::MESSAGE_TYPE, vec![kind as u8]),
            (option::SERVER_ID, self.address.octets().to_vec()),
            (option::LEASE_TIME, seconds),
        ];
        options.extend(offer.options.iter().cloned());
        for (code, value) in options {
            bytes.extend([code, value.len() as u8]);
            bytes.extend(value);
        }
        bytes.push(option::END);
        let to = IpEndpoint::from((to, CLIENT_PORT));
        self.socket
            .send_to(&bytes, to)
            .await
            .expect("a way to answer");
    }

    /// Gives an address to who asks for one next.
    pub(crate) async fn give(&self, offer: &Offer) -> Request {
        let discover = self.expect(DhcpMessageKind::Discover).await;
        let all = Ipv4Addr::BROADCAST;
        self.answer(&discover, DhcpMessageKind::Offer, offer, all)
            .await;
        let request = self.expect(DhcpMessageKind::Request).await;
        assert_eq!(request.requested, Some(offer.address));
        self.answer(&request, DhcpMessageKind::Ack, offer, all)
            .await;
        request
    }
}
