//! The name of an interface inside the stack.

/// One of the stack's interfaces: what addresses, routes and neighbors belong to. There is one so far, so its name
/// takes no room; tests of what belongs to interfaces have several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct InterfaceId(#[cfg(test)] pub(crate) u8);

impl InterfaceId {
    pub(crate) const FIRST: Self = Self(
        #[cfg(test)]
        0,
    );
}
