use super::*;
use std::vec;

fn seq(n: u32) -> SeqNum {
    SeqNum::new(n)
}

fn blocks(ranges: &[(u32, u32)]) -> SackBlocks {
    let mut blocks = SackBlocks::default();
    for &(left, right) in ranges {
        blocks.push(seq(left), seq(right));
    }
    blocks
}

/// Five segments of ten bytes from 100 on, sent at 1, 2, 3, ...
fn five(state: &mut Scoreboard, memory: &mut [u8]) {
    let mut board = state.with(memory, seq(100), seq(100));
    for n in 1..=5 {
        board.on_sent(seq(100 + 10 * n), n);
    }
}

#[test]
fn counts_what_arrived_what_is_lost_and_what_was_sent_again() {
    let mut memory = vec![0; size_of::<Record>() * 8];
    let mut state = Scoreboard::new();
    five(&mut state, &mut memory);
    let mut board = state.with(&mut memory, seq(100), seq(100));
    let delivered = board.on_ack(seq(100), seq(150), &blocks(&[(120, 140)]));
    assert_eq!(delivered.bytes, 20);
    assert_eq!(delivered.newest.unwrap().at, 4);
    assert_eq!(board.lose(|sent| sent.at < 4), 20);
    let hole = board.first_lost().unwrap();
    assert_eq!((hole.start, hole.end), (seq(100), seq(110)));
    board.on_retransmitted(hole, hole.end, 9);
    assert_eq!(board.first_lost().unwrap().start, seq(110));
    assert_eq!((state.sacked, state.lost), (20, 10));

    let mut board = state.with(&mut memory, seq(100), seq(100));
    let delivered = board.on_ack(seq(150), seq(150), &SackBlocks::default());
    assert_eq!(
        delivered.bytes, 30,
        "what was reported before does not count again"
    );
    assert!(delivered.newest.unwrap().retransmitted);
    assert_eq!((state.sacked, state.lost, state.len), (0, 0, 0));
}

#[test]
fn a_send_buffer_has_room_for_its_data_and_its_table() {
    for capacity in [0, 1, 1_000, 2_047, 2_048, 16_384, 65_535, 1 << 20, 1 << 30] {
        let len = send_buffer_len(capacity);
        assert!(len - table_len(len) >= capacity, "{capacity}");
        assert!(len <= capacity + capacity / 40 + 20, "{capacity}: {len}");
    }
}

#[test]
fn a_segment_is_acknowledged_in_part() {
    let mut memory = vec![0; size_of::<Record>() * 8];
    let mut state = Scoreboard::new();
    five(&mut state, &mut memory);
    let mut board = state.with(&mut memory, seq(100), seq(100));
    board.lose(|_| true);
    let delivered = board.on_ack(seq(115), seq(150), &SackBlocks::default());
    assert_eq!(delivered.bytes, 15);
    assert_eq!(state.lost, 35);
    let hole = state
        .with(&mut memory, seq(115), seq(115))
        .first_lost()
        .unwrap();
    assert_eq!((hole.start, hole.end), (seq(115), seq(120)));
}

// Requirement: RFC 2018 5a
#[test]
fn a_peer_that_reneges_is_not_believed_any_more() {
    let mut memory = vec![0; size_of::<Record>() * 8];
    let mut state = Scoreboard::new();
    five(&mut state, &mut memory);
    let mut board = state.with(&mut memory, seq(100), seq(100));
    board.on_ack(seq(100), seq(150), &blocks(&[(110, 150)]));
    board.on_ack(seq(110), seq(150), &SackBlocks::default());
    board.lose_all();
    assert_eq!((state.sacked, state.lost), (0, 40));
}

#[test]
fn a_long_record_is_cut_when_part_of_it_is_sent_again() {
    let mut memory = vec![0; size_of::<Record>() * 2];
    let mut state = Scoreboard::new();
    let mut board = state.with(&mut memory, seq(100), seq(100));
    board.on_sent(seq(130), 1);
    board.lose(|_| true);
    let hole = board.first_lost().unwrap();
    board.on_retransmitted(hole, seq(110), 5);
    assert_eq!(board.first_lost().unwrap().start, seq(110));
    assert_eq!(state.lost, 20);
}

