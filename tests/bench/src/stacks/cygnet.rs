//! cygnet: hosts and applications are tasks.
//!
//! The resources of a stack and the buffers of its sockets are leaked, as a `StaticCell` would have
//! them live for ever: a run is prepared once.

mod clock;

use std::cell::RefCell;
use std::mem;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::task::Context;

use cygnet::{
    Config, IpEndpoint, Ipv4Cidr, Resources, Runner, Stack, StaticConfigV4, TcpListener, TcpSocket,
    UdpPacketMetadata, UdpSocket,
};
use cygnet_driver::{Capabilities, Driver, HardwareAddress, LinkState, Medium, RxToken, TxToken};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

use clock::{Alarm, BenchClock};

use crate::executor::{AsyncRun, HandOver, Permits};
use crate::link::{End, Incoming, Outgoing, link};
use crate::stacks::{Contender, Run};
use crate::workload::{
    ADDRESSES, BULK_BUFFER, DATAGRAM_LEN, DATAGRAM_QUEUE, IDLE_PORT, KEEP_ALIVE, PREFIX_LEN,
    REQUEST_LEN, SERVER_PORT, SMALL_BUFFER, SPREAD_BUFFER, SPREAD_IN_FLIGHT, SPREAD_MESSAGE,
    Workload, servers,
};

pub(super) struct Cygnet;

impl Contender for Cygnet {
    fn name(&self) -> &'static str {
        "cygnet"
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
        let slot = size_of::<Resources<'_, 2>>() - size_of::<Resources<'_, 1>>();
        slot + size_of::<TcpSocket<'_>>()
    }
}

impl Driver for End {
    type RxToken<'a> = Incoming<'a>;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Incoming<'_>, Option<Outgoing<'_>>)> {
        let frame = End::take(self, Some(cx))?;
        Some((frame, End::transmit(self, None)))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Outgoing<'_>> {
        End::transmit(self, Some(cx))
    }

    fn transmit_room(&mut self, cx: &mut Context<'_>) -> usize {
        End::room(self, Some(cx))
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Medium::Ethernet, self.frame_len())
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.mac())
    }
}

impl RxToken for Incoming<'_> {
    fn consume<R>(self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        Incoming::consume(self, f)
    }
}

impl TxToken for Outgoing<'_> {
    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        Outgoing::consume(self, len, f)
    }
}

type HostRunner = Runner<'static, End, NoopRawMutex, BenchClock>;

/// The client's stack and the server's, with room for so many sockets each.
fn hosts(run: &mut AsyncRun, frame_len: usize, sockets: usize) -> [Stack<'static>; 2] {
    let (client, server) = link(frame_len);
    let mut host = |end, address| {
        let alarm = Alarm::default();
        let (stack, mut runner) = stack(end, address, sockets, BenchClock::new(alarm.clone()));
        run.tasks.spawn(async move {
            runner.run().await;
        });
        run.tasks.tick(move || alarm.ring());
        stack
    };
    [host(client, ADDRESSES[0]), host(server, ADDRESSES[1])]
}

fn stack(
    end: End,
    address: [u8; 4],
    sockets: usize,
    clock: BenchClock,
) -> (Stack<'static>, HostRunner) {
    // Out of line, so that the largest takes room on the call stack only where it is needed.
    #[inline(never)]
    fn new<const N: usize>(
        end: End,
        config: Config,
        seed: [u8; 32],
        clock: BenchClock,
    ) -> (Stack<'static>, HostRunner) {
        let resources = Box::leak(Box::new(Resources::<N>::new()));
        cygnet::new_with_clock(end, config, resources, seed, clock)
    }
    let seed = [address[3]; 32];
    let address = Ipv4Cidr::new(address.into(), PREFIX_LEN);
    let config = Config::ipv4_static(StaticConfigV4::new(address));
    match sockets {
        0..=8 => new::<8>(end, config, seed, clock),
        9..=105 => new::<105>(end, config, seed, clock),
        106..=1_005 => new::<1_005>(end, config, seed, clock),
        1_006..=10_005 => new::<10_005>(end, config, seed, clock),
        _ => panic!("no resources for {sockets} sockets: add a size above"),
    }
}

/// A connection, at its two ends.
type Connection = (TcpSocket<'static>, TcpSocket<'static>);

