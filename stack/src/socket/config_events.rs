//! A reader of what becomes of the link and the configuration.

use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};

use super::stack::Stack;
use crate::engine::ConfigEvent;

/// What becomes of the link and the configuration, one event after the other: see [`Stack::config_events`].
pub struct ConfigEvents<'d, M: RawMutex = NoopRawMutex> {
    stack: Stack<'d, M>,
    /// The number of the next event; `None` until the stack could be asked for it.
    place: Option<u32>,
}

impl<'d, M: RawMutex> Stack<'d, M> {
    /// A reader of what happens to the link and the configuration from now on. There can be any number of
    /// them, and each hears everything. The stack keeps the last `CONFIG_EVENT_COUNT` events; a reader that is
    /// slower hears [`ConfigEvent::Lagged`].
    ///
    /// A reader that is made before the runner first runs hears of the link and of fixed addresses too.
    pub fn config_events(&self) -> ConfigEvents<'d, M> {
        ConfigEvents {
            stack: *self,
            place: self.with(|s| s.engine.notices_end()).ok(),
        }
    }
}

impl<M: RawMutex> ConfigEvents<'_, M> {
    /// Waits for the next event. Cancellation safe: no event is lost.
    pub async fn next(&mut self) -> ConfigEvent {
        let place = &mut self.place;
        self.stack
            .wait_until(|engine| engine.read_notice(place))
            .await
    }

    /// The next event if there is one.
    pub fn try_next(&mut self) -> Option<ConfigEvent> {
        let place = &mut self.place;
        self.stack.with(|s| s.engine.read_notice(place)).ok()?
    }
}
