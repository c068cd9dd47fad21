//! Memory lent to the stack: borrowed, or owned where there is a heap.

use core::ops::{Deref, DerefMut};

#[cfg(feature = "alloc")]
use alloc::{boxed::Box, vec::Vec};

/// A buffer of bytes.
pub type Bytes<'d> = Buffer<'d, u8>;

/// A slice that outlives the stack it is given to.
///
/// That it outlives the stack is what makes it sound to forget a handle, and possible for a dropped one
/// to close its connection in the background.
#[derive(Debug)]
pub enum Buffer<'d, T> {
    /// Lent by the application.
    Borrowed(&'d mut [T]),
    /// Owned by the stack.
    #[cfg(feature = "alloc")]
    Owned(Box<[T]>),
}

impl<T> Buffer<'_, T> {
    /// A buffer of no length.
    pub const fn empty() -> Self {
        Self::Borrowed(&mut [])
    }
}

impl<T> Default for Buffer<'_, T> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<T> Deref for Buffer<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Borrowed(slice) => slice,
            #[cfg(feature = "alloc")]
            Self::Owned(boxed) => boxed,
        }
    }
}

impl<T> DerefMut for Buffer<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::Borrowed(slice) => slice,
            #[cfg(feature = "alloc")]
            Self::Owned(boxed) => boxed,
        }
    }
}

impl<'d, T> From<&'d mut [T]> for Buffer<'d, T> {
    fn from(slice: &'d mut [T]) -> Self {
        Self::Borrowed(slice)
    }
}

impl<'d, T, const N: usize> From<&'d mut [T; N]> for Buffer<'d, T> {
    fn from(array: &'d mut [T; N]) -> Self {
        Self::Borrowed(array)
    }
}

#[cfg(feature = "alloc")]
impl<T> From<Box<[T]>> for Buffer<'_, T> {
    fn from(boxed: Box<[T]>) -> Self {
        Self::Owned(boxed)
    }
}

#[cfg(feature = "alloc")]
impl<T> From<Vec<T>> for Buffer<'_, T> {
    fn from(vec: Vec<T>) -> Self {
        Self::Owned(vec.into_boxed_slice())
    }
}
