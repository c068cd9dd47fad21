//! The stack as applications see it.

use core::future::poll_fn;
#[cfg(feature = "proto-ipv6")]
use core::net::Ipv6Addr;
use core::task::Poll;

use cygnet_driver::HardwareAddress;
use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};

use super::shared::{InUse, Locked, Shared, Wakes};
use super::wakers::{poll_again, wake};
#[cfg(feature = "socket-dhcpv4")]
use crate::dhcp::DhcpLease;
#[cfg(feature = "socket-dhcpv6")]
use crate::dhcp::Dhcpv6Lease;
#[cfg(feature = "slaac")]
use crate::engine::RouterFlags;
use crate::engine::{ConfigError, ConfigV4, Deed, Engine, SocketKey, StaticConfigV4};
#[cfg(feature = "proto-ipv6")]
use crate::engine::{ConfigV6, StaticConfigV6};
#[cfg(feature = "multicast")]
use crate::engine::{Member, MulticastError, MulticastSources};
use crate::events::Events;
use crate::ip::AddressState;
#[cfg(feature = "stats")]
use crate::stats::Stats;
#[cfg(feature = "medium-ethernet")]
use crate::wire::EthernetAddress;
use crate::wire::{IpAddress, IpCidr};

/// A handle to a stack: `Copy`, and the key to everything it can do.
///
/// With a mutex that is `Sync` it is `Send`, and so are all handles made from it.
pub struct Stack<'d, M: RawMutex = NoopRawMutex> {
    locked: &'d Mutex<M, Locked<'d>>,
}

impl<M: RawMutex> Clone for Stack<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: RawMutex> Copy for Stack<'_, M> {}

/// The stack was called from within a closure that the stack itself called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Reentrant;

impl core::fmt::Display for Reentrant {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the stack was called from within one of its own calls")
    }
}

impl core::error::Error for Reentrant {}

impl<'d, M: RawMutex> Stack<'d, M> {
    pub(super) fn new(locked: &'d Mutex<M, Locked<'d>>) -> Self {
        Self { locked }
    }

    /// Whether the link carries frames.
    pub fn is_link_up(&self) -> bool {
        self.with(|s| s.engine.is_link_up()).unwrap_or(false)
    }

    /// Whether the stack can talk: the link is up and there is an address that may be used.
    pub fn is_config_up(&self) -> bool {
        self.with(|s| s.engine.is_config_up()).unwrap_or(false)
    }

    /// Waits until the link is up. Cancellation safe.
    pub fn wait_link_up(&self) -> impl Future<Output = ()> {
        self.wait_for(|engine| engine.is_link_up())
    }

    /// Waits until the link is down. Cancellation safe.
    pub fn wait_link_down(&self) -> impl Future<Output = ()> {
        self.wait_for(|engine| !engine.is_link_up())
    }

    /// Waits until the stack can talk. Cancellation safe.
    pub fn wait_config_up(&self) -> impl Future<Output = ()> {
        self.wait_for(|engine| engine.is_config_up())
    }

    /// Waits until the stack cannot talk. Cancellation safe.
    pub fn wait_config_down(&self) -> impl Future<Output = ()> {
        self.wait_for(|engine| !engine.is_config_up())
    }

