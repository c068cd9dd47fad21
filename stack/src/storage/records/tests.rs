use super::*;

#[test]
fn finds_ages_and_reuses() {
    let mut records = Records::<u32, 2>::new();
    let a = records.insert(7, || 70).unwrap().0;
    let b = records.insert(7, || 71).unwrap().0;
    assert!(records.is_full());
    assert_eq!(records.insert(8, || 80), None);
    assert_eq!(records.find(7, |&v| v == 71), Some(b));
    assert_eq!(records.find(8, |&v| v == 80), None);
    assert_eq!(records.oldest(), Some((a, &70)));
    records.renew(a);
    assert_eq!(records.oldest(), Some((b, &71)));
    assert!(records.remove(b));
    assert!(!records.remove(b), "it is gone");
    assert!(!records.is_full());
    assert_eq!(records.insert(9, || 90), Some((b, &mut 90)));
    assert!(records.iter().map(|(_, &v)| v).eq([70, 90]));
}

#[test]
fn a_table_without_room_refuses() {
    let mut records = Records::<u32, 0>::new();
    assert_eq!(records.insert(7, || 70), None);
    assert_eq!(records.find(7, |_| true), None);
}
