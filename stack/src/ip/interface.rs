//! The name of an interface inside the stack.

/// One of the stack's interfaces: what addresses, routes and neighbors belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct InterfaceId(pub(crate) u8);
