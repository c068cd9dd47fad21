//! Multicast groups of a UDP socket, and the ports that sockets share for their sake.

use embassy_sync::blocking_mutex::raw::RawMutex;

use super::UdpSocket;
#[cfg(feature = "multicast")]
use crate::engine::{Member, MulticastError, MulticastSources};
#[cfg(feature = "multicast")]
use crate::wire::IpAddress;

impl<M: RawMutex> UdpSocket<'_, M> {
    /// Sets the hop limit of datagrams to multicast groups; 1 by default, so that they stay on the link
    /// (RFC 1112, section 6.1). 0 is taken as 1.
    pub fn set_multicast_hop_limit(&mut self, hop_limit: u8) {
        self.change(|udp| udp.set_multicast_hop_limit(hop_limit.max(1)));
    }

    /// The hop limit of datagrams to multicast groups.
    pub fn multicast_hop_limit(&self) -> u8 {
        self.look(|udp| udp.multicast_hop_limit()).unwrap_or(0)
    }

    /// Whether sockets of this stack that are in a group get what this one sends to it, itself included. They
    /// do by default.
    #[cfg(feature = "multicast")]
    pub fn set_multicast_loop(&mut self, enabled: bool) {
        self.change(|udp| udp.set_multicast_loop(enabled));
    }

    /// Lets this socket [bind](Self::bind) to a port that others have who say the same. Datagrams to groups and
    /// broadcasts go to all of them, any other to one.
    pub fn set_port_shared(&mut self, shared: bool) {
        self.change(|udp| udp.set_port_shared(shared));
    }

    /// Joins a multicast group of IPv4 or IPv6: datagrams to it that come to the socket's port are received, if the socket is
    /// bound to all addresses or to that of the group. Joining twice is joining once. A socket leaves its
    /// groups when it is closed or dropped.
    ///
    /// # Errors
    ///
    /// [`MulticastError`] if the table is full, `group` is no group's address, or the call is re-entrant.
    #[cfg(feature = "multicast")]
    pub fn join_multicast_group(
        &mut self,
        group: impl Into<IpAddress>,
    ) -> Result<(), MulticastError> {
        self.listen_multicast(group, MulticastSources::AllBut(&[]))
    }

    /// Leaves a group. One that was not joined is left already; what the stack joined for all sockets is then
    /// received.
    ///
    /// # Errors
    ///
    /// [`MulticastError`] if `group` is no group's address, or the call is re-entrant.
    #[cfg(feature = "multicast")]
    pub fn leave_multicast_group(
        &mut self,
        group: impl Into<IpAddress>,
    ) -> Result<(), MulticastError> {
        self.listen_multicast(group, MulticastSources::Only(&[]))
    }

    /// As [`Self::join_multicast_group`], for what some sources send and others do not: "IPMulticastListen" of
    /// RFC 3376, section 2. Replaces what was said about the group before.
    ///
    /// # Errors
    ///
    /// [`MulticastError`].
    #[cfg(feature = "multicast")]
    pub fn listen_multicast(
        &mut self,
        group: impl Into<IpAddress>,
        sources: MulticastSources<'_>,
    ) -> Result<(), MulticastError> {
        let (group, member) = (group.into(), Member::Socket(self.packets.key().index()));
        self.packets
            .with(|engine, _| engine.listen_multicast(member, group, sources))
            .unwrap_or(Err(MulticastError::Reentrant))
    }
}
