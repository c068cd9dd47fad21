//! Congestion control by name.

use clap::ValueEnum;
use cygnet::CongestionControl;

/// What holds back the connections of an example.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Congestion {
    /// Nothing but the peer's window: for a link that is shared with nobody
    None,
    /// NewReno (RFC 6582)
    Reno,
    /// CUBIC (RFC 9438)
    Cubic,
    /// BBR
    Bbr,
}

impl From<Congestion> for CongestionControl {
    fn from(congestion: Congestion) -> Self {
        match congestion {
            Congestion::None => Self::None,
            Congestion::Reno => Self::NewReno,
            Congestion::Cubic => Self::Cubic,
            Congestion::Bbr => Self::Bbr,
        }
    }
}
