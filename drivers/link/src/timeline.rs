//! The frames on their way to one port, in the order in which they arrive.

use cygnet_driver::Instant;

use crate::pool::FrameId;
use crate::ring::Ring;

/// A frame on its way to one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// When it arrives; [`Instant::ZERO`] is at once, without a look at the clock.
    pub(crate) due: Instant,
    pub(crate) frame: FrameId,
    /// It arrives once more after this time.
    pub(crate) repeats: bool,
}

impl Arrival {
    pub(crate) const EMPTY: Self = Self {
        due: Instant::ZERO,
        frame: FrameId::FIRST,
        repeats: false,
    };
}

/// Arrivals by due time, first come first served among equals.
///
/// An insertion starts at the end where its place most likely is, so it moves only the frames that
/// the new one overtakes: none, unless the link reorders.
pub(crate) struct Timeline<'d> {
    arrivals: Ring<'d, Arrival>,
}

impl<'d> Timeline<'d> {
    pub(crate) const fn new() -> Self {
        Self {
            arrivals: Ring::new(),
        }
    }

    pub(crate) fn place(&mut self, memory: &'d mut [Arrival]) {
        self.arrivals.place(memory);
    }

    pub(crate) fn len(&self) -> usize {
        self.arrivals.len()
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.arrivals.front().map(|arrival| arrival.due)
    }

    pub(crate) fn pop(&mut self) -> Option<Arrival> {
        self.arrivals.pop_front()
    }

    /// Adds a frame behind all that are due no later. Says where it landed, 0 being the front;
    /// `None` if there was no place.
    pub(crate) fn push(&mut self, arrival: Arrival) -> Option<usize> {
        let mut at = self.arrivals.len();
        while at > 0 && self.arrivals.get(at - 1).due > arrival.due {
            at -= 1;
        }
        self.arrivals.insert(at, arrival).then_some(at)
    }

    /// Adds the second arrival of a frame just popped in front of all that are due no earlier: it was
    /// sent before them.
    pub(crate) fn push_again(&mut self, arrival: Arrival) -> bool {
        let mut at = 0;
        while at < self.arrivals.len() && self.arrivals.get(at).due < arrival.due {
            at += 1;
        }
        self.arrivals.insert(at, arrival)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(due: u64, frame: usize) -> Arrival {
        Arrival {
            due: Instant::from_micros(due),
            frame: FrameId::new(frame),
            repeats: false,
        }
    }

    #[test]
    fn orders_by_due_time_and_keeps_the_order_of_equals() {
        let mut memory = [Arrival::EMPTY; 8];
        let mut timeline = Timeline::new();
        timeline.place(&mut memory);
        let landed = [at(5, 0), at(3, 1), at(5, 2), at(3, 3), at(1, 4)].map(|a| timeline.push(a));
        assert_eq!(landed, [Some(0), Some(0), Some(2), Some(1), Some(0)]);
        for expected in [at(1, 4), at(3, 1), at(3, 3), at(5, 0), at(5, 2)] {
            assert_eq!(timeline.pop(), Some(expected));
        }
        assert_eq!(timeline.pop(), None);
    }

    #[test]
    fn a_second_arrival_goes_before_equals() {
        let mut memory = [Arrival::EMPTY; 8];
        let mut timeline = Timeline::new();
        timeline.place(&mut memory);
        for arrival in [at(3, 0), at(5, 1), at(7, 2)] {
            timeline.push(arrival);
        }
        assert!(timeline.push_again(at(5, 9)));
        for expected in [at(3, 0), at(5, 9), at(5, 1), at(7, 2)] {
            assert_eq!(timeline.pop(), Some(expected));
        }
    }
}
