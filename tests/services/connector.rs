//! Connections by name: a host at 10.0.0.1 and 2a00::1 that connects, another at 10.0.0.2 and 2a00::2 that
//! answers about names and connections.

use std::net::{Ipv4Addr, Ipv6Addr};

use cygnet::wire::dns::RecordType;
use cygnet::{
    BufferPool, Config, ConfigV4, ConnectError, ConnectHostError, Discard, DnsError, DnsSocket,
    Duration, IpAddress, Ipv6Cidr, PolicyTableEntry, StaticConfigV6, TcpConnector, TcpSocket,
};
use cygnet_driver::Clock;
use cygnet_tests::{Host, Network, Setup, receive_to_end};
use embassy_futures::join::join;
use embassy_futures::select::{Either, select};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

use crate::dns_server::{Query, Reply, Server};

fn six(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2a00, 0, 0, 0, 0, 0, 0, last)
}

/// The other host's address of IPv4.
const FOUR: IpAddress = IpAddress::Ipv4(Ipv4Addr::new(10, 0, 0, 2));

/// Two hosts, of which the first asks the second for names.
fn network() -> Network<'static, 2> {
    network_with(cygnet::DEFAULT_POLICY_TABLE)
}

fn network_with(policy_table: &'static [PolicyTableEntry]) -> Network<'static, 2> {
    Network::with(1, |n| {
        let mut setup = Setup::new(n);
        let ConfigV4::Static(ipv4) = setup.config.ipv4.clone() else {
            unreachable!("the hosts have fixed addresses");
        };
        let ipv6 = StaticConfigV6::new(Ipv6Cidr::new(six(n as u16 + 1), 64));
        setup.config = Config::ipv6_static(ipv6);
        setup.config.policy_table = policy_table;
        setup.config.ipv4 = ipv4.with_dns_server([10, 0, 0, 2].into()).into();
        setup
    })
}

async fn up(network: &Network<'_, 2>) {
    for host in &network.hosts {
        let own = host.stack.config_v6().unwrap().address.address();
        while host.stack.address_state(own.into()) != Some(cygnet::AddressState::Preferred) {
            network.executor.sleep(Duration::from_millis(100)).await;
        }
    }
}

fn connector<'d, C: Clock>(
    host: &Host<'d>,
    pool: BufferPool<'d>,
    clock: C,
) -> TcpConnector<'d, NoopRawMutex, C> {
    let dns = || DnsSocket::new(host.stack, vec![0; 1600]).expect("a free slot");
    TcpConnector::new_with_clock(host.stack, pool, dns(), clock).with_second_dns(dns())
}