/// So many connections, opened one after the other: a socket that accepts on its own buffers has the
/// port to itself until it is connected.
fn establish(
    run: &mut AsyncRun,
    [client, server]: [Stack<'static>; 2],
    count: usize,
    (port, buffer): (u16, usize),
) -> Vec<Connection> {
    (0..count)
        .map(|_| {
            let ends = Rc::new(RefCell::new((None, None)));
            let (mut socket, connected) = (tcp_socket(server, buffer), ends.clone());
            run.tasks.spawn(async move {
                let accepted = socket.accept(port).await;
                accepted.expect("a closed socket listens");
                connected.borrow_mut().1 = Some(socket);
            });
            let (mut socket, connected) = (tcp_socket(client, buffer), ends.clone());
            run.tasks.spawn(async move {
                let result = socket.connect(server_endpoint(port)).await;
                result.expect("the server listens");
                connected.borrow_mut().0 = Some(socket);
            });
            loop {
                run.tasks.turn();
                if let (Some(_), Some(_)) = &*ends.borrow() {
                    break;
                }
            }
            match ends.take() {
                (Some(client), Some(server)) => (client, server),
                _ => unreachable!("both ends were there"),
            }
        })
        .collect()
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
    // The listener takes a slot, too.
    let hosts = hosts(run, frame_len, servers + 1 + idle);
    // Forgotten, they stay open.
    mem::forget(establish(run, hosts, idle, (IDLE_PORT, SMALL_BUFFER)));
    let [client, server] = hosts;
    let pool = server.add_owned_pool(servers, SMALL_BUFFER, SMALL_BUFFER);
    let pool = pool.expect("room for a pool");
    let listener = TcpListener::bind(server, SERVER_PORT, pool).expect("the port is free");
    if clients == 1 {
        run.tasks.spawn(async move {
            loop {
                respond(accept(&listener).await).await;
            }
        });
    } else {
        let accepted = HandOver::new();
        let giver = accepted.clone();
        run.tasks.spawn(async move {
            loop {
                giver.give(accept(&listener).await);
            }
        });
        // Spawned later they have their turn later, and so in the same round.
        for _ in 0..servers {
            let accepted = accepted.clone();
            run.tasks.spawn(async move {
                loop {
                    respond(accepted.take().await).await;
                }
            });
        }
    }
    for _ in 0..clients {
        let done = run.done.clone();
        let mut socket = tcp_socket(client, SMALL_BUFFER);
        run.tasks.spawn(async move {
            loop {
                request(&mut socket).await;
                done.add(1);
            }
        });
    }
}

async fn accept(listener: &TcpListener<'static>) -> TcpSocket<'static> {
    listener.accept().await.expect("the only one who accepts")
}

/// The server's side of a connection.
async fn respond(mut socket: TcpSocket<'static>) {
    let mut data = [0; REQUEST_LEN];
    read_exact(&mut socket, &mut data).await;
    socket.write(&data).await.expect("connected");
    read_end(&mut socket).await;
    // Dropped, it closes in the background.
}

/// The client's side of a connection.
async fn request(socket: &mut TcpSocket<'static>) {
    let mut data = [0x55; REQUEST_LEN];
    let result = socket.connect(server_endpoint(SERVER_PORT)).await;
    result.expect("the server listens");
    socket.write(&data).await.expect("connected");
    read_exact(socket, &mut data).await;
    socket.shutdown_write();
    read_end(socket).await;
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
    let socket = TcpSocket::new(stack, leak(buffer, 0), leak(buffer, 0));
    let mut socket = socket.expect("a slot for each socket");
    let micros = KEEP_ALIVE.as_micros() as u64;
    socket.set_keep_alive(Some(cygnet::Duration::from_micros(micros)));
    socket
}

fn udp_socket(stack: Stack<'static>) -> UdpSocket<'static> {
    let metadata = || leak(DATAGRAM_QUEUE, UdpPacketMetadata::EMPTY);
    let payload = || leak(DATAGRAM_QUEUE * DATAGRAM_LEN, 0);
    let socket = UdpSocket::new(stack, metadata(), payload(), metadata(), payload());
    let mut socket = socket.expect("a slot for the socket");
    socket.bind(SERVER_PORT).expect("the port is free");
    socket
}

fn leak<T: Clone>(len: usize, value: T) -> &'static mut [T] {
    Box::leak(vec![value; len].into())
}

fn server_endpoint(port: u16) -> IpEndpoint {
    IpEndpoint::new(Ipv4Addr::from(ADDRESSES[1]).into(), port)
}
