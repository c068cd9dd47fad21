//! What a handle may be waiting for.

/// What happened to a socket, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Events(u8);

impl Events {
    pub(crate) const NONE: Self = Self(0);
    /// There is something to read or to accept, or an end or error to hear of.
    pub(crate) const READABLE: Self = Self(1);
    /// There is room to write, or what was written has arrived.
    pub(crate) const WRITABLE: Self = Self(2);
    /// The state changed.
    pub(crate) const STATE: Self = Self(4);
    /// A datagram came in: whoever receives on the socket may wait for it in either place.
    #[cfg(any(
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw"
    ))]
    pub(crate) const RECEIVED: Self = Self(1 | 4);
    /// All of them.
    pub(crate) const ALL: Self = Self(7);

    pub(crate) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether it contains what is waited for in a socket's place of that number: its readers', writers' or the state's.
    pub(crate) fn has(self, place: usize) -> bool {
        self.0 >> place & 1 != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl core::ops::BitOrAssign for Events {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
