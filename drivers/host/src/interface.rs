//! Sets up the kernel's side of a network: what `ip link`, `ip address` and `ip route` do, by
//! rtnetlink(7), in the calling thread's network namespace.

use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::thread;

use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags};
use rtnetlink::{Handle, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder};

use crate::{HostError, NetNs};

/// A network interface of the kernel, by name, in the network namespace of the calling thread.
///
/// Each call is one request and returns the interface again, so that calls chain:
///
/// ```no_run
/// # fn main() -> Result<(), cygnet_host::HostError> {
/// use cygnet_host::Interface;
///
/// Interface::named("tap0")
///     .set_mtu(9000)?
///     .add_address([192, 168, 69, 100], 24)?
///     .up()?;
/// # Ok(())
/// # }
/// ```
///
/// The calls block shortly and may be made inside and outside of async runtimes. Their errors are
/// [`HostError::NoSuchInterface`], and [`HostError::Interface`] when the kernel refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    name: String,
}

impl Interface {
    /// The interface of that name; nothing is checked yet.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// Creates two interfaces that are the ends of one wire, both down.
    pub fn create_veth(name: &str, peer: &str) -> Result<(Self, Self), HostError> {
        let ends = (Self::named(name), Self::named(peer));
        let request = LinkVeth::new(name, peer).build();
        blocking(async |netlink| netlink.link().add(request).execute().await)
            .map_err(ends.0.refused("create"))?;
        Ok(ends)
    }

    /// The interface's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sets it up.
    pub fn up(&self) -> Result<&Self, HostError> {
        self.change("set up", LinkMessageBuilder::up)
    }

    /// Sets it down.
    pub fn down(&self) -> Result<&Self, HostError> {
        self.change("set down", LinkMessageBuilder::down)
    }

    /// Sets the MTU in bytes.
    pub fn set_mtu(&self, mtu: u32) -> Result<&Self, HostError> {
        self.change(format!("set the MTU {mtu} of"), |link| link.mtu(mtu))
    }

    /// Sets the hardware address of the kernel's end.
    pub fn set_hardware_address(&self, address: [u8; 6]) -> Result<&Self, HostError> {
        self.change("set the hardware address of", |link| {
            link.address(address.into())
        })
    }

    /// Moves it into another network namespace, where it is down and without addresses. Further
    /// calls reach it from there only.
    pub fn move_to(&self, namespace: &NetNs) -> Result<&Self, HostError> {
        let fd = namespace.as_raw_fd();
        self.change("move to another namespace", |link| link.setns_by_fd(fd))
    }

    /// Adds an address with the length in bits of its network's prefix. An IPv6 address is usable
    /// at once: duplicate address detection is left out.
    pub fn add_address(
        &self,
        address: impl Into<IpAddr>,
        prefix_len: u8,
    ) -> Result<&Self, HostError> {
        let address = address.into();
        let action = format!("add the address {address}/{prefix_len} to");
        self.request(action, async |netlink, index| {
            let mut request = netlink.address().add(index, address, prefix_len);
            if address.is_ipv6() {
                let at_once = AddressAttribute::Flags(AddressFlags::Nodad);
                request.message_mut().attributes.push(at_once);
            }
            request.execute().await
        })
    }

    /// Adds a route through this interface, by a gateway or, without one, to hosts on the link.
    pub fn add_route(
        &self,
        destination: impl Into<IpAddr>,
        prefix_len: u8,
        gateway: Option<IpAddr>,
    ) -> Result<&Self, HostError> {
        let destination = destination.into();
        let action = format!("add a route to {destination}/{prefix_len} through");
        let invalid = |error| {
            let source = io::Error::new(io::ErrorKind::InvalidInput, error);
            self.refused(action.clone())(source)
        };
        let mut route = RouteMessageBuilder::<IpAddr>::new()
            .destination_prefix(destination, prefix_len)
            .map_err(invalid)?;
        if let Some(gateway) = gateway {
            route = route.gateway(gateway).map_err(invalid)?;
        }
        self.request(action.clone(), async |netlink, index| {
            let route = route.output_interface(index).build();
            netlink.route().add(route).execute().await
        })
    }

    /// Adds or replaces a permanent entry in the kernel's neighbor table.
    pub fn add_neighbor(
        &self,
        address: impl Into<IpAddr>,
        hardware_address: [u8; 6],
    ) -> Result<&Self, HostError> {
        let address = address.into();
        let action = format!("add the neighbor {address} to");
        self.request(action, async |netlink, index| {
            let request = netlink.neighbours().add(index, address).replace();
            let request = request.link_layer_address(&hardware_address);
            request.execute().await
        })
    }

    /// Removes it from the system.
    pub fn delete(&self) -> Result<(), HostError> {
        self.request("delete", async |netlink, index| {
            netlink.link().del(index).execute().await
        })?;
        Ok(())
    }

    fn change(
        &self,
        action: impl Into<String>,
        set: impl FnOnce(LinkMessageBuilder<LinkUnspec>) -> LinkMessageBuilder<LinkUnspec> + Send,
    ) -> Result<&Self, HostError> {
        self.request(action, async |netlink, index| {
            let message = set(LinkUnspec::new_with_index(index)).build();
            netlink.link().change(message).execute().await
        })
    }

    /// Makes a request about this interface, which it gets by its index.
    fn request(
        &self,
        action: impl Into<String>,
        request: impl AsyncFnOnce(Handle, u32) -> Result<(), rtnetlink::Error> + Send,
    ) -> Result<&Self, HostError> {
        let Ok(index) = nix::net::if_::if_nametoindex(self.name.as_str()) else {
            return Err(HostError::NoSuchInterface {
                name: self.name.clone(),
            });
        };
        blocking(async |netlink| request(netlink, index).await).map_err(self.refused(action))?;
        Ok(self)
    }

    fn refused(&self, action: impl Into<String>) -> impl FnOnce(io::Error) -> HostError {
        let (action, name) = (action.into(), self.name.clone());
        move |source| HostError::Interface {
            action,
            name,
            source,
        }
    }
}

/// Makes a netlink request and waits for its answer, on a thread of its own: it inherits the caller's
/// network namespace, and a caller that is inside an async runtime may not start another one.
fn blocking(
    request: impl AsyncFnOnce(Handle) -> Result<(), rtnetlink::Error> + Send,
) -> io::Result<()> {
    let conversation = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        runtime.block_on(async {
            let (connection, handle, _) = rtnetlink::new_connection()?;
            tokio::spawn(connection);
            request(handle).await.map_err(|error| match error {
                rtnetlink::Error::NetlinkError(message) => message.to_io(),
                other => io::Error::other(other),
            })
        })
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, conversation)?;
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
