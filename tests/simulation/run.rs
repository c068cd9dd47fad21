//! One world from its beginning to its end, and what must be left of it: nothing.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;

use cygnet::{BufferPool, Duration, Instant, Stack, TcpListener, TcpSocket, UdpSocket};
use cygnet_link::Impairments;
use cygnet_middleware::PcapWriter;
use cygnet_tests::{Executor, FRAMES, Host, Memory, Network, SLOTS, Setup};

use crate::actors::{self, DATAGRAMS, FIRST_PORT, LISTENER};
use crate::dice::Dice;
use crate::plan::Plan;
use crate::totals::Totals;
use crate::wire::{Meddling, Seen, Wire};
use crate::world::World;

/// Lives through the world of that seed, and panics if anything in it is wrong. What users did
/// goes to `trace.txt` in the directory `capture`, and what each host saw to `host-0.pcap` and on.
pub(crate) fn simulate(seed: u64, capture: Option<&Path>) -> Totals {
    if Dice::new(seed, HOSTS).chance(75) {
        simulate_with::<2>(seed, capture)
    } else {
        simulate_with::<3>(seed, capture)
    }
}

fn simulate_with<const N: usize>(seed: u64, capture: Option<&Path>) -> Totals {
    let plan = Plan::new(seed);
    let executor = Executor::new(seed);
    executor.clock().advance(beginning::<N>(&plan));
    executor.set_time_limit(Instant::FAR_FUTURE);
    let seen: [Rc<Seen>; N] = std::array::from_fn(|_| Rc::default());
    let mut memory = Memory::<N>::new();
    let clock = executor.clock();
    let network = Network::on_drivers(
        &mut memory,
        executor,
        |n| plan.setup(n),
        |n, port| {
            let dice = Dice::new(seed, WIRES + n as u64);
            let wire = Wire::new(port, plan.meddling, dice, seen[n].clone());
            let file = Capture::new(capture, n);
            PcapWriter::new(wire, file, clock.clone()).expect("a capture")
        },
    );
    let Network {
        executor,
        hosts,
        control,
    } = network;
    let (count, receive, send) = plan.pool;
    let pool = hosts[1].stack.add_owned_pool(count, receive, send);
    let pool = pool.expect("room for a pool");
    let sockets = hosts.each_ref().map(|host| host.udp_at(DATAGRAMS));
    let trace = capture
        .map(|directory| File::create(directory.join("trace.txt")).expect("a file for the trace"));
    let world = World::new(plan, executor, hosts.into(), control, trace);
    let world = Rc::new(world);

    world.executor.block_on(live(&world, pool, sockets.into()));
    end(&world);
    let free = count_sockets(world.server(), |stack| TcpSocket::from_pool(stack, pool));
    assert_eq!(free, count.min(SLOTS), "pairs of buffers that came back");

    let mut totals = Totals {
        worlds: 1,
        millis: world.age().as_millis(),
        bytes: world.delivered(),
        conversations: world.conversations() as u64,
        datagrams: world.datagrams.get(),
        ..Totals::default()
    };
    for (host, seen) in world.hosts.iter().zip(&seen) {
        totals.polls += host.runner_polls();
        totals.add_host(&host.stack.stats(), seen);
    }
    totals
}

/// Runs all actors until the last is done.
async fn live<'d>(world: &Rc<World<'d>>, pool: BufferPool<'d>, sockets: Vec<UdpSocket<'d>>) {
    let spawn = &world.executor;
    let listener = TcpListener::bind(world.server().stack, LISTENER, pool).expect("a free port");
    let listener = spawn.spawn(actors::listener(world.clone(), listener, pool));
    let mut others = vec![
        spawn.spawn(actors::weather(world.clone())),
        spawn.spawn(actors::jumps(world.clone())),
    ];
    for (host, socket) in sockets.into_iter().enumerate() {
        others.push(spawn.spawn(actors::datagrams(world.clone(), host, socket)));
    }
    let clients = (0..world.plan.clients).map(|n| actors::client(world.clone(), n));
    let clients: Vec<_> = clients.map(|client| spawn.spawn(client)).collect();
    for client in clients {
        client.await;
    }
    // What is accepted last has a client that does not listen any more.
    world.is_closing.set(true);
    listener.await;
    loop {
        let next = world.servers.borrow_mut().pop();
        let Some(server) = next else { break };
        server.await;
    }
    for other in others {
        other.await;
    }
}

