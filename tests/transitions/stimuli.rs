//! The segments: every combination of control bits, numbers and text.

use core::fmt;

use cygnet::wire::TcpFlags;
use cygnet_tests::script::{Segment, segment};

use crate::states::Scene;

/// One segment, in terms of what the target expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stimulus {
    pub(crate) flags: TcpFlags,
    pub(crate) text: Text,
    pub(crate) seq: Seq,
    /// Where ACK is set.
    pub(crate) ack: Option<Ack>,
}

/// How much text it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    None,
    TenBytes,
}

/// Where it is relative to the receive window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seq {
    /// It takes the last numbers before RCV.NXT, or without any it is the one before.
    Old,
    /// RCV.NXT.
    Next,
    /// A hundred further, in the window.
    Ahead,
    /// Far beyond the window.
    Beyond,
}

/// What it acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ack {
    /// SND.UNA - 100,000: more than MAX.SND.WND ago.
    Ancient,
    /// SND.UNA - 1.
    Old,
    /// SND.UNA: nothing new.
    Same,
    /// SND.NXT: everything.
    All,
    /// SND.NXT + 1: what was not sent.
    Unsent,
}

impl Stimulus {
    /// All of them, for a scene in which something is in flight or nothing is.
    pub(crate) fn all(in_flight: bool) -> Vec<Self> {
        let mut all = Vec::new();
        for bits in 0..16 {
            let flags = combination(bits);
            for text in [Text::None, Text::TenBytes] {
                for seq in Seq::ALL {
                    let plain = Self {
                        flags,
                        text,
                        seq,
                        ack: None,
                    };
                    if !flags.contains(TcpFlags::ACK) {
                        all.push(plain);
                        continue;
                    }
                    for ack in Ack::ALL {
                        // Without anything in flight it is the same as `All`.
                        if in_flight || ack != Ack::Same {
                            all.push(Self {
                                ack: Some(ack),
                                ..plain
                            });
                        }
                    }
                }
            }
        }
        all
    }

    pub(crate) fn text(self) -> &'static [u8] {
        match self.text {
            Text::None => b"",
            Text::TenBytes => b"ten bytes.",
        }
    }

    /// SEG.LEN.
    pub(crate) fn len(self) -> u32 {
        let bit = |flag| u32::from(self.flags.contains(flag));
        self.text().len() as u32 + bit(TcpFlags::SYN) + bit(TcpFlags::FIN)
    }

    /// SEG.SEQ.
    pub(crate) fn number(self, scene: &Scene<'_>) -> u32 {
        match self.seq {
            Seq::Old => scene.rcv_nxt.wrapping_sub(self.len().max(1)),
            Seq::Next => scene.rcv_nxt,
            Seq::Ahead => scene.rcv_nxt + 100,
            Seq::Beyond => scene.rcv_nxt + 1_000_000,
        }
    }

    /// SEG.ACK.
    pub(crate) fn acked(self, scene: &Scene<'_>) -> Option<u32> {
        Some(match self.ack? {
            Ack::Ancient => scene.snd_una.wrapping_sub(100_000),
            Ack::Old => scene.snd_una.wrapping_sub(1),
            Ack::Same => scene.snd_una,
            Ack::All => scene.snd_nxt,
            Ack::Unsent => scene.snd_nxt + 1,
        })
    }

    /// As the peer sends it.
    pub(crate) fn segment(self, scene: &Scene<'_>) -> Segment {
        let mut segment = segment(self.flags)
            .seq(self.number(scene))
            .text(self.text());
        if let Some(acked) = self.acked(scene) {
            segment = segment.ack(acked);
        }
        if self.flags.contains(TcpFlags::SYN) {
            segment = segment.mss(1_000);
        }
        segment
    }
}

impl Seq {
    pub(crate) const ALL: [Self; 4] = [Self::Old, Self::Next, Self::Ahead, Self::Beyond];
}

impl Ack {
    pub(crate) const ALL: [Self; 5] = [
        Self::Ancient,
        Self::Old,
        Self::Same,
        Self::All,
        Self::Unsent,
    ];
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Old => "old",
            Self::Next => "next",
            Self::Ahead => "ahead",
            Self::Beyond => "beyond",
        })
    }
}

impl fmt::Display for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ancient => "ancient",
            Self::Old => "old",
            Self::Same => "same",
            Self::All => "all",
            Self::Unsent => "unsent",
        })
    }
}

/// SYN, FIN and RST are the lower bits so that combinations with ACK come after those without.
fn combination(bits: u8) -> TcpFlags {
    let all = [
        (1, TcpFlags::SYN),
        (2, TcpFlags::FIN),
        (4, TcpFlags::RST),
        (8, TcpFlags::ACK),
    ];
    all.into_iter()
        .filter(|(bit, _)| bits & bit != 0)
        .fold(TcpFlags::default(), |flags, (_, flag)| flags | flag)
}

/// The control bits by name, ACK last as people say it: `SYN+ACK`.
pub(crate) fn name(flags: TcpFlags) -> String {
    let all = [
        (TcpFlags::RST, "RST"),
        (TcpFlags::SYN, "SYN"),
        (TcpFlags::FIN, "FIN"),
        (TcpFlags::ACK, "ACK"),
    ];
    let names: Vec<_> = all
        .into_iter()
        .filter(|(flag, _)| flags.contains(*flag))
        .map(|(_, name)| name)
        .collect();
    if names.is_empty() {
        return "none".into();
    }
    names.join("+")
}
