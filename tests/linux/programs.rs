//! Everyday programs against small servers on cygnet.

use cygnet::{Stack, TcpListener, TcpPool};
use cygnet_tuntap::Mode;

use crate::wire::{Wire, leak, on_tap, on_wire, program, read_to_end, write_all};

fn listener(stack: Stack<'static>, port: u16) -> TcpListener<'static> {
    let pool = leak(TcpPool::<4, 16_384, 16_384>::new());
    let pool = stack.add_pool(pool).expect("room for a pool");
    TcpListener::bind(stack, port, pool).expect("a free port")
}

#[test]
fn socat_reads_a_greeting() {
    on_tap(async |stack| {
        let listener = listener(stack, 6_969);
        let serve = async {
            let mut socket = listener.accept().await.unwrap();
            write_all(&mut socket, b"hello\n").await.unwrap();
            socket.close().await.unwrap();
        };
        let client = program("socat", "-T10 -u TCP4:192.168.69.1:6969 STDOUT");
        let ((), output) = tokio::join!(serve, client);
        assert_eq!(output, "hello\n");
    });
}

#[test]
fn socat_hears_its_own_words() {
    on_tap(async |stack| {
        let listener = listener(stack, 6_970);
        let serve = async {
            let mut socket = listener.accept().await.unwrap();
            let said = read_to_end(&mut socket).await.unwrap();
            write_all(&mut socket, &said).await.unwrap();
            socket.close().await.unwrap();
        };
        let client = program(
            "sh",
            "-c seq${IFS}1${IFS}9999|socat${IFS}-t10${IFS}-${IFS}TCP4:192.168.69.1:6970",
        );
        let ((), output) = tokio::join!(serve, client);
        let expected: String = (1..10_000).map(|n| format!("{n}\n")).collect();
        assert_eq!(output, expected);
    });
}

async fn http_server(stack: Stack<'static>, requests: usize) {
    let listener = listener(stack, 80);
    for _ in 0..requests {
        let mut socket = listener.accept().await.unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 512];
        while !request.ends_with(b"\r\n\r\n") {
            let count = socket.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the request ends early");
            request.extend_from_slice(&buffer[..count]);
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nswans\n";
        write_all(&mut socket, answer).await.unwrap();
        socket.close().await.unwrap();
    }
}

#[test]
fn curl_gets_a_page_again_and_again() {
    on_tap(async |stack| {
        let client = async {
            for _ in 0..10 {
                let output = program("curl", "-sS -m10 http://192.168.69.1/").await;
                assert_eq!(output, "swans\n");
            }
        };
        tokio::join!(http_server(stack, 10), client);
    });
}

#[test]
fn curl_gets_a_page_through_a_tun() {
    on_wire(Wire::Device(Mode::Tun), async |stack| {
        let client = program("curl", "-sS -m10 http://192.168.69.1/");
        let ((), output) = tokio::join!(http_server(stack, 1), client);
        assert_eq!(output, "swans\n");
    });
}
