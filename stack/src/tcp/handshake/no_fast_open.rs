//! In place of `fast_open.rs`: no data before the handshake is complete.

/// How a connection opens fast: not at all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum FastOpen {
    #[default]
    Off,
}
