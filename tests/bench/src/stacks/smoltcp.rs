//! smoltcp: synchronous, so each run is a loop over two hosts, as its examples have it.
//!
//! A host is polled only when a frame waits, when its application did something, or when nothing at
//! all happened in the last turn and a timer may be due.

use std::iter::{Cycle, StepBy};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU32, Ordering};

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr, IpEndpoint};

use crate::link::{End, Incoming, Outgoing, link};
use crate::stacks::{Contender, Run};
use crate::workload::{
    ADDRESSES, BULK_BUFFER, DATAGRAM_LEN, DATAGRAM_QUEUE, IDLE_PORT, KEEP_ALIVE, PREFIX_LEN,
    REQUEST_LEN, SERVER_PORT, SMALL_BUFFER, SPREAD_BUFFER, SPREAD_IN_FLIGHT, SPREAD_MESSAGE,
    Workload, servers,
};

pub(super) struct Smoltcp;

impl Contender for Smoltcp {
    fn name(&self) -> &'static str {
        "smoltcp"
    }

    fn prepare(&self, workload: Workload) -> Box<dyn Run> {
        let mut hosts = Hosts::new(workload.frame_len());
        match workload {
            Workload::TcpBulk { idle, .. } => Box::new(Bulk::new(hosts, idle)),
            Workload::TcpSpread { connections } => {
                let connections = hosts.establish(connections, (SERVER_PORT, SPREAD_BUFFER));
                Box::new(Spread::new(hosts, connections))
            }
            Workload::Udp => Box::new(Datagrams::new(hosts)),
            Workload::Connections { clients, idle } => {
                hosts.establish(idle, (IDLE_PORT, SMALL_BUFFER));
                Box::new(Connections::new(hosts, clients))
            }
        }
    }

    fn socket_bytes(&self) -> usize {
        size_of::<SocketStorage<'_>>() + size_of::<SocketHandle>()
    }
}

impl Device for End {
    type RxToken<'a> = Incoming<'a>;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Incoming<'_>, Outgoing<'_>)> {
        End::receive(self, None)
    }

    fn transmit(&mut self, _: Instant) -> Option<Outgoing<'_>> {
        End::transmit(self, None)
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = self.frame_len();
        capabilities
    }
}

impl RxToken for Incoming<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        Incoming::consume(self, |frame| f(frame))
    }
}

impl TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        Outgoing::consume(self, len, f)
    }
}

/// One end of the link with a stack on it.
struct Host {
    end: End,
    interface: Interface,
    sockets: SocketSet<'static>,
}

impl Host {
    fn new(mut end: End, index: u8) -> Self {
        let mut config = Config::new(EthernetAddress(end.mac()).into());
        config.random_seed = index.into();
        let mut interface = Interface::new(config, &mut end, Instant::now());
        interface.update_ip_addrs(|addresses| {
            let address = IpCidr::new(address(index), PREFIX_LEN);
            addresses.push(address).expect("room for one address");
        });
        Self {
            end,
            interface,
            sockets: SocketSet::new(Vec::new()),
        }
    }

    fn poll(&mut self) {
        let now = Instant::now();
        NOW.store(now.total_millis() as u32, Ordering::Relaxed);
        self.interface.poll(now, &mut self.end, &mut self.sockets);
    }

    /// Polls if there is something to do. Returns whether there was.
    fn poll_if(&mut self, acted: bool) -> bool {
        let busy = acted || self.end.has_frame();
        if busy {
            self.poll();
        }
        busy
    }

    fn tcp(&mut self, socket: SocketHandle) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(socket)
    }

    fn udp(&mut self, socket: SocketHandle) -> &mut udp::Socket<'static> {
        self.sockets.get_mut(socket)
    }

    fn add_tcp(&mut self, buffer: usize) -> SocketHandle {
        let ring = || tcp::SocketBuffer::new(vec![0; buffer]);
        let mut socket = tcp::Socket::new(ring(), ring());
        socket.set_tsval_generator(Some(timestamp));
        socket.set_keep_alive(Some(KEEP_ALIVE.into()));
        self.sockets.add(socket)
    }

    fn add_udp(&mut self) -> SocketHandle {
        let queue = || {
            let metadata = vec![udp::PacketMetadata::EMPTY; DATAGRAM_QUEUE];
            udp::PacketBuffer::new(metadata, vec![0; DATAGRAM_QUEUE * DATAGRAM_LEN])
        };
        let mut socket = udp::Socket::new(queue(), queue());
        socket.bind(SERVER_PORT).expect("the port is free");
        self.sockets.add(socket)
    }

    fn connect(&mut self, socket: SocketHandle, local_port: u16, port: u16) {
        let Self {
            interface, sockets, ..
        } = self;
        let socket = sockets.get_mut::<tcp::Socket<'_>>(socket);
        (socket.connect(interface.context(), server(port), local_port))
            .expect("a closed socket connects");
    }

    fn listen(&mut self, socket: SocketHandle, port: u16) {
        self.tcp(socket)
            .listen(port)
            .expect("a closed socket listens");
    }
}

