//! Multicast groups: who hears what.

use core::net::Ipv4Addr;
use core::task::Context;
use std::cell::RefCell;
use std::rc::Rc;

use cygnet::wire::EthernetAddress;
use cygnet::{BindError, Discard, Duration, IpAddress, IpEndpoint, MulticastError};
use cygnet::{MulticastSources, UdpSocket};
use cygnet_driver::{Capabilities, Driver, HardwareAddress, LinkState, MulticastFilter};
use cygnet_tests::{Executor, Host, Memory, Network, Setup};

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 3);
const OTHER: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 4);
const PORT: u16 = 5_000;
const BRIEFLY: Duration = Duration::from_millis(10);

/// A socket that shares the port with others of its host.
fn shared<'d>(host: &Host<'d>) -> UdpSocket<'d> {
    let mut socket = host.udp();
    socket.set_port_shared(true);
    socket.bind(PORT).expect("a port that is shared");
    socket
}

fn joined<'d>(host: &Host<'d>, group: Ipv4Addr) -> UdpSocket<'d> {
    let mut socket = shared(host);
    socket.join_multicast_group(group).expect("room");
    socket
}

async fn send(socket: &UdpSocket<'_>, group: Ipv4Addr, text: &[u8]) {
    socket.send_to(text, (group, PORT)).await.unwrap();
}

/// What a socket has received, and from whom.
async fn heard(executor: &Executor<'_>, socket: &UdpSocket<'_>) -> Vec<(Vec<u8>, IpEndpoint)> {
    executor.sleep(BRIEFLY).await;
    let mut all = Vec::new();
    while socket.may_recv() {
        let taken = socket.recv_with(|data, meta| (data.to_vec(), meta.endpoint));
        all.push(taken.await.unwrap());
    }
    all
}

async fn texts(executor: &Executor<'_>, socket: &UdpSocket<'_>) -> Vec<Vec<u8>> {
    let heard = heard(executor, socket).await;
    heard.into_iter().map(|(text, _)| text).collect()
}

#[test]
fn every_socket_in_the_group_hears_what_is_sent_to_it() {
    let net = Network::<3>::new(1);
    let [sender, near, far] = &net.hosts;
    net.executor.block_on(async {
        let from = sender.udp_at(9);
        let members = [joined(near, GROUP), joined(near, GROUP), joined(far, GROUP)];
        let (outside, elsewhere) = (shared(near), joined(far, OTHER));
        send(&from, GROUP, b"to the group").await;
        for member in &members {
            let heard = heard(&net.executor, member).await;
            assert_eq!(heard, [(b"to the group".to_vec(), sender.at(9))]);
        }
        for socket in [&outside, &elsewhere] {
            assert!(texts(&net.executor, socket).await.is_empty());
        }
    });
}

#[test]
fn the_stack_joins_for_all_sockets_that_are_no_members_themselves() {
    let net = Network::<2>::new(1);
    let [sender, host] = &net.hosts;
    net.executor.block_on(async {
        let (from, any) = (sender.udp_at(9), shared(host));
        let mut picky = shared(host);
        let nobody = [IpAddress::from(Ipv4Addr::new(10, 0, 0, 99))];
        picky
            .listen_multicast(GROUP, MulticastSources::Only(&nobody))
            .unwrap();
        host.stack.join_multicast_group(GROUP).unwrap();
        assert!(host.stack.has_multicast_group(GROUP));
        send(&from, GROUP, b"hello").await;
        assert_eq!(texts(&net.executor, &any).await, [b"hello"]);
        assert!(texts(&net.executor, &picky).await.is_empty());
        host.stack.leave_multicast_group(GROUP).unwrap();
        picky.leave_multicast_group(GROUP).unwrap();
        assert!(!host.stack.has_multicast_group(GROUP));
        send(&from, GROUP, b"anybody?").await;
        assert!(texts(&net.executor, &any).await.is_empty());
        assert_eq!(host.stack.stats().discarded(Discard::NotOurGroup), 1);
    });
}

