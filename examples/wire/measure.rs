//! One measurement: connections from one end to the other that carry all they can for a while.

use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cygnet::{Stack, TcpSocket};
use cygnet_examples::Error;
use cygnet_host::NetNs;
use nix::sys::socket::{setsockopt, sockopt::TcpCongestion};
use tokio::task::spawn_local;

use crate::ends::{Side, address};
use crate::{Args, line};

/// Whose TCP it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tcp {
    Kernel,
    Cygnet,
}

/// What is measured.
pub(crate) struct Case {
    pub(crate) from: Tcp,
    pub(crate) to: Tcp,
    pub(crate) flows: usize,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    bytes: u64,
    seconds: f64,
    /// Segments, or frames, that the sending side sent.
    pub(crate) segments: u64,
    pub(crate) retransmits: u64,
    /// How often the retransmission timer expired.
    pub(crate) timeouts: u64,
}

impl Tcp {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kernel => "Linux",
            Self::Cygnet => "cygnet",
        }
    }

    fn at(self, namespace: &NetNs) -> Side<'_> {
        match self {
            Self::Kernel => Side::Kernel(namespace),
            Self::Cygnet => Side::Cygnet,
        }
    }
}

impl Measured {
    pub(crate) fn megabits(&self) -> f64 {
        self.bytes as f64 * 8.0 / self.seconds / 1e6
    }
}

impl AddAssign for Measured {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.seconds += other.seconds;
        self.segments += other.segments;
        self.retransmits += other.retransmits;
        self.timeouts += other.timeouts;
    }
}

