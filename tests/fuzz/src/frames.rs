//! Frames into a live stack that speaks both versions of IP: it listens, is connected, has UDP and ICMP
//! sockets, asks for names, and is configured by whatever its user chooses.
//!
//! An input is a sequence of records, each one byte of kind, two of length or number, and its bytes:
//!
//! | kind modulo 8 | meaning |
//! | --- | --- |
//! | 0 | a frame as it is |
//! | 1 | a frame, its checksums repaired |
//! | 2 | as 1, and numbers that only the stack knows are filled in: what a TCP segment acknowledges counts from what the stack sent last to its port; an answer of a DNS or DHCP server is one to the last question |
//! | 3 | so many milliseconds pass |
//! | 4 | the user accepts, reads what there is and writes so many bytes |
//! | 5 | the user closes the oldest connection, or drops it if the number is odd |
//! | 6 | as 2, and the packet comes in fragments: the kind's upper bits say of which length and in which order |
//! | 7 | the user makes the call of that number, see [`Call`] |

mod call;
mod cut;
mod user;

use cygnet::Duration;
use cygnet_driver::Medium;
use cygnet_tests::repair_checksums;

use crate::stand::{Memory, Stand};
pub use call::Call;
pub use user::Gained;
pub(crate) use user::User;

/// One record of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A frame as it is.
    Raw(&'a [u8]),
    /// A frame whose checksums are repaired.
    Repaired(&'a [u8]),
    /// A frame whose numbers are relative to what the stack sent.
    Relative(&'a [u8]),
    /// Milliseconds.
    Pause(u16),
    /// The user reads, and writes so many bytes.
    Talk(u16),
    /// The user closes, or drops.
    End(u16),
    /// A frame like a relative one, cut into fragments.
    Cut(Cut, &'a [u8]),
    /// The user calls.
    Call(u16),
}

/// How a packet is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The last piece comes first.
    pub backwards: bool,
    /// The length of each piece but the last in units of 64 bytes, without one: up to 15.
    pub units: u8,
}

impl<'a> Record<'a> {
    /// Takes the next record from an input.
    fn take(input: &mut &'a [u8]) -> Option<Self> {
        let (&[kind, high, low], rest) = input.split_first_chunk()?;
        let number = u16::from_be_bytes([high, low]);
        *input = rest;
        let mut frame = || {
            let len = usize::from(number).min(rest.len());
            let (frame, rest) = rest.split_at(len);
            *input = rest;
            frame
        };
        Some(match kind % 8 {
            0 => Self::Raw(frame()),
            1 => Self::Repaired(frame()),
            2 => Self::Relative(frame()),
            3 => Self::Pause(number),
            4 => Self::Talk(number),
            5 => Self::End(number),
            6 => {
                let backwards = kind & 8 != 0;
                let units = kind >> 4;
                Self::Cut(Cut { backwards, units }, frame())
            }
            _ => Self::Call(number),
        })
    }

    /// Adds the record to an input.
    pub fn put(self, input: &mut Vec<u8>) {
        let (kind, number, frame): (u8, u16, &[u8]) = match self {
            Self::Raw(frame) => (0, frame.len() as u16, frame),
            Self::Repaired(frame) => (1, frame.len() as u16, frame),
            Self::Relative(frame) => (2, frame.len() as u16, frame),
            Self::Pause(number) => (3, number, &[]),
            Self::Talk(number) => (4, number, &[]),
            Self::End(number) => (5, number, &[]),
            Self::Cut(Cut { backwards, units }, frame) => {
                let kind = 6 | u8::from(backwards) << 3 | units << 4;
                (kind, frame.len() as u16, frame)
            }
            Self::Call(number) => (7, number, &[]),
        };
        input.push(kind);
        input.extend(number.to_be_bytes());
        input.extend(frame);
    }
}

/// See the module.
pub fn run(input: &[u8]) {
    play(input);
}

/// The same, and what the user got out of it.
pub fn play(mut input: &[u8]) -> Gained {
    let mut memory = Memory::new();
    let mut user = User::new(Stand::new(&mut memory, Medium::Ethernet));
    while let Some(record) = Record::take(&mut input) {
        match record {
            Record::Raw(frame) => user.receive(frame),
            Record::Repaired(frame) => {
                let mut frame = frame.to_vec();
                repair_checksums(Medium::Ethernet, &mut frame);
                user.receive(&frame);
            }
            Record::Relative(frame) => {
                let frame = user.make_absolute(frame);
                user.receive(&frame);
            }
            Record::Cut(how, frame) => {
                let frame = user.make_absolute(frame);
                for piece in cut::cut(how, &frame) {
                    user.receive(&piece);
                }
            }
            Record::Pause(millis) => user.pass(Duration::from_millis(millis.into())),
            Record::Talk(len) => user.talk(len.into()),
            Record::End(number) => user.end(number),
            Record::Call(number) => user.call(Call::from(number)),
        }
    }
    user.leave()
}
