//! TCP Fast Open (RFC 7413): data on the SYN, for who has been here before.
//!
//! The server proves with a cookie that an address is the client's: a hash of it, under a key that changes
//! twice a day. The client keeps the cookies of the servers it talks to. Data on a SYN may arrive twice,
//! if the network repeats the SYN after the connection is over; so both sides have to want it.
//!
//! ```text
//!   client                          server
//!     SYN, cookie?          ───▶              FastOpen::Asks
//!                           ◀───    SYN+ACK, cookie
//!     ...
//!     SYN, cookie, data     ───▶              FastOpen::Sends
//!                           ◀───    SYN+ACK of the data      the application has the connection
//!                           ◀───    data                     and may answer already
//!     ACK                   ───▶
//! ```
//!
//! Where anything goes wrong the connection goes on without: a server that does not know the cookie
//! acknowledges the SYN alone, and the data counts as lost. A SYN that is not answered is repeated bare
//! (section 4.1.3.1: middleboxes may drop what they do not know), and that server is not tried again for
//! an hour.

use crate::rand::HashKey;
use crate::tcp::FourTuple;
use crate::tcp::isn::hash_addresses;
use crate::time::{Duration, Instant};
use crate::wire::{FastOpenCookie, IpAddress, TcpOptions};

/// Makes the cookies of the server.
pub(crate) struct FastOpenKey(HashKey);

/// What a client knows of the servers it talked to.
pub(crate) struct FastOpenCache<const N: usize> {
    servers: [Option<Server>; N],
}

/// One of them.
#[derive(Clone, Copy, Debug)]
struct Server {
    address: IpAddress,
    /// [`FastOpenCookie::REQUEST`] while there is none.
    cookie: FastOpenCookie,
    /// The MSS that it announced last; its SYN comes too late to ask for it.
    mss: u16,
    /// Not before this.
    after: Instant,
    used: Instant,
}

/// How a client opens a connection fast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FastOpen {
    #[default]
    Off,
    /// The SYN asks for a cookie.
    Asks,
    /// The SYN brings a cookie, and data.
    Sends,
    /// A SYN of either kind stayed unanswered.
    Failed,
}

impl FastOpenKey {
    pub(crate) fn new(key: HashKey) -> Self {
        Self(key)
    }

    /// The cookie for a client.
    pub(crate) fn cookie(&self, now: Instant, tuple: &FourTuple) -> FastOpenCookie {
        self.cookie_of(epoch(now), tuple)
    }

    /// Whether a client's cookie is one that it got here, not too long ago.
    pub(crate) fn knows(&self, now: Instant, tuple: &FourTuple, cookie: FastOpenCookie) -> bool {
        let epoch = epoch(now);
        [epoch, epoch.wrapping_sub(1)]
            .into_iter()
            .any(|epoch| self.cookie_of(epoch, tuple) == cookie)
    }

    fn cookie_of(&self, epoch: u32, tuple: &FourTuple) -> FastOpenCookie {
        let hash = self.0.hash(FAST_OPEN_DOMAIN, |h| {
            core::hash::Hasher::write_u32(h, epoch);
            hash_addresses(h, tuple);
        });
        FastOpenCookie::new(&hash.to_be_bytes()).unwrap_or_default()
    }
}

impl<const N: usize> FastOpenCache<N> {
    pub(crate) const fn new() -> Self {
        Self {
            servers: [const { None }; N],
        }
    }

    /// How to open a connection to a server, and the MSS to do it with.
    pub(crate) fn plan(&mut self, now: Instant, address: IpAddress) -> (FastOpen, Option<u16>) {
        let Some(server) = self.find(address) else {
            return (FastOpen::Asks, None);
        };
        server.used = now;
        if now < server.after {
            (FastOpen::Off, None)
        } else if server.cookie.is_request() {
            (FastOpen::Asks, None)
        } else {
            (FastOpen::Sends, Some(server.mss))
        }
    }

    /// The cookie for a server.
    pub(crate) fn cookie(&self, address: IpAddress) -> Option<FastOpenCookie> {
        let mut servers = self.servers.iter().flatten();
        servers
            .find(|server| server.address == address)
            .map(|server| server.cookie)
    }

    /// A server answered a SYN that asked for a cookie or brought one.
    pub(crate) fn on_answer(&mut self, now: Instant, address: IpAddress, options: &TcpOptions) {
        let cookie = options.fast_open.filter(|cookie| !cookie.is_request());
        let server = self.find_or_replace(now, address);
        if let Some(cookie) = cookie {
            server.cookie = cookie;
        }
        server.mss = options.mss.unwrap_or(crate::tcp::default_mss(address));
    }

    /// A server, or somebody on the way there, answered only when it was asked without.
    pub(crate) fn on_failure(&mut self, now: Instant, address: IpAddress) {
        let server = self.find_or_replace(now, address);
        server.cookie = FastOpenCookie::REQUEST;
        server.after = now + RETRY;
    }

