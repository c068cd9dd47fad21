//! IPv6 to the kernel and back: echo, TCP, UDP, and a program that speaks HTTP.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener as KernelListener, TcpStream, UdpSocket as KernelUdp};

use cygnet::wire::Icmpv6Message;
use cygnet::{Config, IcmpEndpoint, IcmpPacketMetadata, IcmpSocket, Ipv6Cidr, Stack};
use cygnet::{StaticConfigV6, TcpListener, TcpPool, UdpPacketMetadata, UdpSocket};
use cygnet_tuntap::Mode;

use crate::wire::{
    CYGNET_V6, KERNEL_V6, blocking, leak, program, read_to_end, socket, stream, with_config,
    write_all,
};

/// fdaa::1/64 and a link-local address.
pub(crate) fn config() -> Config {
    Config::ipv6_static(StaticConfigV6::new(Ipv6Cidr::new(CYGNET_V6, 64)))
}

/// Runs `test` when the stack's addresses may be used.
fn on(mode: Mode, test: impl AsyncFnOnce(Stack<'static>) + Send) {
    with_config(mode, config(), async |stack, _| {
        stack.wait_config_up().await;
        test(stack).await;
    });
}

#[test]
fn pings_of_any_size_that_fits_a_frame_are_answered() {
    on(Mode::Tap, async |stack| {
        for size in [0, 1, 56, 1_451, 1_452] {
            let arguments = format!("-6 -c1 -W10 -Mdo -s{size} fdaa::1");
            let output = program("ping", &arguments).await;
            assert!(output.contains("1 received"), "{output}");
        }
        assert_eq!(stack.stats().discarded(cygnet::Discard::BadChecksum), 0);
    });
}

#[test]
fn the_link_local_address_answers_pings() {
    with_config(Mode::Tap, config(), async |stack, interface| {
        stack.wait_config_up().await;
        let address = stack.link_local_v6().expect("one is made");
        while stack.address_state(address.into()) != Some(cygnet::AddressState::Preferred) {
            tokio::time::sleep(core::time::Duration::from_millis(50)).await;
        }
        let arguments = format!("-6 -c3 -i0.1 -W10 {address}%{}", interface.name());
        let output = program("ping", &arguments).await;
        assert!(output.contains("3 received"), "{output}");
    });
}

#[test]
fn pings_through_a_tun_are_answered() {
    on(Mode::Tun, async |_| {
        let output = program("ping", "-6 -c20 -i0.1 -W10 -s1452 fdaa::1").await;
        assert!(output.contains("20 received, 0% packet loss"), "{output}");
    });
}

#[test]
fn the_kernel_answers_pings() {
    on(Mode::Tap, async |stack| {
        let meta = || leak([IcmpPacketMetadata::EMPTY; 4]).as_mut_slice();
        let bytes = || vec![0; 140_000].leak();
        let mut socket = IcmpSocket::new(stack, meta(), bytes(), meta(), bytes()).unwrap();
        socket.bind(IcmpEndpoint::Ident(77)).unwrap();
        for (seq, len) in [(1, 0), (2, 56), (3, 1_452), (4, 2_905), (5, 65_000)] {
            let data = stream(len);
            let request = Icmpv6Message::EchoRequest {
                ident: 77,
                seq,
                data: &data,
            };
            // The stack fills in the checksum, which covers its own address.
            let mut message = vec![0; request.len()];
            request.emit(&mut message, CYGNET_V6.into(), KERNEL_V6.into());
            message[2..4].fill(0);
            socket
                .send_to(&message, cygnet::IpAddress::Ipv6(KERNEL_V6))
                .await
                .unwrap();
            let mut buffer = vec![0; 65_535];
            let (len, meta) = socket.recv_from(&mut buffer).await.unwrap();
            assert_eq!(meta.address, KERNEL_V6.into());
            let (src, dst) = (KERNEL_V6.into(), CYGNET_V6.into());
            let reply = Icmpv6Message::parse(&buffer[..len], src, dst, true);
            let expected = Icmpv6Message::EchoReply {
                ident: 77,
                seq,
                data: &data,
            };
            assert_eq!(reply, Ok(expected));
        }
    });
}

/// The kernel sends `len` bytes to cygnet, which reads to the end.
async fn to_cygnet(stack: Stack<'static>, len: usize) {
    let mut socket = socket(stack);
    let receive = async {
        socket.accept(6_969).await.unwrap();
        let received = read_to_end(&mut socket).await.unwrap();
        assert_eq!(received.len(), len);
        assert!(received == stream(len), "the bytes differ");
        socket.close().await.unwrap();
    };
    let send = blocking(move || {
        let mut connection = TcpStream::connect((CYGNET_V6, 6_969)).unwrap();
        connection.write_all(&stream(len)).unwrap();
        connection.shutdown(Shutdown::Write).unwrap();
        assert_eq!(connection.read(&mut [0; 1]).unwrap(), 0);
    });
    tokio::join!(receive, send);
}

/// cygnet connects to the kernel and sends it `len` bytes.
async fn to_kernel(stack: Stack<'static>, len: usize) {
    let listener = KernelListener::bind((KERNEL_V6, 6_970)).unwrap();
    let mut socket = socket(stack);
    let send = async {
        socket.connect((KERNEL_V6, 6_970)).await.unwrap();
        write_all(&mut socket, &stream(len)).await.unwrap();
        socket.flush().await.unwrap();
        // 1500 less the headers of IPv6 and TCP, and the timestamps.
        assert_eq!(socket.info().unwrap().mss, 1_500 - 40 - 20 - 12);
        socket.close().await.unwrap();
    };
    let receive = blocking(move || {
        let (mut connection, peer) = listener.accept().unwrap();
        assert_eq!(peer.ip(), CYGNET_V6);
        let mut received = Vec::new();
        connection.read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), len);
        assert!(received == stream(len), "the bytes differ");
    });
    tokio::join!(send, receive);
}

