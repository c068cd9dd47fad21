//! How connections with the kernel's sockets begin and end.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener as KernelListener, TcpStream};
use std::time::Duration;

use cygnet::{ConnectError, TcpError};
use socket2::SockRef;

use crate::wire::{KERNEL, blocking, cygnet, on_tap, read_to_end, socket, write_all};

#[test]
fn connect_to_a_closed_port_is_refused() {
    on_tap(async |stack| {
        let mut socket = socket(stack);
        let result = socket.connect((KERNEL, 4_444)).await;
        assert_eq!(result, Err(ConnectError::Refused));
    });
}

#[test]
fn the_kernel_is_refused_at_a_closed_port() {
    on_tap(async |_| {
        let result = blocking(|| TcpStream::connect(cygnet(4_444))).await;
        assert_eq!(result.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_socket_connects_again_and_again() {
    on_tap(async |stack| {
        let listener = KernelListener::bind((KERNEL, 4_445)).unwrap();
        let mut socket = socket(stack);
        let serve = blocking(move || {
            for n in 0..20_u8 {
                let (mut connection, _) = listener.accept().unwrap();
                connection.write_all(&[n]).unwrap();
            }
        });
        let ask = async {
            for n in 0..20 {
                socket.connect((KERNEL, 4_445)).await.unwrap();
                assert_eq!(read_to_end(&mut socket).await, Ok(vec![n]));
                socket.close().await.unwrap();
            }
        };
        tokio::join!(serve, ask);
    });
}

#[test]
fn text_after_the_other_side_closed_still_arrives() {
    on_tap(async |stack| {
        let mut socket = socket(stack);
        let serve = async {
            socket.accept(4_446).await.unwrap();
            assert_eq!(read_to_end(&mut socket).await, Ok(b"question".to_vec()));
            write_all(&mut socket, b"answer").await.unwrap();
            socket.close().await.unwrap();
        };
        let ask = blocking(|| {
            let mut connection = TcpStream::connect(cygnet(4_446)).unwrap();
            connection.write_all(b"question").unwrap();
            connection.shutdown(Shutdown::Write).unwrap();
            let mut answer = String::new();
            connection.read_to_string(&mut answer).unwrap();
            assert_eq!(answer, "answer");
        });
        tokio::join!(serve, ask);
    });
}

#[test]
fn abort_resets_the_kernels_socket() {
    on_tap(async |stack| {
        let mut socket = socket(stack);
        let serve = async {
            socket.accept(4_447).await.unwrap();
            socket.read(&mut [0; 8]).await.unwrap();
            socket.abort().await;
        };
        let ask = blocking(|| {
            let mut connection = TcpStream::connect(cygnet(4_447)).unwrap();
            connection.write_all(b"question").unwrap();
            let error = connection.read(&mut [0; 1]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        });
        tokio::join!(serve, ask);
    });
}

#[test]
fn a_reset_by_the_kernel_is_an_error_after_what_arrived_before() {
    on_tap(async |stack| {
        let mut socket = socket(stack);
        let serve = async {
            socket.accept(4_448).await.unwrap();
            socket.wait_read_ready().await;
            let mut text = [0; 8];
            assert_eq!(socket.read(&mut text).await, Ok(8));
            assert_eq!(socket.read(&mut text).await, Err(TcpError::Reset));
            assert_eq!(socket.write(b"x").await, Err(TcpError::Reset));
        };
        let ask = blocking(|| {
            let mut connection = TcpStream::connect(cygnet(4_448)).unwrap();
            connection.write_all(b"question").unwrap();
            let linger = SockRef::from(&connection).set_linger(Some(Duration::ZERO));
            linger.unwrap();
        });
        tokio::join!(serve, ask);
    });
}

#[test]
fn a_dropped_socket_still_delivers_and_then_refuses() {
    on_tap(async |stack| {
        let mut socket = socket(stack);
        let serve = async {
            socket.accept(4_449).await.unwrap();
            write_all(&mut socket, b"farewell").await.unwrap();
            drop(socket);
        };
        let ask = blocking(|| {
            let mut connection = TcpStream::connect(cygnet(4_449)).unwrap();
            let mut text = String::new();
            connection.read_to_string(&mut text).unwrap();
            assert_eq!(text, "farewell");
            // Nobody reads this any more: it is answered with a reset.
            connection.write_all(b"wait").unwrap();
            let error = connection.read(&mut [0; 1]).err().map(|error| error.kind());
            assert!(
                matches!(error, None | Some(ErrorKind::ConnectionReset)),
                "{error:?}"
            );
        });
        tokio::join!(serve, ask);
    });
}
