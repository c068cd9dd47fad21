//! Looking at the target without expecting anything.

use cygnet::{Discard, TcpState};

use super::super::peer::Peer;
use super::super::target::{Failure, ListenerId, SocketId};
use super::Script;

impl Script {
    /// What a read returns now: zero bytes are the end, `None` is that it would wait.
    pub fn try_read(&self, socket: SocketId, limit: usize) -> Option<Result<usize, Failure>> {
        let mut text = vec![0; limit];
        let mut conversation = self.conversation.borrow_mut();
        conversation.target.read(socket, &mut text)
    }

    /// The connection that waits to be accepted, if there is one.
    pub fn try_accept(&self, listener: ListenerId) -> Option<SocketId> {
        self.conversation.borrow_mut().target.accept(listener)
    }

    /// Stops to listen.
    pub fn unlisten(&self, listener: ListenerId) {
        self.note_call("unlisten");
        self.conversation.borrow_mut().target.unlisten(listener);
    }

    /// Where the connection with `peer` is in its life: what `socket` says on cygnet, and the kernel's
    /// table on Linux, which knows connections that have no socket, too.
    pub fn state(&self, peer: &Peer<'_>, socket: Option<SocketId>) -> Option<TcpState> {
        let mut conversation = self.conversation.borrow_mut();
        conversation.target.state(peer.ports(), socket)
    }

    /// How many packets were dropped for that reason; not known of the kernel.
    pub fn discarded(&self, reason: Discard) -> Option<u32> {
        self.conversation.borrow().target.discarded(reason)
    }
}
