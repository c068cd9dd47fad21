//! Executors that know nothing of each other: the runner on one thread, sockets on others.

use std::thread;

use cygnet::{TcpListener, TcpSocket};
use cygnet_host::{HostMutex, TokioClock};
use cygnet_tests::{assert_same_bytes, pattern};
use embassy_futures::select::{Either, select};
use embedded_io_async::{Read as _, Write as _};
use futures_executor::block_on;
use tokio::runtime::Builder;

use crate::network::{Host, hosts, server_at};

const LEN: usize = 200_000;

/// A runtime of one thread, which `TokioClock` needs for its timer.
fn current_thread() -> tokio::runtime::Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

#[test]
fn a_runner_in_one_executor_serves_sockets_in_others() {
    let runtime = current_thread();
    let [client, server] = {
        let _timer = runtime.enter();
        hosts::<HostMutex, _>(TokioClock::new())
    };
    let data = pattern(1, LEN);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    thread::scope(|scope| {
        let Host {
            stack,
            pool,
            mut runner,
        } = client;
        let Host {
            stack: server_stack,
            pool: server_pool,
            runner: mut server_runner,
        } = server;
        // tokio's current thread runs both runners, until the sockets are done.
        scope.spawn(move || {
            let run =
                async { embassy_futures::join::join(runner.run(), server_runner.run()).await };
            match runtime.block_on(select(run, stopped)) {
                Either::First(_) => unreachable!("runners never return"),
                Either::Second(stopped) => stopped.unwrap(),
            }
        });
        // futures' block_on on two more threads runs the sockets.
        let serving = scope.spawn(move || {
            block_on(async {
                let listener = TcpListener::bind(server_stack, 80, server_pool).unwrap();
                let mut socket = listener.accept().await.unwrap();
                let mut received = vec![0; LEN];
                socket.read_exact(&mut received).await.unwrap();
                socket.write_all(b"thanks").await.unwrap();
                socket.close().await.unwrap();
                received
            })
        });
        let sent = &data;
        let asking = scope.spawn(move || {
            block_on(async {
                let mut socket = TcpSocket::from_pool(stack, pool).unwrap();
                // The other thread may not listen yet.
                while socket.connect(server_at(80)).await.is_err() {}
                socket.write_all(sent).await.unwrap();
                let mut answer = [0; 6];
                socket.read_exact(&mut answer).await.unwrap();
                socket.close().await.unwrap();
                answer
            })
        });
        assert_eq!(&asking.join().unwrap(), b"thanks");
        assert_same_bytes(&serving.join().unwrap(), &data, "over two threads");
        stop.send(()).unwrap();
    });
}