/// The client and the server.
struct Hosts {
    client: Host,
    server: Host,
    /// The local port of the next connection that is established.
    next_port: u16,
}

impl Hosts {
    fn new(frame_len: usize) -> Self {
        let (client, server) = link(frame_len);
        Self {
            client: Host::new(client, 0),
            server: Host::new(server, 1),
            next_port: FIRST_PORT,
        }
    }

    /// So many connections, opened at the same time: one after the other takes far longer where each
    /// packet costs a look at every socket. Pairs of the client's socket and the server's.
    fn establish(
        &mut self,
        count: usize,
        (port, buffer): (u16, usize),
    ) -> Vec<(SocketHandle, SocketHandle)> {
        let mut clients = Vec::new();
        let mut servers = Vec::new();
        for _ in 0..count {
            let server = self.server.add_tcp(buffer);
            self.server.listen(server, port);
            servers.push(server);
            let client = self.client.add_tcp(buffer);
            self.client.connect(client, self.next_port, port);
            self.next_port += 1;
            clients.push(client);
        }
        let established = |host: &mut Host, sockets: &[SocketHandle]| {
            let mut states = sockets.iter().map(|socket| host.tcp(*socket).state());
            states.all(|state| state == tcp::State::Established)
        };
        while !(established(&mut self.client, &clients) && established(&mut self.server, &servers))
        {
            self.client.poll();
            self.server.poll();
        }
        // Which listening socket a connection found is the stack's choice.
        servers.sort_by_key(|socket| {
            self.server
                .tcp(*socket)
                .remote_endpoint()
                .map(|end| end.port)
        });
        clients.into_iter().zip(servers).collect()
    }

    /// Polls both hosts, the client first. Returns whether there was anything to do.
    fn poll_if(&mut self, client_acted: bool, server_acted: bool) -> bool {
        let client = self.client.poll_if(client_acted);
        let server = self.server.poll_if(server_acted);
        client || server
    }

    /// Polls both hosts after a turn in which nothing happened.
    fn poll_timers(&mut self) {
        self.client.poll();
        self.server.poll();
    }
}

struct Bulk {
    hosts: Hosts,
    connection: (SocketHandle, SocketHandle),
    to_send: Vec<u8>,
    /// How much of that is sent; then it is sent again.
    sent: usize,
    to_receive: Vec<u8>,
    received: u64,
}

impl Bulk {
    fn new(mut hosts: Hosts, idle: usize) -> Self {
        hosts.establish(idle, (SERVER_PORT, SMALL_BUFFER));
        let connection = hosts.establish(1, (SERVER_PORT, BULK_BUFFER))[0];
        // What is left over when a segment was cut is not to wait until that is acknowledged.
        hosts.client.tcp(connection.0).set_nagle_enabled(false);
        Self {
            hosts,
            connection,
            // Each end has memory of its own, as the tasks of the others have.
            to_send: vec![0x55; BULK_BUFFER],
            sent: 0,
            to_receive: vec![0; BULK_BUFFER],
            received: 0,
        }
    }
}

impl Run for Bulk {
    fn turn(&mut self) -> u64 {
        let (client, server) = self.connection;
        let sent = self
            .hosts
            .client
            .tcp(client)
            .send_slice(&self.to_send[self.sent..])
            .expect("connected");
        self.sent = (self.sent + sent) % BULK_BUFFER;
        let mut busy = self.hosts.poll_if(sent > 0, false);

        let received = self
            .hosts
            .server
            .tcp(server)
            .recv_slice(&mut self.to_receive)
            .expect("connected");
        self.received += received as u64;
        busy |= self.hosts.server.poll_if(received > 0);
        if !busy {
            self.hosts.poll_timers();
        }
        self.received
    }
}

