//! One transfer in one direction, as both simulations have it, and the hosts at its ends.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::rc::Rc;

use cygnet::{
    Clock, Config, CongestionControl, Driver, Ipv4Cidr, Stack, StaticConfigV4, TcpSocket,
    tcp_send_buffer_len,
};
use cygnet_examples::Error;
use cygnet_examples::middleware::DriverUser;
use cygnet_examples::pattern::Pattern;
use cygnet_examples::simulation::{Simulation, StartStack, VirtualClock};

/// What is to be sent, and with what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transfer {
    pub(crate) len: u64,
    /// Bytes that the send buffer and the receive buffer hold.
    pub(crate) buffer: usize,
    pub(crate) controller: CongestionControl,
    pub(crate) to: (Ipv4Addr, u16),
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlowResult {
    pub(crate) received: u64,
    /// From the first SYN to the last byte.
    pub(crate) seconds: f64,
    pub(crate) complete: bool,
}

/// Starts a host with an address in 10.0.0.0/16.
pub(crate) fn start_host<const SOCKETS: usize>(
    simulation: &mut Simulation,
    driver: impl Driver + 'static,
    address: Ipv4Addr,
    seed: u64,
) -> Stack<'static> {
    let config = Config::ipv4_static(StaticConfigV4::new(Ipv4Cidr::new(address, 16)));
    StartStack::<SOCKETS> {
        simulation,
        config,
        seed,
    }
    .with(driver)
}

/// Sends from `sender` to `receiver`, both of which were idle until now.
pub(crate) async fn run(
    clock: &'static VirtualClock,
    [sender, receiver]: [Stack<'static>; 2],
    transfer: Transfer,
) -> FlowResult {
    let start = clock.now();
    let received = Rc::new(Cell::new((0, start)));
    let progress = received.clone();
    let note = move |bytes| progress.set((bytes, clock.now()));
    let all = async move {
        let receive = receive(receiver, transfer, note);
        futures_util::future::try_select(Box::pin(receive), Box::pin(send(sender, transfer))).await
    };
    // Nobody minds why: what had arrived by then counts, and when the last of it did not.
    let failed = all.await.is_err();
    let (bytes, last) = received.get();
    let complete = bytes == transfer.len && !failed;
    let end = if complete { last } else { clock.now() };
    FlowResult {
        received: bytes,
        seconds: end.since(start).as_micros() as f64 / 1e6,
        complete,
    }
}

async fn send(stack: Stack<'static>, transfer: Transfer) -> Result<(), Error> {
    let mut socket = socket(stack, transfer)?;
    socket.connect(transfer.to).await?;
    let mut data = Pattern::new(SEED);
    while data.position() < transfer.len {
        let left = usize::try_from(transfer.len - data.position())?;
        socket
            .write_with(|room| {
                let count = room.len().min(left);
                data.fill(&mut room[..count]);
                (count, ())
            })
            .await?;
    }
    // Whoever receives says when it is over.
    std::future::pending().await
}

async fn receive(
    stack: Stack<'static>,
    transfer: Transfer,
    progress: impl Fn(u64),
) -> Result<(), Error> {
    let mut socket = socket(stack, transfer)?;
    socket.accept(transfer.to).await?;
    let mut data = Pattern::new(SEED);
    while data.position() < transfer.len {
        let expected = socket
            .read_with(|bytes| (bytes.len(), data.matches(bytes)))
            .await?;
        if !expected {
            return Err("other bytes arrived than were sent".into());
        }
        progress(data.position());
    }
    Ok(())
}

fn socket(stack: Stack<'static>, transfer: Transfer) -> Result<TcpSocket<'static>, Error> {
    let mut socket = TcpSocket::new(
        stack,
        vec![0; transfer.buffer],
        vec![0; tcp_send_buffer_len(transfer.buffer)],
    )?;
    socket.set_congestion_control(transfer.controller);
    // A window that is no multiple of the segment size is used to its end.
    socket.set_nagle_enabled(false);
    Ok(socket)
}

/// Of the data.
const SEED: u64 = 1;
