//! Options that put something between a stack and its device: a capture, a trace, faults.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use clap::Args;
use cygnet::{Clock, Driver, Duration};
use cygnet_middleware::{Detail, Direction, Fault, FaultConfig, FaultInjector, PcapWriter, Tracer};

use crate::Error;
use crate::units;

/// To look at the traffic.
#[derive(Args, Clone, Debug, Default)]
pub struct CaptureOptions {
    /// Write every packet to this file, for Wireshark or tcpdump
    #[arg(long, value_name = "FILE", help_heading = "Packets")]
    pub pcap: Option<PathBuf>,

    /// Print every packet; twice: with its headers and bytes
    #[arg(short, long, action = clap::ArgAction::Count, help_heading = "Packets")]
    pub verbose: u8,
}

/// To make the traffic suffer.
#[derive(Args, Clone, Debug, Default)]
pub struct FaultOptions {
    /// Drop packets at random; 15 is a good start
    #[arg(long, value_name = "PERCENT", default_value_t = 0, help_heading = "Faults",
          value_parser = clap::value_parser!(u8).range(..=100))]
    drop_chance: u8,

    /// Change one octet of packets at random; 15 is a good start
    #[arg(long, value_name = "PERCENT", default_value_t = 0, help_heading = "Faults",
          value_parser = clap::value_parser!(u8).range(..=100))]
    corrupt_chance: u8,

    /// Drop packets of more bytes than this
    #[arg(long, value_name = "BYTES", help_heading = "Faults")]
    size_limit: Option<usize>,

    /// Send at most this many packets in each shaping interval; 4 is a good start
    #[arg(
        long,
        value_name = "PACKETS",
        help_heading = "Faults",
        requires = "shaping_interval"
    )]
    tx_rate_limit: Option<u32>,

    /// Receive at most this many packets in each shaping interval; 4 is a good start
    #[arg(
        long,
        value_name = "PACKETS",
        help_heading = "Faults",
        requires = "shaping_interval"
    )]
    rx_rate_limit: Option<u32>,

    /// The interval of the rate limits, in milliseconds or with a unit; 50 is a good start
    #[arg(long, value_name = "TIME", default_value = "0", help_heading = "Faults",
          value_parser = units::time)]
    shaping_interval: Duration,
}

/// Everything that goes between a stack and a device.
#[derive(Clone, Copy, Debug)]
pub struct Middleware<'a, C> {
    /// What is captured and printed.
    pub capture: &'a CaptureOptions,
    /// What goes wrong.
    pub faults: FaultConfig,
    /// Where the random numbers of the faults start.
    pub seed: u64,
    /// The time of captures and rate limits.
    pub clock: C,
    /// The calendar time of the clock's origin, since 1970.
    pub epoch: Duration,
}

/// Takes a driver of any type.
pub trait DriverUser {
    /// What comes of it.
    type Output;

    /// Uses the driver.
    fn with<D: Driver + 'static>(self, driver: D) -> Self::Output;
}

impl CaptureOptions {
    /// Prints what is logged to standard error: events of the example always, packets and the stack's own
    /// events as far as asked for. `RUST_LOG` overrides.
    pub fn start_logging(&self) {
        // A directive holds for all names that begin with it.
        let filter = match self.verbose {
            0 => "info,cygnet=warn,cygnet_examples=info",
            1 => "info,wire=debug,cygnet=info",
            _ => "info,wire=debug,cygnet=trace",
        };
        env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(filter))
            .format_timestamp(None)
            .format_level(false)
            .format_target(false)
            .init();
    }
}

impl FaultOptions {
    /// What the options say.
    pub fn config(&self) -> FaultConfig {
        FaultConfig {
            drop_chance: self.drop_chance,
            corrupt_chance: self.corrupt_chance,
            size_limit: self.size_limit,
            tx_rate_limit: self.tx_rate_limit,
            rx_rate_limit: self.rx_rate_limit,
            shaping_interval: self.shaping_interval,
        }
    }
}

/// In layers, those that nobody asked for left out:
///
/// ```text
/// stack - faults - trace - capture - device
/// ```
///
/// so the capture and the trace show what is on the wire.
impl<C: Clock + Copy + 'static> Middleware<'_, C> {
    /// Hands the driver with everything around it to `user`.
    ///
    /// # Errors
    ///
    /// The capture cannot be written.
    pub fn wrap<D: Driver + 'static, U: DriverUser>(
        &self,
        device: D,
        user: U,
    ) -> Result<U::Output, Error> {
        let Some(path) = &self.capture.pcap else {
            return Ok(self.trace(device, user));
        };
        let failed = |error: io::Error| {
            let path = path.display();
            format!("cannot write {path}: {error}; choose another file for --pcap")
        };
        let file = File::create(path).map_err(failed)?;
        let captured = PcapWriter::new(device, file, self.clock).map_err(failed)?;
        Ok(self.trace(captured.epoch(self.epoch), user))
    }

    fn trace<D: Driver + 'static, U: DriverUser>(&self, device: D, user: U) -> U::Output {
        let detail = match self.capture.verbose {
            0 => return self.injure(device, user),
            1 => Detail::Line,
            _ => Detail::Full,
        };
        let clock = self.clock;
        let sink = move |_: Direction, text: std::fmt::Arguments<'_>| {
            let seconds = clock.now().as_micros() as f64 / 1e6;
            log::debug!(target: "wire", "{seconds:.6} {text}");
        };
        self.injure(Tracer::new(device, sink).detail(detail), user)
    }

    fn injure<D: Driver + 'static, U: DriverUser>(&self, device: D, user: U) -> U::Output {
        if self.faults == FaultConfig::default() {
            return user.with(device);
        }
        let sink = |fault: Fault<'_>| log::debug!(target: "wire", "{fault}");
        let injector = FaultInjector::new(device, self.clock, self.faults, self.seed);
        user.with(injector.with_sink(sink))
    }
}