/// What the server says about a host: addresses, and after how many milliseconds.
#[derive(Clone, Copy)]
struct Names<'a> {
    aaaa: (&'a [Ipv6Addr], u64),
    a: (&'a [[u8; 4]], u64),
}

/// Answers two questions.
async fn answer(network: &Network<'_, 2>, server: &Server<'_>, names: Names<'_>) {
    let about = async |query: Query| {
        let (reply, after) = match query.message().question_type() {
            RecordType::AAAA => (
                names.aaaa.0.iter().fold(query.reply(), |reply: Reply, ip| {
                    reply.record(RecordType::AAAA, 60, &ip.octets())
                }),
                names.aaaa.1,
            ),
            _ => (
                names.a.0.iter().fold(query.reply(), |reply, ip| {
                    reply.record(RecordType::A, 60, ip)
                }),
                names.a.1,
            ),
        };
        network.executor.sleep(Duration::from_millis(after)).await;
        server.send(query.from, &reply).await;
    };
    let first = server.receive().await;
    let rest = async {
        let second = server.receive().await;
        about(second).await;
    };
    join(about(first), rest).await;
}

/// Connects to port 80 of a host that the server says that about. Returns what came of it and after how many
/// milliseconds.
async fn connect(
    network: &Network<'static, 2>,
    pool: BufferPool<'static>,
    names: Names<'_>,
) -> (Result<TcpSocket<'static>, ConnectHostError>, u64) {
    up(network).await;
    let [client, host] = &network.hosts;
    let server = Server::on(host);
    let connector = connector(client, pool, network.executor.clock());
    let start = network.executor.now();
    let connecting = async {
        let result = connector.connect_host("swan.example.org", 80).await;
        (result, network.executor.now().since(start).as_millis())
    };
    let answering = async {
        answer(network, &server, names).await;
        core::future::pending::<()>().await;
    };
    match select(connecting, answering).await {
        embassy_futures::select::Either::First(result) => result,
        embassy_futures::select::Either::Second(()) => unreachable!("it answers for ever"),
    }
}

fn remote(socket: &TcpSocket<'_>) -> IpAddress {
    socket.remote_endpoint().expect("a connection").addr
}

/// Nobody is there.
const NOBODY: Ipv6Addr = Ipv6Addr::new(0x2a00, 0, 0, 0, 0, 0, 0, 0x99);

#[test]
fn ipv6_is_preferred_and_does_not_wait_for_the_answer_about_ipv4() {
    let network = network();
    let _listener = network.hosts[1].listen::<2>(80);
    network.executor.block_on(async {
        let names = Names {
            aaaa: (&[six(2)], 0),
            a: (&[[10, 0, 0, 2]], 30),
        };
        let (socket, after) = connect(&network, network.hosts[0].pool::<4>(), names).await;
        assert_eq!(remote(&socket.unwrap()), six(2).into());
        assert!(after < 30, "{after}");
    });
}

#[test]
fn ipv4_waits_50_ms_for_the_answer_about_ipv6() {
    for (delay, version_is_4) in [(40, false), (60, true)] {
        let network = network();
        let _listener = network.hosts[1].listen::<2>(80);
        network.executor.block_on(async {
            let names = Names {
                aaaa: (&[six(2)], delay),
                a: (&[[10, 0, 0, 2]], 0),
            };
            let (socket, after) = connect(&network, network.hosts[0].pool::<4>(), names).await;
            let is_4 = remote(&socket.unwrap()) == FOUR;
            assert_eq!(is_4, version_is_4);
            assert!((40..60).contains(&after), "{after}");
        });
    }
}

#[test]
fn an_address_that_is_silent_is_passed_over_after_250_ms_and_given_up() {
    let network = network();
    let [client, host] = &network.hosts;
    let listener = host.listen::<2>(80);
    // What wins keeps one pair; the other is free again.
    let pool = client.pool::<2>();
    network.executor.block_on(async {
        let names = Names {
            aaaa: (&[NOBODY], 0),
            a: (&[[10, 0, 0, 2]], 0),
        };
        let (socket, after) = connect(&network, pool, names).await;
        let mut socket = socket.unwrap();
        assert_eq!(remote(&socket), FOUR);
        assert!((250..270).contains(&after), "{after}");
        let _other = TcpSocket::from_pool(client.stack, pool).expect("a pair that was given back");
        let mut accepted = listener.accept().await.unwrap();
        socket.write(b"swan").await.unwrap();
        let mut buffer = [0; 8];
        assert_eq!(accepted.read(&mut buffer).await, Ok(4));
    });
}

#[test]
fn with_one_pair_of_buffers_the_next_begins_when_the_one_before_has_failed() {
    let network = network();
    let [client, host] = &network.hosts;
    let _listener = host.listen::<2>(80);
    let pool = client.pool::<1>();
    network.executor.block_on(async {
        let names = Names {
            aaaa: (&[NOBODY], 0),
            a: (&[[10, 0, 0, 2]], 0),
        };
        let (socket, after) = connect(&network, pool, names).await;
        assert_eq!(remote(&socket.unwrap()), FOUR);
        assert!(after >= 1_000, "{after}: neighbor discovery takes its time");
    });
}

#[test]
fn a_refusal_lets_the_next_begin_at_once_and_the_first_error_is_told() {
    let network = network();
    network.executor.block_on(async {
        let names = Names {
            aaaa: (&[six(2)], 0),
            a: (&[[10, 0, 0, 2]], 0),
        };
        let (socket, after) = connect(&network, network.hosts[0].pool::<4>(), names).await;
        assert_eq!(
            socket.err(),
            Some(ConnectHostError::Connect(ConnectError::Refused))
        );
        assert!(after < 100, "{after}");
    });
}

#[test]
fn a_name_without_addresses_is_an_error() {
    let network = network();
    network.executor.block_on(async {
        let names = Names {
            aaaa: (&[], 0),
            a: (&[], 10),
        };
        let (socket, _) = connect(&network, network.hosts[0].pool::<4>(), names).await;
        assert_eq!(socket.err(), Some(ConnectHostError::Dns(DnsError::NoData)));
    });
}

#[test]
fn an_address_in_text_needs_no_server() {
    let network = network();
    let [client, host] = &network.hosts;
    let _listener = host.listen::<2>(80);
    network.executor.block_on(async {
        up(&network).await;
        let connector = connector(client, client.pool::<2>(), network.executor.clock());
        for address in ["10.0.0.2", "2a00::2"] {
            let socket = connector.connect_host(address, 80).await.unwrap();
            assert_eq!(remote(&socket).to_string(), address);
        }
        let refused = connector.connect_host("10.0.0.2", 81).await.err();
        assert_eq!(
            refused,
            Some(ConnectHostError::Connect(ConnectError::Refused))
        );
        let invalid = connector.connect_host("a..b", 80).await.err();
        assert!(matches!(
            invalid,
            Some(ConnectHostError::Dns(DnsError::InvalidName(_)))
        ));
    });
}

#[test]
fn nobody_gives_buffers_up_for_an_attempt_that_is_not_begun() {
    let network = network();
    let [client, host] = &network.hosts;
    let listener = host.listen::<2>(80);
    let pool = client.pool::<1>();
    network.executor.block_on(async {
        up(&network).await;
        let mut socket = TcpSocket::from_pool(client.stack, pool).unwrap();
        socket.connect((FOUR, 80)).await.unwrap();
        let mut slow = listener.accept().await.unwrap();
        let mut written = 0;
        while let Either::First(len) = select(
            socket.write(&[b'.'; 1000]),
            network.executor.sleep(Duration::from_secs(1)),
        )
        .await
        {
            written += len.unwrap();
        }
        drop(socket);
        // It has one pair, and what is left to send needs it; nobody says anything about the name.
        let _silent = Server::on(host);
        let connector = connector(client, pool, network.executor.clock());
        let connecting = connector.connect_host("swan.example.org", 80);
        let a_while = network.executor.sleep(Duration::from_millis(100));
        assert!(matches!(
            select(connecting, a_while).await,
            Either::Second(())
        ));
        assert_eq!(receive_to_end(&mut slow).await.len(), written);
    });
}

#[test]
fn given_up_it_leaves_nothing_behind() {
    let network = network();
    let [client, host] = &network.hosts;
    let pool = client.pool::<2>();
    network.executor.block_on(async {
        up(&network).await;
        let server = Server::on(host);
        let connector = connector(client, pool, network.executor.clock());
        for round in 0..10 {
            let names = Names {
                aaaa: (&[NOBODY, six(0x98)], 0),
                a: (&[], 0),
            };
            let answering = async {
                if round == 0 {
                    answer(&network, &server, names).await;
                }
                network.executor.sleep(Duration::from_millis(300)).await;
            };
            let connecting = connector.connect_host("swan.example.org", 80);
            select(connecting, answering).await;
            // Both attempts have been begun, and both pairs are free.
            let pairs = [(); 2].map(|()| TcpSocket::from_pool(client.stack, pool));
            assert!(pairs.iter().all(Result::is_ok), "{round}");
        }
        assert_eq!(client.stack.stats().discarded(Discard::UnmatchedDns), 0);
    });
}

/// What a name is resolved to that has these addresses, and that of IPv4.
async fn resolve(
    network: &Network<'static, 2>,
    server: &Server<'_>,
    name: &str,
    aaaa: &[Ipv6Addr],
) -> Vec<IpAddress> {
    let dns = DnsSocket::new(network.hosts[0].stack, vec![0; 1600]).unwrap();
    let names = Names {
        aaaa: (aaaa, 0),
        a: (&[[10, 0, 0, 2]], 0),
    };
    let found = join(answer(network, server, names), dns.resolve(name)).await;
    found.1.unwrap().to_vec()
}

#[test]
fn names_are_resolved_to_both_versions_the_best_first() {
    let network = network();
    let [_, host] = &network.hosts;
    network.executor.block_on(async {
        up(&network).await;
        let server = Server::on(host);
        let far = Ipv6Addr::new(0x2a01, 0, 0, 0, 0, 0, 0, 1);
        // One that no route leads to, and one on the link.
        let found = resolve(&network, &server, "swan.example.org", &[far, six(2)]).await;
        let expected = [six(2).into(), FOUR, far.into()];
        assert_eq!(found, expected);
    });
}

/// RFC 6724, section 10.3.
#[test]
fn a_table_of_ones_own_may_prefer_ipv4() {
    let mapped = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0);
    let ipv4_first = [PolicyTableEntry::new(Ipv6Cidr::new(mapped, 96), 100, 4)];
    let network = network_with(ipv4_first.to_vec().leak());
    let [_, host] = &network.hosts;
    network.executor.block_on(async {
        up(&network).await;
        let server = Server::on(host);
        let found = resolve(&network, &server, "swan.example.org", &[six(2)]).await;
        assert_eq!(found, [FOUR, six(2).into()]);
    });
}

