//! Two hosts and a cable, and the stories that are told about them most.

use std::ops::Range;

use cygnet::TcpSocket;
use cygnet_driver::LinkState;
use cygnet_link::{Control, Impairments};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use rand_core::Rng;
use rand_pcg::Pcg32;

use crate::{Executor, Host, Network, Setup};

/// A client at 10.0.0.1 and a server at 10.0.0.2.
pub struct Pair {
    /// Runs all of it.
    pub executor: Executor,
    /// The host that connects.
    pub client: Host,
    /// The host that accepts.
    pub server: Host,
    /// The cable; the client's end is port 0, the server's port 1.
    pub control: Control<'static, NoopRawMutex>,
}

impl Pair {
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
        let network = Network::with(seed, setup);
        let [client, server] = network.hosts;
        Self {
            executor: network.executor,
            client,
            server,
            control: network.control,
        }
    }

    /// Runs a story to its end.
    pub fn run<T>(&self, story: impl Future<Output = T>) -> T {
        self.executor.block_on(story)
    }

    /// Two sockets, the client's and the server's, with a connection between them.
    pub async fn connected(&self) -> (TcpSocket<'static>, TcpSocket<'static>) {
        let (mut client, mut server) = (self.client.tcp(), self.server.tcp());
        self.connect(&mut client, &mut server).await;
        (client, server)
    }

    /// Connects two sockets, the client's and the server's, on port 80.
    pub async fn connect(
        &self,
        client: &mut TcpSocket<'static>,
        server: &mut TcpSocket<'static>,
    ) {
        let accept = server.accept(80);
        let connect = client.connect(self.server.at(80));
        let (accepted, connected) = embassy_futures::join::join(accept, connect).await;
        accepted.expect("the server accepts");
        connected.expect("the client connects");
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
    assert!(is_same, "{what}: wrong from byte {at} on, {got} of {of} bytes received");
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
        match socket.read(&mut buffer).await.expect("a connection to read from") {
            0 => return received,
            len => received.extend_from_slice(&buffer[..len]),
        }
    }
}

/// The seeds for a suite to run: `few` of them, more with `CYGNET_SEEDS=N`, a single one with
/// `CYGNET_SEED=n`.
pub fn seeds(few: u64) -> Range<u64> {
    let number = |name| Some(std::env::var(name).ok()?.parse().expect("a number"));
    match number("CYGNET_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CYGNET_SEEDS").unwrap_or(few),
    }
}