struct Spread {
    hosts: Hosts,
    connections: Vec<(SocketHandle, SocketHandle)>,
    next_to_send: usize,
    next_to_receive: usize,
    in_flight: usize,
    message: [u8; SPREAD_MESSAGE],
    received: u64,
}

impl Spread {
    fn new(mut hosts: Hosts, connections: Vec<(SocketHandle, SocketHandle)>) -> Self {
        for &(client, _) in &connections {
            // A message shorter than a segment is not to wait for the one before.
            hosts.client.tcp(client).set_nagle_enabled(false);
        }
        Self {
            hosts,
            connections,
            next_to_send: 0,
            next_to_receive: 0,
            in_flight: 0,
            message: [0x55; SPREAD_MESSAGE],
            received: 0,
        }
    }

    /// Sends messages until as many as may are on their way. Returns whether it sent any.
    fn send(&mut self) -> bool {
        let before = self.in_flight;
        while self.in_flight < SPREAD_IN_FLIGHT.min(self.connections.len()) {
            let (client, _) = self.connections[self.next_to_send];
            let socket = self.hosts.client.tcp(client);
            if socket.send_capacity() - socket.send_queue() < SPREAD_MESSAGE {
                break;
            }
            socket.send_slice(&self.message).expect("connected");
            self.next_to_send = (self.next_to_send + 1) % self.connections.len();
            self.in_flight += 1;
        }
        self.in_flight > before
    }

    /// Receives the messages that have arrived whole. Returns whether it received any.
    fn receive(&mut self) -> bool {
        let before = self.in_flight;
        while self.in_flight > 0 {
            let (_, server) = self.connections[self.next_to_receive];
            let socket = self.hosts.server.tcp(server);
            if socket.recv_queue() < SPREAD_MESSAGE {
                break;
            }
            self.received += socket.recv_slice(&mut self.message).expect("connected") as u64;
            self.next_to_receive = (self.next_to_receive + 1) % self.connections.len();
            self.in_flight -= 1;
        }
        self.in_flight < before
    }
}

impl Run for Spread {
    fn turn(&mut self) -> u64 {
        let sent = self.send();
        let mut busy = self.hosts.poll_if(sent, false);
        let received = self.receive();
        busy |= self.hosts.server.poll_if(received);
        if !busy {
            self.hosts.poll_timers();
        }
        self.received
    }
}

struct Datagrams {
    hosts: Hosts,
    sender: SocketHandle,
    receiver: SocketHandle,
    received: u64,
}

impl Datagrams {
    fn new(mut hosts: Hosts) -> Self {
        let sender = hosts.client.add_udp();
        let receiver = hosts.server.add_udp();
        Self {
            hosts,
            sender,
            receiver,
            received: 0,
        }
    }
}

impl Run for Datagrams {
    fn turn(&mut self) -> u64 {
        let mut datagram = [0x55; DATAGRAM_LEN];
        let socket = self.hosts.client.udp(self.sender);
        let mut sent = false;
        while socket.send_slice(&datagram, server(SERVER_PORT)).is_ok() {
            sent = true;
        }
        let busy = self.hosts.poll_if(sent, false);

        let socket = self.hosts.server.udp(self.receiver);
        while socket.recv_slice(&mut datagram).is_ok() {
            self.received += 1;
        }
        if !busy {
            self.hosts.poll_timers();
        }
        self.received
    }
}

struct Connections {
    hosts: Hosts,
    clients: Vec<Client>,
    servers: Vec<SocketHandle>,
    done: u64,
}

impl Connections {
    fn new(mut hosts: Hosts, clients: usize) -> Self {
        let servers: Vec<_> = (0..servers(clients))
            .map(|_| hosts.server.add_tcp(SMALL_BUFFER))
            .collect();
        for &server in &servers {
            hosts.server.listen(server, SERVER_PORT);
        }
        let clients = (0..clients)
            .map(|index| Client::new(&mut hosts.client, ports(index, clients)))
            .collect();
        Self {
            hosts,
            clients,
            servers,
            done: 0,
        }
    }