proptest::proptest! {
    /// Against a model that keeps a fate for each byte, with room for every record.
    #[test]
    fn sums_agree_with_a_fate_for_each_byte(ops in proptest::collection::vec((0u8..6, 0u32..30, 1u32..30), 0..120)) {
        let mut memory = vec![0; size_of::<Record>() * 256];
        let mut state = Scoreboard::new();
        let (mut una, mut nxt) = (seq(u32::MAX - 100), seq(u32::MAX - 100));
        let mut at = 0;
        for (op, a, b) in ops {
            at += 1;
            let mut board = state.with(&mut memory, una, una);
            match op {
                0 | 1 => { nxt += b; board.on_sent(nxt, at); }
                2 => {
                    let ack = (una + a).min(nxt);
                    board.on_ack(ack, nxt, &SackBlocks::default());
                    una = ack;
                }
                3 => {
                    let mut blocks = SackBlocks::default();
                    blocks.push(una + a, (una + a + b).min(nxt));
                    board.on_ack(una, nxt, &blocks);
                }
                4 => { board.lose(|sent| sent.at % 3 == a % 3); }
                _ => if let Some(hole) = board.first_lost() {
                    let end = (hole.start + b).min(hole.end);
                    board.on_retransmitted(hole, end, at);
                }
            }
            let board = state.with(&mut memory, una, una);
            let (mut sacked, mut lost, mut start) = (0, 0, una);
            for nth in 0..board.len() {
                let record = board.get(nth);
                let len = record.end().distance_from(start);
                assert!(len > 0 && len < 1_000);
                if record.has(SACKED) { sacked += len; assert!(!record.has(LOST)); }
                if record.has(LOST) { lost += len; }
                start = record.end();
            }
            assert_eq!(start, nxt, "records cover what is in flight");
            assert_eq!((state.sacked, state.lost), (sacked, lost));
        }
    }

    /// However small the table: nothing panics, and what is in flight is covered.
    #[test]
    fn a_full_table_stays_right(sends in proptest::collection::vec((1u32..20, 0u8..4), 1..60)) {
        let mut state = Scoreboard::new();
        let (una, mut nxt) = (seq(7), seq(7));
        for (len, op) in sends {
            nxt += len;
            let mut board = state.with(&mut [], una, una);
            board.on_sent(nxt, len);
            if op == 0 { board.lose(|_| true); }
            if op == 1 && let Some(hole) = board.first_lost() {
                board.on_retransmitted(hole, hole.end.min(hole.start + 5), 1);
            }
            let last = board.len() - 1;
            assert_eq!(board.get(last).end(), nxt);
            assert!(state.lost <= nxt.distance_from(una));
        }
    }
}

#[test]
fn rfc6675_4_a_segment_is_lost_when_three_arrived_behind_it_or_more_than_two_full_ones() {
    let mut memory = vec![0; size_of::<Record>() * 8];
    let mut state = Scoreboard::new();
    five(&mut state, &mut memory);
    let mut board = state.with(&mut memory, seq(100), seq(100));
    board.on_ack(seq(100), seq(150), &blocks(&[(130, 150)]));
    assert_eq!(board.lose_overtaken(10), 0, "two full segments");
    assert_eq!(board.lose_overtaken(9), 30, "more than two");
    board.find_all();
    board.on_ack(seq(100), seq(150), &blocks(&[(110, 120)]));
    assert_eq!(
        board.lose_overtaken(50),
        10,
        "three segments, however short"
    );
    let hole = board.first_lost().unwrap();
    board.on_retransmitted(hole, hole.end, 9);
    assert_eq!(
        board.lose_overtaken(1),
        10,
        "what was sent again is the timer's"
    );
    assert_eq!(board.first_lost().unwrap().start, seq(120));
}

/// What was never sent, or is acknowledged already, cannot have arrived now.
#[test]
fn a_block_that_is_not_within_what_was_sent_says_nothing() {
    for block in [(90, 120), (130, 160), (130, 120)] {
        let mut memory = vec![0; size_of::<Record>() * 8];
        let mut state = Scoreboard::new();
        five(&mut state, &mut memory);
        let mut board = state.with(&mut memory, seq(100), seq(100));
        let delivered = board.on_ack(seq(100), seq(150), &blocks(&[block]));
        assert_eq!(delivered, Delivered::default(), "{block:?}");
    }
}

