//! The network itself: moves frames from the port that sends them to the ports that receive them.
//!
//! Everything here happens under the network's lock and is short: no frame is written here, and one is
//! copied only when several ports still want it. Nobody is woken here either: [`State::next_wake`]
//! gives the wakers out one by one, to be woken after unlocking.

use core::task::Waker;

use cygnet_driver::{Instant, LinkState};

use crate::Counters;
use crate::bottleneck::Departure;
use crate::direction::{Direction, Fate, Passage};
use crate::impairments::Impairments;
use crate::pool::{FrameId, FrameInfo, Pool};
use crate::timeline::{Arrival, Timeline};

/// All ports and the frames between them.
pub(crate) struct State<'d> {
    pool: Pool<'d>,
    ports: &'d mut [PortState<'d>],
    /// Somebody may be to wake, so it is worth looking. Saves the search on nearly every frame.
    wakes_due: bool,
    /// Some port is starved.
    any_starved: bool,
}

/// One port, seen from the network.
pub(crate) struct PortState<'d> {
    /// What is on its way to this port.
    inbox: Timeline<'d>,
    /// What happens to the frames that this port sends.
    direction: Direction<'d>,
    counters: Counters,
    link: LinkState,
    /// The port has been dropped: nothing reaches it any more.
    gone: bool,
    /// `transmit` found the pool empty.
    starved: bool,
    wakers: [Wakeup; Reason::ALL.len()],
}

/// A task that waits for something, and whether it has come.
struct Wakeup {
    waker: Option<Waker>,
    ready: bool,
}

/// What a task can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Frame,
    Room,
    LinkState,
}

impl Reason {
    const ALL: [Self; 3] = [Self::Frame, Self::Room, Self::LinkState];
}

/// A buffer lent by the pool.
pub(crate) type Lent<'d> = (FrameId, &'d mut [u8]);

/// A frame that has arrived.
pub(crate) enum Arrived<'d> {
    /// In its own buffer, with its length.
    Whole(Lent<'d>, usize),
    /// Copied out, with its length: others still want it.
    Copied(usize),
}

/// There is nothing now.
pub(crate) enum Wait {
    /// There will be then.
    Until(Instant),
    /// There will be when another port does something.
    ForOthers,
}

/// A waker to wake, and where to look for the next one, if there is any.
pub(crate) struct NextWake {
    pub(crate) waker: Waker,
    pub(crate) more_from: Option<usize>,
}

impl<'d> State<'d> {
    pub(crate) fn new(pool: Pool<'d>, ports: &'d mut [PortState<'d>]) -> Self {
        Self {
            pool,
            ports,
            wakes_due: false,
            any_starved: false,
        }
    }

    /// The next frame for a port. A frame that others want too goes to `copy`.
    pub(crate) fn receive(
        &mut self,
        port: usize,
        now: impl FnOnce() -> Instant,
        copy: &mut [u8],
    ) -> Result<Arrived<'d>, Wait> {
        let inbox = &mut self.ports[port].inbox;
        match inbox.next_due() {
            Some(due) if due > Instant::ZERO && due > now() => return Err(Wait::Until(due)),
            _ => {}
        }
        let Some(arrival) = inbox.pop() else {
            return Err(Wait::ForOthers);
        };
        let info = self.pool.info(arrival.frame);
        if arrival.repeats {
            inbox.push_again(Arrival {
                due: arrival.due + info.repeat_after,
                repeats: false,
                ..arrival
            });
        }
        self.ports[info.from].counters.delivered += 1;
        let whole = (!arrival.repeats)
            .then(|| self.pool.lend_stored(arrival.frame))
            .flatten();
        if let Some(buffer) = whole {
            flip(buffer, info.flip);
            return Ok(Arrived::Whole((arrival.frame, buffer), info.len));
        }
        let len = self.pool.copy_to(arrival.frame, copy);
        flip(copy, info.flip);
        if !arrival.repeats {
            self.let_go(arrival.frame);
        }
        Ok(Arrived::Copied(len))
    }

