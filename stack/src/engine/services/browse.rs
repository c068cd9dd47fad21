//! Questions that are asked of everybody for as long as somebody wants to know: each has a slot of its own,
//! and hears every response.

use crate::dns::mdns::{Browse, Destination, Versions};
use crate::dns::{MdnsError, MdnsFound};
use crate::engine::outgoing::Room;
use crate::engine::services::mdns::MESSAGE;
use crate::engine::sockets::Body;
use crate::engine::{Engine, SocketKey};
use crate::events::Events;
use crate::storage::{Bytes, Index};
use crate::time::Instant;
use crate::wire::dns::{MdnsMessage, Name, RecordType};

// What handles ask for.
impl<'d> Engine<'d> {
    pub(crate) fn browse_open(
        &mut self,
        name: Name,
        kind: RecordType,
        buffer: Bytes<'d>,
    ) -> Result<SocketKey, MdnsError> {
        if self.services.mdns.browsers.is_full() {
            return Err(MdnsError::TooManyBrowsers);
        }
        self.mdns_join()?;
        let browse = Browse::new(name, kind, buffer);
        let Some(key) = self.open(Body::Browse(browse)) else {
            self.mdns_leave_unwanted();
            return Err(MdnsError::NoSlot);
        };
        let _ = self.services.mdns.browsers.push(key.index());
        self.browse_start(key.index(), self.mdns_versions());
        self.attention = true;
        Ok(key)
    }

    /// The next thing to tell.
    pub(crate) fn browse_tell<R>(
        &mut self,
        key: SocketKey,
        tell: impl FnOnce(MdnsFound<'_>) -> R,
    ) -> Option<R> {
        let index = self.sockets.index(key)?;
        let Body::Browse(browse) = self.sockets.body_mut(index) else {
            return None;
        };
        browse.tell(tell)
    }

    /// How many answers found no room.
    pub(crate) fn browse_lost(&self, key: SocketKey) -> u32 {
        let index = self.sockets.index(key);
        match index.map(|index| self.sockets.body(index)) {
            Some(Body::Browse(browse)) => browse.lost(),
            _ => 0,
        }
    }

    /// The handle is gone.
    pub(in crate::engine) fn browse_drop(&mut self, index: Index) {
        self.services.mdns.browsers.retain(|&other| other != index);
        self.sockets.free(index);
        self.mdns_leave_unwanted();
    }
}

// The world happened.
impl Engine<'_> {
    /// The link or the addresses changed.
    pub(in crate::engine) fn browse_start_all(&mut self, versions: Versions) {
        for index in self.services.mdns.browsers.clone() {
            self.browse_start(index, versions);
        }
    }

    fn browse_start(&mut self, index: Index, versions: Versions) {
        let now = self.now;
        if let Body::Browse(browse) = self.sockets.body_mut(index) {
            match versions.is_empty() {
                true => browse.stop(),
                false => browse.start(now, versions, &mut self.random),
            }
            self.browse_settle(index, now);
        }
    }

    /// Others say something.
    pub(in crate::engine) fn browse_response(&mut self, message: &MdnsMessage<'_>, now: Instant) {
        for index in self.services.mdns.browsers.clone() {
            if let Body::Browse(browse) = self.sockets.body_mut(index) {
                browse.on_response(now, message);
                self.browse_settle(index, now);
            }
        }
    }

    pub(in crate::engine) fn on_browse_timeout(&mut self, index: Index, now: Instant) {
        if let Body::Browse(browse) = self.sockets.body_mut(index) {
            browse.on_timeout(now);
            self.browse_settle(index, now);
        }
    }

    /// Sees to what is due, and when to look again.
    fn browse_settle(&mut self, index: Index, now: Instant) {
        let Body::Browse(browse) = self.sockets.body_mut(index) else {
            return;
        };
        let (asks, news, next) = (
            browse.wants_to_send(now),
            browse.has_news(),
            browse.next_deadline(),
        );
        if asks {
            // Sending it sets the next time.
            self.sockets.mark_ready(index);
        } else if let Some(next) = next {
            self.sockets.schedule(index, next);
        }
        if news {
            self.sockets.notify(index, Events::READABLE);
        }
    }

    /// The slot's turn to send. False if it has nothing.
    pub(in crate::engine) fn transmit_browse(
        &mut self,
        index: Index,
        room: &mut dyn Room,
        now: Instant,
    ) -> bool {
        let mut buffer = [0; MESSAGE];
        let most = self.mdns_most();
        let Body::Browse(browse) = self.sockets.body_mut(index) else {
            return false;
        };
        let asked = browse.poll(now, &mut buffer[..most]);
        self.browse_settle(index, now);
        match asked {
            Some((len, version)) => {
                self.send_mdns(&buffer[..len], Destination::Everybody(version), room, now)
            }
            None => false,
        }
    }
}