/// Nothing of what was is left when everybody is gone and all timers have had their time.
fn end(world: &World<'_>) {
    let (executor, hosts) = (&world.executor, &world.hosts);
    check_polls(world);
    // Who still closes in the background gives up by then, or is done when the link is.
    executor.run_for(TIME_TO_GIVE_UP);
    for port in 0..hosts.len() {
        world.control.set_impairments(port, Impairments::new());
    }
    executor.run_for(TIME_TO_GIVE_UP);
    let polls = |host: &Host<'_>| host.runner_polls();
    let before: Vec<_> = hosts.iter().map(polls).collect();
    executor.run_for(A_DAY);
    let after: Vec<_> = hosts.iter().map(polls).collect();
    assert_eq!(before, after, "polls of runners that have nothing to do");
    assert_eq!(executor.clock().next_alarm(), None, "a timer is left");
    assert_eq!(world.control.free_frames(), FRAMES, "frames that are left");
    for host in hosts {
        let free = count_sockets(host, |stack| TcpSocket::new(stack, vec![], vec![]));
        assert_eq!(free, SLOTS, "slots that are free");
    }
}

/// A runner is polled because of frames, requests and timers, and for no other reason.
fn check_polls(world: &World<'_>) {
    let span = world.age();
    for (n, host) in world.hosts.iter().enumerate() {
        let stats = host.stack.stats();
        let frames = u64::from(stats.received) + u64::from(stats.sent);
        let causes = frames + world.requests.get() + span.min(A_DAY).as_secs();
        let polls = host.runner_polls();
        assert!(
            polls <= POLLS_PER_CAUSE * causes + 100,
            "host {n}: {polls} polls for {frames} frames and {} requests in {span:?}",
            world.requests.get()
        );
    }
}

/// How many sockets a stack can make.
fn count_sockets<'d, E>(
    host: &Host<'d>,
    make: impl Fn(Stack<'d>) -> Result<TcpSocket<'d>, E>,
) -> usize {
    let sockets: Vec<_> = std::iter::from_fn(|| make(host.stack).ok()).collect();
    sockets.len()
}

/// When the world begins: at zero, or at the time at which the initial sequence numbers of the first
/// connection lie where the plan wants them. They grow by one in four microseconds (RFC 6528).
fn beginning<const N: usize>(plan: &Plan) -> Instant {
    let Some(wrap) = plan.wrap else {
        return Instant::ZERO;
    };
    let executor = Executor::new(plan.seed);
    let seen: [Rc<Seen>; N] = std::array::from_fn(|_| Rc::default());
    let mut memory = Memory::<N>::new();
    let network = Network::on_drivers(&mut memory, executor, Setup::new, |n, port| {
        let nothing = Meddling::default();
        Wire::new(port, nothing, Dice::new(plan.seed, WIRES), seen[n].clone())
    });
    let [client, server] = [&network.hosts[0], &network.hosts[1]];
    let mut acceptor = server.tcp();
    let mut socket = client.tcp();
    network.executor.block_on(async {
        let connect = socket.connect_from(FIRST_PORT, server.at(LISTENER));
        let accept = acceptor.accept(LISTENER);
        let (connected, accepted) = embassy_futures::join::join(connect, accept).await;
        (connected.expect("connects"), accepted.expect("accepts"))
    });
    assert_eq!(network.executor.now(), Instant::ZERO);
    let isn = match wrap.by_server {
        true => seen[1].answering_isn.get(),
        false => seen[0].isn.get(),
    };
    let isn = isn.expect("a SYN was seen");
    let steps = (wrap.after as u32).wrapping_add(isn).wrapping_neg();
    Instant::from_micros(4 * u64::from(steps))
}

/// Where captured frames go, if anywhere.
struct Capture(Option<File>);

impl Capture {
    fn new(directory: Option<&Path>, host: usize) -> Self {
        Self(directory.map(|directory| {
            let path = directory.join(format!("host-{host}.pcap"));
            File::create(path).expect("a file for the capture")
        }))
    }
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Some(file) => file.write(bytes),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Longer than the last retransmission of a connection that nobody answers, and than TIME-WAIT.
const TIME_TO_GIVE_UP: Duration = Duration::from_secs(60 * 60);

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A poll for what happened, one that yielded before, and those of frames that took two bursts.
const POLLS_PER_CAUSE: u64 = 4;

/// Dice of parts that are drawn before there is a world.
const HOSTS: u64 = 2;
const WIRES: u64 = 10;
