//! Whatever comes, and whatever becomes of names and addresses, it goes on.

use proptest::prelude::*;

use super::*;

/// Some addresses or none.
fn plugs(n: u8) -> Vec<IpAddress> {
    let mut addresses = Vec::new();
    if n & 1 != 0 {
        addresses.push(OURS.into());
    }
    #[cfg(feature = "proto-ipv6")]
    if n & 2 != 0 {
        addresses.push(core::net::Ipv6Addr::LOCALHOST.into());
    }
    if n & 4 != 0 {
        addresses.push(Ipv4Addr::new(192, 0, 2, 77).into());
    }
    addresses
}

proptest! {
    #[test]
    fn whatever_comes_it_goes_on(
        events in proptest::collection::vec((0usize..9, 0u64..700, any::<u8>(), any::<bool>()), 0..80),
    ) {
        let mut story = Story::new();
        let mut service = story.add(&WEB);
        let names = ["swan.local", "Swan._http._tcp.local", "_http._tcp.local", "swan-2.local",
            "_services._dns-sd._udp.local"];
        let kinds = [A, PTR, SRV, TXT, RecordType::ANY, RecordType::AAAA];
        for (kind, pause, n, flag) in events {
            let (text, asked) = (names[usize::from(n) % 5], kinds[usize::from(n) % 6]);
            let address = OwnData::A([192, 0, 2, n % 4]);
            let mut message = match kind {
                0..=2 => query_knowing(&[(text, asked)], &[], flag),
                3 => response(&[(text, u32::from(n), address)]),
                4 => probe(text, &[(text, 120, address)]),
                5 => query_knowing(&[], &[(text, 120, address)], flag),
                6 => response(&[(text, 120, OwnData::Txt(b"\x01x"))]),
                7 => {
                    story.plug_in_any(&plugs(n));
                    continue;
                }
                _ => {
                    match flag {
                        true => { story.responder.remove_service(service); }
                        false => {
                            let added =
                                story.responder.add_service(story.now, &WEB, &mut story.random);
                            service = added.unwrap_or(service);
                        }
                    }
                    continue;
                }
            };
            if n > 200 {
                message.port = 9;
            }
            let _ = story.hear(&message);
            for sent in story.wait(ms(pause)) {
                sent.read();
            }
        }
        story.plug_in(&[OURS]);
        story.wait(ms(60_000));
        prop_assert!(story.responder.is_settled());
    }
}