#[test]
fn members_on_the_same_host_hear_it_unless_the_sender_does_not_want_that() {
    let net = Network::<2>::new(1);
    let [host, other] = &net.hosts;
    net.executor.block_on(async {
        let (mut sender, member) = (joined(host, GROUP), joined(host, GROUP));
        let far = joined(other, GROUP);
        send(&sender, GROUP, b"hello").await;
        for socket in [&sender, &member, &far] {
            let heard = heard(&net.executor, socket).await;
            assert_eq!(heard, [(b"hello".to_vec(), host.at(PORT))]);
        }
        sender.set_multicast_loop(false);
        send(&sender, GROUP, b"not here").await;
        assert_eq!(texts(&net.executor, &far).await, [b"not here"]);
        for socket in [&sender, &member] {
            assert!(texts(&net.executor, socket).await.is_empty());
        }
    });
}

#[test]
fn a_socket_may_be_bound_to_the_group_alone() {
    let net = Network::<2>::new(1);
    let [host, sender] = &net.hosts;
    net.executor.block_on(async {
        let mut socket = host.udp();
        socket.bind((GROUP, PORT)).unwrap();
        socket.join_multicast_group(GROUP).unwrap();
        host.stack.join_multicast_group(OTHER).unwrap();
        let from = sender.udp_at(9);
        send(&from, OTHER, b"another").await;
        send(&from, GROUP, b"the one").await;
        from.send_to(b"unicast", host.at(PORT)).await.unwrap();
        assert_eq!(texts(&net.executor, &socket).await, [b"the one"]);
        // What it sends is from the host, as no packet may come from a group.
        socket.send_to(b"answer", sender.at(9)).await.unwrap();
        let heard = heard(&net.executor, &from).await;
        assert_eq!(heard, [(b"answer".to_vec(), host.at(PORT))]);
    });
}

#[test]
fn an_answer_to_what_came_to_many_comes_from_one() {
    let net = Network::<2>::new(1);
    let [asker, host] = &net.hosts;
    net.executor.block_on(async {
        let (from, member) = (asker.udp_at(9), joined(host, GROUP));
        for address in [GROUP, Ipv4Addr::BROADCAST, Ipv4Addr::new(10, 0, 0, 255)] {
            send(&from, address, b"?").await;
            let meta = member.recv_with(|_, meta| meta).await.unwrap();
            assert_eq!(meta.local_address, Some(address.into()));
            member.send_to(b"!", meta).await.unwrap();
            let answers = heard(&net.executor, &from).await;
            assert_eq!(answers, [(b"!".to_vec(), host.at(PORT))], "{address}");
        }
    });
}

#[test]
fn a_broadcast_goes_to_all_who_share_the_port() {
    let net = Network::<2>::new(1);
    let [sender, host] = &net.hosts;
    net.executor.block_on(async {
        let (from, first, second) = (sender.udp_at(9), shared(host), shared(host));
        send(&from, Ipv4Addr::BROADCAST, b"all").await;
        for socket in [&first, &second] {
            assert_eq!(texts(&net.executor, socket).await, [b"all"]);
        }
    });
}

#[test]
fn a_port_is_shared_only_with_those_who_share_it() {
    let net = Network::<2>::new(1);
    let [host, sender] = &net.hosts;
    net.executor.block_on(async {
        let (first, second) = (shared(host), shared(host));
        assert_eq!(host.udp().bind(PORT), Err(BindError::AddrInUse));
        let from = sender.udp_at(9);
        from.send_to(b"one", host.at(PORT)).await.unwrap();
        let mut heard = texts(&net.executor, &first).await;
        heard.extend(texts(&net.executor, &second).await);
        assert_eq!(heard, [b"one"], "a datagram to the host goes to one");
        let mut greedy = host.udp();
        greedy.bind(PORT + 1).unwrap();
        let mut late = host.udp();
        late.set_port_shared(true);
        assert_eq!(late.bind(PORT + 1), Err(BindError::AddrInUse));
    });
}

