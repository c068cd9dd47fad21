//! Every future dropped at every poll, by seed: no byte, datagram or connection is lost or doubled.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use cygnet::{ConnectError, Duration, TcpListener, TcpSocket, UdpSocket};
use cygnet_link::{Impairments, percent};
use cygnet_tests::{Executor, Memory, Pair, Setup, assert_same_bytes, for_each_seed, pattern};
use embassy_futures::join::join;
use embassy_futures::select::{Either, select};

/// Runs a future to its end, but drops it again and again on the way: at once after one to three polls,
/// or some time after its last one, so that what it waits for may come between. Then it starts anew.
///
/// `$attempt` is evaluated for each attempt, so it may borrow mutably.
macro_rules! persist {
    ($executor:expr, $attempt:expr) => {
        loop {
            if let Some(result) = attempt($executor, $attempt).await {
                break result;
            }
            embassy_futures::yield_now().await;
        }
    };
}

/// The result of `future` if it has one within a few polls.
async fn attempt<T>(executor: &Executor<'_>, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut polls = 1 + executor.random() % 3;
    let result = poll_fn(|cx| {
        polls -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if polls == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    });
    let result = result.await;
    if result.is_none() && executor.random().is_multiple_of(2) {
        // It waits on, and is dropped without another look.
        let a_while = Duration::from_micros(executor.random() % 10_000);
        executor.sleep(a_while).await;
    }
    result
}

/// The seeds of one test unless the environment says otherwise.
const SEEDS: u64 = 60;

/// A link on which calls have to wait at different points for each seed.
fn setup(seed: u64) -> impl Fn(usize) -> Setup {
    let link = Impairments::new()
        .seed(seed)
        .delay(Duration::from_millis(seed % 7))
        .jitter(Duration::from_millis(seed % 5))
        .loss(percent(seed as u32 % 3));
    move |n| Setup::new(n).impaired(link)
}

async fn write_all(executor: &Executor<'_>, socket: &mut TcpSocket<'_>, data: &[u8]) {
    let mut written = 0;
    while written < data.len() {
        // Writes of all sizes, copied and in place.
        let end = data
            .len()
            .min(written + 1 + executor.random() as usize % 3000);
        let piece = &data[written..end];
        written += match executor.random() % 3 {
            0 => persist!(executor, socket.write_with(|room| fill(room, piece))).unwrap(),
            1 => {
                persist!(executor, socket.wait_write_ready());
                0
            }
            _ => persist!(executor, socket.write(piece)).unwrap(),
        };
        if executor.random().is_multiple_of(16) {
            persist!(executor, socket.flush()).unwrap();
        }
    }
}

fn fill(room: &mut [u8], data: &[u8]) -> (usize, usize) {
    let len = room.len().min(data.len());
    room[..len].copy_from_slice(&data[..len]);
    (len, len)
}

async fn read_to_end(executor: &Executor<'_>, socket: &mut TcpSocket<'_>) -> Vec<u8> {
    let mut received = Vec::new();
    let mut buffer = [0; 3000];
    loop {
        let room = 1 + executor.random() as usize % buffer.len();
        match executor.random() % 4 {
            0 => {
                let len = persist!(executor, socket.peek(&mut buffer[..room])).unwrap();
                if len == 0 {
                    return received;
                }
            }
            1 => persist!(executor, socket.wait_read_ready()),
            2 => {
                let take = |data: &mut [u8]| {
                    let len = data.len().min(room);
                    (len, data[..len].to_vec())
                };
                received.extend(persist!(executor, socket.read_with(take)).unwrap());
            }
            _ => match persist!(executor, socket.read(&mut buffer[..room])).unwrap() {
                0 => return received,
                len => received.extend_from_slice(&buffer[..len]),
            },
        }
    }
}

