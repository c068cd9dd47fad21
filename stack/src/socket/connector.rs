//! Connections to hosts by name, whichever of their addresses answers first.

mod error;

use core::future::poll_fn;
use core::pin::pin;
use core::task::{Context, Poll};

use cygnet_driver::Clock;
use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};
pub use error::ConnectHostError;

use super::clock::EmbassyClock;
use super::dns::{DnsError, DnsSocket, Found, VERSIONS, telling};
use super::pool::BufferPool;
use super::stack::Stack;
use super::tcp::TcpSocket;
use crate::engine::{ConnectError, MAX_FOUND};
use crate::ip::Eyeballs;
use crate::wire::{IpAddress, IpEndpoint, IpVersion};

/// Connects to hosts by name (RFC 8305, "Happy Eyeballs"): addresses of both versions of IP are asked for at
/// once and tried in turns, each 250 ms after the one before or when that has failed; the first that answers
/// wins, and the others are given up. An address of IPv4 that is found first waits 50 ms for one of IPv6.
///
/// The connections are on buffers of a pool, of which an attempt under way takes a pair: with four pairs there
/// are four attempts at once, and never more; with one pair the next begins when the one before has failed.
///
/// It is shared by `&self`; tasks that connect at the same time take turns at asking for names.
///
/// ```
/// # async fn example<'d>(stack: cygnet::Stack<'d>, pool: cygnet::BufferPool<'d>, buffers: [&'d mut [u8]; 2])
/// #     -> Result<(), Box<dyn std::error::Error>> {
/// # use cygnet::{DnsSocket, TcpConnector};
/// let dns = buffers.map(|buffer| DnsSocket::new(stack, buffer));
/// let [first, second] = dns;
/// let connector = TcpConnector::new(stack, pool, first?).with_second_dns(second?);
/// let mut socket = connector.connect_host("example.org", 80).await?;
/// # Ok(()) }
/// ```
pub struct TcpConnector<'d, M: RawMutex = NoopRawMutex, C: Clock = EmbassyClock> {
    stack: Stack<'d, M>,
    pool: BufferPool<'d>,
    clock: C,
    dns: DnsSocket<'d, M>,
    second: Option<DnsSocket<'d, M>>,
}

impl<'d, M: RawMutex> TcpConnector<'d, M> {
    /// A connector that asks for names on that socket, with embassy-time as its clock.
    pub fn new(stack: Stack<'d, M>, pool: BufferPool<'d>, dns: DnsSocket<'d, M>) -> Self {
        Self::new_with_clock(stack, pool, dns, EmbassyClock)
    }
}

impl<'d, M: RawMutex, C: Clock> TcpConnector<'d, M, C> {
    /// The same with any clock: that of the stack's runner.
    pub fn new_with_clock(
        stack: Stack<'d, M>,
        pool: BufferPool<'d>,
        dns: DnsSocket<'d, M>,
        clock: C,
    ) -> Self {
        Self {
            stack,
            pool,
            clock,
            dns,
            second: None,
        }
    }

    /// Asks for addresses of IPv4 on a socket of their own. Without, they are asked for when the answer about
    /// IPv6 is there, and a server that does not give one holds up both.
    #[must_use]
    pub fn with_second_dns(mut self, dns: DnsSocket<'d, M>) -> Self {
        self.second = Some(dns);
        self
    }

    /// Connects to a host that is given by name, or by an address in text.
    ///
    /// Cancellation safe: dropping the future gives up all questions and attempts.
    ///
    /// # Errors
    ///
    /// [`ConnectHostError`]: why the name has no addresses, or what became of the attempt at the first that was
    /// tried, when all have failed.
    pub async fn connect_host(
        &self,
        name: &str,
        port: u16,
    ) -> Result<TcpSocket<'d, M>, ConnectHostError> {
        let mut attempts = Attempts {
            connector: self,
            port,
            under_way: [const { None }; MAX_ATTEMPTS],
            failed: None,
        };
        if let Ok(address) = name.parse::<IpAddress>() {
            let mut eyeballs = Eyeballs::new(core::iter::empty());
            eyeballs.on_answer(self.clock.now(), address.version(), &[address]);
            return poll_fn(|cx| attempts.poll(cx, &mut eyeballs, None)).await;
        }
        let mut asked = heapless::Vec::<IpVersion, 2>::new();
        for &version in VERSIONS {
            if self.dns.is_asked_for(name, version)? {
                let _ = asked.push(version);
            }
        }
        let mut eyeballs = Eyeballs::new(asked.iter().copied());
        let mut first = pin!(self.ask(name, asked.first().copied()));
        let mut second = pin!(self.ask(name, asked.get(1).copied()));
        let mut pending = (true, true);
        let mut missing = None;
        poll_fn(|cx| {
            for (question, pending) in [
                (&mut first as &mut dyn Question, &mut pending.0),
                (&mut second, &mut pending.1),
            ] {
                if *pending && let Poll::Ready(answer) = question.poll_answer(cx) {
                    *pending = false;
                    let error = self.on_answer(&mut eyeballs, answer);
                    missing = match (missing, error) {
                        (Some(a), Some(b)) => Some(telling(a, b)),
                        (a, b) => a.or(b),
                    };
                }
            }
            attempts.poll(cx, &mut eyeballs, missing)
        })
        .await
    }

    async fn ask(&self, name: &str, version: Option<IpVersion>) -> Option<Answer> {
        let version = version?;
        let dns = match (version, &self.second) {
            (IpVersion::Ipv4, Some(second)) => second,
            _ => &self.dns,
        };
        let mut found = Found::new();
        let asked = dns.resolve_version(name, version, &mut found).await;
        Some((version, asked.map(|()| found)))
    }

    /// Notes the addresses of a version. Returns why there are none.
    fn on_answer(
        &self,
        eyeballs: &mut Eyeballs<MAX_FOUND>,
        answer: Option<Answer>,
    ) -> Option<DnsError> {
        let (version, answer) = answer?;
        let (found, error) = match answer {
            Ok(found) if found.is_empty() => (found, Some(DnsError::NoData)),
            Ok(found) => (found, None),
            Err(error) => (Found::new(), Some(error)),
        };
        eyeballs.on_answer(self.clock.now(), version, &found);
        let ordered = self
            .stack
            .with(|s| s.engine.order_destinations(eyeballs.untried_mut()));
        error.or(ordered.err().map(DnsError::from))
    }
}

