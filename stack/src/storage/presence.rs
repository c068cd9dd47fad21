//! How an `Option` is made to be all zeros when there is nothing in it.

/// A field for types of which tables start out empty. It is never zero, and leaves zero to say that there is
/// nothing: resources that hold nothing yet are zeros then. Anything else would cost as much flash as RAM.
///
/// As wide as it is, no other field has more values to spare, of which the compiler would take one instead: on 32 bits
/// as well, where the tag of an `Option` of something that is aligned to 64 bits has as many.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(crate) enum Presence {
    There = 1,
}
