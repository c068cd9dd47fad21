//! What is to be sent next, whatever there is to say otherwise.

/// What is to be sent whether there is data or not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Due {
    /// An acknowledgment.
    pub(super) ack: bool,
    /// How often the acknowledgment is to be repeated (RFC 5681, section 4.2).
    pub(super) duplicates: u8,
    /// A bit for each [`Special`].
    pub(super) special: u8,
}

/// A segment that is sent only now and then.
#[derive(Clone, Copy, Debug)]
pub(super) enum Special {
    /// A SYN, or a SYN with ACK.
    Syn = 1,
    Reset = 2,
    /// Data against a closed window, or less than is worth a segment; or, with a SYN, against a window that
    /// is not known yet.
    Probe = 4,
    /// A tail loss probe.
    LossProbe = 8,
    /// A question whether the peer is still there.
    #[cfg(feature = "tcp-keep-alive")]
    KeepAlive = 16,
}

impl Due {
    pub(super) fn set(&mut self, segment: Special) {
        self.special |= segment as u8;
    }

    pub(super) fn is_set(self, segment: Special) -> bool {
        self.special & segment as u8 != 0
    }

    /// Whether it was due; it no longer is.
    pub(super) fn take(&mut self, segment: Special) -> bool {
        let was_set = self.is_set(segment);
        self.special &= !(segment as u8);
        was_set
    }
}
