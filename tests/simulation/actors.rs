//! Who acts in a world beside users: those who begin conversations and those who answer, the weather, and
//! time.

use std::rc::Rc;

use cygnet::{
    BufferPool, CongestionControl, ConnectError, Duration, IpEndpoint, Stack, TcpListener,
    TcpSocket, UdpSocket,
};
use cygnet_driver::LinkState;
use cygnet_link::{Impairments, percent};
use embassy_futures::select::{Either, select};

use crate::conversation::{Conversation, End};
use crate::dice::Dice;
use crate::user::User;
use crate::world::World;

/// Begins one conversation after the other until there was enough.
pub(crate) async fn client(world: Rc<World<'_>>, number: usize) {
    let mut dice = world.dice();
    let host = if world.hosts.len() > 2 && dice.chance(50) {
        2
    } else {
        0
    };
    let (mut kept, mut nth) = (None, 0);
    while !world.is_enough() {
        let socket = match kept.take() {
            Some(socket) => socket,
            None => new_socket(&world, world.hosts[host].stack, &mut dice).await,
        };
        let port = FIRST_PORT + 1_000 * number as u16 + nth;
        nth += 1;
        kept = converse(&world, host, port, socket, &mut dice).await;
        kept = kept.filter(|_| dice.chance(30));
        let pause = dice.span(Duration::from_micros(100), Duration::from_secs(1));
        world.sleep(pause).await;
    }
}

/// A socket with buffers of any size. Connections that close in the background may hold all slots.
async fn new_socket<'d>(world: &World<'d>, stack: Stack<'d>, dice: &mut Dice) -> TcpSocket<'d> {
    let receive = dice.scale(256, 65_536) as usize;
    let send = dice.scale(512, 65_536) as usize;
    loop {
        match TcpSocket::new(stack, vec![0; receive], vec![0; send]) {
            Ok(mut socket) => {
                configure(&mut socket, dice);
                return socket;
            }
            Err(error) => assert_eq!(error, ConnectError::NoSlot),
        }
        world.sleep(Duration::from_millis(500)).await;
    }
}

fn configure(socket: &mut TcpSocket<'_>, dice: &mut Dice) {
    socket.set_nagle_enabled(dice.chance(70));
    socket.set_congestion_control(dice.pick(&[
        CongestionControl::None,
        CongestionControl::NewReno,
        CongestionControl::Cubic,
        CongestionControl::Bbr,
    ]));
    let millis = |n| Some(Duration::from_millis(n));
    socket.set_ack_delay(dice.pick(&[None, millis(40), millis(40), millis(200)]));
}

/// Sets what ends a connection that goes without an answer. True if something may.
fn lose_patience(world: &World<'_>, socket: &mut TcpSocket<'_>, dice: &mut Dice) -> bool {
    let span = |dice: &mut Dice| Some(dice.span(Duration::from_secs(1), Duration::from_secs(120)));
    // Eight unanswered questions in a row are no accident where links are fair.
    let asks = dice.chance(20).then(|| span(dice)).flatten();
    socket.set_keep_alive(asks);
    let rough = !world.plan.is_fair();
    let waits = (rough && dice.chance(20)).then(|| span(dice)).flatten();
    socket.set_timeout(waits);
    rough && (asks.is_some() || waits.is_some())
}

/// One conversation from beginning to end. The socket, if it can be used again.
async fn converse<'d>(
    world: &Rc<World<'d>>,
    host: usize,
    port: u16,
    mut socket: TcpSocket<'d>,
    dice: &mut Dice,
) -> Option<TcpSocket<'d>> {
    let client = world.hosts[host].at(port);
    let conversation = world.begin(client);
    let account = conversation.side(End::Client);
    account
        .impatient
        .set(lose_patience(world, &mut socket, dice));
    let way = dice.below(10);
    // The first is where the numbers pass zero, if they are to.
    let way = if conversation.id() == 0 { 9 } else { way };
    let remote = match way {
        0 | 1 => accept_on_socket(world, &conversation, port),
        2 => connect_back(world, &conversation, client),
        _ => world.server().at(LISTENER),
    };
    let rough = !world.plan.is_fair();
    let patience = match rough && dice.chance(10) {
        true => dice.span(Duration::from_micros(1), Duration::from_secs(2)),
        false => Duration::from_secs(1_000),
    };
    let connect = world.within(patience, socket.connect_from(port, remote));
    let connected = connect.await;
    world.tell(|| format!("{conversation} {client} to {remote}: {connected:?}"));
    match connected {
        Some(Ok(())) => {}
        Some(Err(error)) => {
            account.aborted.set(true);
            let explained = match error {
                // Asked for the neighbor in vain: datagrams of that kind are not repeated for long.
                ConnectError::Unreachable => !world.plan.tunnel,
                ConnectError::TimedOut => rough,
                ConnectError::Refused => rough || way <= 2,
                _ => false,
            };
            assert!(explained, "{conversation}: {error}");
            return None;
        }
        None => {
            account.aborted.set(true);
            return None;
        }
    }
    account.met.set(true);
    let total = total(world, &conversation, End::Client, dice);
    let user = User {
        world,
        conversation: &conversation,
        end: End::Client,
        total,
    };
    user.talk(socket, dice).await
}