    fn wait_for(&self, is_there: impl Fn(&Engine<'d>) -> bool) -> impl Future<Output = ()> {
        self.wait_until(move |engine| is_there(engine).then_some(()))
    }

    /// Waits for what is no socket's: the link, the configuration, a service.
    pub(super) fn wait_until<R>(
        &self,
        mut ask: impl FnMut(&mut Engine<'d>) -> Option<R>,
    ) -> impl Future<Output = R> {
        poll_fn(move |cx| {
            let there = self.with(|s| {
                let there = ask(s.engine);
                if there.is_none() {
                    s.watch(cx.waker());
                }
                there
            });
            match there {
                Ok(Some(there)) => Poll::Ready(there),
                Ok(None) => Poll::Pending,
                // Polled from within a closure that the stack called: try again later.
                Err(Reentrant) => {
                    poll_again(cx.waker());
                    Poll::Pending
                }
            }
        })
    }

    /// The address of this end of the link.
    pub fn hardware_address(&self) -> HardwareAddress {
        self.with(|s| s.engine.hardware_address())
            .unwrap_or(HardwareAddress::Ip)
    }

    /// The IPv4 configuration in use, wherever it came from.
    pub fn config_v4(&self) -> Option<StaticConfigV4> {
        self.with(|s| s.engine.config_v4()).ok()?
    }

    /// The DHCP lease that the IPv4 configuration comes from, with all that the server said.
    #[cfg(feature = "socket-dhcpv4")]
    pub fn dhcp_lease(&self) -> Option<DhcpLease> {
        self.with(|s| s.engine.dhcp_lease().cloned()).ok()?
    }

    /// What DHCPv6 servers gave and said: addresses, prefixes, DNS servers and domains.
    #[cfg(feature = "socket-dhcpv6")]
    pub fn dhcpv6_lease(&self) -> Option<Dhcpv6Lease> {
        self.with(|s| s.engine.dhcpv6_lease()).ok()?
    }

    /// Waits until the link or the configuration is another than it was when this was called: an address
    /// can be used or not any more, a lease brought other servers. Cancellation safe.
    pub async fn wait_config_change(&self) {
        let look = |engine: &Engine<'d>| {
            let up = (engine.is_link_up(), engine.is_config_up());
            (up, engine.config_changes())
        };
        let before = self.with(|s| look(s.engine)).ok();
        self.wait_for(|engine| before != Some(look(engine))).await;
    }

    /// Replaces the IPv4 configuration: by a fixed one, by one from a DHCP server, or by none. A lease is
    /// given back to its server. Connections from an address that goes away end with
    /// [`ConnectionError::AddressGone`](crate::ConnectionError::AddressGone).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a table is full or the call is re-entrant.
    pub fn set_config_v4(&self, config: impl Into<ConfigV4>) -> Result<(), ConfigError> {
        let config = config.into();
        self.configure(|engine| engine.set_config_v4(config))
    }

    /// The IPv6 configuration in use, wherever it came from. The link-local address is
    /// [`Self::link_local_v6`].
    #[cfg(feature = "proto-ipv6")]
    pub fn config_v6(&self) -> Option<StaticConfigV6> {
        self.with(|s| s.engine.config_v6()).ok()?
    }

    /// The link-local IPv6 address that the stack made for itself, whether it may be used yet or not.
    #[cfg(feature = "proto-ipv6")]
    pub fn link_local_v6(&self) -> Option<Ipv6Addr> {
        self.with(|s| s.engine.link_local_v6()).ok()?
    }

    /// What routers say is to be had by DHCPv6. [`Self::wait_config_change`] hears when that changes.
    #[cfg(feature = "slaac")]
    pub fn router_flags(&self) -> RouterFlags {
        self.with(|s| s.engine.router_flags()).unwrap_or_default()
    }

    /// Replaces the IPv6 configuration. What a DHCP server gave is given back to it. Connections from an address
    /// that goes away end with
    /// [`ConnectionError::AddressGone`](crate::ConnectionError::AddressGone).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a table is full, the address is none that a host can have, or the call is
    /// re-entrant.
    #[cfg(feature = "proto-ipv6")]
    pub fn set_config_v6(&self, config: impl Into<ConfigV6>) -> Result<(), ConfigError> {
        let config = config.into();
        self.configure(|engine| engine.set_config_v6(config))
    }

    /// How far an address is ours; `None` if it is not, or from within a closure that the stack called.
    /// [`Self::wait_config_change`] hears of an IPv6 address that may be used or is a duplicate.
    pub fn address_state(&self, address: IpAddress) -> Option<AddressState> {
        self.with(|s| s.engine.address_state(address)).ok()?
    }

    /// Adds an address beside the static configuration. On Ethernet an IPv4 address is announced, or probed,
    /// as [`Config::address_policy`](crate::Config::address_policy) says, and of an IPv6 address duplicates are looked for
    /// (`Config::duplicate_address_probes`).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the table is full, the address is none that a host can have, or the call is
    /// re-entrant.
    pub fn add_address(&self, address: IpCidr) -> Result<(), ConfigError> {
        self.configure(|engine| engine.add_address(address))
    }

    /// Removes an address; `Ok(false)` if it was not there. Connections from it end with
    /// [`ConnectionError::AddressGone`](crate::ConnectionError::AddressGone).
    ///
    /// # Errors
    ///
    /// [`ConfigError::Reentrant`].
    pub fn remove_address(&self, address: IpAddress) -> Result<bool, ConfigError> {
        self.configure(|engine| Ok(engine.remove_address(address)))
    }

    /// Adds a route, or replaces that to the same destination: through a gateway, or straight onto the
    /// link. The longest prefix wins.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the table is full, the gateway is no host of the destination's version of IP, or the call is
    /// re-entrant.
    pub fn add_route(
        &self,
        destination: IpCidr,
        gateway: Option<IpAddress>,
    ) -> Result<(), ConfigError> {
        self.configure(|engine| engine.add_route(destination, gateway))
    }

    /// Removes a route; `Ok(false)` if it was not there.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Reentrant`].
    pub fn remove_route(&self, destination: IpCidr) -> Result<bool, ConfigError> {
        self.configure(|engine| Ok(engine.remove_route(destination)))
    }

    /// Sets how long packets along a route may be, in bytes with their IP header: no longer than the link
    /// takes, and no shorter than 68, or 1,280 with IPv6. TCP tells its peers so, and sends no longer segments. `None`: as long as
    /// the link takes. `Ok(false)` if there is no such route; the default gateway's is that to `0.0.0.0/0`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Reentrant`].
    pub fn set_route_mtu(
        &self,
        destination: IpCidr,
        mtu: Option<u16>,
    ) -> Result<bool, ConfigError> {
        self.configure(|engine| Ok(engine.set_route_mtu(destination, mtu)))
    }

    /// The longest packet in bytes, with its IP header, that gets to `destination` in one piece as far as is
    /// known: what the link takes, or the route, or what routers reported about TCP segments in the last ten
    /// minutes (RFC 1191). Who sends datagrams that are not to be fragmented stays below it; UDP and IP take
    /// 28 bytes of it. `None` without a route, or from within a closure that the stack called.
    pub fn path_mtu(&self, destination: IpAddress) -> Option<u16> {
        self.with(|s| s.engine.path_mtu(destination)).ok()?
    }

    /// Fixes the link address of a neighbor: it is not asked for any more, nor believed to change.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the table is full, the link has no neighbors, or the call is re-entrant.
    #[cfg(feature = "medium-ethernet")]
    pub fn add_neighbor(
        &self,
        address: IpAddress,
        hardware: EthernetAddress,
    ) -> Result<(), ConfigError> {
        self.configure(|engine| engine.add_neighbor(address, hardware))
    }

    /// Forgets the link address of a neighbor.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Reentrant`].
    #[cfg(feature = "medium-ethernet")]
    pub fn remove_neighbor(&self, address: IpAddress) -> Result<(), ConfigError> {
        self.configure(|engine| {
            engine.remove_neighbor(address);
            Ok(())
        })
    }

    /// Joins a multicast group for all UDP sockets that are no members of it themselves. Joining twice is
    /// joining once. Routers are told (IGMP: RFC 9776, and RFC 2236 or RFC 1112 where they are older; MLD: RFC 9777,
    /// and RFC 2710). Those that an address of IPv6 brings are joined by the stack itself.
    ///
    /// # Errors
    ///
    /// [`MulticastError`] if the table is full, `group` is no group's address, or the call is re-entrant.
    #[cfg(feature = "multicast")]
    pub fn join_multicast_group(&self, group: impl Into<IpAddress>) -> Result<(), MulticastError> {
        self.listen_multicast(group, MulticastSources::AllBut(&[]))
    }

    /// Leaves a group that the stack joined; sockets stay in theirs. A group that was not joined is left
    /// already.
    ///
    /// # Errors
    ///
    /// [`MulticastError`] if `group` is no group's address, or the call is re-entrant.
    #[cfg(feature = "multicast")]
    pub fn leave_multicast_group(&self, group: impl Into<IpAddress>) -> Result<(), MulticastError> {
        self.listen_multicast(group, MulticastSources::Only(&[]))
    }

    /// As [`Self::join_multicast_group`], for what some sources send and others do not (RFC 4607, RFC 9776).
    /// Replaces what was said about the group before.
    ///
    /// # Errors
    ///
    /// [`MulticastError`].
    #[cfg(feature = "multicast")]
    pub fn listen_multicast(
        &self,
        group: impl Into<IpAddress>,
        sources: MulticastSources<'_>,
    ) -> Result<(), MulticastError> {
        let group = group.into();
        self.with(|s| s.engine.listen_multicast(Member::Stack, group, sources))
            .unwrap_or(Err(MulticastError::Reentrant))
    }

    /// Whether the stack or a socket is in a group. Those of all hosts, 224.0.0.1 and ff02::1, never have to be joined.
    #[cfg(feature = "multicast")]
    pub fn has_multicast_group(&self, group: impl Into<IpAddress>) -> bool {
        let group = group.into();
        self.with(|s| s.engine.has_multicast_group(group))
            .unwrap_or(false)
    }

    fn configure<R>(
        &self,
        f: impl FnOnce(&mut Engine<'d>) -> Result<R, ConfigError>,
    ) -> Result<R, ConfigError> {
        self.with(|s| {
            let result = f(s.engine);
            s.config_changed();
            result
        })
        .unwrap_or(Err(ConfigError::Reentrant))
    }

    /// What the stack has counted; zeros from within a closure that the stack called.
    #[cfg(feature = "stats")]
    pub fn stats(&self) -> Stats {
        self.with(|s| s.engine.stats()).unwrap_or_default()
    }

    /// Runs `f` under the lock, then wakes the runner if there is something for it: to send, or to tell others.
    #[inline]
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut Shared<'d>) -> R) -> Result<R, Reentrant> {
        let (result, runner) = self.lock(f, |in_use| in_use.leave()).ok_or(Reentrant)?;
        wake(runner);
        Ok(result)
    }

    /// Opens a socket. Whoever waited for the one before it in its slot, and was not woken when that was dropped, has
    /// no place among those that wait for this one.
    #[cfg(any(
        feature = "socket-tcp",
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw"
    ))]
    pub(super) fn open<E>(
        &self,
        open: impl FnOnce(&mut Engine<'d>) -> Result<SocketKey, E>,
    ) -> Result<Result<SocketKey, E>, Reentrant> {
        let opened = self.with(|s| open(s.engine))?;
        if let Ok(key) = opened {
            self.forget_waiters(key);
        }
        Ok(opened)
    }

    // Compiled once for all kinds of sockets.
    #[cfg(any(
        feature = "socket-tcp",
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw"
    ))]
    #[inline(never)]
    fn forget_waiters(&self, key: SocketKey) {
        // Dropped outside of the lock, as all wakers are.
        let mut left = Wakes::new();
        let _ = self.with(|s| {
            if let Some(wakers) = s.wakers(key) {
                wakers.take(Events::ALL, &mut left);
            }
        });
    }

    /// As [`Self::with`], for the runner: wakes nobody, [`Self::dispatch`] does that.
    #[inline]
    pub(super) fn with_quietly<R>(&self, f: impl FnOnce(&mut Shared<'d>) -> R) -> Option<R> {
        let (result, ()) = self.lock(f, |in_use| in_use.leave_quietly())?;
        Some(result)
    }

    /// Runs `f` under the lock, and `leave` at its end.
    #[inline]
    fn lock<R, L>(
        &self,
        f: impl FnOnce(&mut Shared<'d>) -> R,
        leave: impl FnOnce(InUse<'_, 'd>) -> L,
    ) -> Option<(R, L)> {
        // By reference: what `f` captures would be moved once for each layer of the mutex, and what
        // was just written in small pieces is slow to read back in large ones.
        let (mut f, mut result) = (Some((f, leave)), None);
        self.locked.lock(|locked| {
            let mut in_use = locked.enter();
            if let (Some(shared), Some((f, leave))) = (in_use.shared(), f.take()) {
                result = Some((f(shared), leave(in_use)));
            }
        });
        result
    }

    /// A handle is gone.
    pub(super) fn drop_handle(&self, key: SocketKey) {
        self.see_to(key, Deed::Drop);
    }

    /// Does what a handle has no answer to. When that was in a closure that the stack itself called, the call under way
    /// sees to it at its end.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn see_to(&self, key: SocketKey, deed: Deed) {
        if self.with(|s| s.engine.see_to(key, deed)).is_err() {
            self.locked.lock(|locked| locked.put_off(key, deed));
        }
    }

    /// Runs `f` under the lock, for the runner, then wakes all tasks that there is news for. True if there
    /// were any.
    #[inline]
    pub(super) fn dispatch(&self, f: impl FnOnce(&mut Shared<'d>)) -> bool {
        let has_news = self.with_quietly(|shared| {
            f(shared);
            shared.has_news()
        });
        has_news == Some(true) && self.tell()
    }

    #[inline(never)]
    fn tell(&self) -> bool {
        let (mut wakes, mut any) = (Wakes::new(), false);
        loop {
            self.with_quietly(|shared| shared.collect(&mut wakes));
            any |= !wakes.is_empty();
            let more = wakes.is_nearly_full();
            wakes.wake();
            if !more {
                return any;
            }
        }
    }
}