    /// Room for one frame from a port.
    pub(crate) fn room(
        &mut self,
        port: usize,
        now: impl FnOnce() -> Instant,
    ) -> Result<Lent<'d>, Wait> {
        let state = &mut self.ports[port];
        if let Some(until) = state.direction.blocked_until(now) {
            return Err(Wait::Until(until));
        }
        let lent = self.pool.lend();
        state.starved = lent.is_none();
        self.any_starved |= lent.is_none();
        lent.ok_or(Wait::ForOthers)
    }

    /// Sends the first `len` bytes of a lent buffer from a port.
    pub(crate) fn send(
        &mut self,
        port: usize,
        (frame, buffer): Lent<'d>,
        len: usize,
        now: impl FnOnce() -> Instant,
    ) {
        let sender = &mut self.ports[port];
        sender.counters.sent += 1;
        if sender.link == LinkState::Down {
            sender.counters.link_drops += 1;
            return self.give_back((frame, buffer));
        }
        let fate = sender.direction.decide(len, now);
        let passage = match fate {
            Fate::Arrives(passage) => passage,
            Fate::Lost => {
                sender.counters.lost += 1;
                return self.give_back((frame, buffer));
            }
            Fate::QueueFull => {
                sender.counters.queue_drops += 1;
                return self.give_back((frame, buffer));
            }
        };
        let holders = self.spread(port, frame, passage);
        if holders == 0 {
            return self.give_back((frame, buffer));
        }
        let counters = &mut self.ports[port].counters;
        counters.duplicated += u64::from(passage.repeat_after.is_some());
        counters.reordered += u64::from(passage.reordered);
        counters.corrupted += u64::from(passage.flip.is_some());
        let info = FrameInfo {
            len,
            from: port,
            flip: passage.flip,
            repeat_after: passage.repeat_after.unwrap_or_default(),
        };
        self.pool.store(frame, buffer, info, holders);
    }

    /// Puts a frame into the inboxes of all ports that are to receive it, and says how many they are.
    fn spread(&mut self, sender: usize, frame: FrameId, passage: Passage) -> usize {
        let arrival = Arrival {
            due: passage.due,
            frame,
            repeats: passage.repeat_after.is_some(),
        };
        let is_loopback = self.ports.len() == 1;
        let mut holders = 0;
        let mut link_drops = 0;
        for (index, receiver) in self.ports.iter_mut().enumerate() {
            if index == sender && !is_loopback || receiver.gone {
                continue;
            }
            if receiver.link == LinkState::Down {
                link_drops += 1;
                continue;
            }
            // An inbox has a place for every frame there is, so there is one for this.
            let Some(place) = receiver.inbox.push(arrival) else {
                continue;
            };
            holders += 1;
            if place == 0 {
                self.wakes_due |= receiver.wakers[Reason::Frame as usize].come();
            }
        }
        self.ports[sender].counters.link_drops += link_drops;
        holders
    }

    /// Takes a lent buffer back.
    pub(crate) fn give_back(&mut self, (frame, buffer): Lent<'d>) {
        self.pool.give_back(frame, buffer);
        self.wakes_due |= self.any_starved;
    }

    pub(crate) fn link(&self, port: usize) -> LinkState {
        self.ports[port].link
    }

    pub(crate) fn set_link(&mut self, port: usize, link: LinkState) {
        let Some(state) = self.ports.get_mut(port) else {
            return;
        };
        if state.link == link {
            return;
        }
        state.link = link;
        self.wakes_due |= state.wakers[Reason::LinkState as usize].come();
        if link == LinkState::Down {
            self.empty_inbox(port);
        }
    }

    /// The port is dropped.
    pub(crate) fn detach(&mut self, port: usize) {
        self.ports[port].gone = true;
        self.empty_inbox(port);
    }

    pub(crate) fn set_impairments(&mut self, port: usize, impairments: Impairments) {
        if let Some(state) = self.ports.get_mut(port) {
            state.direction.set(impairments, port);
            self.wakes_due |= state.wakers[Reason::Room as usize].come();
        }
    }

    pub(crate) fn counters(&self, port: usize) -> Counters {
        self.ports
            .get(port)
            .map_or_else(Counters::default, |state| state.counters)
    }

    pub(crate) fn in_flight(&self, port: usize) -> usize {
        self.ports.get(port).map_or(0, |state| state.inbox.len())
    }

    pub(crate) fn free_frames(&self) -> usize {
        self.pool.available()
    }

    /// Has `waker` woken when `reason` comes. Returns the waker it replaces, to be dropped after
    /// unlocking: that may run arbitrary code.
    #[must_use]
    pub(crate) fn register(&mut self, port: usize, reason: Reason, waker: &Waker) -> Option<Waker> {
        let wakeup = &mut self.ports[port].wakers[reason as usize];
        wakeup.ready = false;
        match &wakeup.waker {
            Some(registered) if registered.will_wake(waker) => None,
            _ => wakeup.waker.replace(waker.clone()),
        }
    }

    /// The first task to wake after a change, which the caller made under the same lock.
    pub(crate) fn first_wake(&mut self) -> Option<NextWake> {
        if !core::mem::take(&mut self.wakes_due) {
            return None;
        }
        let wake = self.next_wake(0);
        self.any_starved = self.ports.iter().any(|port| port.starved);
        wake
    }

    /// The next task to wake, looking no further back than `from`. What became ready behind that
    /// since, whoever changed it looks after.
    pub(crate) fn next_wake(&mut self, from: usize) -> Option<NextWake> {
        let at = self.find_wake(from)?;
        let more_from = self.find_wake(at + 1);
        let (port, reason) = (at / Reason::ALL.len(), at % Reason::ALL.len());
        let state = &mut self.ports[port];
        state.starved &= reason != Reason::Room as usize;
        let wakeup = &mut state.wakers[reason];
        wakeup.ready = false;
        let waker = wakeup.waker.take()?;
        Some(NextWake { waker, more_from })
    }

    fn find_wake(&self, from: usize) -> Option<usize> {
        let reasons = Reason::ALL.len();
        (from..self.ports.len() * reasons)
            .find(|&at| self.ports[at / reasons].is_to_wake(at % reasons, self.pool.available()))
    }

    /// Frees what is on its way to a port; each such frame counts as dropped by the link.
    fn empty_inbox(&mut self, port: usize) {
        while let Some(arrival) = self.ports[port].inbox.pop() {
            let from = self.pool.info(arrival.frame).from;
            self.ports[from].counters.link_drops += 1 + u64::from(arrival.repeats);
            self.let_go(arrival.frame);
        }
    }

    /// One inbox less holds a frame.
    fn let_go(&mut self, frame: FrameId) {
        self.pool.let_go(frame);
        self.wakes_due |= self.any_starved;
    }
}

