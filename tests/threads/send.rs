//! With a mutex that is `Sync` every handle is `Send`, and so are its futures. Asserted by compiling.

use cygnet::{BoundUdp, PeerUdp, TcpClient, TcpConnection, UdpBufferPool, UdpSockets};
use cygnet::{
    BufferPool, IcmpSocket, IpEndpoint, OwnedReadHalf, OwnedWriteHalf, Resources, Runner, Stack,
};
use cygnet::{TcpListener, TcpReader, TcpSocket, TcpWriter, UdpSocket};
use cygnet_host::{HostMutex, TokioClock};
use cygnet_link::Port;
use embassy_sync::blocking_mutex::raw::{CriticalSectionRawMutex, RawMutex};
use embedded_io_async::{Read, Write};
use embedded_nal_async::{ConnectedUdp, TcpConnect, UdpStack, UnconnectedUdp};

fn is_send<T: Send>() {}
fn is_sync<T: Sync>() {}
/// Holds for what `f` returns; it is not called.
fn future_is_send<A, F: Future + Send>(_: impl FnOnce(A) -> F) {}

/// Holds for every mutex that can be shared between threads, whatever it is.
fn handles_are_send<M: RawMutex + Sync + Send + 'static>() {
    is_send::<Stack<'static, M>>();
    is_sync::<Stack<'static, M>>();
    is_send::<TcpSocket<'static, M>>();
    is_send::<TcpReader<'static, 'static, M>>();
    is_send::<TcpWriter<'static, 'static, M>>();
    is_send::<OwnedReadHalf<'static, M>>();
    is_send::<OwnedWriteHalf<'static, M>>();
    is_send::<TcpListener<'static, M>>();
    is_send::<UdpSocket<'static, M>>();
    is_send::<IcmpSocket<'static, M>>();
    is_send::<TcpConnection<'static, M>>();
    is_send::<PeerUdp<'static, M>>();
    is_send::<BoundUdp<'static, M>>();
    is_send::<Resources<'static, 4, M>>();
    is_send::<Runner<'static, Port<'static, M, &'static TokioClock>, M, &'static TokioClock>>();
    // Handles that are used by `&self` can be shared as well.
    is_sync::<TcpListener<'static, M>>();
    is_sync::<UdpSocket<'static, M>>();
    is_sync::<IcmpSocket<'static, M>>();
    is_sync::<TcpClient<'static, M>>();
    is_sync::<UdpSockets<'static, M>>();
}

#[test]
fn handles_of_a_shared_stack_are_send() {
    handles_are_send::<HostMutex>();
    handles_are_send::<CriticalSectionRawMutex>();
    is_send::<BufferPool<'static>>();
    is_send::<UdpBufferPool<'static>>();
}

type Socket = TcpSocket<'static, HostMutex>;

#[test]
fn their_futures_are_send() {
    future_is_send(|(mut socket, remote): (Socket, IpEndpoint)| async move {
        socket.connect(remote).await.ok();
        socket.accept(80).await.ok();
        socket.read(&mut [0; 8]).await.ok();
        socket.write(b"x").await.ok();
        socket.read_with(|data| (data.len(), ())).await.ok();
        socket.write_with(|_| (0, ())).await.ok();
        socket.wait_read_ready().await;
        socket.flush().await.ok();
        socket.close().await.ok();
        socket.abort().await;
    });
    future_is_send(
        |(socket, to): (UdpSocket<'static, HostMutex>, IpEndpoint)| async move {
            socket.send_to(b"x", to).await.ok();
            socket.recv_from(&mut [0; 8]).await.ok();
            socket.flush().await.ok();
        },
    );
    future_is_send(|listener: TcpListener<'static, HostMutex>| async move {
        listener.accept().await.map(drop).ok();
    });
    future_is_send(|stack: Stack<'static, HostMutex>| async move {
        stack.wait_config_up().await;
    });
}

#[test]
fn so_are_those_of_embedded_nal_async() {
    type Address = std::net::SocketAddr;
    future_is_send(
        |(client, to): (TcpClient<'static, HostMutex>, Address)| async move {
            let Ok(mut connection) = client.connect(to).await else {
                return;
            };
            connection.write(b"x").await.ok();
            connection.read(&mut [0; 8]).await.ok();
            connection.flush().await.ok();
        },
    );
    future_is_send(
        |(sockets, to): (UdpSockets<'static, HostMutex>, Address)| async move {
            if let Ok((_, mut socket)) = sockets.connect(to).await {
                socket.send(b"x").await.ok();
                socket.receive_into(&mut [0; 8]).await.ok();
            }
            if let Ok((local, mut socket)) = sockets.bind_single(to).await {
                socket.send(local, to, b"x").await.ok();
                socket.receive_into(&mut [0; 8]).await.ok();
            }
            sockets.bind_multiple(to).await.map(drop).ok();
        },
    );
}
