//! A stack that talks to itself through a loopback interface: a server socket, a client socket, and a
//! chunk of data between them. Needs no privileges and no network.
//!
//! ```sh
//! cargo run --example loopback -- --pcap loopback.pcap
//! cargo build -p cygnet-examples --example loopback --no-default-features   # without std and heap
//! ```
//!
//! With `std` it runs in virtual time, takes options and prints what happens. Without, it takes no options
//! and prints nothing; the exit code tells. Then only `main` itself is the host's.

use std::process::ExitCode;

use core::net::Ipv4Addr;

/// The length in bytes of both buffers of both sockets.
const BUFFER: usize = 4096;
/// The frames that can be on their way at a time, of up to `FRAME` bytes.
const FRAMES: usize = 16;
const FRAME: usize = 1500;
/// Where the server listens.
const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 1234);

#[cfg(feature = "std")]
fn main() -> ExitCode {
    hosted::main()
}

#[cfg(not(feature = "std"))]
fn main() -> ExitCode {
    match bare::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

#[cfg(feature = "std")]
mod hosted {
    use std::process::ExitCode;

    use clap::Parser;
    use cygnet::{Clock, Config, Duration, IpEndpoint, TcpSocket};
    use cygnet_examples::middleware::{CaptureOptions, FaultOptions, Middleware};
    use cygnet_examples::simulation::{Simulation, StartStack};
    use cygnet_examples::transfer::{Event, transfer};
    use cygnet_examples::{Error, arguments, exit, units};
    use cygnet_link::{Loopback, PortConfig};
    use embassy_sync::blocking_mutex::raw::NoopRawMutex;

    use super::{BUFFER, FRAME, FRAMES, SERVER};

    /// A stack that talks to itself through a loopback interface, in virtual time
    ///
    /// Captures, traces and faults meet every packet twice: on its way out and on its way in.
    #[derive(Parser)]
    struct Args {
        /// How much to send, in bytes or with K, M, G
        #[arg(long, default_value = "1M", value_parser = units::size)]
        size: u64,

        /// Where all random numbers start: the same seed, the same packets
        #[arg(long, default_value_t = 1)]
        seed: u64,

        #[command(flatten)]
        capture: CaptureOptions,

        #[command(flatten)]
        faults: FaultOptions,
    }

    pub(super) fn main() -> ExitCode {
        let args = arguments::<Args>();
        args.capture.start_logging();
        exit(run(&args))
    }

    fn run(args: &Args) -> Result<ExitCode, Error> {
        let mut simulation = Simulation::new();
        let clock = simulation.clock();
        let link = Box::leak(Box::new(Loopback::<NoopRawMutex, FRAMES, FRAME>::new()));
        let [port] = link.split(clock, [PortConfig::ip()]);
        let middleware = Middleware {
            capture: &args.capture,
            faults: args.faults.config(),
            seed: args.seed,
            clock,
            epoch: Duration::ZERO,
        };
        let start = StartStack::<4> {
            simulation: &mut simulation,
            config: Config::loopback(),
            seed: args.seed,
        };
        let stack = middleware.wrap(port, start)?;

        let socket = || TcpSocket::new(stack, vec![0; BUFFER], vec![0; BUFFER]);
        let (client, server) = (socket()?, socket()?);
        let report = |event| match event {
            Event::Progress(_) => {}
            event => println!("{:10.6} {event}", seconds(clock)),
        };
        let at = IpEndpoint::from(SERVER);
        simulation.run(transfer(client, server, at, args.size, report))??;

        let stats = stack.stats();
        println!(
            "{:10.6} {} packets went through the interface, {} segments twice, {} were discarded",
            seconds(clock),
            stats.sent,
            stats.retransmits,
            stats.discarded_total(),
        );
        println!("loopback: {} bytes arrived as they were sent", args.size);
        Ok(ExitCode::SUCCESS)
    }

    fn seconds(clock: &impl Clock) -> f64 {
        clock.now().as_micros() as f64 / 1e6
    }
}

/// What a firmware would do: everything in statics, and an executor that knows nothing of the stack.
#[cfg(not(feature = "std"))]
mod bare {
    use core::cell::Cell;
    use core::task::Waker;

    use cygnet::{Clock, Config, Instant, IpEndpoint, Resources, TcpSocket};
    use cygnet_examples::transfer::{Failure, transfer};
    use cygnet_link::{Loopback, PortConfig};
    use embassy_futures::block_on;
    use embassy_futures::select::{Either, select};
    use embassy_sync::blocking_mutex::raw::NoopRawMutex;
    use static_cell::ConstStaticCell;

    use super::{BUFFER, FRAME, FRAMES, SERVER};

    static LINK: ConstStaticCell<Loopback<NoopRawMutex, FRAMES, FRAME>> =
        ConstStaticCell::new(Loopback::new());
    static BUFFERS: ConstStaticCell<[[u8; BUFFER]; 4]> = ConstStaticCell::new([[0; BUFFER]; 4]);
    static RESOURCES: ConstStaticCell<Resources<'static, 4>> =
        ConstStaticCell::new(Resources::new());

    pub(super) fn run() -> Result<(), Failure> {
        let clock = Ticks::default();
        let [port] = LINK.take().split(&clock, [PortConfig::ip()]);
        let (config, resources) = (Config::loopback(), RESOURCES.take());
        let (stack, mut runner) = cygnet::new_with_clock(port, config, resources, SEED, &clock);

        let [client_rx, client_tx, server_rx, server_tx] = BUFFERS.take();
        let client = TcpSocket::new(stack, client_rx, client_tx).map_err(Failure::Connect)?;
        let server = TcpSocket::new(stack, server_rx, server_tx).map_err(Failure::Connect)?;
        let transfer = transfer(client, server, IpEndpoint::from(SERVER), SIZE, |_| ());
        match block_on(select(runner.run(), transfer)) {
            Either::First(never) => match never {},
            Either::Second(result) => result,
        }
    }

    /// A clock for a machine without a timer: every look at it takes a microsecond. The executor never
    /// sleeps, so there is nobody to wake.
    #[derive(Default)]
    struct Ticks(Cell<u64>);

    impl Clock for Ticks {
        fn now(&self) -> Instant {
            self.0.set(self.0.get() + 1);
            Instant::from_micros(self.0.get())
        }

        fn wake_at(&self, _: Instant, _: &Waker) {}
    }

    const SIZE: u64 = 1 << 20;
    /// A firmware takes it from its random number generator.
    const SEED: [u8; 32] = [7; 32];
}
