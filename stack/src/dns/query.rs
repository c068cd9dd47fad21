//! One question, until it is answered.
//!
//! ```text
//!           sent            answer
//!   Due ───────► Waiting ─────────────► Done
//!    ▲            │    │ truncated       ▲ ▲
//!    │            │    └──────► Tcp ─────┘ │
//!    └── timeout, refusal ◄──────┘         │
//!              └──── no server left ───────┘
//! ```
//!
//! Each attempt is a message of its own: with another number, from another port and with other letters in
//! capitals, so that whoever wants to answer in the server's place has to guess all three (RFC 5452).

#[cfg(test)]
mod tests;

use cygnet_config::DNS_MAX_SERVER_COUNT;
use heapless::Vec;

use crate::rand::Random;
use crate::time::{Duration, Instant};
use crate::wire::IpAddress;
use crate::wire::dns::{
    DnsMessage, DnsName, HEADER_LEN, OPT_LEN, Rcode, is_bare_format_error, put,
};

/// A question under way. The message itself lies elsewhere, and is handed in.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    phase: Phase,
    servers: Vec<IpAddress, DNS_MAX_SERVER_COUNT>,
    server: usize,
    round: u8,
    /// The servers that had nothing but an error to say in this round.
    refusals: usize,
    id: u16,
    options: Options,
}

/// How a question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// The message ends with an OPT record of ours, which can be left out.
    pub(crate) edns: bool,
    /// The case of its letters may be changed.
    pub(crate) mix_case: bool,
    /// A truncated answer can be asked for over TCP.
    pub(crate) tcp: bool,
    /// It goes to everybody on the link, and any of them may answer (RFC 6762 section 5.1).
    pub(crate) multicast: bool,
}

/// What a question waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// To be sent.
    Due,
    /// For an answer, up to that time. `None`: it was sent a moment ago.
    Waiting(Option<Instant>),
    /// For an answer over TCP, up to that time.
    Tcp(Instant),
    Done(Result<(), Failure>),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody answered in time.
    TimedOut,
    /// The servers could or would not find out.
    Refused,
    /// There is none to ask.
    NoServers,
    /// The answer does not fit the room for it.
    TooLong,
}

/// What became of a message that may be an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is none.
    Ignore,
    /// It is the answer.
    Accept,
    /// It is not, but the end of this attempt; see [`Query::phase`].
    Next,
}

impl Query {
    /// A question for these servers.
    pub(crate) fn new(servers: impl Iterator<Item = IpAddress>, options: Options) -> Self {
        let servers: Vec<_, _> = servers.take(DNS_MAX_SERVER_COUNT).collect();
        Self {
            phase: if servers.is_empty() {
                Phase::Done(Err(Failure::NoServers))
            } else {
                Phase::Due
            },
            servers,
            server: 0,
            round: 0,
            refusals: 0,
            id: 0,
            options,
        }
    }

