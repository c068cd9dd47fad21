//! The link that joins two hosts: two rings of frame buffers, filled and emptied in place.
//!
//! Each stack implements its own driver trait for [`End`] in its own file, so that a frame costs all
//! of them the same: no allocation and no copy. A host receives only while it has room to answer,
//! which is what the peers' driver traits want. All in one thread.

use std::cell::{RefCell, RefMut};
use std::mem;
use std::rc::Rc;
use std::task::{Context, Waker};

/// A link for frames of up to `frame_len` bytes.
pub(crate) fn link(frame_len: usize) -> (End, End) {
    let (there, back) = (Ring::shared(frame_len), Ring::shared(frame_len));
    let client = End {
        sends: there.clone(),
        receives: back.clone(),
        frame_len,
        index: 0,
    };
    let server = End {
        sends: back,
        receives: there,
        frame_len,
        index: 1,
    };
    (client, server)
}

/// One end of a link.
pub(crate) struct End {
    sends: Rc<RefCell<Ring>>,
    receives: Rc<RefCell<Ring>>,
    frame_len: usize,
    index: u8,
}

impl End {
    /// The hardware address.
    pub(crate) fn mac(&self) -> [u8; 6] {
        [2, 0, 0, 0, 0, self.index]
    }

    /// The longest frame in bytes.
    pub(crate) fn frame_len(&self) -> usize {
        self.frame_len
    }

    /// Whether a frame waits to be received.
    pub(crate) fn has_frame(&self) -> bool {
        self.receives.borrow().count > 0
    }

    /// The next frame. Wakes `cx` when there is one.
    pub(crate) fn take(&self, cx: Option<&Context<'_>>) -> Option<Incoming<'_>> {
        let mut receives = self.receives.borrow_mut();
        if receives.count == 0 {
            receives.reader.wait(cx);
            return None;
        }
        Some(Incoming(receives))
    }

    /// The next frame, and room for an answer. Wakes `cx` when there may be both.
    pub(crate) fn receive(&self, cx: Option<&Context<'_>>) -> Option<(Incoming<'_>, Outgoing<'_>)> {
        let frame = self.take(cx)?;
        let room = self.transmit(cx)?;
        Some((frame, room))
    }

    /// For how many frames there is room. Wakes `cx` when there is some.
    pub(crate) fn room(&self, cx: Option<&Context<'_>>) -> usize {
        let mut sends = self.sends.borrow_mut();
        let room = sends.lens.len() - sends.count;
        if room == 0 {
            sends.writer.wait(cx);
        }
        room
    }

    /// Room for a frame. Wakes `cx` when there is some.
    pub(crate) fn transmit(&self, cx: Option<&Context<'_>>) -> Option<Outgoing<'_>> {
        let mut sends = self.sends.borrow_mut();
        if sends.count == sends.lens.len() {
            sends.writer.wait(cx);
            return None;
        }
        Some(Outgoing(sends))
    }
}

/// A frame to receive.
pub(crate) struct Incoming<'a>(RefMut<'a, Ring>);

impl Incoming<'_> {
    pub(crate) fn consume<R>(mut self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let ring = &mut *self.0;
        let slot = ring.first;
        let len = ring.lens[slot];
        let result = f(&mut ring.slot(slot)[..len]);
        ring.first = (slot + 1) % ring.lens.len();
        ring.count -= 1;
        ring.writer.wake();
        result
    }
}

/// Room for a frame to send.
pub(crate) struct Outgoing<'a>(RefMut<'a, Ring>);

impl Outgoing<'_> {
    pub(crate) fn consume<R>(mut self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let ring = &mut *self.0;
        let slot = (ring.first + ring.count) % ring.lens.len();
        let result = f(&mut ring.slot(slot)[..len]);
        ring.lens[slot] = len;
        ring.count += 1;
        ring.reader.wake();
        result
    }
}

/// The frames on their way in one direction.
struct Ring {
    frames: Box<[u8]>,
    frame_len: usize,
    /// The length of the frame in each slot.
    lens: Box<[usize]>,
    first: usize,
    count: usize,
    reader: Waiter,
    writer: Waiter,
}

/// Who waits at an end. Its waker stays, so that to wait and to be woken again and again costs none of the
/// atomic operations that a clone does: a stack that is polled in a loop has nothing like it.
#[derive(Default)]
struct Waiter {
    waker: Option<Waker>,
    waits: bool,
}

impl Waiter {
    fn wait(&mut self, cx: Option<&Context<'_>>) {
        let Some(cx) = cx else { return };
        self.waits = true;
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => self.waker = Some(cx.waker().clone()),
        }
    }

    fn wake(&mut self) {
        if mem::take(&mut self.waits)
            && let Some(waker) = &self.waker
        {
            waker.wake_by_ref();
        }
    }
}

impl Ring {
    fn shared(frame_len: usize) -> Rc<RefCell<Self>> {
        let depth = (BYTES / frame_len).clamp(MIN_DEPTH, MAX_DEPTH);
        Rc::new(RefCell::new(Self {
            frames: vec![0; depth * frame_len].into(),
            frame_len,
            lens: vec![0; depth].into(),
            first: 0,
            count: 0,
            reader: Waiter::default(),
            writer: Waiter::default(),
        }))
    }

    fn slot(&mut self, slot: usize) -> &mut [u8] {
        &mut self.frames[slot * self.frame_len..][..self.frame_len]
    }
}

/// About how many bytes one direction holds: small enough for the caches.
const BYTES: usize = 128 << 10;
/// Enough for a window of 64 KiB in plain Ethernet frames, and for all datagrams of a socket.
const MAX_DEPTH: usize = 64;
/// Enough for acknowledgments beside data in the longest frames.
const MIN_DEPTH: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn send(end: &End, byte: u8) -> bool {
        let room = end.transmit(None);
        room.map(|room| room.consume(2, |frame| frame.fill(byte)))
            .is_some()
    }

    fn receive(end: &End) -> Option<u8> {
        let (frame, _) = end.receive(None)?;
        Some(frame.consume(|frame| {
            assert_eq!(frame.len(), 2);
            frame[0]
        }))
    }

    #[test]
    fn frames_arrive_in_order_and_around_the_ring() {
        let (client, server) = link(JUMBO);
        for byte in 0..50 {
            assert!(send(&client, byte));
            assert!(send(&client, 100 + byte));
            assert_eq!(receive(&server), Some(byte));
            assert_eq!(receive(&server), Some(100 + byte));
            assert_eq!(receive(&server), None);
            assert!(!client.has_frame(), "nothing comes back");
        }
    }

    #[test]
    fn a_full_ring_refuses_and_holds_what_it_has() {
        let (client, server) = link(JUMBO);
        let sent = (0..).take_while(|&byte| send(&client, byte)).count();
        assert_eq!(sent, MIN_DEPTH);
        assert!(!send(&client, 99));
        for byte in 0..sent {
            assert_eq!(receive(&server), Some(byte as u8));
        }
        assert!(send(&client, 99));
    }

    #[test]
    fn a_host_without_room_to_answer_receives_nothing() {
        let (client, server) = link(JUMBO);
        while send(&server, 0) {}
        send(&client, 1);
        assert_eq!(receive(&server), None);
        receive(&client);
        assert_eq!(receive(&server), Some(1));
    }

    #[test]
    fn a_window_of_plain_frames_fits() {
        let (client, _server) = link(1514);
        let sent = (0..).take_while(|_| send(&client, 0)).count();
        assert!(sent * 1460 >= 65536, "{sent} frames");
    }

    const JUMBO: usize = 65535;
}
