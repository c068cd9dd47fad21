//! DNS: a host that asks, at 10.0.0.1, and servers at 10.0.0.2 and 10.0.0.3 that its test plays.

use std::net::{IpAddr, Ipv4Addr};

use cygnet::wire::dns::{Name, RecordData, RecordType};
use cygnet::{ConfigV4, IpEndpoint, TcpListener};
use cygnet::{Discard, DnsError, DnsSocket, Duration, IpAddress};
use cygnet_tests::{Host, Network, Setup};
use embassy_futures::join::join;
use embassy_futures::select::{Either, select};
use embedded_io_async::{Read, Write};
use embedded_nal_async::{AddrType, Dns};

use crate::dns_server::{Reply, Server, at, wire};

/// A host whose configuration names these servers, by the last number of their addresses.
fn network<const N: usize>(servers: &[u8]) -> Network<'static, N> {
    Network::with(1, |n| {
        let mut setup = Setup::new(n);
        if let ConfigV4::Static(mut config) = setup.config.ipv4 {
            for &last in servers {
                config = config.with_dns_server(Ipv4Addr::new(10, 0, 0, last));
            }
            config = config.with_domain(&Name::from_text("one.test").unwrap());
            config = config.with_domain(&Name::from_text("two.test").unwrap());
            setup.config.ipv4 = config.into();
        }
        setup
    })
}

fn dns<'d>(host: &Host<'d>) -> DnsSocket<'d> {
    DnsSocket::new(host.stack, vec![0; 1600]).expect("a free slot")
}

fn addresses(last: &[u8]) -> Vec<IpAddress> {
    last.iter().map(|&last| at(last).into()).collect()
}

#[test]
fn a_name_has_addresses_for_as_long_as_they_hold() {
    let network = network::<2>(&[2]);
    let [client, server] = &network.hosts;
    let (dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let answering = server.answer(|reply| reply.a(60, 1).a(60, 2));
        let (query, found) = join(answering, dns.resolve("www.example.org")).await;
        assert_eq!(query.name(), "www.example.org");
        assert!(query.from.port >= 49_152, "{}", query.from);
        assert_eq!(found.unwrap()[..], addresses(&[1, 2]));
        network.executor.sleep(Duration::from_secs(58)).await;
        let cached = dns.resolve("WWW.example.org.").await;
        assert_eq!(cached.unwrap()[..], addresses(&[1, 2]), "nobody was asked");
        network.executor.sleep(Duration::from_secs(2)).await;
        let answering = server.answer(|reply| reply.a(60, 3));
        let (again, found) = join(answering, dns.resolve("www.example.org")).await;
        assert_eq!(found.unwrap()[..], addresses(&[3]));
        let mut buffer = [0; 512];
        let answer = dns
            .query("www.example.org", RecordType::A, &mut buffer)
            .await;
        let name = answer.unwrap().records().next().unwrap().name.to_string();
        assert_eq!(name, "www.example.org", "nobody sees the capitals");
        assert_ne!(again.from.port, query.from.port);
        assert_ne!(again.bytes[..2], query.bytes[..2]);
        assert_ne!(again.bytes[12..], query.bytes[12..], "other capitals");
    });
}

#[test]
fn addresses_in_text_stand_for_themselves() {
    let network = network::<1>(&[]);
    let dns = dns(&network.hosts[0]);
    network.executor.block_on(async {
        assert_eq!(dns.resolve("192.0.2.7").await.unwrap()[..], addresses(&[7]));
        assert_eq!(dns.resolve("example.org").await, Err(DnsError::NoServers));
        let invalid = dns.resolve("a..b").await;
        assert!(matches!(invalid, Err(DnsError::InvalidName(_))));
    });
}

#[test]
fn forged_answers_change_nothing() {
    let network = network::<3>(&[2]);
    let [client, server, forger] = &network.hosts;
    let (dns, server, forger) = (dns(client), Server::on(server), Server::on(forger));
    network.executor.block_on(async {
        let answering = async {
            let query = server.receive().await;
            let good = query.reply().a(60, 1);
            let forged = query.reply().a(60, 66);
            // From another host, with another number, other capitals, another question.
            forger.send(query.from, &forged).await;
            for at in [0, 13, query.bytes.len() - 15] {
                let mut bytes = forged.bytes.clone();
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 0x20;
                }
                server.send(query.from, &Reply { bytes }).await;
            }
            network.executor.sleep(Duration::from_millis(500)).await;
            server.send(query.from, &good).await;
        };
        let ((), found) = join(answering, dns.resolve("example.org")).await;
        assert_eq!(found.unwrap()[..], addresses(&[1]));
        let stats = client.stack.stats();
        assert_eq!(stats.discarded(Discard::UnmatchedDns), 3);
        assert_eq!(stats.discarded(Discard::NoSocket), 1, "not from the server");
    });
}