impl<'d> PortState<'d> {
    /// A port not yet plugged in, all zeros.
    pub(crate) const fn new() -> Self {
        Self {
            inbox: Timeline::new(),
            direction: Direction::new(),
            counters: Counters::ZERO,
            link: LinkState::Down,
            gone: false,
            starved: false,
            wakers: [const { Wakeup::NOBODY }; Reason::ALL.len()],
        }
    }

    /// Plugs the port in and gives it its memory: a place in each for every frame of the network.
    pub(crate) fn place(&mut self, arrivals: &'d mut [Arrival], departures: &'d mut [Departure]) {
        self.link = LinkState::Up;
        self.inbox.place(arrivals);
        self.direction.place(departures);
    }

    fn is_to_wake(&self, reason: usize, free_frames: usize) -> bool {
        let wakeup = &self.wakers[reason];
        let has_room = reason == Reason::Room as usize && self.starved && free_frames > 0;
        wakeup.waker.is_some() && (wakeup.ready || has_room)
    }
}

impl Wakeup {
    const NOBODY: Self = Self {
        waker: None,
        ready: false,
    };

    /// What was waited for is here. Says whether anybody waits.
    fn come(&mut self) -> bool {
        self.ready = true;
        self.waker.is_some()
    }
}

/// Flips one bit of a frame.
fn flip(frame: &mut [u8], bit: Option<usize>) {
    let Some(bit) = bit else { return };
    if let Some(byte) = frame.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
}
