//! Room with the driver for what one poll of the runner sends.

use core::task::Context;

use cygnet_config::{TRANSMIT_BURST, TRANSMIT_TURN};
use cygnet_driver::Driver;

use crate::engine::{Outgoing, Room};

/// The frames that this poll may still send, and of them those of the socket whose turn it is.
pub(super) struct Lane<'a, 'c, D> {
    driver: &'a mut D,
    cx: &'a mut Context<'c>,
    burst: usize,
    turn: usize,
    /// For how many frames the driver has said that there is room.
    room: usize,
    /// It has said so of one that it did not take.
    refused: bool,
}

impl<'a, 'c, D: Driver> Lane<'a, 'c, D> {
    pub(super) fn new(driver: &'a mut D, cx: &'a mut Context<'c>) -> Self {
        Self {
            driver,
            cx,
            burst: TRANSMIT_BURST,
            turn: 0,
            room: 0,
            refused: false,
        }
    }

    /// Whether this poll has sent as much as it may.
    pub(super) fn is_spent(&self) -> bool {
        self.burst == 0
    }

    /// The next turn. False if there is no room with the driver, which wakes the runner when there is.
    pub(super) fn begin_turn(&mut self) -> bool {
        self.turn = TRANSMIT_TURN.min(self.burst);
        !self.refused && self.has_room()
    }

    /// Whether the driver did not take the last frame, although it had said that there was room. That frame is lost,
    /// as on a wire: its owner has let go of it. So that it is the only one, there are no more turns.
    pub(super) fn is_refused(&self) -> bool {
        self.refused
    }

    /// A turn in which nothing was sent counts as one frame, so that a poll is bounded.
    pub(super) fn waste_turn(&mut self) {
        self.burst = self.burst.saturating_sub(1);
    }

    fn has_room(&mut self) -> bool {
        if self.room == 0 {
            self.room = self.driver.transmit_room(self.cx);
        }
        self.room > 0
    }
}

impl<D: Driver> Room for Lane<'_, '_, D> {
    fn send(&mut self, frame: &Outgoing<'_>) -> bool {
        self.turn -= 1;
        self.burst -= 1;
        self.room -= 1;
        match self.driver.transmit(self.cx) {
            Some(tx) => frame.send(tx),
            None => {
                self.refused = true;
                self.turn = 0;
            }
        }
        self.turn > 0 && self.room > 0
    }

    fn has_more(&mut self) -> bool {
        self.turn > 0 && self.has_room()
    }
}
