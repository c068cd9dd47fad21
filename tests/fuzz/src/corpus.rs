//! The corpus: where it lies, and how it is made from captures and stories of our own.

mod messages;
mod stories;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use cygnet_driver::{Clock as _, Duration, Instant, Medium};
use cygnet_link::{Impairments, percent};
use cygnet_middleware::{Direction, Tap};
use cygnet_tests::{
    Executor, Memory, Network, Setup, VirtualClock, pattern, receive_to_end, send_all, tcp_segment,
};

use crate::frames::Record;
use messages::Dhcp;

/// The directory with the inputs of a target.
pub fn directory(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target)
}

/// All inputs of a target, in the order of their names.
pub fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(directory(target)).expect("a corpus");
    let mut inputs: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.display().to_string();
            (name, std::fs::read(path).expect("an input"))
        })
        .collect();
    inputs.sort();
    inputs
}

/// All inputs that are made, by target and name. Others were found, or drawn.
pub fn made() -> Vec<(&'static str, String, Vec<u8>)> {
    let mut made = Vec::new();
    for seed in 0..8 {
        made.push(("frames", format!("capture-{seed}"), capture(seed)));
    }
    for (name, input) in stories::all() {
        made.push(("frames", name.to_owned(), input));
    }
    for which in Dhcp::ALL {
        let role = u8::from(!which.is_reply());
        let input = [&[role], messages::dhcp(which).as_slice()].concat();
        made.push(("dhcp", format!("{which:?}").to_lowercase(), input));
    }
    for (name, message) in messages::dns() {
        made.push(("dns", name.to_owned(), message));
    }
    for (name, input) in messages::ipv6() {
        made.push(("ipv6", name.to_owned(), input));
    }
    made
}

/// What a server saw of a transfer over a bad link, as an input of `frames`: it answers the same client,
/// so the client's side of the conversation makes sense to it.
fn capture(seed: u64) -> Vec<u8> {
    let frames = Rc::new(RefCell::new(Vec::new()));
    let link = Impairments::new()
        .seed(seed)
        .loss(percent(seed as u32 % 4 * 3))
        .duplication(percent(5))
        .reordering(percent(5), Duration::from_millis(3))
        .delay(Duration::from_millis(10));
    let mut memory = Memory::<2>::new();
    let executor = Executor::new(seed);
    let clock = executor.clock();
    let setup = |n| Setup::new(n).impaired(link);
    let network = Network::on_drivers(&mut memory, executor, setup, |n, port| {
        let watch = Watch {
            clock: clock.clone(),
            frames: (n == 1).then(|| frames.clone()),
        };
        Tap::with_observer(port, watch)
    });
    let [client, server] = &network.hosts;
    network.executor.block_on(async {
        let len = 500 + 400 * (seed as usize % 8);
        let data = pattern(seed, len);
        let listener = server.listen::<2>(80);
        let mut socket = client.tcp();
        while socket.connect(server.at(80)).await.is_err() {}
        send_all(&mut socket, &data).await;
        let mut accepted = listener.accept().await.expect("only one accepts");
        receive_to_end(&mut accepted).await;
        send_all(&mut accepted, &data).await;
        receive_to_end(&mut socket).await;
        let udp = client.udp_at(7);
        udp.send_to(b"hello", server.at(7)).await.expect("room");
    });
    network.executor.run_for(Duration::from_secs(1));
    into_records(&frames.borrow())
}

/// What happened, as records; what is acknowledged becomes relative to what the server had sent by then.
fn into_records(seen: &[Passed]) -> Vec<u8> {
    let (mut input, mut last, mut sent) = (Vec::new(), Instant::ZERO, 0u32);
    for (at, direction, frame) in seen {
        let tcp = tcp_segment(Medium::Ethernet, frame).map(|found| found.range);
        if *direction == Direction::Tx {
            if let Some(range) = tcp {
                let segment = cygnet::wire::TcpSegment::parse(&frame[range]);
                let segment = segment.expect("our own segments are whole");
                sent = (segment.header.seq + segment.segment_len()).get();
            }
            continue;
        }
        let millis = at.since(last).as_millis();
        last = *at;
        if millis > 0 {
            Record::Pause(u16::try_from(millis).unwrap_or(u16::MAX)).put(&mut input);
        }
        match tcp {
            Some(range) => {
                let mut frame = frame.clone();
                let ack = &mut frame[range][8..12];
                let value = u32::from_be_bytes([ack[0], ack[1], ack[2], ack[3]]);
                ack.copy_from_slice(&value.wrapping_sub(sent).to_be_bytes());
                Record::Relative(&frame).put(&mut input);
                Record::Talk(frame.len() as u16).put(&mut input);
            }
            None => Record::Repaired(frame).put(&mut input),
        }
    }
    Record::End(0).put(&mut input);
    input
}

/// A frame, when it passed and which way.
type Passed = (Instant, Direction, Vec<u8>);

/// Writes down all frames of one host.
struct Watch {
    clock: VirtualClock,
    frames: Option<Rc<RefCell<Vec<Passed>>>>,
}

impl cygnet_middleware::Observer for Watch {
    fn observe(&mut self, direction: Direction, frame: &[u8]) {
        if let Some(frames) = &self.frames {
            let now = self.clock.now();
            frames.borrow_mut().push((now, direction, frame.to_vec()));
        }
    }
}
