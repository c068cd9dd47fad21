//! embassy-net: hosts and applications are tasks. It offers no TCP timestamps.
//!
//! The resources of a stack and the buffers of its sockets are leaked, as a `StaticCell` would have
//! them live for ever: a run is prepared once.

use std::cell::RefCell;
use std::mem;
use std::rc::Rc;
use std::task::Context;

use embassy_net::tcp::TcpSocket;
use embassy_net::udp::{PacketMetadata, UdpSocket};
use embassy_net::{
    Config, IpEndpoint, Ipv4Address, Ipv4Cidr, Runner, Stack, StackResources, StaticConfigV4,
};
use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};

use crate::executor::{AsyncRun, Permits};
use crate::link::{End, Incoming, Outgoing, link};
use crate::stacks::{Contender, Run};
use crate::workload::{
    ADDRESSES, BULK_BUFFER, DATAGRAM_LEN, DATAGRAM_QUEUE, IDLE_PORT, KEEP_ALIVE, PREFIX_LEN,
    REQUEST_LEN, SERVER_PORT, SMALL_BUFFER, SPREAD_BUFFER, SPREAD_IN_FLIGHT, SPREAD_MESSAGE,
    Workload, servers,
};

pub(super) struct EmbassyNet;

impl Contender for EmbassyNet {
    fn name(&self) -> &'static str {
        "embassy-net"
    }

    fn prepare(&self, workload: Workload) -> Box<dyn Run> {
        let mut run = AsyncRun::default();
        let frame_len = workload.frame_len();
        match workload {
            Workload::TcpBulk { idle, .. } => bulk(&mut run, frame_len, idle),
            Workload::TcpSpread { connections } => spread(&mut run, frame_len, connections),
            Workload::Udp => datagrams(&mut run, frame_len),
            Workload::Connections { clients, idle } => {
                connections(&mut run, frame_len, clients, idle);
            }
        }
        Box::new(run)
    }

    fn socket_bytes(&self) -> usize {
        let slot = size_of::<StackResources<2>>() - size_of::<StackResources<1>>();
        slot + size_of::<TcpSocket<'_>>()
    }
}

impl Driver for End {
    type RxToken<'a> = Incoming<'a>;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Incoming<'_>, Outgoing<'_>)> {
        End::receive(self, Some(cx))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Outgoing<'_>> {
        End::transmit(self, Some(cx))
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = self.frame_len();
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.mac())
    }
}

impl RxToken for Incoming<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, f: F) -> R {
        Incoming::consume(self, f)
    }
}

impl TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        Outgoing::consume(self, len, f)
    }
}

/// The client's stack and the server's, with room for so many sockets each.
fn hosts(run: &mut AsyncRun, frame_len: usize, sockets: usize) -> [Stack<'static>; 2] {
    let (client, server) = link(frame_len);
    let mut host = |end, address| {
        let (stack, mut runner) = stack(end, address, sockets);
        run.tasks.spawn(async move { runner.run().await });
        stack
    };
    [host(client, ADDRESSES[0]), host(server, ADDRESSES[1])]
}

fn stack(end: End, address: [u8; 4], sockets: usize) -> (Stack<'static>, Runner<'static, End>) {
    // Out of line, so that the largest takes room on the call stack only where it is needed.
    #[inline(never)]
    fn new<const N: usize>(
        end: End,
        config: Config,
        seed: u64,
    ) -> (Stack<'static>, Runner<'static, End>) {
        embassy_net::new(
            end,
            config,
            Box::leak(Box::new(StackResources::<N>::new())),
            seed,
        )
    }
    let seed = address[3].into();
    let config = Config::ipv4_static(StaticConfigV4 {
        address: Ipv4Cidr::new(address.into(), PREFIX_LEN),
        gateway: None,
        dns_servers: Default::default(),
    });
    // An empty slot costs time, too, so there are no more than need be.
    match sockets {
        0..=1 => new::<1>(end, config, seed),
        2..=8 => new::<8>(end, config, seed),
        9..=67 => new::<67>(end, config, seed),
        68..=104 => new::<104>(end, config, seed),
        105..=1_004 => new::<1_004>(end, config, seed),
        1_005..=10_004 => new::<10_004>(end, config, seed),
        _ => panic!("no resources for {sockets} sockets: add a size above"),
    }
}