#[test]
fn of_many_addresses_the_best_are_kept_and_one_of_each_version() {
    let network = network();
    let [_, host] = &network.hosts;
    network.executor.block_on(async {
        up(&network).await;
        let server = Server::on(host);
        // As many as are kept lead nowhere, and stand before the one that does not.
        let mut aaaa: Vec<_> = (1..=8)
            .map(|n| Ipv6Addr::new(0x2a01, 0, 0, 0, 0, 0, 0, n))
            .collect();
        aaaa.push(six(2));
        let found = resolve(&network, &server, "swan.example.org", &aaaa).await;
        assert_eq!((found.len(), &found[..2]), (8, &[six(2).into(), FOUR][..]));
        // More than are kept are better than the only one of IPv4.
        let aaaa: Vec<_> = (1..=9).map(|n| six(0x100 + n)).collect();
        let found = resolve(&network, &server, "duck.example.org", &aaaa).await;
        let sixes = aaaa[..7].iter().map(|&address| address.into());
        let expected: Vec<IpAddress> = sixes.chain([FOUR]).collect();
        assert_eq!(found, expected);
    });
}

/// Whoever is looked for as a duplicate is not ready, and the other version goes on.
#[test]
fn a_version_whose_address_is_in_doubt_keeps_nobody_waiting() {
    let network = network();
    let _listener = network.hosts[1].listen::<2>(80);
    let [client, host] = &network.hosts;
    network.executor.block_on(async {
        client.stack.wait_config_up().await;
        let own: IpAddress = six(1).into();
        let tentative = Some(cygnet::AddressState::Tentative);
        assert_eq!(client.stack.address_state(own), tentative);
        let server = Server::on(host);
        let connector = connector(client, client.pool::<4>(), network.executor.clock());
        let answering = async {
            let asked = server.answer(|reply| reply.record(RecordType::A, 60, &[10, 0, 0, 2]));
            assert_eq!(asked.await.message().question_type(), RecordType::A);
        };
        let connecting = connector.connect_host("swan.example.org", 80);
        let (socket, ()) = join(connecting, answering).await;
        assert_eq!(remote(&socket.unwrap()), FOUR);
        assert_eq!(client.stack.address_state(own), tentative);
    });
}
