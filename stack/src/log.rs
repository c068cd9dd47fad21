//! Logging through `log`, `defmt`, both or neither, from one set of macros.
//!
//! Both are additive features, so a message goes to each that is on; with neither, not even the
//! arguments are evaluated.

/// Something that is wrong but not with us: a malformed packet, a refused connection.
macro_rules! debug {
    ($($arg:tt)*) => {{
        #[cfg(feature = "log")]
        ::log::debug!($($arg)*);
        #[cfg(feature = "defmt")]
        ::defmt::debug!($($arg)*);
    }};
}

/// Something that happens for every packet. Only with the feature `verbose`.
macro_rules! trace {
    ($($arg:tt)*) => {{
        #[cfg(all(feature = "log", feature = "verbose"))]
        ::log::trace!($($arg)*);
        #[cfg(all(feature = "defmt", feature = "verbose"))]
        ::defmt::trace!($($arg)*);
    }};
}

pub(crate) use {debug, trace};
