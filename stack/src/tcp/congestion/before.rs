//! The window before it was last reduced, to take that back.

/// In bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Before {
    cwnd: u32,
    ssthresh: u32,
}

impl Before {
    pub(super) fn of(cwnd: u32, ssthresh: u32) -> Self {
        Self { cwnd, ssthresh }
    }

    pub(super) fn restore(&self, cwnd: &mut u32, ssthresh: &mut u32) {
        *cwnd = self.cwnd.max(*cwnd);
        *ssthresh = self.ssthresh.max(*ssthresh);
    }

    #[cfg(feature = "tcp-cubic")]
    pub(super) fn window(&self) -> u32 {
        self.cwnd
    }
}
