//! Segments whose connection is guessed, where the guess is wrong.

use super::*;

#[test]
fn connections_whose_ports_lead_to_the_same_place_get_what_is_theirs() {
    let mut pair = Pair::new(Medium::Ip);
    // Whatever is made of the ports, several share some of their bits.
    let ports = [1_024, 1_024 + 16, 1_024 + 256];
    let connections = ports.map(|port| pair.connection_from(port));
    for round in 0..3 {
        for (nth, &(client, server)) in connections.iter().enumerate() {
            let (request, response) = ([b'q', nth as u8, round], [b'r', nth as u8, round]);
            pair.write(0, client, &request);
            pair.drive();
            assert_eq!(pair.read(1, server), request);
            pair.write(1, server, &response);
            pair.drive();
            assert_eq!(pair.read(0, client), response);
        }
    }
}

#[test]
fn a_connection_on_the_slot_of_another_gets_nothing_that_was_for_that() {
    let mut pair = Pair::new(Medium::Ip);
    let (client, server) = pair.connection_from(1_024);
    pair.write(0, client, b"late");
    let late = next_frame(&mut pair.engines[0], pair.now).expect("a segment");
    for (side, key) in [(0, client), (1, server)] {
        pair.engines[side].tcp_with(key, |c| c.abort());
        pair.engines[side].tcp_detach(key.index());
    }
    pair.drive();

    let (_, server) = pair.connection_from(1_024 + 256);
    let (_, reset) = receive(&mut pair.engines[1], pair.now, &late, RxMeta::new());
    assert!(reset.is_some(), "a reset");
    assert_eq!(pair.read(1, server), b"");
    assert_eq!(pair.state(1, server), State::Established);
}
