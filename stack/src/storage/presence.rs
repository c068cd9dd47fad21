//! How an `Option` is made to be all zeros when there is nothing in it.

/// A field for types of which tables start out empty. It is never zero, and leaves zero to say that there is
/// nothing: resources that hold nothing yet are zeros then. Anything else would cost as much flash as RAM.
///
/// As wide as it is, no other field has more values to spare, of which the compiler would take one instead.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(target_pointer_width = "64", repr(u64))]
#[cfg_attr(not(target_pointer_width = "64"), repr(u32))]
pub(crate) enum Presence {
    There = 1,
}
