//! What is filed, for a few slots: one list of all of them, whatever they are filed under.
//!
//! To ask each of less than a dozen whether it is the one costs less than a hash that no peer can foresee.

use super::list::{Index, Link, List};

/// The memory that an index over `N` slots needs beside their links: none.
pub(crate) struct BucketMemory<const N: usize>;

impl<const N: usize> BucketMemory<N> {
    pub(crate) const fn new() -> Self {
        Self
    }
}

/// The list.
#[derive(Debug)]
pub(crate) struct Buckets<'d> {
    all: List,
    memory: core::marker::PhantomData<&'d ()>,
}

impl<'d> Buckets<'d> {
    pub(crate) fn new<const N: usize>(_: &'d mut BucketMemory<N>) -> Self {
        Self {
            all: List::new(),
            memory: core::marker::PhantomData,
        }
    }

    /// Files `index` under a hash.
    pub(crate) fn insert(&mut self, lane: &mut [Link], _: u32, index: Index) {
        self.all.push_back(lane, index);
    }

    /// Takes out `index`, if it is in.
    pub(crate) fn remove(&mut self, lane: &mut [Link], index: Index) {
        self.all.remove(lane, index);
    }

    /// What `index` was filed under, which nobody remembers.
    pub(crate) fn hash(&self, _: Index) -> u32 {
        0
    }

    /// All slots that are filed.
    pub(crate) fn chain<'n>(
        &self,
        lane: &'n [Link],
        _: u32,
    ) -> impl Iterator<Item = Index> + use<'n> {
        core::iter::successors(self.all.front(), move |&index| List::next(lane, index))
    }
}

#[cfg(test)]
#[path = "../buckets/tests.rs"]
mod tests;
