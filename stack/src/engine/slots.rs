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
        if let Some(index) = self.sockets.index(key) {
            self.see_to_slot(index, deed);
        }
    }

    /// As [`Self::see_to`], by the number of a slot that has not been given up since.
    pub(crate) fn see_to_at(&mut self, index: usize, deed: Deed) {
        if let Ok(index) = Index::try_from(index) {
            self.see_to_slot(index, deed);
        }
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn see_to_slot(&mut self, index: Index, deed: Deed) {
        match deed {
            #[cfg(feature = "socket-tcp")]
            Deed::Split => self.tcp_split(index),
            #[cfg(feature = "socket-tcp")]
            Deed::GiveUp => self.tcp_give_up(index),
            #[cfg(feature = "socket-tcp")]
            Deed::Shutdown => self.tcp_shutdown(index),
            Deed::Drop => self.drop_socket(index),
        }
    }

    /// A handle is gone. What that means depends on the kind of socket.
    fn drop_socket(&mut self, index: Index) {
        match self.sockets.body_mut(index) {
            #[cfg(feature = "socket-tcp")]
            Body::Tcp(tcp) => {
                let was_last = tcp.loses_last_handle();
                if was_last {
                    self.tcp_detach(index);
                }
            }
            #[cfg(feature = "socket-tcp")]
            Body::Listener(_) => self.listener_close(index),
            #[cfg(feature = "socket-udp")]
            Body::Udp(_) => self.udp_drop(index),
            #[cfg(feature = "socket-icmp")]
            Body::Icmp(_) => self.packet_socket_drop(index),
            #[cfg(feature = "socket-raw")]
            Body::Raw(_) => self.packet_socket_drop(index),
            #[cfg(feature = "socket-dns")]
            Body::Dns(_) => self.give_up(index),
            #[cfg(feature = "mdns")]
            Body::Browse(_) => self.browse_drop(index),
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
}
