//! A wire that loses.

use super::*;

/// A wire that takes time and loses frames, by seed.
struct LossyWire {
    pair: Pair,
    random: Random,
    in_flight: VecDeque<(Instant, usize, Vec<u8>)>,
    delay: Duration,
    loss_percent: u32,
}

impl LossyWire {
    fn new(seed: u64, delay: Duration, loss_percent: u32) -> Self {
        Self {
            pair: Pair::new(Medium::Ip),
            random: Random::new(Seed::from(seed)),
            in_flight: VecDeque::new(),
            delay,
            loss_percent,
        }
    }

    fn put(&mut self, from: usize, bytes: Vec<u8>) {
        if self.random.below(100) >= self.loss_percent {
            let at = self.pair.now + self.delay;
            self.in_flight.push_back((at, from, bytes));
        }
    }

    /// Sends what there is to send, then goes on to whatever comes next: a frame or a deadline. False if
    /// nothing does.
    fn step(&mut self) -> bool {
        for side in 0..2 {
            while let Some(bytes) = next_frame(&mut self.pair.engines[side], self.pair.now) {
                self.put(side, bytes);
            }
        }
        let deadline = self.pair.next_deadline();
        let deadline = (deadline != Instant::FAR_FUTURE).then_some(deadline);
        let arrival = self.in_flight.front().map(|&(at, ..)| at);
        let Some(next) = deadline.into_iter().chain(arrival).min() else {
            return false;
        };
        self.pair.now = self.pair.now.max(next);
        if arrival == Some(next)
            && let Some((_, from, bytes)) = self.in_flight.pop_front()
        {
            let to = 1 - from;
            let engine = &mut self.pair.engines[to];
            let (_, answer) = receive(engine, self.pair.now, &bytes, RxMeta::new());
            if let Some(answer) = answer {
                self.put(to, answer);
            }
        } else {
            for engine in &mut self.pair.engines {
                engine.on_timeout(self.pair.now);
            }
        }
        true
    }

    /// Moves `len` bytes from A to B.
    fn transfer(&mut self, len: usize) {
        let (client, server) = {
            let server = self.pair.big_socket(1);
            self.pair.engines[1]
                .tcp_listen(server, IpListenEndpoint::from(80))
                .unwrap();
            let client = self.pair.big_socket(0);
            let remote = IpEndpoint::new(B.into(), 80);
            self.pair.engines[0]
                .tcp_connect(client, remote, IpListenEndpoint::from(0))
                .unwrap();
            (client, server)
        };
        let data: Vec<u8> = (0..len as u32).map(|i| (i * 7 % 251) as u8).collect();
        let (mut sent, mut received) = (0, Vec::new());
        while received.len() < len {
            if self.pair.engines[0].tcp(client).unwrap().can_write() {
                sent += self.pair.write(0, client, &data[sent..]);
            }
            assert!(self.step(), "stuck after {} bytes", received.len());
            // All of it: the last frame may bring more than one read takes.
            loop {
                let read = self.pair.read(1, server);
                if read.is_empty() {
                    break;
                }
                received.extend(read);
            }
            assert_eq!(self.pair.engines[0].tcp(client).unwrap().error(), None);
        }
        assert!(received == data);
    }
}

impl Pair {
    fn big_socket(&mut self, side: usize) -> SocketKey {
        self.engines[side]
            .tcp_open(vec![0; 65536].into(), vec![0; 65536].into())
            .expect("there is a slot")
    }
}

#[test]
fn a_transfer_over_a_lossy_wire_arrives_byte_by_byte() {
    for loss_percent in [0, 1, 5, 19, 40] {
        for seed in 0..8 {
            let mut wire = LossyWire::new(seed, Duration::from_micros(100), loss_percent);
            let len = if loss_percent > 20 { 50_000 } else { 1_000_000 };
            wire.transfer(len);
            let retransmits = wire.pair.engines[0].stats().retransmits;
            assert_eq!(retransmits > 0, loss_percent > 0, "seed {seed}");
        }
    }
}
