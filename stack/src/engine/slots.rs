//! Slots are taken into use and given up.

use super::sockets::Body;
use super::{Engine, SocketKey};
use crate::storage::Index;

/// What a handle does without an answer, so that it cannot fail: from within a closure that the stack called, the call
/// under way sees to it at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// An attempt to connect or to accept was given up.
    #[cfg(feature = "socket-tcp")]
    GiveUp,
    /// Two halves own a connection from now on.
    #[cfg(feature = "socket-tcp")]
    Split,
    /// The sending side of a connection is closed.
    #[cfg(feature = "socket-tcp")]
    Shutdown,
    /// A handle is gone.
    Drop,
}

impl<'d> Engine<'d> {
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn see_to(&mut self, key: SocketKey, deed: Deed) {
        match deed {
            #[cfg(feature = "socket-tcp")]
            Deed::Split => self.tcp_split(key),
            #[cfg(feature = "socket-tcp")]
            Deed::GiveUp => self.tcp_give_up(key),
            #[cfg(feature = "socket-tcp")]
            Deed::Shutdown => {
                self.tcp_with(key, |connection| connection.close());
            }
            Deed::Drop => self.drop_handle(key),
        }
    }

    /// A handle is gone. What that means depends on the kind of socket.
    pub(crate) fn drop_handle(&mut self, key: SocketKey) {
        let Some(index) = self.sockets.index(key) else {
            return;
        };
        match self.sockets.body(index) {
            #[cfg(feature = "socket-tcp")]
            Body::Tcp(_) => self.tcp_drop(key),
            #[cfg(feature = "socket-tcp")]
            Body::Listener(_) => self.listener_close(key),
            #[cfg(feature = "socket-udp")]
            Body::Udp(_) => self.udp_drop(key),
            #[cfg(feature = "socket-icmp")]
            Body::Icmp(_) => self.packet_socket_drop(key),
            #[cfg(feature = "socket-raw")]
            Body::Raw(_) => self.packet_socket_drop(key),
            #[cfg(feature = "socket-dns")]
            Body::Dns(_) => self.give_up(index),
            #[cfg(feature = "mdns")]
            Body::Browse(_) => self.browse_drop(key),
            _ => {}
        }
    }

    /// Takes a slot into use. `None` if there is none left.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn open(&mut self, body: Body<'d>) -> Option<SocketKey> {
        let index = self.take_slot()?;
        *self.sockets.body_mut(index) = body;
        Some(self.sockets.key(index))
    }

    /// A free slot, whose body is for the caller to set. It is empty otherwise.
    pub(super) fn take_slot(&mut self) -> Option<Index> {
        #[cfg(any(
            feature = "socket-udp",
            feature = "socket-icmp",
            feature = "socket-raw"
        ))]
        if self.sockets.free.is_empty() {
            self.end_oldest_lingering();
        }
        self.sockets.take_free()
    }

    /// As [`Self::see_to`], by the number of a slot that has not been given up since.
    pub(crate) fn see_to_at(&mut self, index: usize, deed: Deed) {
        if let Ok(index) = Index::try_from(index) {
            self.see_to(self.sockets.key(index), deed);
        }
    }
}
