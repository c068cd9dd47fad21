//! A hash index over the slots: bucket heads here, chains through a lane of links.
//!
//! The hash is the caller's and must be keyed, or a peer could choose addresses and ports that all fall
//! into one bucket.

use super::list::{Index, Link, List};

/// The bucket heads; as many as there are slots, so that chains are about one long.
#[derive(Debug)]
pub(crate) struct Buckets<'d> {
    heads: &'d mut [List],
}

impl<'d> Buckets<'d> {
    pub(crate) fn new(heads: &'d mut [List]) -> Self {
        heads.fill(List::new());
        Self { heads }
    }

    /// Files `index` under `hash`.
    pub(crate) fn insert(&mut self, lane: &mut [Link], hash: u32, index: Index) {
        if let Some(bucket) = self.bucket(hash) {
            self.heads[bucket].push_back(lane, index);
        }
    }

    /// Takes out `index`, which was filed under `hash`.
    pub(crate) fn remove(&mut self, lane: &mut [Link], hash: u32, index: Index) {
        if let Some(bucket) = self.bucket(hash) {
            self.heads[bucket].remove(lane, index);
        }
    }

    /// The slots filed under `hash`, and others that share its bucket.
    pub(crate) fn chain<'n>(
        &self,
        lane: &'n [Link],
        hash: u32,
    ) -> impl Iterator<Item = Index> + use<'n> {
        let front = self.bucket(hash).and_then(|b| self.heads[b].front());
        core::iter::successors(front, move |&index| List::next(lane, index))
    }

    /// Scales the hash to the number of buckets, which need not be a power of two.
    fn bucket(&self, hash: u32) -> Option<usize> {
        let count = self.heads.len() as u64;
        (count > 0).then(|| ((u64::from(hash) * count) >> 32) as usize)
    }
}