    fn find(&mut self, address: IpAddress) -> Option<&mut Server> {
        let mut servers = self.servers.iter_mut().flatten();
        servers.find(|server| server.address == address)
    }

    /// The place of a server, or a free one, or that of the server that was talked to longest ago.
    fn find_or_replace(&mut self, now: Instant, address: IpAddress) -> &mut Server {
        let is_it = |place: &&Option<Server>| place.is_some_and(|s| s.address == address);
        let place = match self.servers.iter().position(|place| is_it(&place)) {
            Some(place) => place,
            None => {
                let ages = self.servers.iter().enumerate();
                let age = |place: &Option<Server>| place.map_or(Instant::ZERO, |s| s.used);
                let oldest = ages.min_by_key(|(_, place)| age(place));
                let place = oldest.map_or(0, |(place, _)| place);
                self.servers[place] = None;
                place
            }
        };
        self.servers[place].get_or_insert(Server {
            address,
            cookie: FastOpenCookie::REQUEST,
            mss: crate::tcp::DEFAULT_MSS,
            after: Instant::ZERO,
            used: now,
        })
    }
}

/// Twice a day the key changes, and a cookie is good until it changes again.
fn epoch(now: Instant) -> u32 {
    (now.as_micros() / KEY_LIFE.as_micros()) as u32
}

const KEY_LIFE: Duration = Duration::from_secs(12 * 60 * 60);

/// How long a server is not tried that did not answer.
const RETRY: Duration = Duration::from_secs(60 * 60);

const FAST_OPEN_DOMAIN: u8 = b'F';

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use super::*;
    use crate::rand::Seed;
    use crate::wire::IpEndpoint;

    const NOW: Instant = Instant::from_secs(1_000_000);

    fn address(n: u8) -> IpAddress {
        Ipv4Addr::new(10, 0, 0, n).into()
    }

    fn tuple(client: u8) -> FourTuple {
        FourTuple {
            local: IpEndpoint::new(address(200), 80),
            remote: IpEndpoint::new(address(client), 40_000),
        }
    }

    fn options(cookie: &[u8]) -> TcpOptions {
        TcpOptions {
            mss: Some(1_000),
            fast_open: FastOpenCookie::new(cookie),
            ..TcpOptions::default()
        }
    }

    #[test]
    fn a_cookie_is_good_for_its_client_for_half_a_day_at_least() {
        let key = FastOpenKey::new(Seed::from(7).hash_key());
        let cookie = key.cookie(NOW, &tuple(1));
        assert!(key.knows(NOW, &tuple(1), cookie));
        assert!(!key.knows(NOW, &tuple(2), cookie), "another client");
        assert!(!key.knows(NOW, &tuple(1), FastOpenCookie::REQUEST));
        assert!(key.knows(NOW + KEY_LIFE, &tuple(1), cookie));
        assert!(!key.knows(NOW + KEY_LIFE.saturating_mul(2), &tuple(1), cookie));
    }

    #[test]
    fn a_client_asks_then_sends() {
        let mut cache = FastOpenCache::<2>::new();
        assert_eq!(cache.plan(NOW, address(1)), (FastOpen::Asks, None));
        cache.on_answer(NOW, address(1), &options(b"cookie.."));
        assert_eq!(cache.plan(NOW, address(1)), (FastOpen::Sends, Some(1_000)));
        assert_eq!(cache.cookie(address(1)), FastOpenCookie::new(b"cookie.."));
        cache.on_answer(NOW, address(1), &options(&[]));
        assert_eq!(
            cache.cookie(address(1)),
            FastOpenCookie::new(b"cookie.."),
            "no news"
        );
    }

    #[test]
    fn a_server_that_does_not_answer_is_left_alone_for_an_hour() {
        let mut cache = FastOpenCache::<2>::new();
        cache.on_answer(NOW, address(1), &options(b"cookie.."));
        cache.on_failure(NOW, address(1));
        assert_eq!(cache.plan(NOW, address(1)).0, FastOpen::Off);
        assert_eq!(cache.plan(NOW + RETRY, address(1)).0, FastOpen::Asks);
    }

    #[test]
    fn a_full_cache_forgets_whom_it_talked_to_longest_ago() {
        let mut cache = FastOpenCache::<2>::new();
        let mut now = NOW;
        for n in [1, 2] {
            cache.on_answer(now, address(n), &options(b"cookie.."));
            now += Duration::from_secs(1);
        }
        cache.plan(now, address(1));
        cache.on_answer(now, address(3), &options(b"cookie.."));
        let kept = [1, 2, 3].map(|n| cache.cookie(address(n)).is_some());
        assert_eq!(kept, [true, false, true]);
    }
}
