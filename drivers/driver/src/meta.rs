//! What travels beside a frame: the offloads, as metadata on the one data path.

/// What the device found out about a received frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct RxMeta {
    /// How far the transport checksum can be trusted.
    pub checksum: RxChecksum,
    /// The payload length of the segments that the device put together into this frame, `None` if it
    /// is a frame as it was on the wire.
    pub coalesced: Option<u16>,
}

impl RxMeta {
    /// A frame of which nothing is known.
    pub const fn new() -> Self {
        Self {
            checksum: RxChecksum::Unverified,
            coalesced: None,
        }
    }
}

/// How far a received frame's IPv4 header and transport checksums can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum RxChecksum {
    /// Nobody looked.
    #[default]
    Unverified,
    /// The device verified them.
    Valid,
    /// The frame never left the host and its transport checksum is not filled in, as a virtual
    /// device says of traffic from its own host.
    Unneeded,
}

/// Work that the device is to do on a frame to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct TxMeta {
    /// Complete the transport checksum, whose field holds the pseudo header's sum.
    pub checksum: Option<PartialChecksum>,
    /// Cut the frame into segments, each with a copy of its headers.
    pub segmentation: Option<Segmentation>,
}

impl TxMeta {
    /// A frame to send as it is.
    pub const fn new() -> Self {
        Self {
            checksum: None,
            segmentation: None,
        }
    }
}

/// A transport checksum that the device completes: the one's complement sum of everything from
/// `start` to the end of the frame, stored at `start + offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PartialChecksum {
    /// Where the summing starts, in bytes from the start of the frame.
    pub start: u16,
    /// Where the checksum field is, in bytes from `start`.
    pub offset: u16,
}

/// A frame that the device cuts into TCP segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Segmentation {
    /// The payload length in bytes of each segment but the last.
    pub segment_len: u16,
    /// The length in bytes of link, IP and TCP headers together.
    pub headers_len: u16,
}

/// The transport checksums that a device takes care of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Checksums {
    /// Completes the checksum of frames sent with [`TxMeta::checksum`].
    pub transmit: bool,
    /// Reports what it verified in [`RxMeta::checksum`].
    pub receive: bool,
}

impl Checksums {
    /// All checksums are the stack's work.
    pub const NONE: Self = Self {
        transmit: false,
        receive: false,
    };
}
