//! A packet that arrived, as far as all protocols above IP want to know it, and what became of it.

use super::outgoing::Room;
use crate::ip::{ArrivalPath, Destination};
use crate::stats::Discard;
use crate::wire::{Ecn, IpAddress, ethernet};

/// What became of an arriving packet: it was taken, or went no further, for that reason. If it was answered, the answer
/// has been sent.
pub(super) type Handled = Result<(), Discard>;

/// What is known of a packet before its transport header is read.
pub(super) struct Received<'f> {
    pub(super) src: IpAddress,
    pub(super) dst: IpAddress,
    pub(super) hop_limit: u8,
    pub(super) ecn: Ecn,
    /// The whole packet, for error messages that quote it.
    pub(super) packet: &'f [u8],
    pub(super) destination: Destination,
    pub(super) path: ArrivalPath,
    pub(super) back: Back<'f>,
    /// Whether the transport checksum still has to be looked at.
    pub(super) verify: bool,
}

/// The way back to where a frame came from, for an answer. Answers do not go through the neighbor cache, so that a
/// flood of questions from invented addresses leaves no trace in it.
pub(super) struct Back<'f> {
    /// The link header that the frame came with, if links have any. Few frames are answered, so it is read no earlier.
    pub(super) header: Option<&'f [u8; ethernet::HEADER_LEN]>,
    /// Room for the answer with the driver, if there is any. What came in fragments is answered when there is some: its
    /// answer is kept until then.
    pub(super) room: Option<&'f mut dyn Room>,
}
