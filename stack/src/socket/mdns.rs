//! The names and services of this host, for others on the link to find, and those of others.

use core::future::poll_fn;

use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};
use heapless::String;

use super::stack::Stack;
use super::waiting::{WaitError, Waiting};
use super::wakers::Places;
use crate::dns::{MdnsError, MdnsFound, MdnsService, MdnsServiceId};
use crate::engine::SocketKey;
use crate::storage::Bytes;
use crate::wire::dns::{Name, RecordType};

impl<M: RawMutex> Stack<'_, M> {
    /// Names this host for others on the link (RFC 6762): with `Some("swan")` it is `swan.local`, as soon as
    /// the link is up, it has an address and nobody else was found to have the name. If somebody has it,
    /// this host becomes `swan-2.local`. With `None` it has no name, and its services cannot be found.
    ///
    /// Others find all its addresses but temporary ones, over each version of IP that it has an address of, and
    /// its name by its addresses. When the first address of a version comes, the name is looked for anew.
    ///
    /// A name that was there is taken back, with its addresses and services, and everybody told (section 10.1); with
    /// `None` that is all.
    ///
    /// While it has a name, a UDP socket on port 5353 hears nothing.
    ///
    /// # Errors
    ///
    /// [`MdnsError`] if the name is none, there is no room for the groups, or the call is re-entrant.
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

/// Asks everybody on the link for the records of a name, for as long as it lives, and tells which come and go
/// (RFC 6762 section 5.2): with the type [`RecordType::PTR`] and a name such as `_http._tcp.local`, the services
/// of that type (RFC 6763 section 4).
///
/// Takes a socket slot.
pub struct MdnsBrowser<'d, M: RawMutex = NoopRawMutex> {
    stack: Stack<'d, M>,
    key: SocketKey,
}

impl<'d, M: RawMutex> MdnsBrowser<'d, M> {
    /// Begins to ask. What is known is kept in `buffer`: each record takes 16 bytes and its data, for a
    /// service's name some 30; [`Self::lost`] counts those that find no room.
    ///
    /// # Errors
    ///
    /// [`MdnsError`] if there is no room for another browser or for the groups, no free slot, or the call is
    /// re-entrant.
    pub fn new(
        stack: Stack<'d, M>,
        name: &Name,
        kind: RecordType,
        buffer: impl Into<Bytes<'d>>,
    ) -> Result<Self, MdnsError> {
        let buffer = buffer.into();
        let opened = stack.open(|engine| engine.browse_open(name.clone(), kind, buffer));
        let key = opened.unwrap_or(Err(MdnsError::Reentrant))?;
        Ok(Self { stack, key })
    }

    /// Waits for a record to come or go, and returns what `f` makes of it. Cancellation safe: nothing is lost.
    /// A record that came and went while nobody waited is not told of.
    ///
    /// # Errors
    ///
    /// [`MdnsError::Reentrant`].
    pub async fn next<R>(&mut self, f: impl FnOnce(MdnsFound<'_>) -> R) -> Result<R, MdnsError> {
        let key = self.key;
        let mut waiting = Waiting::new(self.stack, key);
        let mut f = Some(f);
        let told = poll_fn(|cx| {
            waiting.poll(cx, Places::ALL, |engine| {
                let told = engine.browse_tell(key, |found| f.take().map(|f| f(found)));
                told.map(Ok)
            })
        });
        match told.await {
            Ok(Some(told)) => Ok(told),
            Ok(None) | Err(WaitError::TooManyWaiters) => Err(MdnsError::TooManyWaiters),
            Err(WaitError::Reentrant) => Err(MdnsError::Reentrant),
        }
    }

    /// How many records found no room in the buffer.
    pub fn lost(&self) -> u32 {
        self.stack
            .with(|s| s.engine.browse_lost(self.key))
            .unwrap_or(0)
    }
}

impl<M: RawMutex> Drop for MdnsBrowser<'_, M> {
    fn drop(&mut self) {
        self.stack.drop_handle(self.key);
    }
}
