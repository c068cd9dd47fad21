//! A DNS server that does what its test says.

use std::net::Ipv4Addr;

use cygnet::wire::dns::{DnsMessage, Name, PORT, RecordType};
use cygnet::{IpEndpoint, UdpSocket};
use cygnet_tests::Host;

/// The server's socket.
pub(crate) struct Server<'d> {
    socket: UdpSocket<'d>,
}

/// A query as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) bytes: Vec<u8>,
    pub(crate) from: IpEndpoint,
}

impl Query {
    pub(crate) fn message(&self) -> DnsMessage<'_> {
        DnsMessage::parse(&self.bytes).expect("a DNS message")
    }

    /// The name that is asked for, in small letters.
    pub(crate) fn name(&self) -> String {
        self.message().question().to_string().to_ascii_lowercase()
    }

    pub(crate) fn reply(&self) -> Reply {
        Reply::to(&self.bytes)
    }
}

/// An answer, in the making.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    /// An answer with no records yet.
    pub(crate) fn to(query: &[u8]) -> Self {
        let message = DnsMessage::parse(query).expect("a DNS message");
        let mut bytes = query[..12 + message.question_bytes().len()].to_vec();
        (bytes[2], bytes[3]) = (0x81, 0x80);
        bytes[6..12].fill(0);
        Self { bytes }
    }

    pub(crate) fn rcode(mut self, rcode: u8) -> Self {
        self.bytes[3] = 0x80 | rcode;
        self
    }

    pub(crate) fn truncated(mut self) -> Self {
        self.bytes[2] |= 2;
        self
    }

    /// A record of the name that was asked for.
    pub(crate) fn record(self, kind: RecordType, ttl: u32, data: &[u8]) -> Self {
        self.record_of(&[0xc0, 12], kind, ttl, data)
    }

    pub(crate) fn record_of(
        mut self,
        name: &[u8],
        kind: RecordType,
        ttl: u32,
        data: &[u8],
    ) -> Self {
        self.bytes[7] += 1;
        self.append(name, kind, ttl, data);
        self
    }

    pub(crate) fn a(self, ttl: u32, last: u8) -> Self {
        self.record(RecordType::A, ttl, &[192, 0, 2, last])
    }

    /// The zone's record, which says for how long there is nothing.
    pub(crate) fn soa(mut self, ttl: u32) -> Self {
        self.bytes[9] += 1;
        let mut data = vec![0; 18];
        data.extend(ttl.to_be_bytes());
        self.append(&[0xc0, 12], RecordType::SOA, ttl, &data);
        self
    }

    fn append(&mut self, name: &[u8], kind: RecordType, ttl: u32, data: &[u8]) {
        self.bytes.extend_from_slice(name);
        self.bytes.extend(kind.0.to_be_bytes());
        self.bytes.extend([0, 1]);
        self.bytes.extend(ttl.to_be_bytes());
        self.bytes.extend((data.len() as u16).to_be_bytes());
        self.bytes.extend_from_slice(data);
    }
}

/// A name in the wire format.
pub(crate) fn wire(name: &str) -> Vec<u8> {
    Name::from_text(name).expect("a name").as_bytes().to_vec()
}

impl<'d> Server<'d> {
    pub(crate) fn on(host: &Host<'d>) -> Self {
        Self {
            socket: host.udp_at(PORT),
        }
    }

    /// The next query.
    pub(crate) async fn receive(&self) -> Query {
        let mut buffer = [0; 1500];
        let (len, meta) = self.socket.recv_from(&mut buffer).await.expect("a query");
        Query {
            bytes: buffer[..len].to_vec(),
            from: meta.endpoint,
        }
    }

    pub(crate) async fn send(&self, to: IpEndpoint, reply: &Reply) {
        self.socket
            .send_to(&reply.bytes, to)
            .await
            .expect("a way to answer");
    }

    /// Answers the next query.
    pub(crate) async fn answer(&self, reply: impl FnOnce(Reply) -> Reply) -> Query {
        let query = self.receive().await;
        self.send(query.from, &reply(query.reply())).await;
        query
    }
}

/// The address that [`Reply::a`] gives.
pub(crate) fn at(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, last)
}
