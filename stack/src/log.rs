//! Logging through `log`, `defmt`, both or neither, from one set of macros.
//!
//! Both are additive features, so a message goes to each that is on; with neither, not even the
//! arguments are evaluated.

/// Something that is wrong but not with us: a malformed packet, a refused connection.
macro_rules! debug {
    ($format:literal $(, $arg:expr)* $(,)?) => {{
        #[cfg(feature = "log")]
        ::log::debug!($format $(, $arg)*);
        #[cfg(feature = "defmt")]
        ::defmt::debug!($format $(, $arg)*);
        // Used, where no logger takes it, and not evaluated.
        $(let _ = || { let _ = &$arg; };)*
    }};
}

/// Something that happens for every packet. Only with the feature `verbose`.
macro_rules! trace {
    ($format:literal $(, $arg:expr)* $(,)?) => {{
        #[cfg(all(feature = "log", feature = "verbose"))]
        ::log::trace!($format $(, $arg)*);
        #[cfg(all(feature = "defmt", feature = "verbose"))]
        ::defmt::trace!($format $(, $arg)*);
        // Used, where no logger takes it, and not evaluated.
        $(let _ = || { let _ = &$arg; };)*
    }};
}

pub(crate) use {debug, trace};
