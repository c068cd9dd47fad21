use super::*;
use std::vec;
use std::vec::Vec;

#[test]
fn a_later_deadline_leaves_the_entry_where_it_is() {
    let mut memory = DeadlineMemory::<2>::new();
    let mut deadlines = Deadlines::new(&mut memory);
    deadlines.schedule(0, Instant::from_secs(1));
    deadlines.schedule(0, Instant::from_secs(5));
    assert_eq!(deadlines.next(), Instant::from_secs(1));
    deadlines.schedule(0, Instant::FAR_FUTURE);
    assert_eq!(deadlines.pop_due(Instant::from_secs(1)), Some(0));
    assert_eq!(deadlines.next(), Instant::FAR_FUTURE);
}

proptest::proptest! {
    #[test]
    fn agrees_with_a_sorted_list(ops in proptest::collection::vec((0u8..4, 0u16..16, 0u64..50), 0..300)) {
        let mut memory = DeadlineMemory::<16>::new();
        let mut deadlines = Deadlines::new(&mut memory);
        let mut model: Vec<Option<u64>> = vec![None; 16];
        for (op, index, at) in ops {
            match op {
                0 | 1 => {
                    deadlines.schedule(index, Instant::from_micros(at));
                    let entry = &mut model[usize::from(index)];
                    *entry = Some(entry.map_or(at, |old| old.min(at)));
                }
                2 => {
                    deadlines.remove(index);
                    model[usize::from(index)] = None;
                }
                _ => {
                    let popped = deadlines.pop_due(Instant::from_micros(at));
                    let earliest = model.iter().flatten().min().copied();
                    match popped {
                        Some(i) => {
                            assert_eq!(model[usize::from(i)].take(), earliest);
                            assert!(earliest.unwrap() <= at);
                        }
                        None => assert!(earliest.is_none_or(|e| e > at)),
                    }
                }
            }
            let earliest = model.iter().flatten().min().map_or(Instant::FAR_FUTURE, |&at| Instant::from_micros(at));
            assert_eq!(deadlines.next(), earliest);
        }
    }
}