/// How much a side writes.
fn total(world: &World<'_>, conversation: &Conversation, end: End, dice: &mut Dice) -> u64 {
    let total = dice.scale(1, 500_000) - 1;
    match world.plan.wrap {
        Some(wrap) if conversation.id() == 0 && wrap.by_server == (end == End::Server) => {
            total.max(wrap.after + 50_000)
        }
        _ => total,
    }
}

/// A socket that waits for this conversation alone.
fn accept_on_socket<'d>(
    world: &Rc<World<'d>>,
    conversation: &Rc<Conversation>,
    port: u16,
) -> IpEndpoint {
    let task = {
        let (world, conversation) = (world.clone(), conversation.clone());
        async move {
            let mut dice = world.dice();
            let mut socket = new_socket(&world, world.server().stack, &mut dice).await;
            while !is_over(&world, &conversation) {
                let accept = world.within(Duration::from_secs(1), socket.accept(port));
                match accept.await {
                    Some(Ok(())) => return serve(&world, &conversation, socket, dice).await,
                    Some(Err(error)) => panic!("{conversation}: {error}"),
                    None => {}
                }
            }
        }
    };
    let task = world.executor.spawn(task);
    world.servers.borrow_mut().push(task);
    world.server().at(port)
}

/// A server that connects just when its client does.
fn connect_back<'d>(
    world: &Rc<World<'d>>,
    conversation: &Rc<Conversation>,
    client: IpEndpoint,
) -> IpEndpoint {
    let task = {
        let (world, conversation) = (world.clone(), conversation.clone());
        async move {
            let mut dice = world.dice();
            let mut socket = new_socket(&world, world.server().stack, &mut dice).await;
            let connect = socket.connect_from(client.port, client);
            match connect.await {
                Ok(()) => serve(&world, &conversation, socket, dice).await,
                Err(_) => conversation.side(End::Server).aborted.set(true),
            }
        }
    };
    let task = world.executor.spawn(task);
    world.servers.borrow_mut().push(task);
    world.server().at(client.port)
}

/// Whether a client will not come any more.
fn is_over(world: &World<'_>, conversation: &Conversation) -> bool {
    let client = conversation.side(End::Client);
    world.is_closing.get() || client.aborted.get() || client.gone.get()
}

/// The server's side of a conversation.
async fn serve<'d>(
    world: &World<'d>,
    conversation: &Conversation,
    mut socket: TcpSocket<'d>,
    mut dice: Dice,
) {
    let account = conversation.side(End::Server);
    if account.met.replace(true) {
        // A cookie is good for as long as it is fresh: what the client sent to a connection that is gone
        // comes in again, late, and is taken for a new one. It must not end as if all was said.
        let has_cookies = world.plan.meddling.flood;
        assert!(has_cookies, "{conversation} is served twice");
        let abort = world.within(Duration::from_secs(30), socket.abort());
        abort.await;
        return;
    }
    account
        .impatient
        .set(lose_patience(world, &mut socket, &mut dice));
    let total = total(world, conversation, End::Server, &mut dice);
    let user = User {
        world,
        conversation,
        end: End::Server,
        total,
    };
    drop(user.talk(socket, &mut dice).await);
}

/// Listens, and gives each connection to a task of its own.
pub(crate) async fn listener<'d>(
    world: Rc<World<'d>>,
    mut listener: TcpListener<'d>,
    pool: BufferPool<'d>,
) {
    let mut dice = world.dice();
    while !world.is_closing.get() {
        let patience = dice.span(Duration::from_millis(1), Duration::from_secs(2));
        if let Some(accepted) = world.within(patience, listener.accept()).await {
            let mut socket = accepted.expect("only one task accepts");
            configure(&mut socket, &mut dice);
            // The connection may be over by now, and then it does not know its ends any more.
            let Some(client) = socket.remote_endpoint() else {
                continue;
            };
            let conversation = world.begun_by(client);
            let task = {
                let (world, dice) = (world.clone(), world.dice());
                async move { serve(&world, &conversation, socket, dice).await }
            };
            let task = world.executor.spawn(task);
            world.servers.borrow_mut().push(task);
        }
        if !world.plan.is_fair() && dice.chance(2) {
            drop(listener);
            world
                .sleep(dice.span(Duration::from_micros(1), Duration::from_secs(1)))
                .await;
            // Another connection may have taken the last slot meanwhile.
            listener = loop {
                match TcpListener::bind(world.server().stack, LISTENER, pool) {
                    Ok(listener) => break listener,
                    Err(_) => world.sleep(Duration::from_secs(1)).await,
                }
            };
        }
    }
}