#[test]
fn a_silent_server_is_passed_over() {
    let network = network::<3>(&[2, 3]);
    let [client, first, second] = &network.hosts;
    let (dns, first, second) = (dns(client), Server::on(first), Server::on(second));
    network.executor.block_on(async {
        let silent = first.receive();
        let answering = join(silent, second.answer(|reply| reply.a(60, 1)));
        let start = network.executor.now();
        let (_, found) = join(answering, dns.resolve("example.org")).await;
        assert_eq!(found.unwrap()[..], addresses(&[1]));
        let after = network.executor.now().since(start).as_millis();
        assert!((2000..2100).contains(&after), "{after}");
    });
}

#[test]
fn a_server_that_fails_or_refuses_is_passed_over_at_once() {
    for rcode in [2, 5] {
        let network = network::<3>(&[2, 3]);
        let [client, first, second] = &network.hosts;
        let (dns, first, second) = (dns(client), Server::on(first), Server::on(second));
        network.executor.block_on(async {
            let answering = join(
                first.answer(|reply| reply.rcode(rcode)),
                second.answer(|reply| reply.a(60, 1)),
            );
            let start = network.executor.now();
            let (_, found) = join(answering, dns.resolve("example.org")).await;
            assert_eq!(found.unwrap()[..], addresses(&[1]));
            assert!(network.executor.now().since(start) < Duration::from_secs(1));
        });
    }
}

#[test]
fn a_host_without_a_server_says_so() {
    let network = network::<3>(&[2, 3]);
    let [client, _nobody, second] = &network.hosts;
    let (dns, second) = (dns(client), Server::on(second));
    network.executor.block_on(async {
        let start = network.executor.now();
        let answering = second.answer(|reply| reply.a(60, 1));
        let (_, found) = join(answering, dns.resolve("example.org")).await;
        assert_eq!(found.unwrap()[..], addresses(&[1]));
        assert!(network.executor.now().since(start) < Duration::from_secs(1));
    });
}

#[test]
fn silence_is_an_error_in_the_end() {
    // The second server is a host that is not there.
    let network = network::<2>(&[2, 77]);
    let [client, server] = &network.hosts;
    let (dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let listening = async {
            for _ in 0..3 {
                server.receive().await;
            }
        };
        let (_, found) = join(listening, dns.resolve("example.org")).await;
        assert_eq!(found, Err(DnsError::TimedOut));
        let answering = server.answer(|reply| reply.a(60, 1));
        let (_, found) = join(answering, dns.resolve("example.org")).await;
        assert_eq!(
            found.unwrap()[..],
            addresses(&[1]),
            "and the socket goes on"
        );
    });
}

#[test]
fn a_server_that_does_not_know_edns_is_asked_without() {
    let network = network::<2>(&[2]);
    let [client, server] = &network.hosts;
    let (dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let answering = async {
            let first = server.answer(|reply| reply.rcode(1)).await;
            let opt = first.message().all_records().next().unwrap();
            assert_eq!((opt.kind, opt.class), (RecordType::OPT, 1232));
            let second = server.answer(|reply| reply.a(60, 1)).await;
            assert_eq!(second.message().all_records().count(), 0);
        };
        let ((), found) = join(answering, dns.resolve("example.org")).await;
        assert_eq!(found.unwrap()[..], addresses(&[1]));
    });
}

#[test]
fn that_there_is_no_such_name_is_remembered() {
    let network = network::<2>(&[2]);
    let [client, server] = &network.hosts;
    let (dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let answering = server.answer(|reply| reply.rcode(3).soa(30));
        let (_, found) = join(answering, dns.resolve("no.example.org")).await;
        assert_eq!(found, Err(DnsError::NoSuchName));
        let cached = dns.resolve("no.example.org").await;
        assert_eq!(cached, Err(DnsError::NoSuchName), "nobody was asked");
        let answering = server.answer(|reply| reply.soa(30));
        let (_, found) = join(answering, dns.resolve("empty.example.org")).await;
        assert_eq!(found, Err(DnsError::NoData));
    });
}

