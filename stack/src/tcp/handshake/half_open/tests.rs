use core::net::Ipv4Addr;

use super::*;
use crate::time::Duration;
use crate::wire::{IpEndpoint, TcpOptions, Timestamps};

/// RFC 7323, section 5.3, R1: a segment with an older timestamp than the SYN's is not acceptable, and is answered; so that
/// an old one completes no handshake. One without any, though they were agreed upon, is dropped (section 3.2).
#[test]
fn rfc7323_5_3_an_old_timestamp_completes_no_handshake() {
    let end = |host, port| IpEndpoint::new(Ipv4Addr::new(10, 0, 0, host).into(), port);
    let tuple = FourTuple {
        local: end(2, 80),
        remote: end(1, 40_000),
    };
    let stamped = |value| TcpOptions {
        timestamps: Some(Timestamps { value, echo: 0 }),
        ..TcpOptions::default()
    };
    let iss = SeqNum::new(7);
    let syn = TcpHeader {
        seq: SeqNum::new(99),
        flags: TcpFlags::SYN,
        options: stamped(5_000),
        ..TcpHeader::default()
    };
    let offer = Offer {
        receive_capacity: 4_096,
        path_mss: 1_460,
        timestamp_offset: 0,
    };
    let now = Instant::from_secs(1);
    let mut half_open = HalfOpen::new(now, tuple, (), iss, &syn, &offer);
    let answer_to = |half_open: &HalfOpen<()>, options| {
        half_open.on_segment(&TcpSegment {
            header: TcpHeader {
                seq: syn.seq + 1,
                ack: iss + 1,
                flags: TcpFlags::ACK,
                options,
                ..TcpHeader::default()
            },
            payload: &[],
            ..TcpSegment::default()
        })
    };
    let late = answer_to(&half_open, stamped(4_999));
    assert!(matches!(late, SynReply::Acknowledge(Discard::OldTimestamp)));
    assert!(half_open.may_acknowledge(now));
    let answer = half_open.acknowledgment();
    assert_eq!((answer.seq, answer.ack), (iss + 1, syn.seq + 1));
    assert_eq!(answer.flags, TcpFlags::ACK);
    assert!(!half_open.may_acknowledge(now));
    let later = now + Duration::from_millis(501);
    assert!(half_open.may_acknowledge(later));
    let bare = answer_to(&half_open, TcpOptions::default());
    assert!(matches!(bare, SynReply::Discard(Discard::MissingTimestamp)));
    assert!(matches!(
        answer_to(&half_open, stamped(5_000)),
        SynReply::Complete
    ));
}
