//! What kind of world a seed stands for.

use cygnet::Duration;
use cygnet_link::{BurstLoss, Impairments, QueueLimit, percent};
use cygnet_tests::Setup;

use crate::dice::Dice;
use crate::wire::Meddling;

/// The circumstances of one simulated world, all drawn from its seed.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) mood: Mood,
    /// Bare IP packets instead of Ethernet.
    pub(crate) tunnel: bool,
    /// The longest packet of the link in bytes.
    pub(crate) mtu: usize,
    /// How many converse at a time.
    pub(crate) clients: usize,
    /// The listener's pool: pairs, and the sizes of receive and send buffers in bytes.
    pub(crate) pool: (usize, usize, usize),
    /// What stands between the hosts and the link.
    pub(crate) meddling: Meddling,
    /// How many bytes after its start the first conversation's sequence numbers wrap, and whose.
    pub(crate) wrap: Option<Wrap>,
    /// The time stands still and then jumps, now and then.
    pub(crate) jumps: bool,
    /// The link is dead from the moment on at which there has been enough.
    pub(crate) ends_dead: bool,
}

/// Sequence numbers that pass zero.
#[derive(Clone, Copy)]
pub(crate) struct Wrap {
    pub(crate) by_server: bool,
    pub(crate) after: u64,
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// The link impairs, but not for long enough to end a connection, and users see everything through:
    /// every byte has to arrive, and both ends.
    Fair,
    /// Links fail, users abort, lose patience, and drop what they hold.
    Rough,
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        let dice = &mut Dice::new(seed, PART);
        let mood = dice.pick(&[Mood::Fair, Mood::Rough]);
        let clients = dice.between(1, 3) as usize;
        let spare = dice.between(0, 3) as usize;
        let pairs = match mood {
            Mood::Fair => 2 * clients + spare,
            Mood::Rough => 1 + spare,
        };
        Self {
            seed,
            mood,
            tunnel: dice.chance(40),
            mtu: dice.pick(&[1500, 1500, 1500, 1280, 576, 296]),
            clients,
            pool: (
                pairs,
                dice.scale(256, 65_536) as usize,
                dice.scale(512, 65_536) as usize,
            ),
            meddling: Meddling {
                strip_sack: dice.chance(15),
                strip_timestamps: dice.chance(20),
                strip_window_scale: dice.chance(10),
                flood: dice.chance(10),
                renege: if dice.chance(10) { 20 } else { 0 },
            },
            wrap: dice.chance(25).then(|| Wrap {
                by_server: dice.chance(50),
                after: dice.between(1, 150_000),
            }),
            jumps: dice.chance(15),
            ends_dead: mood == Mood::Rough && dice.chance(25),
        }
    }

    /// The setup of a host.
    pub(crate) fn setup(&self, n: usize) -> Setup {
        let mut setup = if self.tunnel {
            Setup::tunnel(n)
        } else {
            Setup::new(n)
        };
        let header = if self.tunnel { 0 } else { 14 };
        setup.port = setup.port.max_frame_len(self.mtu + header);
        setup
    }

    pub(crate) fn is_fair(&self) -> bool {
        self.mood == Mood::Fair
    }

    /// What one direction of the link is like for a while.
    pub(crate) fn impairments(&self, dice: &mut Dice) -> Impairments {
        let rough = self.mood == Mood::Rough;
        let most = |fair, worst| if rough { worst } else { fair };
        let mut link = Impairments::new().seed(dice.below(u64::MAX));
        if dice.chance(50) {
            link = link.loss(percent(dice.scale(1, most(10, 40)) as u32));
        }
        if dice.chance(20) {
            link = link.burst_loss(BurstLoss {
                enter: percent(dice.between(1, 5) as u32),
                leave: percent(dice.between(most(40, 10), 80) as u32),
                loss: percent(dice.between(30, 100) as u32),
            });
        }
        if dice.chance(25) {
            link = link.corruption(percent(dice.scale(1, most(5, 15)) as u32));
        }
        if dice.chance(30) {
            link = link.duplication(percent(dice.scale(1, 30) as u32));
        }
        if dice.chance(30) {
            let late = dice.span(Duration::from_micros(100), Duration::from_millis(80));
            link = link.reordering(percent(dice.scale(1, 30) as u32), late);
        }
        if dice.chance(80) {
            let most = Duration::from_millis(most(150, 500));
            link = link.delay(dice.span(Duration::from_micros(50), most));
        }
        if dice.chance(40) {
            link = link.jitter(dice.span(Duration::from_micros(50), Duration::from_millis(50)));
        }
        if dice.chance(40) {
            link = link
                .bandwidth(dice.scale(200_000, 100_000_000))
                .queue_limit(match dice.below(3) {
                    0 => QueueLimit::Unlimited,
                    1 => QueueLimit::Frames(dice.between(3, 60) as usize),
                    _ => QueueLimit::Bytes(dice.scale(4_000, 100_000) as usize),
                });
        }
        link
    }
}

/// The dice that plans are drawn with.
const PART: u64 = 1;
