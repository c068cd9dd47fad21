//! A multi-threaded tokio runtime: eight connections in tasks of their own, on both ends, while the
//! runners move between threads as well.

use std::time::Duration;

use cygnet::{TcpListener, TcpSocket};
use cygnet_host::{HostMutex, TokioClock};
use cygnet_tests::{assert_same_bytes, pattern};
use embassy_sync::blocking_mutex::raw::{CriticalSectionRawMutex, RawMutex};
use embedded_io_async::Write as _;
use tokio::runtime::Builder;

use crate::network::{Host, hosts, server_at};

const CONNECTIONS: u64 = 8;
const LEN: usize = 300_000;

/// Sends bytes that differ for each connection, and holds what comes back to them.
async fn ask<M: RawMutex + Sync + Send>(socket: TcpSocket<'static, M>, seed: u64) {
    let data = std::sync::Arc::new(pattern(seed, LEN));
    let (mut reader, mut writer) = socket.into_split();
    let sent = data.clone();
    // The halves in two tasks, so that two threads use one connection at the same time.
    let writing = tokio::spawn(async move {
        writer.write_all(&sent).await.unwrap();
        writer.flush().await.unwrap();
    });
    let (mut received, mut buffer) = (Vec::new(), [0; 5000]);
    while let len @ 1.. = reader.read(&mut buffer).await.unwrap() {
        received.extend_from_slice(&buffer[..len]);
    }
    writing.await.unwrap();
    assert_same_bytes(&received, &data, "the echo");
}

async fn echo<M: RawMutex + Sync + Send>(mut socket: TcpSocket<'static, M>) {
    let mut buffer = [0; 3000];
    while let len @ 1.. = socket.read(&mut buffer).await.unwrap() {
        socket.write_all(&buffer[..len]).await.unwrap();
    }
    socket.close().await.unwrap();
}

async fn eight_connections<M: RawMutex + Sync + Send + 'static>() {
    let [client, server] = hosts::<M, _>(TokioClock::new());
    let [client, server] = [client, server].map(|host| {
        let Host {
            stack,
            pool,
            mut runner,
        } = host;
        tokio::spawn(async move { runner.run().await });
        (stack, pool)
    });
    let listener = TcpListener::bind(server.0, 80, server.1).unwrap();
    let serving = tokio::spawn(async move {
        let mut tasks = Vec::new();
        for _ in 0..CONNECTIONS {
            tasks.push(tokio::spawn(echo(listener.accept().await.unwrap())));
        }
        for task in tasks {
            task.await.unwrap();
        }
    });
    let mut asking = Vec::new();
    for seed in 0..CONNECTIONS {
        asking.push(tokio::spawn(async move {
            let mut socket = TcpSocket::from_pool(client.0, client.1).unwrap();
            socket.connect(server_at(80)).await.unwrap();
            ask(socket, seed).await;
        }));
    }
    for task in asking {
        task.await.unwrap();
    }
    serving.await.unwrap();
}

/// Runs `story`, which fails rather than hangs.
fn on_four_threads(story: impl Future<Output = ()>) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build();
    let runtime = runtime.unwrap();
    runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(120), story).await })
        .expect("it does not hang");
    runtime.shutdown_background();
}

#[test]
fn eight_tasks_on_eight_connections_with_a_mutex_per_stack() {
    on_four_threads(eight_connections::<HostMutex>());
}

#[test]
fn eight_tasks_on_eight_connections_with_critical_sections() {
    on_four_threads(eight_connections::<CriticalSectionRawMutex>());
}
