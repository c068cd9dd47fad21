//! Who uses the stack, and what must hold whatever comes in.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use cygnet::wire::dns::{Name, RecordType};
use cygnet::wire::{IpProtocol, SeqNum, TcpSegment};
use cygnet::{
    Clock as _, ConfigEvents, ConfigV4, ConfigV6, DhcpConfig, DhcpServerConfig, DnsSocket,
    Duration, IcmpEndpoint, IcmpPacketMetadata, IcmpSocket, IpAddress, IpEndpoint, LinkLocalConfig,
    MdnsBrowser, MdnsService, MdnsServiceId, MulticastSources, Stack, TcpListener, TcpSocket,
    UdpPacketMetadata, UdpSocket,
};
use cygnet_driver::Medium;
use cygnet_tests::{Transport, repair_checksums, transport};

use super::Call;
use crate::stand::{
    GROUP_V4, GROUP_V6, OUR_ADDRESS, PEER_ADDRESS, PEER_ADDRESS_V6, SLOTS, STRANGER, STRANGER_V6,
    Stand, static_v4, static_v6,
};

/// What came to the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gained {
    /// Datagrams over UDP.
    pub datagrams: u32,
    /// ICMP messages.
    pub messages: u32,
    /// Bytes over TCP.
    pub bytes: usize,
    /// Names that were found.
    pub names: u32,
    /// Names of which it is known that there is none, or nothing.
    pub no_names: u32,
    /// Services that were found, or went.
    pub services: u32,
    /// Addresses from a DHCP server.
    pub leases: u32,
    /// What became of the configuration.
    pub events: u32,
    /// Frames that the stack sent.
    pub sent: u32,
}

pub(crate) struct User<'d> {
    stand: Stand<'d>,
    listener: Option<TcpListener<'d>>,
    sockets: Vec<TcpSocket<'d>>,
    udp: Option<UdpSocket<'d>>,
    icmp: Option<IcmpSocket<'d>>,
    dns: Option<DnsSocket<'d>>,
    question: Option<Question<'d>>,
    browser: Option<MdnsBrowser<'d>>,
    services: Vec<MdnsServiceId>,
    events: Option<ConfigEvents<'d>>,
    heard: Heard,
    /// Bytes of all frames so far.
    fed: usize,
    had_lease: bool,
    gained: Gained,
}

/// Waits for the addresses of a name, and gives the socket back.
type Question<'d> = Pin<Box<dyn Future<Output = (DnsSocket<'d>, bool)> + 'd>>;

/// Numbers in what the stack sent, which an answer has to repeat.
#[derive(Default)]
struct Heard {
    /// Of the last segments: the port they went to, and the number behind them.
    segments: Vec<(u16, SeqNum)>,
    /// The last question to a DNS server: its port, and the message.
    dns: Option<(u16, Vec<u8>)>,
    /// The number of the last question to a DHCP server.
    xid: Option<[u8; 4]>,
}

impl<'d> User<'d> {
    pub(crate) fn new(mut stand: Stand<'d>) -> Self {
        let stack = stand.stack;
        let pool = stack.add_owned_pool(2, 2_048, 2_048).expect("a pool");
        let mut socket = TcpSocket::new(stack, vec![0; 1_024], vec![0; 1_024]).expect("a slot");
        // The connection attempt is given up when its future is dropped: what it leaves is a slot.
        stand.ask(socket.connect_from(4_000, (PEER_ADDRESS, 4_001)));
        let meta = || vec![UdpPacketMetadata::EMPTY; 4];
        let udp = UdpSocket::new(stack, meta(), vec![0; 4_096], meta(), vec![0; 4_096]);
        let mut udp = udp.expect("a slot");
        udp.bind(7).expect("a free port");
        let meta = || vec![IcmpPacketMetadata::EMPTY; 4];
        let icmp = IcmpSocket::new(stack, meta(), vec![0; 2_048], meta(), vec![0; 2_048]);
        let mut icmp = icmp.expect("a slot");
        icmp.bind(IcmpEndpoint::Ident(1))
            .expect("a free identifier");
        let mut user = Self {
            listener: Some(TcpListener::bind(stack, 80, pool).expect("a free port")),
            sockets: vec![socket],
            udp: Some(udp),
            icmp: Some(icmp),
            dns: Some(DnsSocket::new(stack, vec![0; 1_520]).expect("a slot")),
            question: None,
            browser: None,
            services: Vec::new(),
            events: Some(stack.config_events()),
            heard: Heard::default(),
            fed: 0,
            had_lease: false,
            gained: Gained::default(),
            stand,
        };
        user.look();
        user
    }

