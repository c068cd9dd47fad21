//! SEND and RECEIVE calls of the user (RFC 9293, sections 3.10.2 and 3.10.3), and what can be set meanwhile.
//!
//! None of them takes time or starts a timer: they leave the connection wanting to send, and
//! [`Connection::poll_segment`], which comes next and knows the time, does the rest.

use super::Connection;
use super::timers::Timer;
use crate::storage::{Bytes, Ring};
use crate::tcp::State;
use crate::tcp::options::{AckDelay, Millis};
use crate::tcp::rtt::MinRto;
use crate::time::Duration;

/// What is to be done after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FollowUp {
    /// Nothing.
    None,
    /// There is something to send.
    Send,
    /// More has changed than that.
    Settle,
}

impl<'d> Connection<'d> {
    /// What the last call has made necessary. As no timer runs sooner for it, deadlines need not be looked at.
    #[inline(never)]
    pub(crate) fn follow_up(&self) -> FollowUp {
        if !self.events.is_empty() {
            FollowUp::Settle
        } else if self.wants_to_send() {
            FollowUp::Send
        } else {
            FollowUp::None
        }
    }

    /// Whether small segments wait for acknowledgments.
    pub(crate) fn set_nagle(&mut self, enabled: bool) {
        self.options.nagle = enabled;
        self.touch();
    }

    /// Sets for how long an acknowledgment may wait.
    pub(crate) fn set_ack_delay(&mut self, delay: Option<Duration>) {
        self.options.ack_delay = delay.map(AckDelay::from);
    }

    /// Sets how long the retransmission timeout is at least.
    pub(crate) fn set_min_rto(&mut self, min_rto: Duration) {
        self.options.min_rto = MinRto::from(min_rto);
        self.rtt.set_min_rto(self.options.min_rto);
    }

    /// Sets the time after which unacknowledged data ends the connection.
    pub(crate) fn set_user_timeout(&mut self, timeout: Option<Duration>) {
        self.options.user_timeout = timeout.map(Millis::from);
        self.timers.stop(Timer::User);
        self.touch();
    }

    /// SEND call: queues as much of `data` as there is room for.
    pub(crate) fn write(&mut self, data: &[u8]) -> usize {
        if !self.can_write() {
            return 0;
        }
        self.wake_to_send();
        self.snd.ring.enqueue(data)
    }

    /// SEND call without a copy: `fill` writes into the send buffer and says how much.
    pub(crate) fn write_with<R>(&mut self, fill: impl FnOnce(&mut [u8]) -> (usize, R)) -> R {
        let room = if self.can_write() {
            self.snd.ring.writable()
        } else {
            &mut []
        };
        let len = room.len();
        let (count, result) = fill(room);
        self.snd.ring.claim(count.min(len));
        self.wake_to_send();
        result
    }

    /// Where the window lets nothing out there is nothing to send, and yet a timer to start: the one
    /// that probes the window. While something is in flight its acknowledgment sees to that.
    fn wake_to_send(&mut self) {
        if self.snd.flight() == 0 {
            self.touch();
        }
    }

    /// RECEIVE call: takes what was received, as far as it fits.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> usize {
        let count = self.rcv.ring.dequeue(out);
        self.after_read();
        count
    }

    /// As [`Self::read`], but leaves it there.
    pub(crate) fn peek(&self, out: &mut [u8]) -> usize {
        self.rcv.ring.peek(out)
    }

    /// RECEIVE call without a copy: `take` sees the received bytes that lie in one piece and says how
    /// many it is done with.
    pub(crate) fn read_with<R>(&mut self, take: impl FnOnce(&mut [u8]) -> (usize, R)) -> R {
        let text = self.rcv.ring.readable();
        let len = text.len();
        let (count, result) = take(text);
        self.rcv.ring.consume(count.min(len));
        self.after_read();
        result
    }

    fn after_read(&mut self) {
        if !self.rcv.has_gaps() {
            self.rcv.ring.restart_if_empty();
        }
        if self.state.can_receive() && self.rcv.wants_update(self.mss) {
            self.due.ack = true;
        }
    }

    /// Takes the buffers away from a connection that nobody reads any more.
    pub(crate) fn take_buffers(&mut self) -> (Bytes<'d>, Bytes<'d>) {
        let receive = core::mem::replace(&mut self.rcv.ring, Ring::new(Bytes::empty()));
        let send = core::mem::replace(&mut self.snd.ring, Ring::new(Bytes::empty()));
        (receive.into_buffer(), send.into_buffer())
    }

    pub(crate) fn receive_capacity(&self) -> usize {
        self.rcv.ring.capacity()
    }

    /// Bytes that can be read.
    pub(crate) fn receive_queue(&self) -> usize {
        self.rcv.ring.len()
    }

    /// Whether nothing more will become readable.
    pub(crate) fn receive_ended(&self) -> bool {
        self.state.is_over() && self.state != State::Listen || self.rcv.is_finished()
    }

    /// Whether the peer ended its side in order.
    pub(crate) fn is_finished(&self) -> bool {
        self.rcv.is_finished()
    }

    /// Room for bytes to write.
    pub(crate) fn send_room(&self) -> usize {
        self.snd.ring.free()
    }

    pub(crate) fn send_capacity(&self) -> usize {
        self.snd.ring.capacity()
    }

    /// Bytes written and not yet acknowledged.
    pub(crate) fn send_queue(&self) -> usize {
        self.snd.ring.len()
    }

    /// Whether the user may write.
    pub(crate) fn can_write(&self) -> bool {
        self.state.can_send() && !self.snd.closed
    }

    /// Whether everything written was acknowledged, and the end if there is one.
    pub(crate) fn all_acked(&self) -> bool {
        self.snd.all_acked()
    }
}

#[cfg(test)]
mod tests;