#[test]
fn a_mebibyte_arrives_each_way() {
    on(Mode::Tap, async |stack| {
        to_cygnet(stack, 1 << 20).await;
        to_kernel(stack, 1 << 20).await;
    });
}

#[test]
fn both_directions_at_once() {
    on(Mode::Tap, async |stack| {
        tokio::join!(to_cygnet(stack, 8 << 20), to_kernel(stack, 8 << 20));
    });
}

#[test]
fn both_directions_through_a_tun() {
    on(Mode::Tun, async |stack| {
        tokio::join!(to_cygnet(stack, 1 << 20), to_kernel(stack, 1 << 20));
    });
}

#[test]
fn a_refused_connection_is_refused_both_ways() {
    on(Mode::Tap, async |stack| {
        let mut socket = socket(stack);
        let refused = socket.connect((KERNEL_V6, 9)).await;
        assert_eq!(refused, Err(cygnet::ConnectError::Refused));
        let refused = blocking(|| TcpStream::connect((CYGNET_V6, 9)).unwrap_err()).await;
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    });
}

fn udp(stack: Stack<'static>) -> UdpSocket<'static> {
    let meta = || leak([UdpPacketMetadata::EMPTY; 8]).as_mut_slice();
    let bytes = || vec![0; 8_192].leak();
    UdpSocket::new(stack, meta(), bytes(), meta(), bytes()).unwrap()
}

#[test]
fn datagrams_arrive_both_ways() {
    on(Mode::Tap, async |stack| {
        let mut socket = udp(stack);
        socket.bind(5_000).unwrap();
        let echo = async {
            let mut buffer = vec![0; 2_048];
            for _ in 0..3 {
                let (len, meta) = socket.recv_from(&mut buffer).await.unwrap();
                assert_eq!(meta.local_address, Some(CYGNET_V6.into()));
                socket.send_to(&buffer[..len], meta.endpoint).await.unwrap();
            }
        };
        let kernel = blocking(|| {
            let socket = KernelUdp::bind((KERNEL_V6, 0)).unwrap();
            socket.connect((CYGNET_V6, 5_000)).unwrap();
            for len in [0, 100, 1_452] {
                socket.send(&stream(len)).unwrap();
                let mut buffer = vec![0; 2_048];
                let heard = socket.recv(&mut buffer).unwrap();
                assert_eq!(buffer[..heard], stream(len));
            }
        });
        tokio::join!(echo, kernel);
    });
}

#[test]
fn a_datagram_for_nobody_is_refused_both_ways() {
    on(Mode::Tap, async |stack| {
        let mut socket = udp(stack);
        socket.connect((KERNEL_V6, 9)).unwrap();
        let sent = socket.send_to(b"anybody there?", (KERNEL_V6, 9)).await;
        sent.unwrap();
        let refused = socket.recv_from(&mut [0; 16]).await;
        assert_eq!(refused, Err(cygnet::RecvError::Refused));
        let refused = blocking(|| {
            let socket = KernelUdp::bind((KERNEL_V6, 0)).unwrap();
            socket.connect((CYGNET_V6, 9)).unwrap();
            socket.send(b"anybody there?").unwrap();
            socket.recv(&mut [0; 16]).unwrap_err()
        })
        .await;
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    });
}

/// Datagrams in fragments, both ways (RFC 8200, section 4.5).
#[test]
fn long_datagrams_arrive_in_fragments_both_ways() {
    const LONG: [usize; 4] = [1_453, 2_897, 8_000, 60_000];
    on(Mode::Tap, async |stack| {
        let meta = || leak([UdpPacketMetadata::EMPTY; 8]).as_mut_slice();
        let bytes = || vec![0; 65_535].leak();
        let mut socket = UdpSocket::new(stack, meta(), bytes(), meta(), bytes()).unwrap();
        socket.bind(5_000).unwrap();
        let echo = async {
            let mut buffer = vec![0; 65_535];
            for len in LONG {
                let (heard, meta) = socket.recv_from(&mut buffer).await.unwrap();
                assert!(buffer[..heard] == stream(len), "{heard} of {len} bytes");
                socket
                    .send_to(&buffer[..heard], meta.endpoint)
                    .await
                    .unwrap();
            }
        };
        let kernel = blocking(|| {
            let socket = KernelUdp::bind((KERNEL_V6, 0)).unwrap();
            socket.connect((CYGNET_V6, 5_000)).unwrap();
            let mut buffer = vec![0; 65_535];
            for len in LONG {
                socket.send(&stream(len)).unwrap();
                let heard = socket.recv(&mut buffer).unwrap();
                assert!(buffer[..heard] == stream(len), "{heard} of {len} bytes");
            }
        });
        tokio::join!(echo, kernel);
    });
}

#[test]
fn pings_in_fragments_are_answered() {
    on(Mode::Tap, async |_| {
        for size in [1_453, 2_905, 8_000, 65_000] {
            let output = program("ping", &format!("-6 -c2 -i0.1 -W10 -s{size} fdaa::1")).await;
            assert!(output.contains("2 received"), "{output}");
        }
    });
}

#[test]
fn curl_gets_a_page() {
    on(Mode::Tap, async |stack| {
        let pool = leak(TcpPool::<4, 16_384, 16_384>::new());
        let pool = stack.add_pool(pool).expect("room for a pool");
        let listener = TcpListener::bind(stack, 80, pool).expect("a free port");
        let server = async {
            for _ in 0..3 {
                let mut socket = listener.accept().await.unwrap();
                let mut request = Vec::new();
                let mut buffer = [0; 512];
                while !request.ends_with(b"\r\n\r\n") {
                    let count = socket.read(&mut buffer).await.unwrap();
                    assert!(count > 0, "the request ends early");
                    request.extend_from_slice(&buffer[..count]);
                }
                let answer =
                    b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nswans\n";
                write_all(&mut socket, answer).await.unwrap();
                socket.close().await.unwrap();
            }
        };
        let client = async {
            for _ in 0..3 {
                let output = program("curl", "-sS -g -m10 http://[fdaa::1]/").await;
                assert_eq!(output, "swans\n");
            }
        };
        tokio::join!(server, client);
    });
}
