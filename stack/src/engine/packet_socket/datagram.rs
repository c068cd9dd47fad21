//! What sockets that queue whole packets (UDP, ICMP, raw; DNS its questions) are to whoever sends for them: the
//! next packet, the way that the last one went, and how one is written down.

use crate::engine::Cut;
use crate::engine::flow_label::FlowLabel;
use crate::engine::interface::{Interface, Path, Reach};
use crate::engine::outgoing::{IpPacket, Marks};
use crate::ip::Flow;
use crate::time::Instant;
use crate::wire::{IpAddress, IpEndpoint};

/// The sending side of a socket that sends packets.
pub(in crate::engine) trait Datagrams {
    /// The first packet at or behind the `from`th record.
    fn next_packet(&self, from: usize) -> Option<Pending>;

    /// Removes a packet that was sent or is given up. True if there are others.
    fn remove(&mut self, nth: usize) -> bool;

    /// A packet could not be sent to where it should go.
    fn on_unreachable(&mut self, destination: IpAddress);

    /// The way that packets went last.
    fn route(&mut self) -> &mut RouteCache;

    /// The packet as it goes out.
    fn packet(&self, nth: usize, src: IpAddress, marks: Marks) -> Option<IpPacket<'_>>;

    /// The port that packets come from, or what takes its place.
    fn source_port(&self) -> u16;
}

/// A packet that waits to be sent.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Pending {
    pub(in crate::engine) nth: usize,
    pub(in crate::engine) destination: IpAddress,
    /// Where it comes from, if its user said.
    pub(in crate::engine) source: Option<IpAddress>,
}

impl Pending {
    /// Whether it is from and to the same addresses as another.
    pub(super) fn goes_with(&self, other: &Self) -> bool {
        self.destination == other.destination && self.source == other.source
    }
}

/// Where the last packet went, for the next to the same destination.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine) struct RouteCache {
    destination: Option<IpAddress>,
    pub(super) path: Path,
    /// Where the last packet came from, if its user said.
    asked_from: Option<IpAddress>,
    /// Where packets come from whose user did not say.
    pub(super) source: Option<IpAddress>,
    /// Of the identifications of packets to it.
    pub(super) flow: Flow,
    /// How far a packet has gone that goes in fragments.
    pub(super) cut: Cut,
}

impl RouteCache {
    /// The path to `destination`, if the last packet went there.
    pub(in crate::engine) fn known(&self, destination: IpAddress) -> Option<&Path> {
        (self.destination == Some(destination)).then_some(&self.path)
    }

    /// Whether a packet to `destination` can go now; its path and source are here then.
    pub(super) fn reach(
        &mut self,
        interface: &mut Interface,
        pending: &Pending,
        now: Instant,
    ) -> Reach {
        let destination = pending.destination;
        if self.destination != Some(destination) || self.asked_from != pending.source {
            self.destination = Some(destination);
            self.asked_from = pending.source;
            self.path = Path::from_source(pending.source);
        }
        let is_known = interface.is_current(&self.path);
        let reach = interface.reach(destination, &mut self.path, now);
        if !is_known {
            let is_ours = |source| interface.addresses.is_local(source);
            if matches!(pending.source, Some(source) if !source.is_loopback() && !is_ours(source)) {
                self.destination = None;
                return Reach::NoRoute;
            }
            self.source = interface.source_on(&self.path, destination);
            self.flow = interface.flow(destination);
        }
        reach
    }

    /// The flow label of packets from that address and port: one for all that a socket sends to one host.
    pub(super) fn flow_label(
        &mut self,
        interface: &Interface,
        (src, port): (IpAddress, u16),
        destination: IpAddress,
    ) -> FlowLabel {
        let (local, remote) = (IpEndpoint::new(src, port), IpEndpoint::new(destination, 0));
        interface.flow_label_on(&mut self.path, local, remote)
    }
}
