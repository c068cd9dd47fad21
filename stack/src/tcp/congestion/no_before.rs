//! In place of `before.rs`, where reductions of the window stay.

/// Nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Before(());

impl Before {
    pub(super) fn of(_cwnd: u32, _ssthresh: u32) -> Self {
        Self(())
    }

    pub(super) fn restore(&self, _cwnd: &mut u32, _ssthresh: &mut u32) {}
}
