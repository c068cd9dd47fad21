//! Addresses without a look at who else has them: nothing is probed, announced or defended.

use core::net::Ipv4Addr;

use super::DefensePolicy;
use crate::time::Instant;
use crate::wire::{ArpPacket, EthernetAddress};

/// There is none.
#[derive(Clone, Debug)]
pub(crate) enum ConflictDetector {}

impl ConflictDetector {
    pub(crate) fn new(_: EthernetAddress, _: DefensePolicy) -> Option<Self> {
        None
    }

    pub(crate) fn start(&mut self, _: Instant, _: Ipv4Addr, _: StartMode, _rand: u32) {
        match *self {}
    }

    pub(crate) fn address(&self) -> Ipv4Addr {
        match *self {}
    }

    pub(crate) fn is_usable(&self) -> bool {
        match *self {}
    }

    pub(crate) fn on_arp(&mut self, _: Instant, _: &ArpPacket) -> Option<Conflict> {
        match *self {}
    }

    pub(crate) fn poll_arp(&mut self, _: Instant) -> Option<ArpPacket> {
        match *self {}
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        match *self {}
    }
}

/// How an address is taken into use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartMode {
    /// At once.
    Announce,
}

/// What a conflict would mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// The address is to be given up.
    GiveUp,
}