    /// A question that is over already.
    pub(crate) fn done() -> Self {
        let options = Options {
            edns: false,
            mix_case: false,
            tcp: false,
            multicast: false,
        };
        let mut query = Self::new(core::iter::empty(), options);
        query.phase = Phase::Done(Ok(()));
        query
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// Whom it goes to.
    pub(crate) fn server(&self) -> Option<IpAddress> {
        self.servers.get(self.server).copied()
    }

    /// Whether everybody is asked.
    pub(crate) fn is_multicast(&self) -> bool {
        self.options.multicast
    }

    /// Makes the message that of a new attempt.
    pub(crate) fn prepare(&mut self, message: &mut [u8], random: &mut Random) {
        self.id = random.next_u32() as u16;
        put(message, 0, self.id);
        let question = message.get_mut(HEADER_LEN..).unwrap_or_default();
        // In the last round without, for the server that answers in letters of its own choice.
        if self.options.mix_case {
            mix_case(question, random, self.round + 1 < ROUNDS);
        }
    }

    /// Undoes in an answer what was done to the letters of its question: they are small now.
    pub(crate) fn restore_case(&self, answer: &mut [u8]) {
        if self.options.mix_case
            && let Some(question) = answer.get_mut(HEADER_LEN..)
        {
            set_case(question, || false);
        }
    }

    /// The message was handed to the driver.
    pub(crate) fn on_sent(&mut self) {
        self.phase = Phase::Waiting(None);
    }

    /// Begins to wait, until the time that is returned.
    pub(crate) fn wait(&mut self, now: Instant) -> Option<Instant> {
        let Phase::Waiting(None) = self.phase else {
            return None;
        };
        let first = match self.options.multicast {
            true => FIRST_MULTICAST_TIMEOUT,
            false => FIRST_TIMEOUT,
        };
        let deadline = now + first.doubled(self.round.into());
        self.phase = Phase::Waiting(Some(deadline));
        Some(deadline)
    }

    /// The time at which [`Self::on_timeout`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Waiting(deadline) => deadline,
            Phase::Tcp(deadline) => Some(deadline),
            Phase::Due | Phase::Done(_) => None,
        }
    }

    /// Time passed. True if that ends an attempt.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> bool {
        let is_over = self.deadline().is_some_and(|deadline| deadline <= now);
        if is_over {
            self.next(Failure::TimedOut);
        }
        is_over
    }

    /// The server cannot be reached, or nobody is at its port.
    pub(crate) fn on_unreachable(&mut self) {
        self.next(Failure::TimedOut);
    }

    /// The connection to the server came to nothing.
    pub(crate) fn on_tcp_failed(&mut self) {
        if matches!(self.phase, Phase::Tcp(_)) {
            self.next(Failure::Refused);
        }
    }

    /// A message came in from the port of `from`, for `query`.
    pub(crate) fn on_answer(
        &mut self,
        now: Instant,
        from: IpAddress,
        query: &[u8],
        answer: &[u8],
    ) -> Verdict {
        let over_tcp = match self.phase {
            Phase::Waiting(_) => false,
            Phase::Tcp(_) => true,
            Phase::Due | Phase::Done(_) => return Verdict::Ignore,
        };
        let (Ok(asked), Ok(answer)) = (DnsMessage::parse(query), DnsMessage::parse(answer)) else {
            let from_asked = self.server() == Some(from);
            if from_asked && self.options.edns && is_bare_format_error(answer, self.id) {
                return self.without_edns();
            }
            return Verdict::Ignore;
        };
        // RFC 5452 section 9.1. The question is compared with every letter as it was sent.
        let is_from_asked = self.server() == Some(from) || self.options.multicast;
        let is_same_question = match self.options.multicast {
            // Whoever has the name repeats it in letters of its own.
            true => {
                answer.question() == asked.question()
                    && answer.question_type() == asked.question_type()
            }
            false => answer.question_bytes() == asked.question_bytes(),
        };
        let matches =
            is_from_asked && answer.is_response() && answer.id() == self.id && is_same_question;
        if !matches {
            return Verdict::Ignore;
        }
        if answer.is_truncated() && !over_tcp && self.options.tcp {
            self.phase = Phase::Tcp(now + TCP_TIMEOUT);
            return Verdict::Next;
        }
        match answer.rcode() {
            // RFC 6762 section 18.11: "Multicast DNS messages received with non-zero Response Codes MUST be silently
            // ignored." Whoever does not have the name speaks for nobody else.
            rcode if self.options.multicast && rcode != Rcode::NO_ERROR => Verdict::Ignore,
            Rcode::NO_ERROR | Rcode::NX_DOMAIN => {
                self.phase = Phase::Done(Ok(()));
                Verdict::Accept
            }
            // RFC 6891 section 7: from a server that does not know EDNS.
            Rcode::FORM_ERR | Rcode::NOT_IMP if self.options.edns => self.without_edns(),
            _ => {
                self.next(Failure::Refused);
                Verdict::Next
            }
        }
    }

    /// The same server is asked again, without what it does not know.
    fn without_edns(&mut self) -> Verdict {
        self.options.edns = false;
        self.phase = Phase::Due;
        Verdict::Next
    }

    /// Ends it without an answer.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.phase = Phase::Done(Err(failure));
    }

    /// Whether the message is to be sent with its OPT record.
    pub(crate) fn edns(&self) -> bool {
        self.options.edns
    }

    /// On to the next server, and after the last to the first again, with more patience.
    fn next(&mut self, failure: Failure) {
        self.refusals += usize::from(failure == Failure::Refused);
        self.server += 1;
        self.phase = Phase::Due;
        if self.server < self.servers.len() {
            return;
        }
        if self.refusals > 0 && (self.refusals >= self.servers.len() || self.round + 1 >= ROUNDS) {
            self.phase = Phase::Done(Err(Failure::Refused));
        } else if self.round + 1 >= ROUNDS {
            self.phase = Phase::Done(Err(Failure::TimedOut));
        }
        (self.server, self.refusals) = (0, 0);
        self.round += 1;
    }
}