/// What both ends share while a measurement runs.
#[derive(Clone, Default)]
struct Shared {
    received: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Shared {
    fn count(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

pub(crate) fn measure(args: &Args, seed: u64, case: &Case) -> Result<Measured, Error> {
    let [near, far] = [NetNs::new()?, NetNs::new()?];
    let sides = [case.from.at(&near), case.to.at(&far)];
    line::between(args, seed, sides, async |stack| {
        let shared = Shared::default();
        match stack.filter(|_| case.to == Tcp::Cygnet) {
            Some(stack) => cygnet_receives(stack, case.flows, args, &shared)?,
            None => kernel_receives(&far, &shared)?,
        }
        let start = Instant::now();
        match stack.filter(|_| case.from == Tcp::Cygnet) {
            Some(stack) => cygnet_sends(stack, case.flows, args, &shared)?,
            None => kernel_sends(&near, case.flows, args.congestion.kernel(), &shared)?,
        }
        tokio::time::sleep(args.time.into()).await;
        let bytes = shared.received.load(Ordering::Relaxed);
        let seconds = start.elapsed().as_secs_f64();
        shared.over.store(true, Ordering::Relaxed);
        let mut measured = Measured {
            bytes,
            seconds,
            ..Measured::default()
        };
        match stack.filter(|_| case.from == Tcp::Cygnet) {
            Some(stack) => {
                let stats = stack.stats();
                measured.segments = stats.sent.into();
                measured.retransmits = stats.retransmits.into();
                measured.timeouts = stats.timeouts.into();
            }
            None => count_kernel(&near, &mut measured)?,
        }
        if args.counters {
            if let Some(stack) = stack {
                println!("{:?}", stack.stats());
            }
            if case.from == Tcp::Kernel {
                print_counters(&near)?;
            }
        }
        Ok(measured)
    })
}

/// Accepts whatever connects, and reads it.
fn kernel_receives(namespace: &NetNs, shared: &Shared) -> Result<(), Error> {
    let listener = namespace.run(|| TcpListener::bind((address(1), PORT)))??;
    let shared = shared.clone();
    std::thread::spawn(move || {
        // The thread waits for another connection for ever, and ends with the process.
        while let Ok((mut connection, _)) = listener.accept() {
            let shared = shared.clone();
            std::thread::spawn(move || {
                let mut buffer = vec![0; BLOCK];
                let _ = connection.set_read_timeout(Some(PATIENCE));
                while !shared.is_over() {
                    match connection.read(&mut buffer) {
                        Ok(0) => return,
                        Ok(count) => shared.count(count),
                        Err(error) if is_idle(&error) => {}
                        Err(_) => return,
                    }
                }
            });
        }
    });
    Ok(())
}

fn kernel_sends(
    namespace: &NetNs,
    flows: usize,
    congestion: &'static str,
    shared: &Shared,
) -> Result<(), Error> {
    for _ in 0..flows {
        let shared = shared.clone();
        // A socket belongs to the namespace of the thread that makes it.
        let namespace = namespace.run(NetNs::current)??;
        std::thread::spawn(move || {
            let connect = || TcpStream::connect((address(1), PORT));
            let Ok(Ok(mut connection)) = namespace.run(connect) else {
                return;
            };
            // Not by a setting of the namespace: there, a kernel allows only some of what it has.
            if let Err(error) = setsockopt(&connection, TcpCongestion, &OsString::from(congestion))
            {
                eprintln!("error: the kernel has no congestion control {congestion}: {error}");
                return;
            }
            let block = vec![0x5a; BLOCK];
            let _ = connection.set_write_timeout(Some(PATIENCE));
            while !shared.is_over() {
                match connection.write(&block) {
                    Ok(_) => {}
                    Err(error) if is_idle(&error) => {}
                    Err(_) => return,
                }
            }
        });
    }
    Ok(())
}

fn cygnet_receives(
    stack: Stack<'static>,
    flows: usize,
    args: &Args,
    shared: &Shared,
) -> Result<(), Error> {
    for _ in 0..flows {
        let mut socket = TcpSocket::new(stack, vec![0; args.buffer], vec![0; 4_096])?;
        let shared = shared.clone();
        spawn_local(async move {
            if socket.accept(PORT).await.is_err() {
                return;
            }
            let mut buffer = vec![0; BLOCK];
            while let Ok(count @ 1..) = socket.read(&mut buffer).await {
                shared.count(count);
            }
        });
    }
    Ok(())
}

fn cygnet_sends(
    stack: Stack<'static>,
    flows: usize,
    args: &Args,
    shared: &Shared,
) -> Result<(), Error> {
    for _ in 0..flows {
        let mut socket = TcpSocket::new(stack, vec![0; 4_096], vec![0; args.buffer])?;
        socket.set_congestion_control(args.congestion.cygnet());
        let shared = shared.clone();
        spawn_local(async move {
            if socket.connect((address(1), PORT)).await.is_err() {
                return;
            }
            let block = vec![0x5a; BLOCK];
            while !shared.is_over() && socket.write(&block).await.is_ok() {}
        });
    }
    Ok(())
}

/// What the kernel counted in a namespace of its own.
fn count_kernel(namespace: &NetNs, measured: &mut Measured) -> Result<(), Error> {
    let read = || {
        let read = |name| std::fs::read_to_string(format!("/proc/thread-self/net/{name}"));
        Ok::<_, std::io::Error>((read("snmp")?, read("netstat")?))
    };
    let (snmp, netstat) = namespace.run(read)??;
    let counter = |text: &str, name: &str| -> u64 {
        let mut lines = text.lines();
        // Names on one line, values on the next.
        while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
            let at = names.split(' ').position(|known| known == name);
            if let Some(value) = at.and_then(|at| values.split(' ').nth(at)) {
                return value.parse().unwrap_or(0);
            }
        }
        0
    };
    measured.segments = counter(&snmp, "OutSegs");
    measured.retransmits = counter(&snmp, "RetransSegs");
    measured.timeouts = counter(&netstat, "TCPTimeouts");
    Ok(())
}

/// All of the kernel's TCP counters that are not zero.
fn print_counters(namespace: &NetNs) -> Result<(), Error> {
    let netstat = namespace.run(|| std::fs::read_to_string("/proc/thread-self/net/netstat"))??;
    let mut lines = netstat.lines();
    while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
        let counters = names.split(' ').zip(values.split(' ')).skip(1);
        for (name, value) in counters.filter(|(_, value)| *value != "0") {
            print!("{name} {value}  ");
        }
        println!();
    }
    Ok(())
}

fn is_idle(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

const PORT: u16 = 5_201;

/// Bytes for one call.
const BLOCK: usize = 64 << 10;

/// How soon a thread notices that it is over.
const PATIENCE: Duration = Duration::from_millis(50);
