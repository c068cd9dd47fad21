//! An attacker who knows both ends of a connection, but sees none of it (RFC 5961): forged segments in steps
//! of a window over the whole sequence space, so that some of each kind hit the window.

use cygnet::wire::{SeqNum, TcpFlags, TcpHeader, TcpOptions, Timestamps};
use cygnet::{Duration, TcpSocket, TcpState};

use crate::forger::{CLIENT, Forged, Scene};

const BUFFER: usize = 65_535;
const CLIENT_PORT: u16 = 40_000;
/// How many steps of a window the sequence space has, and one.
const STEPS: u32 = u32::MAX / BUFFER as u32 + 2;

struct Victims {
    scene: Scene,
    client: TcpSocket<'static>,
    server: TcpSocket<'static>,
}

fn connected(seed: u64) -> Victims {
    let scene = Scene::new(seed);
    let socket = |stack| TcpSocket::new(stack, vec![0; BUFFER], vec![0; BUFFER]).expect("a slot");
    let (mut client, mut server) = (socket(scene.client), socket(scene.server));
    scene.executor.block_on(async {
        let connect = client.connect_from(CLIENT_PORT, scene.at(80));
        let (connected, accepted) = embassy_futures::join::join(connect, server.accept(80)).await;
        assert_eq!((connected, accepted), (Ok(()), Ok(())));
    });
    Victims {
        scene,
        client,
        server,
    }
}

impl Victims {
    /// Sends `frames` forged segments while both sides talk, and checks that they hear each other and
    /// nobody else.
    fn survive(&mut self, frames: u32, mut forge: impl FnMut(u32) -> TcpHeader + 'static) {
        let Self {
            scene,
            client,
            server,
        } = self;
        let mut n = 0;
        scene.attacker.forge(move || {
            n += 1;
            let header = forge(n);
            let carries = !header.flags.contains(TcpFlags::RST);
            Forged {
                src: CLIENT,
                header: TcpHeader {
                    src_port: CLIENT_PORT,
                    dst_port: 80,
                    window: 1_000,
                    ..header
                },
                text: if carries { TEXT } else { &[] },
            }
        });
        scene.executor.block_on(async {
            scene.attacker.attack(frames.into());
            let mut rounds = 0;
            while !scene.attacker.is_done() || rounds < 10 {
                say(client, server, rounds as u8).await;
                say(server, client, rounds as u8).await;
                scene.executor.sleep(Duration::from_millis(1)).await;
                rounds += 1;
            }
        });
        assert_eq!(client.state(), TcpState::Established);
        assert_eq!(server.state(), TcpState::Established);
    }
}

/// One side writes, the other reads that and nothing else.
async fn say(from: &mut TcpSocket<'_>, to: &mut TcpSocket<'_>, word: u8) {
    let message = [word; 100];
    assert_eq!(from.write(&message).await, Ok(message.len()));
    let mut heard = [0; 200];
    assert_eq!(to.read(&mut heard).await, Ok(message.len()));
    assert_eq!(heard[..100], message, "nothing forged");
}

/// What a forged segment carries.
const TEXT: &[u8] = b"forged forged forged forged";

fn step(n: u32) -> SeqNum {
    SeqNum::new(n.wrapping_mul(BUFFER as u32))
}

#[test]
fn resets_all_over_the_sequence_space_reset_nothing() {
    for flags in [TcpFlags::RST, TcpFlags::RST | TcpFlags::ACK] {
        connected(2).survive(STEPS, move |n| TcpHeader {
            seq: step(n),
            flags,
            ..TcpHeader::default()
        });
    }
}

/// Of two timestamps half the circle apart one always passes for a new one.
fn with_timestamps(value: Option<u32>) -> TcpOptions {
    TcpOptions {
        timestamps: value.map(|value| Timestamps { value, echo: 0 }),
        ..TcpOptions::default()
    }
}

const TIMESTAMPS: [Option<u32>; 3] = [None, Some(0), Some(1 << 31)];

#[test]
fn requests_all_over_the_sequence_space_reset_nothing() {
    for timestamp in TIMESTAMPS {
        connected(3).survive(STEPS, move |n| TcpHeader {
            seq: step(n),
            flags: TcpFlags::SYN,
            options: with_timestamps(timestamp),
            ..TcpHeader::default()
        });
    }
}

#[test]
fn data_all_over_the_sequence_space_is_not_delivered() {
    for timestamp in TIMESTAMPS {
        for guess in [0, 1 << 31] {
            connected(4).survive(STEPS, move |n| TcpHeader {
                seq: step(n),
                ack: SeqNum::new(guess),
                flags: TcpFlags::ACK | TcpFlags::PSH,
                options: with_timestamps(timestamp),
                ..TcpHeader::default()
            });
        }
    }
}

#[test]
fn acknowledgments_all_over_the_sequence_space_acknowledge_nothing() {
    for timestamp in TIMESTAMPS {
        connected(5).survive(STEPS, move |n| TcpHeader {
            seq: step(n),
            ack: step(n.wrapping_mul(7)),
            flags: TcpFlags::ACK,
            options: with_timestamps(timestamp),
            ..TcpHeader::default()
        });
    }
}
