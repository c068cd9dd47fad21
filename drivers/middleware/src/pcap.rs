//! Writes frames to a file that Wireshark and tcpdump open.

mod format;

use std::io;

use cygnet_driver::{Clock, Driver, Duration};

use crate::Direction;
use crate::tap::{Observer, Tap};

/// A driver that writes its frames to a file. See [`PcapWriter::new`](Tap::new).
pub type PcapWriter<D, W, C> = Tap<D, Pcap<W, C>>;

/// Which frames a [`PcapWriter`] writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PcapMode {
    /// All of them.
    #[default]
    Both,
    /// Those received.
    RxOnly,
    /// Those sent.
    TxOnly,
}

/// The observer that makes a [`Tap`] a [`PcapWriter`].
pub struct Pcap<W, C> {
    /// `None` after an error.
    writer: Option<W>,
    clock: C,
    mode: PcapMode,
    epoch: Duration,
    on_error: Box<dyn FnMut(io::Error) + Send>,
    /// The record being written, kept for its memory.
    record: Vec<u8>,
}

impl<D: Driver, W: io::Write, C: Clock> Tap<D, Pcap<W, C>> {
    /// Writes the frames of `inner` to `writer`, in the libpcap format with microsecond timestamps.
    ///
    /// Each frame is written in one piece and flushed, so that the file is whole up to the last frame
    /// whenever the process ends. The first write error is printed to standard error and ends the
    /// capture, but not the traffic; see [`Self::on_error`].
    ///
    /// # Errors
    /// The file header could not be written.
    pub fn new(inner: D, mut writer: W, clock: C) -> io::Result<Self> {
        writer.write_all(&format::file_header(inner.capabilities().medium))?;
        writer.flush()?;
        let pcap = Pcap {
            writer: Some(writer),
            clock,
            mode: PcapMode::Both,
            epoch: Duration::ZERO,
            on_error: Box::new(|error| eprintln!("pcap: capture ends: {error}")),
            record: Vec::new(),
        };
        Ok(Self::with_observer(inner, pcap))
    }

    /// Which frames to write.
    pub fn mode(mut self, mode: PcapMode) -> Self {
        self.observer_mut().mode = mode;
        self
    }

    /// The time from 1970-01-01 00:00 UTC to the clock's origin, for timestamps in calendar time.
    /// They count from 1970 otherwise.
    pub fn epoch(mut self, epoch: Duration) -> Self {
        self.observer_mut().epoch = epoch;
        self
    }

    /// Calls `report` with the write error that ends the capture.
    pub fn on_error(mut self, report: impl FnMut(io::Error) + Send + 'static) -> Self {
        self.observer_mut().on_error = Box::new(report);
        self
    }
}

impl<W, C> Pcap<W, C> {
    /// The file; `None` after an error.
    pub fn into_writer(self) -> Option<W> {
        self.writer
    }
}

impl<W: io::Write, C: Clock> Observer for Pcap<W, C> {
    fn observe(&mut self, direction: Direction, frame: &[u8]) {
        let wanted = match self.mode {
            PcapMode::Both => true,
            PcapMode::RxOnly => direction == Direction::Rx,
            PcapMode::TxOnly => direction == Direction::Tx,
        };
        if !wanted {
            return;
        }
        let Some(writer) = &mut self.writer else {
            return;
        };
        let at = self.clock.now() + self.epoch;
        format::write_record(&mut self.record, at, frame);
        let written = writer.write_all(&self.record).and_then(|()| writer.flush());
        if let Err(error) = written {
            self.writer = None;
            (self.on_error)(error);
        }
    }
}
