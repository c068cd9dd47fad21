//! A server's stack made for real, so that all of its generic code is compiled, for whatever processor cargo is
//! told. It is a library: there is nothing to link it to.
//!
//! A Cortex-M0 cannot exchange a value atomically. What does that here goes through `critical-section`, for
//! which its firmware brings an implementation; `portable-atomic` is not needed.
#![no_std]

use cygnet::{
    BufferPool, Config, Duration, EmbassyClock, Resources, Runner, Stack, TcpListener, UdpSocket,
};
use cygnet_lan9118::{Lan9118, Mmio};
use cygnet_link::Port;
use embassy_sync::blocking_mutex::raw::{CriticalSectionRawMutex, NoopRawMutex};

type Ethernet = Lan9118<'static, Mmio>;

/// A stack for one executor.
pub fn start(
    driver: Ethernet,
    resources: &'static mut Resources<'static, 8>,
) -> (Stack<'static>, Runner<'static, Ethernet>) {
    cygnet::new(driver, Config::default(), resources, [7; 32])
}

/// A stack whose handles go to several executors.
pub fn start_shared(
    driver: Ethernet,
    resources: &'static mut Resources<'static, 8, CriticalSectionRawMutex>,
) -> (
    Stack<'static, CriticalSectionRawMutex>,
    Runner<'static, Ethernet, CriticalSectionRawMutex>,
) {
    cygnet::new(driver, Config::default(), resources, [7; 32])
}

/// Moves packets.
pub async fn run(mut runner: Runner<'static, Ethernet>) -> ! {
    runner.run().await
}

/// Moves packets on a virtual link.
pub async fn run_virtual(
    mut runner: Runner<'static, Port<'static, NoopRawMutex, EmbassyClock>>,
) -> ! {
    runner.run().await
}

/// Answers over TCP.
pub async fn serve(stack: Stack<'static>, pool: BufferPool<'static>) {
    let Ok(listener) = TcpListener::bind(stack, 7, pool) else {
        return;
    };
    while let Ok(mut socket) = listener.accept().await {
        socket.set_timeout(Some(Duration::from_secs(10)));
        let mut buffer = [0; 64];
        while let Ok(len @ 1..) = socket.read(&mut buffer).await {
            if socket.write(&buffer[..len]).await.is_err() {
                break;
            }
        }
    }
}

/// Answers over UDP.
pub async fn answer(mut socket: UdpSocket<'static>) {
    let mut buffer = [0; 64];
    if socket.bind(7).is_err() {
        return;
    }
    while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
        let _ = socket.send_to(&buffer[..len], from).await;
    }
}