#[test]
fn a_socket_that_is_closed_or_dropped_leaves_its_groups() {
    let net = Network::<1>::new(1);
    let [host] = &net.hosts;
    let (mut first, second) = (joined(host, GROUP), joined(host, OTHER));
    first.close();
    assert!(!host.stack.has_multicast_group(GROUP));
    assert!(host.stack.has_multicast_group(OTHER));
    drop(second);
    assert!(!host.stack.has_multicast_group(OTHER));
}

#[test]
fn the_hop_limit_of_what_goes_to_groups_is_its_own() {
    let net = Network::<2>::new(1);
    let [sender, host] = &net.hosts;
    net.executor.block_on(async {
        let (mut from, member) = (sender.udp_at(9), joined(host, GROUP));
        from.set_hop_limit(99);
        for (set, expected) in [(None, 1), (Some(7), 7), (Some(0), 1)] {
            if let Some(limit) = set {
                from.set_multicast_hop_limit(limit);
            }
            assert_eq!(from.multicast_hop_limit(), expected);
            send(&from, GROUP, b"how far?").await;
            let limit = member.recv_with(|_, meta| meta.hop_limit).await.unwrap();
            assert_eq!(limit, Some(expected));
        }
    });
}

#[test]
fn long_datagrams_go_to_groups_as_well() {
    let net = Network::<2>::new(1);
    let [sender, host] = &net.hosts;
    net.executor.block_on(async {
        let (from, member) = (sender.udp_at(9), joined(host, GROUP));
        let sent: Vec<u8> = (0..4_000).map(|n| n as u8).collect();
        send(&from, GROUP, &sent).await;
        assert_eq!(texts(&net.executor, &member).await, [sent]);
    });
}

#[test]
fn what_cannot_be_joined_says_why() {
    let net = Network::<1>::new(1);
    let stack = net.hosts[0].stack;
    let host = Ipv4Addr::new(10, 0, 0, 2);
    assert_eq!(
        stack.join_multicast_group(host),
        Err(MulticastError::Unaddressable)
    );
    let many: Vec<IpAddress> = (0..100)
        .map(|n| Ipv4Addr::new(10, 0, 1, n).into())
        .collect();
    assert_eq!(
        stack.listen_multicast(GROUP, MulticastSources::Only(&many)),
        Err(MulticastError::TooManySources)
    );
    let joined = (0..=255).take_while(|&n| {
        stack
            .join_multicast_group(Ipv4Addr::new(239, 0, 0, n))
            .is_ok()
    });
    let count = joined.count();
    assert!(count > 0);
    assert_eq!(
        stack.join_multicast_group(GROUP),
        Err(MulticastError::GroupTableFull)
    );
    let first = Ipv4Addr::new(239, 0, 0, 0);
    assert_eq!(stack.join_multicast_group(first), Ok(()), "it is joined");
    stack.leave_multicast_group(first).unwrap();
    assert_eq!(stack.join_multicast_group(GROUP), Ok(()));
    assert!(stack.has_multicast_group(Ipv4Addr::new(224, 0, 0, 1)));
}

/// A driver that remembers which groups it was asked to let through.
struct Filtering<D> {
    inner: D,
    groups: Rc<RefCell<Vec<[u8; 6]>>>,
}

impl<D: Driver> Driver for Filtering<D> {
    type RxToken<'a>
        = D::RxToken<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = D::TxToken<'a>
    where
        Self: 'a;

