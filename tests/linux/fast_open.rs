//! Data on connection requests between cygnet and the kernel (RFC 7413).

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use cygnet::{TcpPool, TcpSocket};

use crate::wire::{CYGNET, KERNEL, leak, on_tap, program, read_to_end, write_all};

/// Client, server, and every listener; it holds for this namespace.
fn enable() {
    std::fs::write("/proc/sys/net/ipv4/tcp_fastopen", "1027").expect("a sysctl of one's own");
}

/// One of the kernel's counters, of the namespace of this thread.
fn kernel_counter(name: &str) -> u64 {
    let all = std::fs::read_to_string("/proc/thread-self/net/netstat").expect("counters");
    let mut lines = all.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next().expect("names"), lines.next().expect("values"));
    let mut pairs = names.split_whitespace().zip(values.split_whitespace());
    let (_, value) = pairs.find(|(n, _)| *n == name).expect("that counter");
    value.parse().expect("a number")
}

#[test]
fn curl_sends_its_request_with_the_syn() {
    on_tap(async |stack| {
        enable();
        let pool = stack
            .add_pool(leak(TcpPool::<4, 4096, 4096>::new()))
            .unwrap();
        let listener = cygnet::TcpListener::bind(stack, 80, pool).unwrap();
        listener.set_fast_open(4);
        let serve = async {
            for _ in 0..3 {
                let mut socket = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut buffer = [0; 512];
                    let count = socket.read(&mut buffer).await.unwrap();
                    assert!(count > 0, "the request ends early");
                    request.extend_from_slice(&buffer[..count]);
                }
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nswans\n";
                write_all(&mut socket, answer).await.unwrap();
                socket.close().await.unwrap();
            }
        };
        let url = format!("-sS -m10 --tcp-fastopen http://{CYGNET}/");
        let client = async {
            for _ in 0..3 {
                assert_eq!(program("curl", &url).await, "swans\n");
            }
        };
        tokio::join!(serve, client);
        // The first asks for a cookie.
        assert_eq!(stack.stats().fast_opens, 2);
        assert_eq!(kernel_counter("TCPFastOpenActive"), 2);
    });
}

#[test]
fn the_kernel_takes_what_comes_with_the_syn() {
    on_tap(async |stack| {
        enable();
        let listener = TcpListener::bind((KERNEL, 80)).unwrap();
        let echo = tokio::task::spawn_blocking(move || {
            for _ in 0..3 {
                let (mut socket, _) = listener.accept().unwrap();
                let mut heard = Vec::new();
                socket.read_to_end(&mut heard).unwrap();
                socket.write_all(&heard).unwrap();
            }
        });
        let mut socket = TcpSocket::new(stack, vec![0; 8_192], vec![0; 8_192]).unwrap();
        let words: Vec<u8> = (0..3_000_u32).map(|n| (n % 251) as u8).collect();
        for _ in 0..3 {
            let taken = socket.connect_with_data((KERNEL, 80), &words).await;
            assert_eq!(taken, Ok(words.len()));
            socket.shutdown_write();
            assert!(read_to_end(&mut socket).await.unwrap() == words);
            socket.close().await.unwrap();
        }
        echo.await.unwrap();
        assert_eq!(kernel_counter("TCPFastOpenCookieReqd"), 1);
        assert_eq!(kernel_counter("TCPFastOpenPassive"), 2);
    });
}