    /// Takes the next step of each client. Returns whether one could.
    fn step_clients(&mut self) -> bool {
        let mut acted = false;
        for client in &mut self.clients {
            match client.step(&mut self.hosts.client) {
                Step::None => continue,
                Step::Taken => {}
                Step::Done => self.done += 1,
            }
            acted = true;
        }
        acted
    }

    /// Takes the next step of each of the server's sockets. Returns whether one could.
    fn step_servers(&mut self) -> bool {
        let mut data = [0; REQUEST_LEN];
        let mut acted = false;
        for &server in &self.servers {
            let socket = self.hosts.server.tcp(server);
            if socket.recv_queue() >= REQUEST_LEN {
                socket.recv_slice(&mut data).expect("connected");
                socket.send_slice(&data).expect("connected");
            } else if socket.state() == tcp::State::CloseWait {
                socket.close();
            } else if !socket.is_open() {
                self.hosts.server.listen(server, SERVER_PORT);
            } else {
                continue;
            }
            acted = true;
        }
        acted
    }
}

impl Run for Connections {
    fn turn(&mut self) -> u64 {
        let client = self.step_clients();
        let server = self.step_servers();
        if !self.hosts.poll_if(client, server) {
            self.hosts.poll_timers();
        }
        self.done
    }
}

/// Makes one connection after the other.
struct Client {
    socket: SocketHandle,
    awaits: Await,
    ports: Ports,
}

/// What a client waits for.
enum Await {
    Connection,
    Response,
    End,
}

/// What a client did.
enum Step {
    None,
    Taken,
    /// The last one of a connection, and the first one of the next.
    Done,
}

impl Client {
    fn new(host: &mut Host, ports: Ports) -> Self {
        let mut client = Self {
            socket: host.add_tcp(SMALL_BUFFER),
            awaits: Await::Connection,
            ports,
        };
        client.connect(host);
        client
    }

    fn connect(&mut self, host: &mut Host) {
        let port = self.ports.next().expect("they begin anew");
        host.connect(self.socket, port, SERVER_PORT);
        self.awaits = Await::Connection;
    }

    /// Takes the next step, if it can.
    fn step(&mut self, host: &mut Host) -> Step {
        let mut data = [0x55; REQUEST_LEN];
        let socket = host.tcp(self.socket);
        match self.awaits {
            Await::Connection if socket.may_send() => {
                socket.send_slice(&data).expect("connected");
                self.awaits = Await::Response;
            }
            Await::Response if socket.recv_queue() >= REQUEST_LEN => {
                socket.recv_slice(&mut data).expect("connected");
                socket.close();
                self.awaits = Await::End;
            }
            Await::End if socket.state() == tcp::State::TimeWait => {
                // The socket would wait for ten seconds. Connecting again at once sends no reset.
                socket.abort();
                self.connect(host);
                return Step::Done;
            }
            _ => {
                assert!(socket.is_open(), "a socket listens");
                return Step::None;
            }
        }
        Step::Taken
    }
}

/// The ports of one client.
type Ports = Cycle<StepBy<RangeInclusive<u16>>>;

/// The ports of one of so many clients, none of which is another's.
fn ports(index: usize, clients: usize) -> Ports {
    let first = FIRST_PORT + u16::try_from(index).expect("fewer clients than ports");
    (first..=u16::MAX).step_by(clients).cycle()
}

fn address(index: u8) -> IpAddress {
    let [a, b, c, d] = ADDRESSES[usize::from(index)];
    IpAddress::v4(a, b, c, d)
}

fn server(port: u16) -> IpEndpoint {
    IpEndpoint::new(address(1), port)
}

/// The time in a TCP timestamp, in milliseconds: that of the poll, as a clock read for each segment
/// would be a cost of this file and not of the stack.
fn timestamp() -> u32 {
    NOW.load(Ordering::Relaxed)
}

static NOW: AtomicU32 = AtomicU32::new(0);

/// Where the client's ports start.
const FIRST_PORT: u16 = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_client_has_a_port_of_another() {
        let clients = 64;
        let of = |index| {
            let mut ports = ports(index, clients);
            let first = ports.next();
            first
                .into_iter()
                .chain(ports.take_while(move |&port| Some(port) != first))
        };
        let mut taken = HashSet::new();
        assert!((0..clients).flat_map(of).all(|port| taken.insert(port)));
        assert_eq!(
            taken.len(),
            usize::from(u16::MAX - FIRST_PORT) + 1,
            "none is left out"
        );
    }
}
