//! Much data, many connections, bad wires: every byte arrives, in order.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener as KernelListener, TcpStream};

use cygnet::{CongestionControl, Discard, Stack, TcpListener, TcpPool};
use cygnet_driver::Duration;
use cygnet_link::{Impairments, percent};
use cygnet_middleware::FaultConfig;
use cygnet_tuntap::Mode;

use crate::wire::{
    KERNEL, Wire, blocking, cygnet, leak, on_tap, on_wire, read_to_end, socket, stream, write_all,
};

/// The kernel sends `len` bytes to cygnet, which reads to the end.
pub(crate) async fn to_cygnet(stack: Stack<'static>, len: usize) {
    let mut socket = socket(stack);
    let receive = async {
        socket.accept(6_969).await.unwrap();
        let received = read_to_end(&mut socket).await.unwrap();
        assert_eq!(received.len(), len);
        assert!(received == stream(len), "the bytes differ");
        socket.close().await.unwrap();
    };
    let send = blocking(move || {
        let mut stream_socket = TcpStream::connect(cygnet(6_969)).unwrap();
        stream_socket.write_all(&stream(len)).unwrap();
        stream_socket.shutdown(Shutdown::Write).unwrap();
        assert_eq!(stream_socket.read(&mut [0; 1]).unwrap(), 0);
    });
    tokio::join!(receive, send);
}

/// cygnet connects to the kernel and sends it `len` bytes.
pub(crate) async fn to_kernel(stack: Stack<'static>, len: usize) {
    send_to_kernel(stack, len, CongestionControl::default()).await;
}

async fn send_to_kernel(stack: Stack<'static>, len: usize, congestion: CongestionControl) {
    let listener = KernelListener::bind((KERNEL, 6_970)).unwrap();
    let mut socket = socket(stack);
    socket.set_congestion_control(congestion);
    let send = async {
        socket.connect((KERNEL, 6_970)).await.unwrap();
        write_all(&mut socket, &stream(len)).await.unwrap();
        socket.flush().await.unwrap();
        socket.close().await.unwrap();
    };
    let receive = blocking(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut received = Vec::new();
        connection.read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), len);
        assert!(received == stream(len), "the bytes differ");
    });
    tokio::join!(send, receive);
}

/// Loses one frame in ten, and spoils another.
fn bad_wire() -> Wire {
    Wire::Faulty(FaultConfig {
        drop_chance: 10,
        corrupt_chance: 10,
        ..FaultConfig::default()
    })
}

#[test]
fn sixty_four_mebibytes_arrive_from_the_kernel() {
    on_tap(async |stack| to_cygnet(stack, 64 << 20).await);
}

#[test]
fn sixty_four_mebibytes_arrive_at_the_kernel() {
    on_tap(async |stack| to_kernel(stack, 64 << 20).await);
}

#[test]
fn both_directions_at_once() {
    on_tap(async |stack| {
        tokio::join!(to_cygnet(stack, 8 << 20), to_kernel(stack, 8 << 20));
    });
}

#[test]
fn both_directions_through_a_tun() {
    on_wire(Wire::Device(Mode::Tun), async |stack| {
        tokio::join!(to_cygnet(stack, 4 << 20), to_kernel(stack, 4 << 20));
    });
}

#[test]
fn a_wire_that_loses_and_corrupts_one_frame_in_ten_each() {
    on_wire(bad_wire(), async |stack| {
        to_cygnet(stack, 32_000).await;
        to_kernel(stack, 32_000).await;
    });
}

#[test]
fn much_data_over_a_wire_that_loses_one_frame_in_five() {
    on_wire(bad_wire(), async |stack| {
        send_to_kernel(stack, 16 << 20, CongestionControl::None).await;
        // What was lost and not found out in time costs a timeout each.
        to_kernel(stack, 256 << 10).await;
    });
}

#[test]
fn much_data_of_the_kernel_over_a_wire_that_loses_one_frame_in_five() {
    on_wire(bad_wire(), async |stack| {
        to_cygnet(stack, 512 << 10).await;
        let seen = stack.stats();
        assert!(seen.discarded(Discard::BadChecksum) > 0, "{seen:?}");
    });
}

#[test]
fn a_long_wire_that_loses_reorders_and_duplicates() {
    let impairments = Impairments::new()
        .seed(5)
        .delay(Duration::from_millis(10))
        .jitter(Duration::from_millis(2))
        .loss(percent(1))
        .duplication(percent(1));
    on_wire(Wire::Long(impairments), async |stack| {
        to_cygnet(stack, 1 << 20).await;
        to_kernel(stack, 1 << 20).await;
    });
}

#[test]
fn sixty_four_connections_at_once_through_one_listener() {
    const CONNECTIONS: usize = 64;
    const LEN: usize = 20_000;
    on_tap(async |stack| {
        let pool = leak(TcpPool::<CONNECTIONS, 2_048, 2_048>::new());
        let pool = stack.add_pool(pool).unwrap();
        let listener = TcpListener::bind(stack, 7, pool).unwrap();
        let echo = async {
            let tasks = tokio::task::LocalSet::new();
            for _ in 0..CONNECTIONS {
                let mut socket = tasks.run_until(listener.accept()).await.unwrap();
                tasks.spawn_local(async move {
                    let mut buffer = [0; 1_024];
                    loop {
                        match socket.read(&mut buffer).await.unwrap() {
                            0 => break,
                            count => write_all(&mut socket, &buffer[..count]).await.unwrap(),
                        }
                    }
                    socket.close().await.unwrap();
                });
            }
            tasks.await;
        };
        let clients = blocking(|| {
            // All are open before the first says a word.
            let connections: Vec<_> = (0..CONNECTIONS)
                .map(|_| TcpStream::connect(cygnet(7)).unwrap())
                .collect();
            std::thread::scope(|scope| {
                for mut connection in connections {
                    let mut reader = connection.try_clone().unwrap();
                    scope.spawn(move || {
                        connection.write_all(&stream(LEN)).unwrap();
                        connection.shutdown(Shutdown::Write).unwrap();
                    });
                    scope.spawn(move || {
                        let mut heard = Vec::new();
                        reader.read_to_end(&mut heard).unwrap();
                        assert!(heard == stream(LEN), "{} bytes came back", heard.len());
                    });
                }
            });
        });
        tokio::join!(echo, clients);
    });
}
