//! Prints frames as they pass, one line each or in full.

use core::fmt;

use cygnet_driver::{Driver, Medium};

use crate::tap::{Observer, Tap};
use crate::{Direction, FrameSummary};

/// A driver that prints its frames. See [`Tracer::new`](Tap::new).
pub type Tracer<D, S> = Tap<D, Trace<S>>;

/// Takes what a [`Tracer`] prints.
///
/// Any `FnMut(Direction, fmt::Arguments)` will do; [`WriteSink`] makes one of a [`fmt::Write`].
pub trait TraceSink {
    /// One frame: direction, length in bytes and contents, without a line break at the end. In
    /// [`Detail::Full`] it has several lines.
    fn trace(&mut self, direction: Direction, text: fmt::Arguments<'_>);
}

impl<F: FnMut(Direction, fmt::Arguments<'_>)> TraceSink for F {
    fn trace(&mut self, direction: Direction, text: fmt::Arguments<'_>) {
        self(direction, text);
    }
}

/// Writes a trace to a [`fmt::Write`], with a line break after each frame. Write errors are ignored.
#[derive(Clone, Copy, Debug, Default)]
pub struct WriteSink<W>(pub W);

impl<W: fmt::Write> TraceSink for WriteSink<W> {
    fn trace(&mut self, _: Direction, text: fmt::Arguments<'_>) {
        let _ = writeln!(self.0, "{text}");
    }
}

/// How much a [`Tracer`] prints of each frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// One line.
    #[default]
    Line,
    /// The line, the link and IP headers, and all bytes.
    Full,
}

/// The observer that makes a [`Tap`] a [`Tracer`].
pub struct Trace<S> {
    sink: S,
    medium: Medium,
    detail: Detail,
}

impl<D: Driver, S: TraceSink> Tap<D, Trace<S>> {
    /// Prints the frames of `inner` to `sink`, one line each:
    ///
    /// ```text
    /// rx 74 IP 192.168.69.100.49152 > 192.168.69.1.6969: Flags [S], seq 1, win 64240, options [mss 1460], length 0
    /// ```
    pub fn new(inner: D, sink: S) -> Self {
        let trace = Trace {
            sink,
            medium: inner.capabilities().medium,
            detail: Detail::Line,
        };
        Self::with_observer(inner, trace)
    }

    /// How much to print of each frame from now on.
    pub fn detail(mut self, detail: Detail) -> Self {
        self.observer_mut().detail = detail;
        self
    }
}

impl<S> Trace<S> {
    /// Where the trace goes.
    pub fn sink_mut(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Where the trace went.
    pub fn into_sink(self) -> S {
        self.sink
    }
}

impl<S: TraceSink> Observer for Trace<S> {
    fn observe(&mut self, direction: Direction, frame: &[u8]) {
        let summary = FrameSummary::new(self.medium, frame);
        let len = frame.len();
        match self.detail {
            Detail::Line => self
                .sink
                .trace(direction, format_args!("{direction} {len} {summary}")),
            Detail::Full => self
                .sink
                .trace(direction, format_args!("{direction} {len} {summary:#}")),
        }
    }
}
