//! What is so or not about a connection: in one byte where memory is dear, and elsewhere in one each, which is quicker.

/// Which of [`Mark`] are so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks(Memory);

#[cfg(target_pointer_width = "64")]
type Memory = [bool; 3 + cfg!(feature = "tcp-fast-open") as usize];
#[cfg(not(target_pointer_width = "64"))]
type Memory = u8;

/// What may be so.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    /// The handle is gone: nobody reads what still arrives.
    Detached,
    /// The user changed something that timers depend on.
    Touched,
    /// Accepted on this socket, and its user does not know of it yet.
    Unclaimed,
    /// What came with the peer's SYN was taken, and may be answered before the handshake is complete (RFC 7413).
    #[cfg(feature = "tcp-fast-open")]
    Early,
}

#[cfg(target_pointer_width = "64")]
impl Marks {
    #[inline(always)]
    pub(super) fn has(&self, mark: Mark) -> bool {
        self.0[mark as usize]
    }

    #[inline(always)]
    pub(super) fn put(&mut self, mark: Mark, is_so: bool) {
        self.0[mark as usize] = is_so;
    }
}

#[cfg(not(target_pointer_width = "64"))]
impl Marks {
    pub(super) fn has(&self, mark: Mark) -> bool {
        self.0 & 1 << mark as u8 != 0
    }

    pub(super) fn put(&mut self, mark: Mark, is_so: bool) {
        if is_so {
            self.0 |= 1 << mark as u8;
        } else {
            self.0 &= !(1 << mark as u8);
        }
    }
}
