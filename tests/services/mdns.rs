//! Multicast DNS (RFC 6762) and service discovery (RFC 6763): names and services that nobody serves.

use std::net::Ipv4Addr;

use cygnet::wire::dns::{
    DnsMessage, MDNS_GROUP, MDNS_PORT, MdnsMessage, MdnsWriter, Name, OwnData, OwnRecord,
    RecordData, RecordType, Section,
};
use cygnet::{
    Discard, DnsError, DnsSocket, Duration, IpAddress, IpCidr, Ipv4Cidr, MdnsBrowser, MdnsError,
    MdnsFound, MdnsService, Stack, UdpMetadata,
};
use cygnet_driver::LinkState;
use cygnet_tests::{Host, Network};
use embassy_futures::join::join;
use embassy_futures::select::{Either, select};
use embedded_io_async::{Read, Write};

pub(crate) const WEB: MdnsService<'_> = MdnsService {
    instance: "Swan's page",
    kind: "_http._tcp",
    port: 80,
    text: &["path=/"],
};

pub(crate) fn host_name(stack: Stack<'_>) -> String {
    stack.mdns_host().expect("a name").as_str().to_owned()
}

/// Asks as a resolver does that knows only plain DNS, and hands the answer to `read`.
async fn ask<R>(
    host: &Host<'_>,
    name: &str,
    kind: RecordType,
    read: impl FnOnce(MdnsMessage<'_>) -> R,
) -> Option<R> {
    let socket = host.udp_at(40_000);
    let mut buffer = [0; 512];
    let mut writer = MdnsWriter::new(&mut buffer, 7, false);
    assert!(writer.question(&Name::from_text(name).unwrap(), kind, 1));
    let len = writer.finish();
    socket
        .send_to(&buffer[..len], (MDNS_GROUP, MDNS_PORT))
        .await
        .unwrap();
    let mut answer = [0; 1500];
    let sleep = host.stack.wait_link_down();
    let waiting = select(socket.recv_from(&mut answer), sleep);
    match waiting.await {
        Either::First(received) => {
            let (len, meta) = received.unwrap();
            assert_eq!(meta.hop_limit, Some(255));
            DnsMessage::parse(&answer[..len]).expect("plain DNS");
            let message = MdnsMessage::parse(&answer[..len]).unwrap();
            assert_eq!(message.id(), 7);
            Some(read(message))
        }
        Either::Second(()) => None,
    }
}

#[test]
fn a_host_is_found_by_its_name() {
    let network = Network::<2>::new(1);
    let [swan, other] = &network.hosts;
    network.executor.block_on(async {
        swan.stack.set_mdns_host(Some("swan")).unwrap();
        swan.stack.wait_mdns_up().await;
        assert!(swan.stack.has_multicast_group(MDNS_GROUP));
        let address = ask(other, "swan.local", RecordType::A, |answer| {
            answer.answers().next().map(|r| r.data) == Some(RecordData::A(swan.address))
        });
        assert_eq!(address.await, Some(true));
        swan.stack.set_mdns_host(None).unwrap();
        assert!(!swan.stack.has_multicast_group(MDNS_GROUP));
    });
}

#[test]
fn a_service_is_found_with_all_that_it_says() {
    let network = Network::<2>::new(1);
    let [swan, other] = &network.hosts;
    network.executor.block_on(async {
        swan.stack.set_mdns_host(Some("swan")).unwrap();
        let web = swan.stack.add_mdns_service(&WEB).unwrap();
        swan.stack.wait_mdns_up().await;
        assert_eq!(swan.stack.mdns_instance(web).unwrap(), "Swan's page");
        let found = ask(other, "_http._tcp.local", RecordType::PTR, |answer| {
            let mut port = None;
            for record in answer.records() {
                match record.data {
                    RecordData::Srv {
                        port: p, target, ..
                    } => {
                        assert_eq!(target.to_string(), "swan.local");
                        port = Some(p);
                    }
                    RecordData::Txt(text) => assert!(text.iter().eq([b"path=/"])),
                    RecordData::A(address) => assert_eq!(address, swan.address),
                    _ => {}
                }
            }
            (answer.records().count(), port)
        });
        assert_eq!(found.await, Some((4, Some(80))));
        assert_eq!(swan.stack.remove_mdns_service(web), Ok(true));
        assert_eq!(swan.stack.remove_mdns_service(web), Ok(false));
        assert_eq!(swan.stack.mdns_instance(web), None);
    });
}

#[test]
fn of_two_hosts_with_one_name_one_takes_another() {
    for together in [true, false] {
        let network = Network::<2>::new(1);
        let [a, b] = &network.hosts;
        network.executor.block_on(async {
            a.stack.set_mdns_host(Some("swan")).unwrap();
            if !together {
                a.stack.wait_mdns_up().await;
            }
            b.stack.set_mdns_host(Some("swan")).unwrap();
            join(a.stack.wait_mdns_up(), b.stack.wait_mdns_up()).await;
            let mut names = [host_name(a.stack), host_name(b.stack)];
            if together {
                // The later address wins, so that is the one that keeps the name.
                names.reverse();
            }
            assert_eq!(names, ["swan", "swan-2"]);
        });
    }
}

#[test]
fn a_host_that_comes_to_another_link_finds_its_name_taken() {
    let network = Network::<2>::new(1);
    let [a, b] = &network.hosts;
    network.executor.block_on(async {
        network.control.set_link_state(0, LinkState::Down);
        a.stack.wait_link_down().await;
        a.stack.set_mdns_host(Some("swan")).unwrap();
        b.stack.set_mdns_host(Some("swan")).unwrap();
        b.stack.wait_mdns_up().await;
        network.control.set_link_state(0, LinkState::Up);
        a.stack.wait_mdns_up().await;
        assert_eq!(host_name(a.stack), "swan-2");
        assert_eq!(host_name(b.stack), "swan");
    });
}

#[test]
fn it_costs_nothing_while_nobody_asks() {
    let network = Network::<2>::new(1);
    let [swan, _other] = &network.hosts;
    network.executor.block_on(async {
        swan.stack.set_mdns_host(Some("swan")).unwrap();
        swan.stack.add_mdns_service(&WEB).unwrap();
        swan.stack.wait_mdns_up().await;
        network.executor.sleep(Duration::from_secs(5)).await;
        let polls = swan.runner_polls();
        network.executor.sleep(Duration::from_secs(3_000)).await;
        assert!(swan.runner_polls() - polls < 5);
        network.control.set_link_state(0, LinkState::Down);
        network.executor.sleep(Duration::from_secs(1)).await;
        let polls = swan.runner_polls();
        network.executor.sleep(Duration::from_secs(3_000)).await;
        assert!(swan.runner_polls() - polls < 5);
    });
}

#[test]
fn an_address_that_is_added_is_told() {
    let network = Network::<2>::new(1);
    let [swan, other] = &network.hosts;
    network.executor.block_on(async {
        swan.stack.set_mdns_host(Some("swan")).unwrap();
        swan.stack.wait_mdns_up().await;
        let second = Ipv4Addr::new(10, 0, 0, 77);
        swan.stack
            .add_address(IpCidr::Ipv4(Ipv4Cidr::new(second, 24)))
            .unwrap();
        network.executor.sleep(Duration::from_secs(3)).await;
        let both = ask(other, "swan.local", RecordType::A, |answer| {
            answer.answers().count()
        });
        assert_eq!(both.await, Some(2));
        swan.stack.remove_address(IpAddress::Ipv4(second)).unwrap();
    });
}

#[test]
fn names_under_local_are_asked_of_everybody() {
    let network = Network::<3>::new(1);
    let [swan, other, asking] = &network.hosts;
    network.executor.block_on(async {
        swan.stack.set_mdns_host(Some("swan")).unwrap();
        swan.stack.add_mdns_service(&WEB).unwrap();
        other.stack.set_mdns_host(Some("duck")).unwrap();
        join(swan.stack.wait_mdns_up(), other.stack.wait_mdns_up()).await;
        let dns = DnsSocket::new(asking.stack, vec![0; 1600]).unwrap();
        // In whatever letters, and without a server.
        let found = dns.resolve("SWAN.local").await.unwrap();
        assert_eq!(found[..], [IpAddress::Ipv4(swan.address)]);
        let found = dns.resolve("duck.local.").await.unwrap();
        assert_eq!(found[..], [IpAddress::Ipv4(other.address)]);
        let services = dns.query_with("_http._tcp.local", RecordType::PTR, |answer| {
            answer.records().count()
        });
        assert_eq!(services.await, Ok(1));
        let mut dns = dns;
        let mut query = vec![0xab, 0xcd, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        query.extend(Name::from_text("swan.local").unwrap().as_bytes());
        query.extend([0, 1, 0, 1]);
        let frame = [&(query.len() as u16).to_be_bytes(), &query[..]].concat();
        dns.write_all(&frame).await.unwrap();
        let mut answer = [0; 512];
        let len = dns.read(&mut answer).await.unwrap();
        assert_eq!(answer[2..4], [0xab, 0xcd], "through the pipe as well");
        let answer = DnsMessage::parse(&answer[2..len]).unwrap();
        let first = answer.answers().next().map(|record| record.data);
        assert_eq!(first, Some(RecordData::A(swan.address)));
        let from = network.executor.now();
        let nobody = dns.resolve("goose.local").await;
        assert_eq!(nobody, Err(DnsError::TimedOut));
        assert_eq!(network.executor.now().since(from).as_secs(), 7);
        let elsewhere = dns.resolve("swan.example").await;
        assert_eq!(elsewhere, Err(DnsError::NoServers));
    });
}

#[test]
fn services_are_seen_to_come_and_go() {
    let network = Network::<3>::new(1);
    let [a, b, watching] = &network.hosts;
    network.executor.block_on(async {
        let kind = Name::from_text("_http._tcp.local").unwrap();
        let mut browser =
            MdnsBrowser::new(watching.stack, &kind, RecordType::PTR, vec![0; 400]).unwrap();
        a.stack.set_mdns_host(Some("swan")).unwrap();
        a.stack.add_mdns_service(&WEB).unwrap();
        assert_eq!(
            next(&mut browser).await,
            r"+Swan\'s\032page._http._tcp.local"
        );
        b.stack.set_mdns_host(Some("duck")).unwrap();
        let second = b.stack.add_mdns_service(&WEB).unwrap();
        assert_eq!(
            next(&mut browser).await,
            r"+Swan\'s\032page\032\(2\)._http._tcp.local"
        );
        b.stack.remove_mdns_service(second).unwrap();
        assert_eq!(
            next(&mut browser).await,
            r"-Swan\'s\032page\032\(2\)._http._tcp.local"
        );
        let (told, sent) = (
            watching.stack.stats().sent,
            network.control.counters(2).sent,
        );
        assert_eq!(u64::from(told), sent, "each question counts once");
        // The other is pulled out without a goodbye: 75 minutes later it is gone.
        network.control.set_link_state(0, LinkState::Down);
        let from = network.executor.now();
        assert_eq!(
            next(&mut browser).await,
            r"-Swan\'s\032page._http._tcp.local"
        );
        let minutes = network.executor.now().since(from).as_secs() / 60;
        assert!((70..=75).contains(&minutes), "{minutes}");
        assert_eq!(browser.lost(), 0);

        let more = MdnsBrowser::new(watching.stack, &kind, RecordType::PTR, vec![0; 40]).unwrap();
        let others: Vec<_> = (0..64)
            .map(|_| MdnsBrowser::new(watching.stack, &kind, RecordType::PTR, vec![0; 40]))
            .collect();
        let refused = others.last().and_then(|other| other.as_ref().err());
        assert_eq!(refused, Some(&MdnsError::TooManyBrowsers));
        drop((more, others));
        assert!(watching.stack.has_multicast_group(MDNS_GROUP));
        MdnsBrowser::new(watching.stack, &kind, RecordType::PTR, vec![0; 40]).unwrap();
    });
}

#[test]
fn a_browser_costs_little_and_nothing_without_a_link() {
    let network = Network::<2>::new(1);
    let [_a, watching] = &network.hosts;
    network.executor.block_on(async {
        let kind = Name::from_text("_http._tcp.local").unwrap();
        let mut browser =
            MdnsBrowser::new(watching.stack, &kind, RecordType::PTR, vec![0; 400]).unwrap();
        let hour = network.executor.sleep(Duration::from_secs(3600));
        assert!(matches!(
            select(next(&mut browser), hour).await,
            Either::Second(())
        ));
        assert!(watching.runner_polls() < 100, "{}", watching.runner_polls());
        network.control.set_link_state(1, LinkState::Down);
        watching.stack.wait_link_down().await;
        let polls = watching.runner_polls();
        network.executor.sleep(Duration::from_secs(3000)).await;
        assert!(watching.runner_polls() - polls < 5);
    });
}

/// What comes or goes next: `+` or `-`, and the name.
async fn next(browser: &mut MdnsBrowser<'_>) -> String {
    let told = browser.next(|found| match found {
        MdnsFound::Added(RecordData::Ptr(to)) => format!("+{to}"),
        MdnsFound::Removed(RecordData::Ptr(to)) => format!("-{to}"),
        other => panic!("{other:?}"),
    });
    told.await.unwrap()
}

#[test]
fn an_answer_from_beyond_the_link_is_none() {
    let network = Network::<2>::new(1);
    let [asking, other] = &network.hosts;
    network.executor.block_on(async {
        let far = Ipv4Addr::new(192, 0, 2, 1);
        let cidr = IpCidr::Ipv4(Ipv4Cidr::new(far, 24));
        other.stack.add_address(cidr).unwrap();
        let socket = other.udp_at(MDNS_PORT);
        other.stack.join_multicast_group(MDNS_GROUP).unwrap();
        let dns = DnsSocket::new(asking.stack, vec![0; 1600]).unwrap();
        let answering = async {
            for source in [far, other.address] {
                let mut buffer = [0; 512];
                let (len, meta) = socket.recv_from(&mut buffer).await.unwrap();
                let asked = DnsMessage::parse(&buffer[..len]).unwrap();
                let mut answer = [0; 512];
                let mut writer = MdnsWriter::new(&mut answer, asked.id(), true);
                let name = Name::try_from(asked.question()).unwrap();
                writer.question(&name, RecordType::A, 1);
                let data = OwnData::A(source.octets());
                let record = OwnRecord {
                    name: &name,
                    class: 1,
                    ttl: 10,
                    data,
                };
                writer.record(Section::Answer, &record);
                let len = writer.finish();
                let mut to = UdpMetadata::from(meta.endpoint);
                to.local_address = Some(IpAddress::Ipv4(source));
                socket.send_to(&answer[..len], to).await.unwrap();
            }
        };
        let found = join(dns.resolve("swan.local"), answering).await.0.unwrap();
        assert_eq!(found[..], [IpAddress::Ipv4(other.address)]);
        assert_eq!(asking.stack.stats().discarded(Discard::UnmatchedDns), 1);
    });
}

#[test]
fn what_is_no_name_is_refused() {
    let network = Network::<1>::new(1);
    let [host] = &network.hosts;
    assert_eq!(
        host.stack.set_mdns_host(Some("a.b")),
        Err(MdnsError::InvalidName)
    );
    let none = MdnsService {
        kind: "http",
        ..WEB
    };
    assert_eq!(
        host.stack.add_mdns_service(&none),
        Err(MdnsError::InvalidType)
    );
}
