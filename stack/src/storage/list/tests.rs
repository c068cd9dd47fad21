use super::*;
use std::collections::VecDeque;
use std::vec::Vec;

fn contents(list: List, lane: &[Link]) -> Vec<Index> {
    core::iter::successors(list.front(), |&i| List::next(lane, i)).collect()
}

#[test]
fn linking_twice_changes_nothing() {
    let mut lane = [Link::NONE; 3];
    let mut list = List::new();
    assert!(list.push_back(&mut lane, 1));
    assert!(list.push_back(&mut lane, 2));
    assert!(!list.push_back(&mut lane, 1));
    assert_eq!(contents(list, &lane), [1, 2]);
}

#[test]
fn two_lists_share_a_lane() {
    let mut lane = [Link::NONE; 3];
    let (mut a, mut b) = (List::new(), List::new());
    a.push_back(&mut lane, 0);
    b.push_back(&mut lane, 1);
    a.remove(&mut lane, 0);
    assert!(a.is_empty() && !lane[0].is_linked());
    assert_eq!(contents(b, &lane), [1]);
}

proptest::proptest! {
    #[test]
    fn behaves_like_a_queue_without_duplicates(ops in proptest::collection::vec((0u8..3, 0u16..8), 0..200)) {
        let mut lane = [Link::NONE; 8];
        let mut list = List::new();
        let mut model = VecDeque::new();
        for (op, index) in ops {
            match op {
                0 => {
                    let fresh = !model.contains(&index);
                    if fresh { model.push_back(index); }
                    assert_eq!(list.push_back(&mut lane, index), fresh);
                }
                1 => {
                    model.retain(|&i| i != index);
                    list.remove(&mut lane, index);
                }
                _ => assert_eq!(list.pop_front(&mut lane), model.pop_front()),
            }
            assert_eq!(contents(list, &lane), model.iter().copied().collect::<Vec<_>>());
        }
    }
}