/// Whether a name in the wire format is one that everybody on the link is asked for.
///
/// RFC 6762 section 3: "Any DNS query for a name ending with ".local." MUST be sent to the mDNS IPv4 link-local
/// multicast address". By section 4 the names of addresses that hold on the link alone are such names, too.
pub(crate) fn is_local(name: &[u8]) -> bool {
    let Ok((name, _)) = DnsName::parse(name, 0) else {
        return false;
    };
    cfg!(feature = "mdns") && LOCAL_DOMAINS.iter().any(|domain| name.is_within(domain))
}

/// The names in these are those of the link.
const LOCAL_DOMAINS: &[&[&[u8]]] = &[
    &[b"local"],
    &[b"254", b"169", b"in-addr", b"arpa"],
    &[b"8", b"e", b"f", b"ip6", b"arpa"],
    &[b"9", b"e", b"f", b"ip6", b"arpa"],
    &[b"a", b"e", b"f", b"ip6", b"arpa"],
    &[b"b", b"e", b"f", b"ip6", b"arpa"],
];

/// Leaves an OPT record of ours out of a message. Returns the length that is left.
pub(crate) fn without_opt(message: &mut [u8]) -> usize {
    put(message, ADDITIONAL_COUNT, 0);
    message.len().saturating_sub(OPT_LEN)
}

/// Makes capitals of some letters of the name that the question begins with, at random, and small letters
/// of the others ("0x20": draft-vixie-dnsext-dns0x20-00); or small letters of all.
fn mix_case(question: &mut [u8], random: &mut Random, mix: bool) {
    let (mut bits, mut left) = (0, 0);
    set_case(question, || {
        if left == 0 {
            (bits, left) = (random.next_u64(), 64);
        }
        let bit = bits & 1 == 1;
        (bits, left) = (bits >> 1, left - 1);
        mix && bit
    });
}

/// Makes capitals of those letters of a name that `is_capital` says yes to, one after the other.
fn set_case(name: &mut [u8], mut is_capital: impl FnMut() -> bool) {
    let mut label = 0;
    for byte in name {
        if label == 0 {
            match *byte {
                0 => return,
                len => label = len,
            }
            continue;
        }
        label -= 1;
        if byte.is_ascii_alphabetic() {
            byte.make_ascii_lowercase();
            if is_capital() {
                byte.make_ascii_uppercase();
            }
        }
    }
}

/// How often each server is asked.
const ROUNDS: u8 = 3;
/// Twice as long in each round: 2 s, 4 s, 8 s.
const FIRST_TIMEOUT: Duration = Duration::from_secs(2);
/// RFC 6762 section 5.2 has the first second between questions for everybody.
const FIRST_MULTICAST_TIMEOUT: Duration = Duration::from_secs(1);
const TCP_TIMEOUT: Duration = Duration::from_secs(10);
const ADDITIONAL_COUNT: usize = 10;