/// A connection attempt that is dropped is given up, so that persistence alone may never succeed: the
/// last of some attempts is left in peace.
async fn connect(executor: &Executor<'_>, socket: &mut TcpSocket<'_>, pair: &Pair<'_>) {
    for _ in 0..executor.random() % 4 {
        match attempt(executor, socket.connect(pair.server.at(80))).await {
            Some(Ok(())) => return,
            Some(Err(ConnectError::Refused)) | None => {}
            Some(Err(error)) => panic!("{error:?}"),
        }
        embassy_futures::yield_now().await;
    }
    socket.connect(pair.server.at(80)).await.unwrap();
}

/// Accepts until somebody comes who has something to say: who gave up has not.
async fn accept<'d>(executor: &Executor<'d>, listener: &TcpListener<'d>) -> TcpSocket<'d> {
    loop {
        let mut socket = persist!(executor, listener.accept()).unwrap();
        // The reset of one who gave up may be lost: it answers with another when it is asked.
        socket.set_keep_alive(Some(Duration::from_secs(5)));
        if persist!(executor, socket_with_data(&socket)) {
            return socket;
        }
    }
}

async fn socket_with_data(socket: &TcpSocket<'_>) -> bool {
    socket.wait_read_ready().await;
    socket.recv_queue() > 0
}

#[test]
fn a_bulk_transfer_is_byte_exact_both_ways() {
    for_each_seed(SEEDS, |seed| {
        let mut memory = Memory::new();
        let pair = Pair::in_memory(&mut memory, seed, setup(seed));
        let executor = &pair.executor;
        let (there, back) = (pattern(seed, 30_000), pattern(!seed, 20_000));
        pair.run(async {
            let listener = pair.server.listen::<4>(80);
            let client = async {
                let mut client = pair.client.tcp();
                connect(executor, &mut client, &pair).await;
                write_all(executor, &mut client, &there).await;
                persist!(executor, client.close()).unwrap();
                read_to_end(executor, &mut client).await
            };
            let server = async {
                let mut server = accept(executor, &listener).await;
                let received = read_to_end(executor, &mut server).await;
                write_all(executor, &mut server, &back).await;
                persist!(executor, server.close()).unwrap();
                received
            };
            let (received_back, received_there) = join(client, server).await;
            assert_same_bytes(&received_there, &there, "from the client");
            assert_same_bytes(&received_back, &back, "from the server");
        });
    });
}

#[test]
fn split_halves_are_byte_exact_at_the_same_time() {
    for_each_seed(SEEDS, |seed| {
        let mut memory = Memory::new();
        let pair = Pair::in_memory(&mut memory, seed, setup(seed));
        let executor = pair.executor.clone();
        pair.run(async {
            let (client, mut server) = pair.connected().await;
            let (mut reader, mut writer) = client.into_split();
            let data = Rc::new(pattern(seed, 20_000));
            let (random, sent) = (executor.clone(), data.clone());
            let writing = executor.spawn(async move {
                let mut rest = &sent[..];
                while !rest.is_empty() {
                    let len = persist!(&random, writer.write(rest)).unwrap();
                    rest = &rest[len..];
                }
                persist!(&random, writer.flush()).unwrap();
            });
            let random = executor.clone();
            let reading = executor.spawn(async move {
                let (mut received, mut buffer) = (Vec::new(), [0; 700]);
                while let len @ 1.. = persist!(&random, reader.read(&mut buffer)).unwrap() {
                    received.extend_from_slice(&buffer[..len]);
                }
                received
            });
            let mut buffer = [0; 500];
            while let len @ 1.. = persist!(&executor, server.read(&mut buffer)).unwrap() {
                let mut echo = &buffer[..len];
                while !echo.is_empty() {
                    let len = persist!(&executor, server.write(echo)).unwrap();
                    echo = &echo[len..];
                }
            }
            server.shutdown_write();
            writing.await;
            assert_same_bytes(&reading.await, &data, "the echo");
        });
    });
}

/// Sends one byte over a connection of its own. Whether it arrived.
async fn ask(pair: &Pair<'_>, byte: u8) -> bool {
    let mut client = pair.client.tcp();
    client.connect(pair.server.at(80)).await.is_ok()
        && client.write(&[byte]).await.is_ok()
        && client.close().await.is_ok()
}

