//! Telling what happened to which frame.

use core::fmt;

use crate::Direction;

/// A frame that something happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault<'a> {
    /// Which way it went.
    pub direction: Direction,
    /// What happened.
    pub kind: FaultKind,
    /// The frame; a corrupted one as it is now. The device may still have to complete the checksum of
    /// one to send.
    pub frame: &'a [u8],
}

/// What happened to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// Dropped by chance.
    Dropped,
    /// Dropped because it is longer than the limit, or than the injector's buffer.
    TooLong,
    /// Dropped because its bucket was empty.
    RateLimited,
    /// One octet was changed.
    Corrupted,
}

/// Hears of faults. Any `FnMut(Fault)` will do.
pub trait FaultSink {
    /// Something happened to a frame.
    fn fault(&mut self, fault: Fault<'_>);
}

impl<F: FnMut(Fault<'_>)> FaultSink for F {
    fn fault(&mut self, fault: Fault<'_>) {
        self(fault);
    }
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl FaultSink for Silent {
    fn fault(&mut self, _: Fault<'_>) {}
}

impl fmt::Display for Fault<'_> {
    /// As in `rx: dropping a frame at random`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.direction, self.kind)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dropped => "dropping a frame at random",
            Self::TooLong => "dropping a frame that is too long",
            Self::RateLimited => "dropping a frame because of the rate limit",
            Self::Corrupted => "corrupting an octet of a frame",
        })
    }
}
