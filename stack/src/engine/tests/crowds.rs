//! More connection requests than a stack without SYN cookies remembers.

use cygnet_config::TCP_HALF_OPEN_COUNT;
use cygnet_driver::RxChecksum;

use super::*;

/// The flood: one request from each port.
struct Requests {
    syn: Vec<u8>,
    port: u16,
}

impl Requests {
    /// The next one reaches B. What becomes of it?
    fn next(&mut self, pair: &mut Pair) -> Result<(), Discard> {
        self.port += 1;
        self.syn[20..22].copy_from_slice(&self.port.to_be_bytes());
        let mut meta = RxMeta::new();
        meta.checksum = RxChecksum::Valid;
        let (handled, answer) = receive(&mut pair.engines[1], pair.now, &self.syn, meta);
        assert_eq!(answer.is_some(), handled.is_ok(), "SYN,ACK");
        handled
    }
}

/// RFC 4987, section 3.4: "Once the entire backlog is exhausted, some implementations allow incoming SYNs to overwrite
/// the oldest half-open TCB entry"; here only one that has not been answered for a second, as its peer may be honest.
#[test]
fn rfc4987_a_full_table_drops_requests_until_some_were_answered_twice_in_vain() {
    let mut pair = Pair::new(Medium::Ip);
    let server = pair.socket(1);
    pair.engines[1]
        .tcp_listen(server, IpListenEndpoint::from(80))
        .unwrap();
    let client = pair.socket(0);
    let remote = IpEndpoint::new(B.into(), 80);
    pair.engines[0]
        .tcp_connect(client, remote, IpListenEndpoint::from(0))
        .unwrap();
    let syn = next_frame(&mut pair.engines[0], pair.now).expect("a request");
    let mut requests = Requests { syn, port: 1000 };

    let mut remembered = 0;
    let full = loop {
        match requests.next(&mut pair) {
            Ok(()) => remembered += 1,
            Err(reason) => break reason,
        }
    };
    assert_eq!(full, Discard::HalfOpenTableFull);
    assert_eq!(remembered, TCP_HALF_OPEN_COUNT);

    let b = &mut pair.engines[1];
    pair.now += Duration::from_secs(1);
    b.on_timeout(pair.now);
    assert!(next_frame(b, pair.now).is_some(), "SYN,ACK once more");
    assert_eq!(requests.next(&mut pair), Ok(()));
    assert_eq!(requests.next(&mut pair), Err(Discard::HalfOpenTableFull));
}
