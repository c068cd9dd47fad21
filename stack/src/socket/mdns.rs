//! The names and services of this host, for others on the link to find.

use embassy_sync::blocking_mutex::raw::RawMutex;
use heapless::String;

use super::stack::Stack;
use crate::dns::{MdnsError, MdnsService, MdnsServiceId};

impl<M: RawMutex> Stack<'_, M> {
    /// Names this host for others on the link (RFC 6762): with `Some("swan")` it is `swan.local`, as soon as
    /// the link is up, it has an IPv4 address and nobody else was found to have the name. If somebody has it,
    /// this host becomes `swan-2.local`. With `None` it has no name, and its services cannot be found.
    ///
    /// While it has a name, a UDP socket on port 5353 hears nothing.
    ///
    /// # Errors
    ///
    /// [`MdnsError`] if the name is none, or the call is re-entrant.
    pub fn set_mdns_host(&self, name: Option<&str>) -> Result<(), MdnsError> {
        self.with(|s| s.engine.set_mdns_host(name))
            .unwrap_or(Err(MdnsError::Reentrant))
    }

    /// This host's name as it is now, without `.local`.
    pub fn mdns_host(&self) -> Option<String<63>> {
        self.with(|s| s.engine.mdns_host()).ok()?
    }

    /// Announces a service on this host (RFC 6763). It can be found when this host has a name
    /// ([`Self::set_mdns_host`]).
    ///
    /// # Errors
    ///
    /// [`MdnsError`] if the service is none that can be announced, the table is full, or the call is
    /// re-entrant.
    pub fn add_mdns_service(&self, service: &MdnsService<'_>) -> Result<MdnsServiceId, MdnsError> {
        self.with(|s| s.engine.add_mdns_service(service))
            .unwrap_or(Err(MdnsError::Reentrant))
    }

    /// Takes a service back, and tells everybody; `Ok(false)` if it is gone already.
    ///
    /// # Errors
    ///
    /// [`MdnsError::Reentrant`].
    pub fn remove_mdns_service(&self, service: MdnsServiceId) -> Result<bool, MdnsError> {
        self.with(|s| s.engine.remove_mdns_service(service))
            .map_err(|_| MdnsError::Reentrant)
    }

    /// The name of a service's instance as it is now: with a number if somebody else has the one it was given.
    pub fn mdns_instance(&self, service: MdnsServiceId) -> Option<String<63>> {
        self.with(|s| s.engine.mdns_instance(service)).ok()?
    }

    /// Waits until this host's name and those of its services are its own, and everybody was told. Takes some
    /// two seconds after the link and the address are there. Cancellation safe.
    pub async fn wait_mdns_up(&self) {
        self.wait_until(|engine| engine.is_mdns_settled().then_some(()))
            .await;
    }
}