/// Sends datagrams, and looks at those that come.
pub(crate) async fn datagrams(world: Rc<World<'_>>, host: usize, socket: UdpSocket<'_>) {
    let mut dice = world.dice();
    let send = async {
        let mut data = [0; 256];
        let mut sleeping = world.dice();
        while !world.is_closing.get() {
            let other =
                (host + dice.between(1, world.hosts.len() as u64 - 1) as usize) % world.hosts.len();
            let len = dice.between(4, 256) as usize;
            let tag = dice.below(1 << 24) as u32;
            fill_datagram(tag, &mut data[..len]);
            let to = world.hosts[other].at(DATAGRAMS);
            let sent = world.ask(&mut dice, socket.send_to(&data[..len], to));
            let _ = sent.await;
            let most = match world.plan.meddling.flood {
                true => Duration::from_millis(20),
                false => Duration::from_secs(4),
            };
            let pause = sleeping.span(Duration::from_millis(1), most);
            world.sleep(pause).await;
        }
    };
    let receive = async {
        let mut data = [0; 2_048];
        loop {
            // An error tells of a datagram that went nowhere.
            let Ok((len, _)) = socket.recv_from(&mut data).await else {
                continue;
            };
            let mut expected = [0; 256];
            let tag = u32::from_be_bytes(data[..4].try_into().expect("a tag"));
            fill_datagram(tag, &mut expected[..len]);
            assert_eq!(data[..len], expected[..len], "a datagram that nobody sent");
            world.datagrams.set(world.datagrams.get() + 1);
        }
    };
    match select(send, receive).await {
        Either::First(()) => {}
        Either::Second(never) => never,
    }
}

fn fill_datagram(tag: u32, data: &mut [u8]) {
    let mut dice = Dice::new(u64::from(tag), data.len() as u64);
    data.fill_with(|| dice.below(256) as u8);
    data[..4].copy_from_slice(&tag.to_be_bytes());
}

/// Changes what the link is like, until there was enough.
pub(crate) async fn weather(world: Rc<World<'_>>) {
    let mut dice = world.dice();
    let fair = world.plan.is_fair();
    for port in 0..world.hosts.len() {
        let link = world.plan.impairments(&mut dice);
        world.control.set_impairments(port, link);
    }
    while !world.is_enough() {
        let calm = dice.span(Duration::from_millis(50), Duration::from_secs(20));
        world.sleep(calm).await;
        let port = dice.below(world.hosts.len() as u64) as usize;
        if dice.chance(if fair { 10 } else { 25 }) {
            let most = Duration::from_secs(if fair { 3 } else { 200 });
            let span = dice.span(Duration::from_millis(10), most);
            world.tell(|| format!("no frame passes for {span:?}"));
            if dice.chance(50) {
                world.control.set_link_state(port, LinkState::Down);
            } else {
                world.control.set_impairments(port, dead());
            }
            world.sleep(span).await;
            world.control.set_link_state(port, LinkState::Up);
        }
        let link = world.plan.impairments(&mut dice);
        world.tell(|| format!("host {port}: {link:?}"));
        world.control.set_impairments(port, link);
    }
    if world.plan.ends_dead {
        world.tell(|| "no frame passes any more".into());
        for port in 0..world.hosts.len() {
            world.control.set_impairments(port, dead());
        }
    }
}

fn dead() -> Impairments {
    Impairments::new().loss(percent(100))
}

/// Lets time stand still and then jump, as on a machine that was suspended.
pub(crate) async fn jumps(world: Rc<World<'_>>) {
    let mut dice = world.dice();
    while world.plan.jumps && !world.is_closing.get() {
        let calm = dice.span(Duration::from_millis(100), Duration::from_secs(60));
        world.sleep(calm).await;
        let most = match world.plan.is_fair() {
            true => Duration::from_secs(10),
            // Timers in milliseconds pass zero after 49 days, timestamps are outdated after 24.
            false => Duration::from_secs(60 * 24 * 60 * 60),
        };
        let span = dice.span(Duration::from_millis(10), most);
        world.tell(|| format!("time jumps by {span:?}"));
        world.executor.clock().advance(world.executor.now() + span);
    }
}

/// Where the listener listens, and where datagrams go.
pub(crate) const LISTENER: u16 = 80;
pub(crate) const DATAGRAMS: u16 = 7;

/// The port that the first client's first connection comes from.
pub(crate) const FIRST_PORT: u16 = 10_000;
