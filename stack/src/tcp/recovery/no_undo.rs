//! Without a look at whether losses were any: what was done about them stays.

/// Nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Suspicion(());

impl Suspicion {
    pub(crate) fn start(&mut self) {}

    pub(crate) fn settle(&mut self) {}

    pub(crate) fn on_timeout(&mut self, _again: bool) {}

    pub(crate) fn on_retransmitted(&mut self, _timestamp: Option<u32>) {}

    pub(crate) fn on_progress(&mut self) {}

    pub(crate) fn on_duplicate_reported(&mut self, _acknowledged: bool) -> bool {
        false
    }

    pub(crate) fn is_older_than_retransmission(&self, _echo: Option<u32>) -> bool {
        false
    }

    pub(crate) fn on_ack_after_timeout(&mut self, _original: bool, _advances: bool) -> bool {
        false
    }

    pub(crate) fn prefers_new_data(&self) -> bool {
        false
    }
}