#[test]
fn an_accept_on_a_socket_of_its_own_keeps_a_connection_that_was_complete() {
    for_each_seed(SEEDS, |seed| {
        let mut memory = Memory::new();
        let pair = Pair::in_memory(&mut memory, seed, setup(seed));
        let executor = &pair.executor;
        pair.run(async {
            let mut server = pair.server.tcp();
            for round in 0..5 {
                // A client that finds nobody listening, because it comes between two attempts to accept
                // or one ends during its handshake, is reset and comes again.
                let client = async { while !ask(&pair, round).await {} };
                let serve = async {
                    persist!(executor, server.accept(80)).unwrap();
                    let received = read_to_end(executor, &mut server).await;
                    persist!(executor, server.close()).unwrap();
                    received
                };
                let (_, received) = join(client, serve).await;
                assert_eq!(received, [round], "seed {seed}");
            }
        });
    });
}

#[test]
fn an_abort_can_be_dropped_and_repeated() {
    for_each_seed(SEEDS, |seed| {
        let mut memory = Memory::new();
        let pair = Pair::in_memory(&mut memory, seed, setup(seed));
        let executor = &pair.executor;
        pair.run(async {
            let (mut client, mut server) = pair.connected().await;
            persist!(executor, client.abort());
            // The reset may be lost, and is not repeated: then an attempt to send is answered by one.
            let reset = async { while server.write(b"x").await.is_ok() {} };
            let nudging = executor.sleep(Duration::from_secs(600));
            assert!(
                matches!(select(reset, nudging).await, Either::First(())),
                "seed {seed}"
            );
        });
    });
}

async fn receive(executor: &Executor<'_>, socket: &UdpSocket<'_>) -> Vec<u8> {
    let mut buffer = [0; 64];
    if executor.random().is_multiple_of(2) {
        let (len, _) = persist!(executor, socket.recv_from(&mut buffer)).unwrap();
        return buffer[..len].to_vec();
    }
    persist!(executor, socket.recv_with(|data, _| data.to_vec())).unwrap()
}

#[test]
fn no_datagram_is_lost_or_sent_twice() {
    for_each_seed(SEEDS, |seed| {
        let delay = Impairments::new().delay(Duration::from_millis(seed % 4));
        let mut memory = Memory::new();
        let pair = Pair::in_memory(&mut memory, seed, |n| Setup::new(n).impaired(delay));
        let executor = &pair.executor;
        pair.run(async {
            let (client, server) = (pair.client.udp_at(1000), pair.server.udp_at(2000));
            // One datagram at a time in flight each way, as the queues drop what they cannot hold.
            let asking = async {
                for n in 0..50_u8 {
                    persist!(executor, client.send_to(&[n], pair.server.at(2000))).unwrap();
                    persist!(executor, client.flush()).unwrap();
                    assert_eq!(receive(executor, &client).await, [n, n], "seed {seed}");
                }
            };
            let answering = async {
                for n in 0..50_u8 {
                    assert_eq!(receive(executor, &server).await, [n], "seed {seed}");
                    let write = |room: &mut [u8]| {
                        room.fill(n);
                        (room.len(), ())
                    };
                    persist!(executor, server.send_with(2, pair.client.at(1000), write)).unwrap();
                }
            };
            join(asking, answering).await;
        });
    });
}

#[test]
fn waiting_for_the_link_can_be_dropped_and_repeated() {
    for_each_seed(SEEDS, |seed| {
        let mut memory = Memory::new();
        let pair = Pair::in_memory(&mut memory, seed, Setup::new);
        let (executor, stack) = (&pair.executor, pair.server.stack);
        pair.run(async {
            for _ in 0..5 {
                persist!(executor, stack.wait_link_up());
                persist!(executor, stack.wait_config_up());
                pair.unplug_server();
                persist!(executor, stack.wait_config_down());
                persist!(executor, stack.wait_link_down());
                pair.plug_in_server();
            }
        });
    });
}