    pub(crate) fn stack(&self) -> Stack<'d> {
        self.stand.stack
    }

    pub(crate) fn receive(&mut self, frame: &[u8]) {
        self.fed += frame.len();
        self.stand.receive(frame);
        let before = self.gained.sent;
        self.look();
        // A frame has its answer, and may open a window: it never lets loose a flood.
        let sent = self.gained.sent - before;
        assert!(sent <= 64, "{sent} frames for one");
    }

    pub(crate) fn pass(&mut self, span: Duration) {
        self.stand.pass(span);
        self.look();
    }

    /// Looks at what the stack sent, and at what it has for the user unasked.
    fn look(&mut self) {
        self.ask_again();
        for frame in self.stand.sent() {
            self.gained.sent += 1;
            let mut right = frame.clone();
            repair_checksums(Medium::Ethernet, &mut right);
            assert_eq!(right, frame, "a checksum of the stack's");
            if let Some(found) = transport(Medium::Ethernet, &frame) {
                self.heard.on_sent(&found, &frame[found.range.clone()]);
            }
        }
        let has_lease = self.stand.stack.dhcp_lease().is_some();
        self.gained.leases += u32::from(has_lease && !self.had_lease);
        self.had_lease = has_lease;
    }

    /// Whether the question has its answer.
    fn ask_again(&mut self) {
        if let Some(mut question) = self.question.take() {
            match question
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                Poll::Pending => self.question = Some(question),
                Poll::Ready((socket, found)) => {
                    self.dns = Some(socket);
                    self.gained.names += u32::from(found);
                    self.gained.no_names += u32::from(!found);
                }
            }
        }
        self.stand.settle();
    }

    /// A frame with the numbers that the stack expects, and right checksums.
    pub(crate) fn make_absolute(&self, frame: &[u8]) -> Vec<u8> {
        let mut frame = frame.to_vec();
        if let Some(found) = transport(Medium::Ethernet, &frame) {
            self.heard
                .fill_in(found.protocol, &mut frame[found.range.clone()]);
        }
        repair_checksums(Medium::Ethernet, &mut frame);
        frame
    }

    pub(crate) fn talk(&mut self, len: usize) {
        if let Some(listener) = &self.listener
            && let Some(Ok(socket)) = self.stand.ask(listener.accept())
        {
            self.sockets.push(socket);
        }
        let mut buffer = [0; 2_048];
        for socket in &mut self.sockets {
            if let Some(Ok(len)) = self.stand.ask(socket.read(&mut buffer)) {
                self.gained.bytes += len;
            }
            let data = &buffer[..len.min(2_048)];
            let _ = self.stand.ask(socket.write(data));
        }
        assert!(self.gained.bytes <= self.fed, "more was read than came in");
        if let Some(udp) = &self.udp {
            let read = self.stand.ask(udp.recv_from(&mut buffer));
            self.gained.datagrams += u32::from(matches!(read, Some(Ok(_))));
        }
        if let Some(icmp) = &self.icmp {
            let read = self.stand.ask(icmp.recv_from(&mut buffer));
            self.gained.messages += u32::from(matches!(read, Some(Ok(_))));
        }
        if let Some(browser) = &mut self.browser {
            let told = self.stand.ask(browser.next(|_| ()));
            self.gained.services += u32::from(matches!(told, Some(Ok(()))));
        }
        if let Some(events) = &mut self.events {
            while events.try_next().is_some() {
                self.gained.events += 1;
            }
        }
        self.look();
    }

    pub(crate) fn end(&mut self, number: u16) {
        if self.sockets.is_empty() {
            return;
        }
        if number.is_multiple_of(2) {
            self.sockets[0].shutdown_write();
        } else {
            self.sockets.remove(0);
        }
        self.stand.settle();
    }

    pub(crate) fn call(&mut self, call: Call) {
        let stack = self.stand.stack;
        let local = LinkLocalConfig::new;
        match call {
            Call::StaticV4 => self.set_v4(static_v4()),
            Call::Dhcp => self.set_v4(ConfigV4::Dhcp(DhcpConfig::new())),
            Call::LinkLocalV4 => self.set_v4(ConfigV4::LinkLocal(local())),
            Call::DhcpOrLinkLocal => {
                self.set_v4(ConfigV4::DhcpOrLinkLocal(DhcpConfig::new(), local()));
            }
            Call::NoV4 => self.set_v4(ConfigV4::None),
            Call::StaticV6 => self.set_v6(static_v6()),
            Call::LinkLocalV6 => self.set_v6(ConfigV6::LinkLocal),
            Call::NoV6 => self.set_v6(ConfigV6::None),
            Call::StartDhcpServer => {
                let [a, b, c, _] = OUR_ADDRESS.octets();
                let config = DhcpServerConfig::new([a, b, c, 100].into(), [a, b, c, 110].into());
                let _ = stack.start_dhcp_server(config);
            }
            Call::StopDhcpServer => drop(stack.stop_dhcp_server()),
            Call::Resolve => self.resolve("www.example.org"),
            Call::ResolveLocal => self.resolve("swan.local"),
            Call::StopResolving => self.question = None,
            Call::Name => drop(stack.set_mdns_host(Some("cygnet"))),
            Call::NoName => drop(stack.set_mdns_host(None)),
            Call::AddService => {
                let service = MdnsService {
                    instance: "Cygnet's page",
                    kind: "_http._tcp",
                    port: 80,
                    text: &["path=/"],
                };
                self.services.extend(stack.add_mdns_service(&service));
            }
            Call::RemoveServices => self.remove_services(),
            Call::Browse => {
                self.browser = None;
                let name = Name::from_text("_http._tcp.local").expect("a name");
                let browser = MdnsBrowser::new(stack, &name, RecordType::PTR, vec![0; 512]);
                self.browser = browser.ok();
            }
            Call::StopBrowsing => self.browser = None,
            Call::Join => self.listen(MulticastSources::AllBut(&[])),
            Call::JoinSource => self.listen(MulticastSources::Only(&[PEER_ADDRESS.into()])),
            Call::Leave => self.listen(MulticastSources::Only(&[])),
            Call::SendToStrangerV6 => self.send((STRANGER_V6, 9).into(), 10),
            Call::SendToStrangerV4 => self.send((STRANGER, 9).into(), 10),
            Call::SendLongV6 => self.send((PEER_ADDRESS_V6, 9).into(), 3_000),
            Call::SendLongV4 => self.send((PEER_ADDRESS, 9).into(), 3_000),
            Call::SendV6 => self.send((PEER_ADDRESS_V6, 9).into(), 10),
            Call::SendV4 => self.send((PEER_ADDRESS, 9).into(), 10),
        }
        self.stand.settle();
        self.look();
    }

    fn set_v4(&mut self, config: impl Into<ConfigV4>) {
        let _ = self.stand.stack.set_config_v4(config);
    }

    fn set_v6(&mut self, config: impl Into<ConfigV6>) {
        let _ = self.stand.stack.set_config_v6(config);
    }

    fn resolve(&mut self, name: &'static str) {
        self.question = None;
        let socket = self.dns.take().or_else(|| {
            // The last one went with its question.
            DnsSocket::new(self.stand.stack, vec![0; 1_520]).ok()
        });
        let Some(socket) = socket else { return };
        self.question = Some(Box::pin(async move {
            let found = socket.resolve(name).await.is_ok();
            (socket, found)
        }));
    }

    fn listen(&mut self, sources: MulticastSources<'_>) {
        let Some(udp) = &mut self.udp else { return };
        for group in [IpAddress::from(GROUP_V4), GROUP_V6.into()] {
            let _ = udp.listen_multicast(group, sources);
        }
    }

    fn send(&mut self, to: IpEndpoint, len: usize) {
        if let Some(udp) = &self.udp {
            let _ = self.stand.ask(udp.send_to(&vec![0x5a; len], to));
        }
    }

    fn remove_services(&mut self) {
        for service in self.services.drain(..) {
            let _ = self.stand.stack.remove_mdns_service(service);
        }
    }

    /// Drops everything. Some hours later nothing is left.
    pub(crate) fn leave(mut self) -> Gained {
        self.sockets.clear();
        (self.listener, self.udp, self.icmp) = (None, None, None);
        (self.dns, self.question, self.browser) = (None, None, None);
        self.events = None;
        self.remove_services();
        for call in [Call::NoName, Call::StopDhcpServer, Call::NoV4, Call::NoV6] {
            self.call(call);
        }
        self.pass(Duration::from_secs(3 * 60 * 60));
        // An alarm cannot be taken back. One that was set for a lease of years rings once more, in vain.
        if let Some(alarm) = self.stand.clock.next_alarm() {
            self.pass(alarm.since(self.stand.clock.now()));
        }
        assert_eq!(self.stand.clock.next_alarm(), None, "a timer is left");
        let stack = self.stand.stack;
        let sockets: Vec<_> =
            std::iter::from_fn(|| TcpSocket::new(stack, vec![], vec![]).ok()).collect();
        assert_eq!(sockets.len(), SLOTS, "slots that came back");
        self.gained
    }
}