    fn receive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<(Self::RxToken<'_>, Option<Self::TxToken<'_>>)> {
        self.inner.receive(cx)
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Self::TxToken<'_>> {
        self.inner.transmit(cx)
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        self.inner.link_state(cx)
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn hardware_address(&self) -> HardwareAddress {
        self.inner.hardware_address()
    }

    fn set_multicast_filter(&mut self, filter: MulticastFilter<'_>) {
        let MulticastFilter::Ethernet(addresses) = filter else {
            panic!("only some groups are wanted");
        };
        *self.groups.borrow_mut() = addresses.to_vec();
    }
}

#[test]
fn the_driver_hears_which_groups_are_wanted() {
    let groups = Rc::new(RefCell::new(Vec::new()));
    let memory = Box::leak(Box::new(Memory::new()));
    let network = Network::<1>::on_drivers(memory, Executor::new(1), Setup::new, |_, inner| {
        let groups = groups.clone();
        Filtering { inner, groups }
    });
    let host = &network.hosts[0];
    let address = |group| EthernetAddress::for_ipv4_multicast(group).0;
    let all_hosts = address(Ipv4Addr::new(224, 0, 0, 1));
    network.executor.block_on(async {
        network.executor.sleep(BRIEFLY).await;
        assert_eq!(*groups.borrow(), [all_hosts]);
        let socket = joined(host, GROUP);
        network.executor.sleep(BRIEFLY).await;
        assert_eq!(*groups.borrow(), [address(GROUP), all_hosts]);
        drop(socket);
        network.executor.sleep(BRIEFLY).await;
        assert_eq!(*groups.borrow(), [all_hosts]);
    });
}

/// Of IPv6: those of addresses, of all nodes, and those that are joined.
#[test]
fn the_driver_hears_of_groups_of_both_versions() {
    let groups = Rc::new(RefCell::new(Vec::new()));
    let memory = Box::leak(Box::new(Memory::new()));
    let network = Network::<1>::on_drivers(memory, Executor::new(1), Setup::new, |_, inner| {
        let groups = groups.clone();
        Filtering { inner, groups }
    });
    let host = &network.hosts[0];
    let v4 = |group| EthernetAddress::for_ipv4_multicast(group).0;
    let v6 = |group: &str| EthernetAddress::for_ipv6_multicast(group.parse().unwrap()).0;
    let has = |expected: &[[u8; 6]]| {
        let (mut heard, mut expected) = (groups.borrow().clone(), expected.to_vec());
        heard.sort_unstable();
        expected.sort_unstable();
        assert_eq!(heard, expected);
    };
    let all_hosts = v4(Ipv4Addr::new(224, 0, 0, 1));
    network.executor.block_on(async {
        let address = "2001:db8::12:3456/64".parse().unwrap();
        host.stack.add_address(address).unwrap();
        network.executor.sleep(BRIEFLY).await;
        let everybody = [all_hosts, v6("ff02::1"), v6("ff02::1:ff12:3456")];
        has(&everybody);
        let _v4 = joined(host, GROUP);
        let mut socket = shared(host);
        let group: core::net::Ipv6Addr = "ff15::1:2:3".parse().unwrap();
        socket.join_multicast_group(group).unwrap();
        // As far as the link is concerned it is the same one.
        let twin: core::net::Ipv6Addr = "ff05::1:2:3".parse().unwrap();
        socket.join_multicast_group(twin).unwrap();
        network.executor.sleep(BRIEFLY).await;
        let joined = [v4(GROUP), v6("ff15::1:2:3")];
        has(&[&everybody[..], &joined].concat());
        drop((socket, _v4));
        let address = address.address();
        assert_eq!(host.stack.remove_address(address), Ok(true));
        network.executor.sleep(BRIEFLY).await;
        has(&[all_hosts]);
    });
}

#[test]
fn a_group_that_is_joined_while_the_link_is_down_costs_no_polls() {
    let net = Network::<1>::new(1);
    let [host] = &net.hosts;
    net.executor.block_on(async {
        net.control.set_link_state(0, LinkState::Down);
        net.executor.sleep(BRIEFLY).await;
        host.stack.join_multicast_group(GROUP).unwrap();
        net.executor.sleep(BRIEFLY).await;
        let (polls, sent) = (host.runner_polls(), host.stack.stats().sent);
        net.executor.sleep(Duration::from_secs(100)).await;
        assert_eq!(host.runner_polls(), polls);
        net.control.set_link_state(0, LinkState::Up);
        net.executor.sleep(Duration::from_secs(2)).await;
        // The address is announced as well.
        assert!(host.stack.stats().sent >= sent + 2);
    });
}