#[test]
fn aliases_are_followed_within_an_answer_and_beyond() {
    let network = network::<2>(&[2]);
    let [client, server] = &network.hosts;
    let (dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let answering = async {
            let (www, host) = (wire("web.example.org"), wire("host.example.org"));
            let chain = |reply: Reply| {
                let reply = reply.record(RecordType::CNAME, 60, &www);
                reply.record_of(&www, RecordType::CNAME, 60, &host)
            };
            server.answer(chain).await;
            let query = server.answer(|reply| reply.a(60, 1)).await;
            assert_eq!(query.name(), "host.example.org");
        };
        let ((), found) = join(answering, dns.resolve("www.example.org")).await;
        assert_eq!(found.unwrap()[..], addresses(&[1]));
        let cached = dns.resolve("www.example.org").await;
        assert_eq!(cached.unwrap()[..], addresses(&[1]), "both steps");

        let whole = |reply: Reply| {
            let target = wire("target.example.org");
            reply
                .record(RecordType::CNAME, 60, &target)
                .record_of(&target, RecordType::A, 60, &[192, 0, 2, 2])
                .record_of(
                    &wire("other.example.org"),
                    RecordType::A,
                    60,
                    &[192, 0, 2, 3],
                )
        };
        let mut buffer = [0; 512];
        let asking = dns.query("short.example.org", RecordType::A, &mut buffer);
        let (_, answer) = join(server.answer(whole), asking).await;
        let answer = answer.unwrap();
        assert_eq!(answer.canonical_name().to_string(), "target.example.org");
        let data: Vec<_> = answer.records().map(|record| record.data).collect();
        assert_eq!(
            data,
            [RecordData::A(at(2))],
            "and nothing else that is said"
        );
    });
}

#[test]
fn aliases_that_lead_in_circles_are_given_up() {
    let network = network::<2>(&[2]);
    let [client, server] = &network.hosts;
    let (dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let itself = server.answer(|reply| reply.record(RecordType::CNAME, 60, &[0xc0, 12]));
        let (_, found) = join(itself, dns.resolve("self.example.org")).await;
        assert_eq!(found, Err(DnsError::TooManyAliases));
        let names = ["a.example.org", "b.example.org"];
        let circling = async {
            for turn in 0.. {
                let next = wire(names[(turn + 1) % 2]);
                server
                    .answer(|reply| reply.record(RecordType::CNAME, 0, &next))
                    .await;
            }
        };
        let found = async {
            let found = dns.resolve(names[0]).await;
            assert_eq!(found, Err(DnsError::TooManyAliases));
        };
        select(circling, found).await;
    });
}

#[test]
fn short_names_are_looked_for_in_the_domains() {
    let network = network::<2>(&[2]);
    let [client, server] = &network.hosts;
    let (dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let answering = async {
            let first = server.answer(|reply| reply.rcode(3)).await;
            let second = server.answer(|reply| reply.a(60, 1)).await;
            (first.name(), second.name())
        };
        let (names, found) = join(answering, dns.resolve("printer")).await;
        assert_eq!(
            (names.0.as_str(), names.1.as_str()),
            ("printer.one.test", "printer.two.test")
        );
        assert_eq!(found.unwrap()[..], addresses(&[1]));
        let answering = server.answer(|reply| reply.a(60, 2));
        let (query, found) = join(answering, dns.resolve("printer.")).await;
        assert_eq!(
            query.name(),
            "printer",
            "a dot at the end says that it is whole"
        );
        assert_eq!(found.unwrap()[..], addresses(&[2]));
    });
}

/// What a server sends over TCP to who connects and asks: that many addresses.
async fn serve_over_tcp(listener: &TcpListener<'_>, addresses: u8) {
    let mut socket = listener.accept().await.unwrap();
    let mut len = [0; 2];
    socket.read_exact(&mut len).await.unwrap();
    let mut query = vec![0; usize::from(u16::from_be_bytes(len))];
    socket.read_exact(&mut query).await.unwrap();
    let mut reply = Reply::to(&query);
    for last in 0..addresses {
        reply = reply.a(60, last);
    }
    let mut frame = (reply.bytes.len() as u16).to_be_bytes().to_vec();
    frame.extend(reply.bytes);
    // Who has no use for it may close before the end.
    let _ = socket.write_all(&frame).await;
    let _ = socket.flush().await;
}