/// A connection, at its two ends.
type Connection = (TcpSocket<'static>, TcpSocket<'static>);

/// So many connections, opened at the same time: one after the other takes far longer where each
/// packet costs a look at every socket.
fn establish(
    run: &mut AsyncRun,
    [client, server]: [Stack<'static>; 2],
    count: usize,
    (port, buffer): (u16, usize),
) -> Vec<Connection> {
    let clients = Rc::new(RefCell::new(Vec::new()));
    let servers = Rc::new(RefCell::new(Vec::new()));
    for _ in 0..count {
        let (mut socket, established) = (tcp_socket(server, buffer), servers.clone());
        run.tasks.spawn(async move {
            socket.accept(port).await.expect("a closed socket listens");
            established.borrow_mut().push(socket);
        });
        let (mut socket, established) = (tcp_socket(client, buffer), clients.clone());
        run.tasks.spawn(async move {
            socket
                .connect(server_endpoint(port))
                .await
                .expect("the server listens");
            established.borrow_mut().push(socket);
        });
    }
    while clients.borrow().len() < count || servers.borrow().len() < count {
        run.tasks.turn();
    }
    // Which listening socket a connection found is the stack's choice.
    let (mut clients, mut servers) = (clients.take(), servers.take());
    clients.sort_by_key(|socket| socket.local_endpoint().map(|end| end.port));
    servers.sort_by_key(|socket| socket.remote_endpoint().map(|end| end.port));
    clients.into_iter().zip(servers).collect()
}

fn bulk(run: &mut AsyncRun, frame_len: usize, idle: usize) {
    let hosts = hosts(run, frame_len, idle + 1);
    // Forgotten, they stay open.
    mem::forget(establish(run, hosts, idle, (SERVER_PORT, SMALL_BUFFER)));
    for (mut client, mut server) in establish(run, hosts, 1, (SERVER_PORT, BULK_BUFFER)) {
        run.tasks.spawn(async move {
            // What is left over when a segment was cut is not to wait until that is acknowledged.
            client.set_nagle_enabled(false);
            let data = vec![0x55; BULK_BUFFER];
            loop {
                write_all(&mut client, &data).await;
            }
        });
        let done = run.done.clone();
        run.tasks.spawn(async move {
            let mut data = vec![0; BULK_BUFFER];
            loop {
                done.add(server.read(&mut data).await.expect("connected"));
            }
        });
    }
}

fn spread(run: &mut AsyncRun, frame_len: usize, connections: usize) {
    let hosts = hosts(run, frame_len, connections);
    let (mut clients, mut servers): (Vec<_>, Vec<_>) =
        establish(run, hosts, connections, (SERVER_PORT, SPREAD_BUFFER))
            .into_iter()
            .unzip();
    let permits = Permits::new(SPREAD_IN_FLIGHT.min(connections));
    let (sent, received, done) = (permits.clone(), permits, run.done.clone());
    run.tasks.spawn(async move {
        let message = [0x55; SPREAD_MESSAGE];
        for client in &mut clients {
            // A message shorter than a segment is not to wait for the one before.
            client.set_nagle_enabled(false);
        }
        loop {
            for client in &mut clients {
                sent.acquire().await;
                write_all(client, &message).await;
            }
        }
    });
    run.tasks.spawn(async move {
        let mut message = [0; SPREAD_MESSAGE];
        loop {
            for server in &mut servers {
                read_exact(server, &mut message).await;
                received.release();
                done.add(SPREAD_MESSAGE);
            }
        }
    });
}

fn datagrams(run: &mut AsyncRun, frame_len: usize) {
    let [client, server] = hosts(run, frame_len, 1);
    let (sender, receiver) = (udp_socket(client), udp_socket(server));
    run.tasks.spawn(async move {
        loop {
            let sent = sender
                .send_to(&[0x55; DATAGRAM_LEN], server_endpoint(SERVER_PORT))
                .await;
            sent.expect("a route to the server");
        }
    });
    let done = run.done.clone();
    run.tasks.spawn(async move {
        let mut datagram = [0; DATAGRAM_LEN];
        loop {
            receiver
                .recv_from(&mut datagram)
                .await
                .expect("datagrams of that length");
            done.add(1);
        }
    });
}

fn connections(run: &mut AsyncRun, frame_len: usize, clients: usize, idle: usize) {
    let servers = servers(clients);
    let hosts = hosts(run, frame_len, servers + idle);
    // Forgotten, they stay open.
    mem::forget(establish(run, hosts, idle, (IDLE_PORT, SMALL_BUFFER)));
    let [client, server] = hosts;
    for _ in 0..servers {
        let mut socket = tcp_socket(server, SMALL_BUFFER);
        run.tasks.spawn(async move {
            let mut data = [0; REQUEST_LEN];
            loop {
                socket
                    .accept(SERVER_PORT)
                    .await
                    .expect("a closed socket listens");
                read_exact(&mut socket, &mut data).await;
                socket.write(&data).await.expect("connected");
                read_end(&mut socket).await;
                socket.close();
                socket.flush().await.expect("the client acknowledges");
            }
        });
    }
    for _ in 0..clients {
        let done = run.done.clone();
        run.tasks.spawn(async move {
            let mut data = [0x55; REQUEST_LEN];
            let mut buffers = ([0; SMALL_BUFFER], [0; SMALL_BUFFER]);
            loop {
                let mut socket = TcpSocket::new(client, &mut buffers.0, &mut buffers.1);
                socket
                    .connect(server_endpoint(SERVER_PORT))
                    .await
                    .expect("a socket listens");
                socket.write(&data).await.expect("connected");
                read_exact(&mut socket, &mut data).await;
                socket.close();
                read_end(&mut socket).await;
                done.add(1);
            }
        });
    }
}

async fn write_all(socket: &mut TcpSocket<'_>, mut data: &[u8]) {
    while !data.is_empty() {
        data = &data[socket.write(data).await.expect("connected")..];
    }
}

async fn read_exact(socket: &mut TcpSocket<'_>, data: &mut [u8]) {
    let mut filled = 0;
    while filled < data.len() {
        let read = socket.read(&mut data[filled..]).await.expect("connected");
        assert!(read > 0, "the other end closed too early");
        filled += read;
    }
}

async fn read_end(socket: &mut TcpSocket<'_>) {
    let read = socket.read(&mut [0]).await.expect("connected");
    assert_eq!(read, 0, "the other end sent too much");
}

fn tcp_socket(stack: Stack<'static>, buffer: usize) -> TcpSocket<'static> {
    let mut socket = TcpSocket::new(stack, leak(buffer, 0), leak(buffer, 0));
    let micros = KEEP_ALIVE.as_micros() as u64;
    socket.set_keep_alive(Some(embassy_time::Duration::from_micros(micros)));
    socket
}

fn udp_socket(stack: Stack<'static>) -> UdpSocket<'static> {
    let metadata = || leak(DATAGRAM_QUEUE, PacketMetadata::EMPTY);
    let payload = || leak(DATAGRAM_QUEUE * DATAGRAM_LEN, 0);
    let mut socket = UdpSocket::new(stack, metadata(), payload(), metadata(), payload());
    socket.bind(SERVER_PORT).expect("the port is free");
    socket
}

fn leak<T: Clone>(len: usize, value: T) -> &'static mut [T] {
    Box::leak(vec![value; len].into())
}

fn server_endpoint(port: u16) -> IpEndpoint {
    IpEndpoint::new(Ipv4Address::from(ADDRESSES[1]).into(), port)
}
