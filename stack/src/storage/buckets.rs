//! A hash index over the slots: bucket heads here, chains through a lane of links.
//!
//! The hash is the caller's and must be keyed, or a peer could choose addresses and ports that all fall
//! into one bucket.

use super::list::{Index, Link, List};

/// The memory of the index, for `N` slots.
pub(crate) struct BucketMemory<const N: usize> {
    heads: [List; N],
    hashes: [u32; N],
}

impl<const N: usize> BucketMemory<N> {
    pub(crate) const fn new() -> Self {
        Self {
            heads: [const { List::new() }; N],
            hashes: [0; N],
        }
    }
}

/// The bucket heads; as many as there are slots, so that chains are about one long.
#[derive(Debug)]
pub(crate) struct Buckets<'d> {
    heads: &'d mut [List],
    /// Of each slot: what it was filed under last.
    hashes: &'d mut [u32],
}

impl<'d> Buckets<'d> {
    pub(crate) fn new<const N: usize>(memory: &'d mut BucketMemory<N>) -> Self {
        Self {
            heads: &mut memory.heads,
            hashes: &mut memory.hashes,
        }
    }

    /// Files `index` under `hash`.
    pub(crate) fn insert(&mut self, lane: &mut [Link], hash: u32, index: Index) {
        if let (Some(bucket), Some(under)) =
            (self.bucket(hash), self.hashes.get_mut(usize::from(index)))
        {
            *under = hash;
            self.heads[bucket].push_back(lane, index);
        }
    }

    /// Takes out `index`, if it is in.
    pub(crate) fn remove(&mut self, lane: &mut [Link], index: Index) {
        if let Some(bucket) = self.bucket(self.hash(index)) {
            self.heads[bucket].remove(lane, index);
        }
    }

    /// What `index` was filed under last.
    pub(crate) fn hash(&self, index: Index) -> u32 {
        let hash = self.hashes.get(usize::from(index));
        hash.copied().unwrap_or(0)
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

#[cfg(test)]
mod tests;
