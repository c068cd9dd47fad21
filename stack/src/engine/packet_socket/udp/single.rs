//! UDP sockets at one address of this host, as embedded-nal-async has them: where none is named, one is chosen.

use super::Udp;
use crate::engine::packet_socket::{BindError, PacketKind as _};
use crate::engine::{Engine, SocketKey};
use crate::ip::AddressState;
use crate::wire::{IpAddress, IpEndpoint, IpListenEndpoint, IpVersion};

impl Engine<'_> {
    /// Binds to a port, 0 for any, at the address that is named or one of that version. Returns both.
    pub(crate) fn udp_bind_single(
        &mut self,
        key: SocketKey,
        local: IpListenEndpoint,
        version: IpVersion,
    ) -> Result<IpEndpoint, BindError> {
        let address = match local.addr {
            Some(address) => self.checked_own(address)?,
            None => self.own_address(version).ok_or(BindError::NoRoute)?,
        };
        self.udp_bind_at(key, address, local.port)
    }

    /// Binds to a port, 0 for any, at the address that is named or the one that packets to the peer come from, and
    /// connects to the peer. Returns the local end.
    pub(crate) fn udp_connect_from(
        &mut self,
        key: SocketKey,
        local: IpListenEndpoint,
        remote: IpEndpoint,
    ) -> Result<IpEndpoint, BindError> {
        let (_, source) = self
            .interface
            .route(remote.addr, self.now)
            .ok_or(BindError::NoRoute)?;
        let address = match local.addr {
            None => source,
            Some(address) if address.version() != remote.addr.version() => {
                return Err(BindError::NoRoute);
            }
            Some(address) => self.checked_own(address)?,
        };
        let local = self.udp_bind_at(key, address, local.port)?;
        self.udp_connect(key, remote)?;
        Ok(local)
    }

    fn udp_bind_at(
        &mut self,
        key: SocketKey,
        address: IpAddress,
        port: u16,
    ) -> Result<IpEndpoint, BindError> {
        let addr = Some(address);
        self.udp_bind(key, IpListenEndpoint { addr, port })?;
        let bound = Udp::of(self, key).map_or(port, |udp| udp.local.port);
        Ok(IpEndpoint::new(address, bound))
    }

    /// That address, if it is one of ours.
    fn checked_own(&self, address: IpAddress) -> Result<IpAddress, BindError> {
        if self.interface.addresses.is_local(address) {
            Ok(address)
        } else {
            Err(BindError::NoRoute)
        }
    }

    /// One of our addresses: one that is good for more than its link before one that is not, and then one that is
    /// not deprecated.
    fn own_address(&self, version: IpVersion) -> Option<IpAddress> {
        let ours = self.interface.addresses.usable();
        ours.map(|ours| (ours.cidr.address(), ours.state))
            .filter(|(address, _)| address.version() == version)
            .min_by_key(|(address, state)| {
                (address.is_link_local(), *state == AddressState::Deprecated)
            })
            .map(|(address, _)| address)
    }
}
