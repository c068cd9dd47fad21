//! Congestion notification with the kernel at the other end, and something in between that marks packets.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener as KernelListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};

use cygnet::Stack;
use cygnet::wire::{Ecn, Ipv4Header};

use crate::wire::{
    KERNEL, Wire, blocking, cygnet, on_wire, read_to_end, socket, stream, write_all,
};

const LEN: usize = 1 << 20;

/// What the kernel does here from now on: 0 never, 1 asks and accepts, 2 accepts.
fn kernel_policy(policy: &str) {
    std::fs::write("/proc/sys/net/ipv4/tcp_ecn", policy).expect("a namespace of one's own");
}

/// Marks every twentieth packet that may be marked.
fn mark(frame: &mut [u8]) -> bool {
    static SEEN: AtomicU32 = AtomicU32::new(0);
    let Some(packet) = frame.get_mut(14..) else {
        return true;
    };
    let Ok((mut header, _)) = Ipv4Header::parse(packet, false) else {
        return true;
    };
    if header.ecn() == Ecn::ECT_0 && SEEN.fetch_add(1, Ordering::Relaxed) % 20 == 19 {
        header.dscp_ecn |= Ecn::CE.0;
        header.emit(packet);
    }
    true
}

/// A counter of the kernel's in this namespace.
fn counter(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/net/netstat").expect("counters");
    let mut lines = text.lines();
    while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
        let at = names.split(' ').position(|known| known == name);
        if let Some(value) = at.and_then(|at| values.split(' ').nth(at)) {
            return value.parse().expect("a number");
        }
    }
    panic!("the kernel has no counter {name}");
}

#[test]
fn the_kernel_asks_and_hears_of_marks() {
    on_wire(Wire::Filtered(mark), async |stack: Stack<'static>| {
        kernel_policy("1");
        let mut socket = socket(stack);
        let receive = async {
            socket.accept(6_972).await.unwrap();
            assert!(socket.info().unwrap().ecn);
            let received = read_to_end(&mut socket).await.unwrap();
            assert!(received == stream(LEN), "{} bytes arrived", received.len());
            socket.close().await.unwrap();
        };
        let send = blocking(|| {
            let mut connection = TcpStream::connect(cygnet(6_972)).unwrap();
            connection.write_all(&stream(LEN)).unwrap();
            connection.shutdown(Shutdown::Write).unwrap();
            assert_eq!(connection.read(&mut [0; 1]).unwrap(), 0);
            counter("TCPDeliveredCE")
        });
        let ((), delivered) = tokio::join!(receive, send);
        assert!(delivered > 0, "the kernel hears of marks");
    });
}

#[test]
fn the_kernel_is_asked_and_reports_marks() {
    on_wire(Wire::Filtered(mark), async |stack: Stack<'static>| {
        kernel_policy("2");
        let listener = KernelListener::bind((KERNEL, 6_973)).unwrap();
        let mut socket = socket(stack);
        let send = async {
            socket.connect((KERNEL, 6_973)).await.unwrap();
            assert!(socket.info().unwrap().ecn);
            write_all(&mut socket, &stream(LEN)).await.unwrap();
            socket.flush().await.unwrap();
            let info = socket.info().unwrap();
            socket.close().await.unwrap();
            info
        };
        let receive = blocking(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut received = Vec::new();
            connection.read_to_end(&mut received).unwrap();
            assert!(received == stream(LEN), "{} bytes arrived", received.len());
            (counter("InECT0Pkts"), counter("InCEPkts"))
        });
        let (info, (capable, marked)) = tokio::join!(send, receive);
        assert!(capable > 0 && marked > 0, "{capable} and {marked}");
        assert!(info.ssthresh < 1 << 20, "the window was reduced: {info:?}");
    });
}
