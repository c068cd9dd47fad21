//! What is asked of an index, whichever it is.

use std::vec::Vec;

use super::*;

#[test]
fn what_is_taken_out_is_not_found_and_the_others_are() {
    let mut memory = BucketMemory::<4>::new();
    let mut buckets = Buckets::new(&mut memory);
    let mut lane = [Link::NONE; 4];
    for index in [2, 0, 3] {
        buckets.insert(&mut lane, HASH, index);
    }
    assert_eq!(found(&buckets, &lane), [2, 0, 3]);
    buckets.remove(&mut lane, 0);
    buckets.remove(&mut lane, 1);
    assert_eq!(found(&buckets, &lane), [2, 3]);
    assert!(!lane[0].is_linked());
    buckets.insert(&mut lane, HASH, 0);
    assert_eq!(found(&buckets, &lane), [2, 3, 0]);
}

fn found(buckets: &Buckets<'_>, lane: &[Link]) -> Vec<Index> {
    buckets.chain(lane, HASH).collect()
}

const HASH: u32 = 0x1234_5678;