impl Heard {
    fn on_sent(&mut self, found: &Transport, bytes: &[u8]) {
        if found.protocol == IpProtocol::TCP {
            let segment = TcpSegment::parse(bytes).expect("the stack sends whole segments");
            let port = segment.header.dst_port;
            let end = segment.header.seq + segment.segment_len();
            self.segments.retain(|(known, _)| *known != port);
            self.segments.push((port, end));
        } else if let (IpProtocol::UDP, [src_high, src_low, high, low, _, _, _, _, data @ ..]) =
            (found.protocol, bytes)
        {
            match u16::from_be_bytes([*high, *low]) {
                // Multicast DNS as well, if the stack asks like one that knows only the other.
                53 | 5_353 if [*src_high, *src_low] != MDNS => {
                    let port = u16::from_be_bytes([*src_high, *src_low]);
                    self.dns = Some((port, data.to_vec()));
                }
                67 => self.xid = data.get(4..8).and_then(|xid| xid.try_into().ok()),
                _ => {}
            }
        }
    }

    /// Makes an answer's numbers those that the stack expects.
    fn fill_in(&self, protocol: IpProtocol, bytes: &mut [u8]) {
        let Some(&[high, low, dst_high, dst_low, ..]) = bytes.first_chunk::<8>() else {
            return;
        };
        let to_unicast = [dst_high, dst_low] != MDNS;
        let src_port = u16::from_be_bytes([high, low]);
        match (protocol, src_port, &self.dns, self.xid) {
            (IpProtocol::TCP, ..) if bytes.len() >= 20 => {
                let known = self.segments.iter().find(|(known, _)| *known == src_port);
                if let Some((_, end)) = known {
                    let relative = u32::from_be_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
                    let absolute = end.get().wrapping_add(relative);
                    bytes[8..12].copy_from_slice(&absolute.to_be_bytes());
                }
            }
            (IpProtocol::UDP, 53 | 5_353, Some((port, question)), _) if to_unicast => {
                bytes[2..4].copy_from_slice(&port.to_be_bytes());
                let message = &mut bytes[8..];
                copy_prefix(message, &question[..2.min(question.len())]);
                // The letters of a question come back as they were mixed.
                if let Some(theirs) = message.get_mut(12..)
                    && let Some(ours) = question.get(12..)
                {
                    let same = |(a, b): &(&mut u8, &u8)| a.eq_ignore_ascii_case(b);
                    let pairs = theirs.iter_mut().zip(ours);
                    pairs.take_while(same).for_each(|(a, b)| *a = *b);
                }
            }
            (IpProtocol::UDP, 67, _, Some(xid)) => {
                if let Some(field) = bytes.get_mut(12..16) {
                    field.copy_from_slice(&xid);
                }
            }
            _ => {}
        }
    }
}

/// Port 5353.
const MDNS: [u8; 2] = [0x14, 0xe9];

fn copy_prefix(to: &mut [u8], from: &[u8]) {
    if let Some(place) = to.get_mut(..from.len()) {
        place.copy_from_slice(from);
    }
}
