//! cygnet with its tap driver, in a tokio runtime of one thread.

use std::os::fd::OwnedFd;

use cygnet::{Config, Ipv4Cidr, Resources, Runner, Stack, StaticConfigV4, TcpSocket};
use cygnet_host::TokioClock;
use cygnet_tuntap::TunTap;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use tokio::runtime::{self, LocalOptions};
use tokio::task::spawn_local;

use crate::kernel::Done;
use crate::{BUFFER, Contender, Direction, Error, PORT, PREFIX_LEN, Transfer};

pub(crate) fn serve(
    contender: &Contender,
    device: OwnedFd,
    transfer: Transfer,
    done: Done,
) -> Result<(), Error> {
    // A runtime with room for tasks of its thread alone. A `LocalSet`, and the future that a runtime
    // blocks on, are woken across the operating system: an eventfd and one more epoll each time.
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let driver = TunTap::from_fd(device)?.with_hardware_address(contender.mac());
        let (stack, mut runner) = stack(driver, contender);
        let socket = TcpSocket::new(stack, vec![0; BUFFER], vec![0; BUFFER])?;
        // Spawned first, it listens before the runner sees the kernel's connection.
        let served = spawn_local(accept_and_move(socket, transfer));
        spawn_local(async move { runner.run().await });
        // Without the kernel's side there is nobody to serve. If it failed, it says why.
        tokio::select! {
            served = served => served?,
            _ = done => Ok(()),
        }
    })
}

type TapRunner = Runner<'static, TunTap, NoopRawMutex, TokioClock>;

/// The resources are leaked, as a `StaticCell` would have them live for ever.
fn stack(driver: TunTap, contender: &Contender) -> (Stack<'static>, TapRunner) {
    let address = Ipv4Cidr::new(contender.address, PREFIX_LEN);
    let config = Config::ipv4_static(StaticConfigV4::new(address));
    let resources = Box::leak(Box::new(Resources::<1>::new()));
    let seed = [contender.mac()[5]; 32];
    cygnet::new_with_clock(driver, config, resources, seed, TokioClock::new())
}

async fn accept_and_move(mut socket: TcpSocket<'static>, transfer: Transfer) -> Result<(), Error> {
    socket.accept(PORT).await?;
    match transfer.direction {
        Direction::Reader => send(&mut socket, transfer.size).await?,
        Direction::Writer => receive(&mut socket).await?,
    }
    Ok(socket.close().await?)
}

/// Sends whatever the buffer holds: making up data is not what is measured.
async fn send(socket: &mut TcpSocket<'static>, size: u64) -> Result<(), Error> {
    let mut left = size;
    while left > 0 {
        left -= socket
            .write_with(|room| {
                let count = room.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                (count, count as u64)
            })
            .await?;
    }
    Ok(())
}

async fn receive(socket: &mut TcpSocket<'static>) -> Result<(), Error> {
    while socket.read_with(|data| (data.len(), data.len())).await? > 0 {}
    Ok(())
}