#[test]
fn an_answer_that_does_not_fit_the_buffer_says_so() {
    let network = network::<3>(&[2, 3]);
    let [client, first, second] = &network.hosts;
    let dns = DnsSocket::new(client.stack, vec![0; 800]).unwrap();
    let dns = dns.with_tcp(client.tcp());
    let listener = first.listen::<2>(53);
    let (first, second) = (Server::on(first), Server::on(second));
    network.executor.block_on(async {
        let over_tcp = async {
            first.answer(Reply::truncated).await;
            serve_over_tcp(&listener, 100).await;
        };
        let asking = dns.resolve("one.example.org");
        let found = join(over_tcp, asking).await.1;
        assert_eq!(found, Err(DnsError::BufferTooSmall));
        // Nor do more bytes than it was told there is room for.
        let over_udp = first.answer(|reply| (0..70).fold(reply, |reply, last| reply.a(60, last)));
        let found = join(over_udp, dns.resolve("two.example.org")).await.1;
        assert_eq!(found, Err(DnsError::BufferTooSmall));
        // Another server has no shorter answer, and was not asked.
        let while_later = network.executor.sleep(Duration::from_secs(20));
        let asked = select(second.receive(), while_later).await;
        assert!(matches!(asked, Either::Second(())));
    });
}

#[test]
fn what_does_not_fit_a_datagram_comes_over_tcp() {
    let network = network::<2>(&[2]);
    let [client, host] = &network.hosts;
    let dns = DnsSocket::new(client.stack, vec![0; 4000]).unwrap();
    let dns = dns.with_tcp(client.tcp_with(512, 256));
    let server = Server::on(host);
    let listener = host.listen::<2>(53);
    network.executor.block_on(async {
        for round in 0..3u8 {
            let answering = async {
                server.answer(Reply::truncated).await;
                serve_over_tcp(&listener, 100).await;
            };
            let name = format!("big{round}.example.org");
            let asking = dns.query_with(&name, RecordType::A, |answer| answer.records().count());
            let ((), count) = join(answering, asking).await;
            assert_eq!(count, Ok(100));
        }
    });
}

#[test]
fn a_server_that_hangs_on_tcp_is_passed_over() {
    let network = network::<3>(&[2, 3]);
    let [client, first, second] = &network.hosts;
    let dns = dns(client).with_tcp(client.tcp());
    let listener = first.listen::<2>(53);
    let (first, second) = (Server::on(first), Server::on(second));
    network.executor.block_on(async {
        let answering = async {
            first.answer(Reply::truncated).await;
            let _silent = listener.accept().await.unwrap();
            second.answer(|reply| reply.a(60, 1)).await;
        };
        let ((), found) = join(answering, dns.resolve("example.org")).await;
        assert_eq!(found.unwrap()[..], addresses(&[1]));
    });
}

#[test]
fn without_tcp_what_fitted_has_to_do() {
    let network = network::<2>(&[2]);
    let [client, server] = &network.hosts;
    let (dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let answering = server.answer(|reply| reply.truncated().a(60, 1));
        let asking = dns.query_with("example.org", RecordType::A, |answer| {
            (answer.is_truncated(), answer.records().count())
        });
        assert_eq!(join(answering, asking).await.1, Ok((true, 1)));
    });
}

#[test]
fn other_records_are_found_as_well() {
    let network = network::<2>(&[2]);
    let [client, server] = &network.hosts;
    let (dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let srv = server.answer(|reply| {
            let mut data = vec![0, 1, 0, 2, 0x13, 0xc4];
            data.extend(wire("sip.example.org"));
            reply.record(RecordType::SRV, 60, &data)
        });
        let asking = dns.query_with("_sip._tcp.example.org", RecordType::SRV, |answer| {
            answer.records().find_map(|record| match record.data {
                RecordData::Srv { port, target, .. } => Some((port, target.to_string())),
                _ => None,
            })
        });
        let found = join(srv, asking).await.1.unwrap().unwrap();
        assert_eq!((found.0, found.1.as_str()), (5060, "sip.example.org"));
    });
}

