//! The oracle: what two users of one connection did, and whether what they see follows from that.

use std::cell::Cell;
use std::sync::LazyLock;

use cygnet::TcpError;
use cygnet_tests::pattern;

/// A connection between two users, each with its own account of what it did.
pub(crate) struct Conversation {
    id: u64,
    sides: [Side; 2],
    /// What may happen to it that its users have no part in.
    fate: Fate,
}

/// What circumstances can do to a connection.
#[derive(Clone, Copy)]
pub(crate) struct Fate {
    /// The link may fail for long enough that a side gives up.
    pub(crate) link_fails: bool,
    /// The server may know its client by a SYN cookie alone. What overtakes the acknowledgment that brings
    /// the cookie back is answered with a reset, as by everybody who keeps nothing.
    pub(crate) has_cookies: bool,
}

/// One user's account.
#[derive(Default)]
pub(crate) struct Side {
    /// Has a connection at all.
    pub(crate) met: Cell<bool>,
    /// Bytes written.
    written: Cell<u64>,
    /// Bytes read.
    read: Cell<u64>,
    /// Saw the end of what the peer wrote.
    pub(crate) saw_end: Cell<bool>,
    /// Closed its sending side in order.
    pub(crate) finished: Cell<bool>,
    /// Aborted the connection, or gave it up before it was there.
    pub(crate) aborted: Cell<bool>,
    /// Holds the connection no more, and does not read what may still come.
    pub(crate) gone: Cell<bool>,
    /// Ends the connection when it is left without an answer for long.
    pub(crate) impatient: Cell<bool>,
    /// The error that it saw.
    pub(crate) failed: Cell<Option<TcpError>>,
}

/// Which end of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Client,
    Server,
}

impl End {
    fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl Conversation {
    pub(crate) fn new(id: u64, fate: Fate) -> Self {
        Self {
            id,
            sides: Default::default(),
            fate,
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn side(&self, end: End) -> &Side {
        &self.sides[end as usize]
    }

    /// Bytes that arrived, both ways.
    pub(crate) fn delivered(&self) -> u64 {
        self.sides.iter().map(|side| side.read.get()).sum()
    }

    /// Bytes that a side has written.
    pub(crate) fn written(&self, end: End) -> u64 {
        self.side(end).written.get()
    }

    /// What a side writes next.
    pub(crate) fn fill(&self, end: End, room: &mut [u8]) {
        self.fill_at(end, self.side(end).written.get(), room);
    }

    pub(crate) fn on_written(&self, end: End, len: usize) {
        let written = &self.side(end).written;
        written.set(written.get() + len as u64);
    }

    /// A side sees bytes, which stay to be seen again.
    pub(crate) fn check_seen(&self, end: End, bytes: &[u8]) {
        let side = self.side(end);
        let (from, to) = (side.read.get(), side.read.get() + bytes.len() as u64);
        let written = self.side(end.other()).written.get();
        assert!(
            to <= written,
            "{self} {end:?}: read {to} bytes of {written} that were written"
        );
        let mut expected = [0; 1024];
        let mut at = from;
        for piece in bytes.chunks(expected.len()) {
            let expected = &mut expected[..piece.len()];
            self.fill_at(end.other(), at, expected);
            if piece != expected {
                let wrong = piece.iter().zip(&*expected).position(|(a, b)| a != b);
                let wrong = at + wrong.unwrap_or(0) as u64;
                panic!("{self} {end:?}: byte {wrong} is not what was written");
            }
            at += piece.len() as u64;
        }
    }

    /// A side reads bytes.
    pub(crate) fn on_read(&self, end: End, bytes: &[u8]) {
        self.check_seen(end, bytes);
        let read = &self.side(end).read;
        read.set(read.get() + bytes.len() as u64);
    }

    /// A side reads the end.
    pub(crate) fn on_end(&self, end: End) {
        let (side, peer) = (self.side(end), self.side(end.other()));
        side.saw_end.set(true);
        let (read, written) = (side.read.get(), peer.written.get());
        assert!(
            peer.finished.get(),
            "{self} {end:?}: an end that nobody made"
        );
        assert_eq!(
            read, written,
            "{self} {end:?}: an end before all was read that was written"
        );
    }

    /// A side sees an error. Panics unless somebody did what explains it.
    pub(crate) fn on_error(&self, end: End, error: TcpError) {
        let (side, peer) = (self.side(end), self.side(end.other()));
        let before = side.failed.get();
        side.failed.set(before.or(Some(error)));
        let explained = match error {
            TcpError::Reset => {
                peer.aborted.get()
                    || peer.gone.get()
                    || peer.failed.get().is_some()
                    || peer.impatient.get()
                    // Its request was forgotten before it was complete.
                    || !peer.met.get()
                    || self.fate.link_fails
                    || self.fate.has_cookies
            }
            TcpError::TimedOut | TcpError::Unreachable => {
                side.impatient.get() || self.fate.link_fails
            }
            TcpError::Aborted => side.aborted.get(),
            TcpError::NotConnected => before.is_some() || side.aborted.get(),
            TcpError::WriteClosed => side.finished.get(),
            _ => false,
        };
        assert!(
            explained,
            "{self} {end:?}: {error:?}, and nothing explains it"
        );
    }

    fn fill_at(&self, end: End, at: u64, room: &mut [u8]) {
        let salt = self.id.wrapping_mul(7_919) + 104_729 * end as u64;
        for (byte, at) in room.iter_mut().zip(at..) {
            // The period is prime, and each has a pattern of its own: no shift is without effect.
            let period = PATTERN.len() as u64;
            let turn = (at / period) as u8;
            *byte = PATTERN[((at + salt) % period) as usize] ^ turn.wrapping_mul(157);
        }
    }
}

impl std::fmt::Display for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "conversation {}", self.id)
    }
}

/// A prime number of bytes.
static PATTERN: LazyLock<Vec<u8>> = LazyLock::new(|| pattern(0, 65_521));