#[test]
fn only_what_is_longer_than_the_path_takes_and_did_not_arrive_is_lost_by_it() {
    let mut memory = vec![0; size_of::<Record>() * 8];
    let mut state = Scoreboard::new();
    five(&mut state, &mut memory);
    let mut board = state.with(&mut memory, seq(100), seq(100));
    board.on_sent(seq(161), 6);
    board.on_sent(seq(172), 7);
    board.on_ack(seq(100), seq(172), &blocks(&[(150, 161)]));
    board.lose_longer(10);
    board.lose_longer(10);
    let hole = board.first_lost().unwrap();
    assert_eq!((hole.start, hole.end), (seq(161), seq(172)));
    assert_eq!(state.lost, 11);
}

#[test]
fn what_was_sent_again_is_awaited_until_it_is_reported() {
    let mut memory = vec![0; size_of::<Record>() * 8];
    let mut state = Scoreboard::new();
    five(&mut state, &mut memory);
    let mut board = state.with(&mut memory, seq(100), seq(100));
    board.on_ack(seq(100), seq(150), &blocks(&[(120, 130)]));
    board.lose(|sent| sent.at == 1);
    assert!(!board.awaits_retransmission());
    let hole = board.first_lost().unwrap();
    board.on_retransmitted(hole, hole.end, 9);
    assert!(board.awaits_retransmission());
    board.on_ack(seq(100), seq(150), &blocks(&[(100, 110)]));
    assert!(!board.awaits_retransmission());
}

#[test]
fn nothing_in_flight_has_no_length_and_no_peer_that_reneges() {
    let mut memory = vec![0; size_of::<Record>() * 8];
    let mut state = Scoreboard::new();
    five(&mut state, &mut memory);
    let mut board = state.with(&mut memory, seq(100), seq(100));
    #[cfg(feature = "tcp-plpmtud")]
    assert_eq!(board.oldest_len(), 10);
    board.on_ack(seq(100), seq(150), &blocks(&[(100, 110)]));
    board.on_ack(seq(150), seq(150), &SackBlocks::default());
    #[cfg(feature = "tcp-plpmtud")]
    assert_eq!(board.oldest_len(), 0);
    assert!(!board.lose_all());
}

/// A record of nine bytes for every 384, in words of eight; none for a buffer of less than 2 KiB.
#[test]
fn a_buffer_of_two_kilobytes_has_a_table() {
    for (len, table) in [(0, 0), (1_000, 0), (2_047, 0), (2_048, 48), (3_840, 96)] {
        assert_eq!(table_len(len), table, "{len}");
    }
    assert_eq!(table_len(1 << 30), 9 * MAX_RECORDS);
}

/// The number of a SYN is on no record.
#[test]
fn what_is_not_on_the_table_delivers_nothing() {
    let mut memory = vec![0; size_of::<Record>() * 8];
    let mut state = Scoreboard::new();
    let mut board = state.with(&mut memory, seq(99), seq(100));
    let delivered = board.on_ack(seq(100), seq(100), &SackBlocks::default());
    assert_eq!(delivered.bytes, 0);
    // What is left of an earlier segment is not looked at.
    five(&mut state, &mut memory);
    let mut board = state.with(&mut memory, seq(100), seq(150));
    board.on_ack(seq(150), seq(150), &SackBlocks::default());
    let mut board = state.with(&mut memory, seq(150), seq(151));
    let delivered = board.on_ack(seq(151), seq(151), &SackBlocks::default());
    assert_eq!(delivered.bytes, 0);
}

/// A part of a segment is sent again, and with that the table is full.
#[test]
fn a_segment_in_two_pieces_fills_the_table() {
    let mut memory = vec![0; size_of::<Record>() * 3];
    let mut state = Scoreboard::new();
    let mut board = state.with(&mut memory, seq(100), seq(120));
    board.on_sent(seq(110), 1);
    board.on_sent(seq(120), 2);
    assert_eq!(board.lose_first(10), 10);
    let hole = board.first_lost().unwrap();
    board.on_retransmitted(hole, seq(105), 3);
    let records: std::vec::Vec<_> = (0..3)
        .map(|nth| (board.get(nth).end().get(), board.get(nth).flags))
        .collect();
    let again = (110, RETRANSMITTED);
    assert_eq!(records[0], (105, RETRANSMITTED));
    assert!(
        records[1] == (110, LOST) || records[1] == again,
        "{records:?}"
    );
    assert_eq!(records[2], (120, 0));
    assert_eq!(board.state.lost, 5);
}