#[test]
fn the_trait_of_embedded_nal_finds_addresses_and_names() {
    let network = network::<2>(&[2]);
    let [client, server] = &network.hosts;
    let (dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let answering = server.answer(|reply| reply.a(60, 1));
        let asking = dns.get_host_by_name("example.org", AddrType::Either);
        assert_eq!(join(answering, asking).await.1, Ok(IpAddr::V4(at(1))));
        let six = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let answering = server.answer(|reply| reply.record(RecordType::AAAA, 60, &six));
        let asking = dns.get_host_by_name("six.example.org", AddrType::IPv6);
        assert_eq!(join(answering, asking).await.1, Ok(IpAddr::from(six)));
        let literal = dns.get_host_by_name("192.0.2.1", AddrType::IPv4).await;
        assert_eq!(literal, Ok(IpAddr::V4(at(1))));

        let answering = server.answer(|reply| reply.record(RecordType::PTR, 60, &wire("a.test")));
        let mut name = [0; 64];
        let asking = dns.get_host_by_address(Ipv4Addr::new(192, 0, 20, 105).into(), &mut name);
        let (query, len) = join(answering, asking).await;
        assert_eq!(query.name(), "105.20.0.192.in-addr.arpa");
        assert_eq!(&name[..len.unwrap()], b"a.test");
        let answering = server.answer(|reply| reply.record(RecordType::PTR, 60, &wire("a.test")));
        let asking = dns.get_host_by_address(IpAddr::from(six), &mut name[..3]);
        let (query, len) = join(answering, asking).await;
        let nibbles = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        assert_eq!(query.name(), nibbles);
        assert_eq!(len, Err(DnsError::BufferTooSmall));
    });
}

#[test]
fn tasks_that_share_a_socket_take_turns() {
    let network = network::<2>(&[2]);
    let [client, server] = &network.hosts;
    let (dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let answering = async {
            for _ in 0..2 {
                server
                    .answer(|reply| {
                        let last = reply.bytes[13] & 0x0f;
                        reply.a(60, last)
                    })
                    .await;
            }
        };
        let asking = join(dns.resolve("a.example.org"), dns.resolve("b.example.org"));
        let ((), (a, b)) = join(answering, asking).await;
        assert_eq!(a.unwrap()[..], addresses(&[1]));
        assert_eq!(b.unwrap()[..], addresses(&[2]));
    });
}

#[test]
fn a_question_that_is_given_up_leaves_nothing_behind() {
    let network = network::<2>(&[2]);
    let [client, server] = &network.hosts;
    let (dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let query = match select(dns.resolve("slow.example.org"), server.receive()).await {
            embassy_futures::select::Either::Second(query) => query,
            embassy_futures::select::Either::First(found) => panic!("{found:?}"),
        };
        server.send(query.from, &query.reply().a(60, 66)).await;
        let answering = server.answer(|reply| reply.a(60, 1));
        let (_, found) = join(answering, dns.resolve("example.org")).await;
        assert_eq!(found.unwrap()[..], addresses(&[1]));
        assert_eq!(client.stack.stats().discarded(Discard::NoSocket), 1);
    });
}

#[test]
fn messages_of_ones_own_go_through_the_pipe() {
    let network = network::<2>(&[2]);
    let [client, server] = &network.hosts;
    let (mut dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let early = dns.read(&mut [0; 9]).await;
        assert_eq!(early, Err(DnsError::NoQuery));
        for (round, piece) in [(0u8, 1), (1, 7), (2, 500)] {
            let frame = framed_query(&format!("Name{round}.Example.org"));
            let query = &frame[2..];
            for piece in frame.chunks(piece) {
                dns.write_all(piece).await.unwrap();
            }
            let answering = async {
                // The first is lost.
                let lost = server.receive().await;
                let asked = server.answer(|reply| reply.a(60, 1)).await;
                assert_ne!(
                    lost.bytes[..2],
                    asked.bytes[..2],
                    "numbers not to be guessed"
                );
                assert_eq!(asked.bytes[2..], query[2..], "the rest as it was written");
            };
            let reading = async {
                let mut len = [0; 2];
                dns.read_exact(&mut len).await.unwrap();
                let mut answer = vec![0; usize::from(u16::from_be_bytes(len))];
                for piece in answer.chunks_mut(piece) {
                    dns.read_exact(piece).await.unwrap();
                }
                answer
            };
            let ((), answer) = join(answering, reading).await;
            let expected = Reply::to(query).a(60, 1);
            assert_eq!(
                answer, expected.bytes,
                "with the number that it was written with"
            );
        }
    });
}

