//! Two hosts and a cable, and the stories that are told about them most.

use cygnet::TcpSocket;
use cygnet_driver::LinkState;
use cygnet_link::{Control, Impairments};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use rand_core::Rng;
use rand_pcg::Pcg32;

use crate::{Executor, Host, Memory, Network, Setup};

/// A client at 10.0.0.1 and a server at 10.0.0.2.
pub struct Pair<'d> {
    /// Runs all of it.
    pub executor: Executor<'d>,
    /// The host that connects.
    pub client: Host<'d>,
    /// The host that accepts.
    pub server: Host<'d>,
    /// The cable; the client's end is port 0, the server's port 1.
    pub control: Control<'d, NoopRawMutex>,
}

impl Pair<'static> {
    /// Two hosts on a perfect link.
    pub fn new(seed: u64) -> Self {
        Self::with(seed, Setup::new)
    }

    /// Two hosts on a link that impairs both directions.
    pub fn impaired(seed: u64, impairments: Impairments) -> Self {
        Self::with(seed, |n| Setup::new(n).impaired(impairments.seed(seed)))
    }

    /// Two hosts that are set up as `setup` says, the client being number 0.
    pub fn with(seed: u64, setup: impl Fn(usize) -> Setup) -> Self {
        Network::with(seed, setup).into()
    }
}

impl<'d> From<Network<'d, 2>> for Pair<'d> {
    fn from(network: Network<'d, 2>) -> Self {
        let [client, server] = network.hosts;
        Self {
            executor: network.executor,
            client,
            server,
            control: network.control,
        }
    }
}

impl<'d> Pair<'d> {
    /// As [`Self::with`], in memory that is free again afterwards.
    pub fn in_memory(
        memory: &'d mut Memory<'d, 2>,
        seed: u64,
        setup: impl Fn(usize) -> Setup,
    ) -> Self {
        Network::in_memory(memory, seed, setup).into()
    }

    /// Runs a story to its end.
    pub fn run<T>(&self, story: impl Future<Output = T>) -> T {
        self.executor.block_on(story)
    }

    /// Two sockets, the client's and the server's, with a connection between them.
    pub async fn connected(&self) -> (TcpSocket<'d>, TcpSocket<'d>) {
        let (mut client, mut server) = (self.client.tcp(), self.server.tcp());
        self.connect(&mut client, &mut server).await;
        (client, server)
    }

    /// Connects two sockets, the client's and the server's, on port 80.
    pub async fn connect(&self, client: &mut TcpSocket<'d>, server: &mut TcpSocket<'d>) {
        // Whichever fails says so, even while the other waits for ever.
        let accept = async { server.accept(80).await.expect("the server accepts") };
        let remote = self.server.at(80);
        let connect = async { client.connect(remote).await.expect("the client connects") };
        embassy_futures::join::join(accept, connect).await;
    }

    /// Pulls the cable out of the server.
    pub fn unplug_server(&self) {
        self.control.set_link_state(1, LinkState::Down);
    }

    /// Puts the cable back into the server.
    pub fn plug_in_server(&self) {
        self.control.set_link_state(1, LinkState::Up);
    }

    /// Loses every frame from now on, in both directions, without either link going down.
    pub fn black_hole(&self) {
        let loss = Impairments::new().loss(cygnet_link::percent(100));
        for port in 0..2 {
            self.control.set_impairments(port, loss);
        }
    }

    /// Lets every frame pass from now on.
    pub fn heal(&self) {
        for port in 0..2 {
            self.control.set_impairments(port, Impairments::new());
        }
    }
}

/// Bytes from a seed in which a missing, doubled or misplaced piece shows.
pub fn pattern(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Pcg32::new(seed, 0).fill_bytes(&mut bytes);
    bytes
}

/// Panics with the place where two byte streams part, if they do.
#[track_caller]
pub fn assert_same_bytes(received: &[u8], sent: &[u8], what: &str) {
    let parts = received.iter().zip(sent).position(|(a, b)| a != b);
    let at = parts.unwrap_or(received.len().min(sent.len()));
    let is_same = received.len() == sent.len() && parts.is_none();
    let (got, of) = (received.len(), sent.len());
    assert!(
        is_same,
        "{what}: wrong from byte {at} on, {got} of {of} bytes received"
    );
}

/// Writes all of `data`, then closes the sending side.
pub async fn send_all(socket: &mut TcpSocket<'_>, data: &[u8]) {
    let mut rest = data;
    while !rest.is_empty() {
        let written = socket.write(rest).await.expect("a connection to write to");
        rest = &rest[written..];
    }
    socket.shutdown_write();
}

/// Reads all that comes, up to the end.
pub async fn receive_to_end(socket: &mut TcpSocket<'_>) -> Vec<u8> {
    let mut received = Vec::new();
    let mut buffer = [0; 2048];
    loop {
        match socket
            .read(&mut buffer)
            .await
            .expect("a connection to read from")
        {
            0 => return received,
            len => received.extend_from_slice(&buffer[..len]),
        }
    }
}