/// A version, and what was said about it.
type Answer = (IpVersion, Result<Found, DnsError>);

/// The future of an answer, whichever it is.
trait Question {
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Option<Answer>>;
}

impl<F: Future<Output = Option<Answer>>> Question for core::pin::Pin<&mut F> {
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Option<Answer>> {
        self.as_mut().poll(cx)
    }
}

/// The attempts under way, given up when this is dropped.
struct Attempts<'c, 'd, M: RawMutex, C: Clock> {
    connector: &'c TcpConnector<'d, M, C>,
    port: u16,
    under_way: [Option<TcpSocket<'d, M>>; MAX_ATTEMPTS],
    /// Why the first failed.
    failed: Option<ConnectError>,
}

impl<'d, M: RawMutex, C: Clock> Attempts<'_, 'd, M, C> {
    /// Sees to the attempts under way, and begins others when it is time. `missing`: why addresses were not
    /// found.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        eyeballs: &mut Eyeballs<MAX_FOUND>,
        missing: Option<DnsError>,
    ) -> Poll<Result<TcpSocket<'d, M>, ConnectHostError>> {
        if let Some(socket) = self.poll_under_way(cx, eyeballs) {
            return Poll::Ready(Ok(socket));
        }
        let now = self.connector.clock.now();
        let mut has_room = true;
        // Buffers are asked for when they are needed: that may end a connection that closes in the background.
        while eyeballs.is_attempt_due(now)
            && let Some(free) = self.under_way.iter().position(Option::is_none)
        {
            // Without buffers for another, it waits for one that fails.
            let socket = TcpSocket::from_pool(self.connector.stack, self.connector.pool);
            let is_first = self.under_way.iter().all(Option::is_none);
            has_room = socket.is_ok() || is_first;
            if !has_room {
                break;
            }
            let Some(address) = eyeballs.poll_attempt(now) else {
                break;
            };
            let remote = IpEndpoint::new(address, self.port);
            let begun = socket.and_then(|socket| socket.begin_connect(remote).map(|()| socket));
            match begun {
                Ok(socket) => {
                    // It leaves a waker.
                    let _ = socket.poll_connect(cx);
                    if let Some(slot) = self.under_way.get_mut(free) {
                        *slot = Some(socket);
                    }
                }
                Err(error) => {
                    self.failed.get_or_insert(error);
                    eyeballs.on_failure();
                }
            }
        }
        let is_over = self.under_way.iter().all(Option::is_none) && eyeballs.is_exhausted();
        if is_over {
            let unnamed = missing.unwrap_or(DnsError::NoData);
            let error = self.failed.map(ConnectHostError::Connect);
            return Poll::Ready(Err(error.unwrap_or(ConnectHostError::Dns(unnamed))));
        }
        if let Some(deadline) = eyeballs.next_deadline()
            && has_room
            && self.under_way.iter().any(Option::is_none)
        {
            self.connector.clock.wake_at(deadline.max(now), cx.waker());
        }
        Poll::Pending
    }

    /// The connection that is there first, if one is.
    fn poll_under_way(
        &mut self,
        cx: &mut Context<'_>,
        eyeballs: &mut Eyeballs<MAX_FOUND>,
    ) -> Option<TcpSocket<'d, M>> {
        for attempt in &mut self.under_way {
            match attempt.as_ref().map(|socket| socket.poll_connect(cx)) {
                Some(Poll::Ready(Ok(()))) => return attempt.take(),
                Some(Poll::Ready(Err(error))) => {
                    *attempt = None;
                    self.failed.get_or_insert(error);
                    eyeballs.on_failure();
                }
                Some(Poll::Pending) | None => {}
            }
        }
        None
    }
}

impl<M: RawMutex, C: Clock> Drop for Attempts<'_, '_, M, C> {
    fn drop(&mut self) {
        for socket in self.under_way.iter().flatten() {
            socket.give_up();
        }
    }
}

/// The most attempts at once: a second of them.
const MAX_ATTEMPTS: usize = 4;