/// A query of one's own, in the frame that the pipe takes.
fn framed_query(name: &str) -> Vec<u8> {
    let mut query = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(wire(name));
    query.extend([0, 1, 0, 1]);
    let mut frame = (query.len() as u16).to_be_bytes().to_vec();
    frame.extend(&query);
    frame
}

#[test]
fn who_asks_for_a_name_takes_the_place_of_what_is_in_the_pipe() {
    let network = network::<2>(&[2]);
    let [client, server] = &network.hosts;
    let (mut dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let frame = framed_query("own.example.org");
        let (start, rest) = frame.split_at(9);
        let other = async |dns: &DnsSocket<'_>, n: u8| {
            let answering = server.answer(|reply| reply.a(60, n));
            let name = format!("other{n}.example.org");
            let (_, found) = join(answering, dns.resolve(&name)).await;
            assert_eq!(found.unwrap()[..], addresses(&[n]));
        };
        // A query that was not asked yet.
        dns.write_all(&frame).await.unwrap();
        other(&dns, 1).await;
        assert_eq!(dns.read(&mut [0; 64]).await, Err(DnsError::NoQuery));
        // One that is half written: its rest is no query.
        dns.write_all(start).await.unwrap();
        other(&dns, 2).await;
        assert_eq!(dns.write(rest).await, Err(DnsError::NoQuery));
        dns.write_all(start).await.unwrap();
        other(&dns, 3).await;
        assert_eq!(dns.read(&mut [0; 64]).await, Err(DnsError::NoQuery));
        // An answer that was not read to its end.
        dns.write_all(&frame).await.unwrap();
        let answering = server.answer(|reply| reply.a(60, 4));
        let (_, read) = join(answering, dns.read(&mut [0; 3])).await;
        assert_eq!(read, Ok(3));
        other(&dns, 5).await;
        assert_eq!(dns.read(&mut [0; 64]).await, Err(DnsError::NoQuery));
        // The pipe is good for another.
        dns.write_all(&frame).await.unwrap();
        let answering = server.answer(|reply| reply.a(60, 6));
        let (asked, read) = join(answering, dns.read(&mut [0; 64])).await;
        assert_eq!(asked.bytes[2..], frame[4..]);
        assert!(read.unwrap() > 2);
    });
}

/// It may ask for more, or less, than others do: checking disabled, DNSSEC.
#[test]
fn the_cache_has_no_part_in_messages_of_ones_own() {
    let network = network::<2>(&[2]);
    let [client, server] = &network.hosts;
    let (mut dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        let frame = framed_query("example.org");
        for n in [1, 2] {
            dns.write_all(&frame).await.unwrap();
            let answering = server.answer(|reply| reply.a(60, n));
            let mut answer = [0; 64];
            let (_, read) = join(answering, dns.read(&mut answer)).await;
            let len = read.unwrap();
            assert_eq!(answer[len - 1], n, "of the server, and each time");
        }
        let answering = server.answer(|reply| reply.a(60, 3));
        let (_, found) = join(answering, dns.resolve("example.org")).await;
        assert_eq!(found.unwrap()[..], addresses(&[3]));
        assert_eq!(
            dns.resolve("example.org").await.unwrap()[..],
            addresses(&[3])
        );
    });
}

#[test]
fn servers_come_with_the_configuration() {
    let network = network::<2>(&[]);
    let [client, server] = &network.hosts;
    let (dns, server) = (dns(client), Server::on(server));
    network.executor.block_on(async {
        assert_eq!(dns.resolve("example.org").await, Err(DnsError::NoServers));
        let config = client.stack.config_v4().unwrap();
        let config = config.with_dns_server(Ipv4Addr::new(10, 0, 0, 2));
        client.stack.set_config_v4(config.clone()).unwrap();
        let answering = server.answer(|reply| reply.a(60, 1));
        let (_, found) = join(answering, dns.resolve("example.org")).await;
        assert_eq!(found.unwrap()[..], addresses(&[1]));
        // The names of another network are others.
        client.stack.set_config_v4(config).unwrap();
        let answering = server.answer(|reply| reply.a(60, 2));
        let (query, found) = join(answering, dns.resolve("example.org")).await;
        assert_eq!(found.unwrap()[..], addresses(&[2]));
        assert_eq!(query.from.addr, IpEndpoint::from((client.address, 1)).addr);
    });
}
