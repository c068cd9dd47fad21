//! DNS as applications use it.

mod error;
mod pipe;

use core::future::poll_fn;
use core::net::IpAddr;
use core::pin::pin;
use core::task::Poll;

use cygnet_config::DNS_MAX_RESULT_COUNT;
use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};
use embassy_sync::mutex::{Mutex, MutexGuard};
use embedded_nal_async::AddrType;
pub use error::DnsError;
use heapless::Vec;
use pipe::Pipe;

use super::shared::Shared;
use super::stack::Stack;
#[cfg(feature = "socket-tcp")]
use super::tcp::TcpSocket;
use super::waiting::Waiting;
use super::wakers::Places;
use crate::dns::{DnsAnswer, MAX_ALIASES, Outcome, Phase, is_local};
use crate::engine::{Engine, MAX_FOUND, SocketKey};
use crate::storage::Bytes;
use crate::wire::dns::{Name, RecordData, RecordType};
use crate::wire::{IpAddress, IpEndpoint, IpVersion};

/// Asks DNS servers: those of the configuration, wherever that came from (see
/// [`StaticConfigV4::dns_servers`](crate::StaticConfigV4::dns_servers)).
///
/// A socket asks one question at a time; tasks that share it by `&self` take turns, and who wants two
/// answers at once makes two sockets. They share one cache of names that were asked for. A question goes to each
/// server up to three times, with 2, 4 and 8 s to answer; while the link is down it waits.
///
/// With the feature `mdns`, everybody on the link is asked for names that end in `.local` (RFC 6762 section 5.1),
/// and whoever has the name answers: no servers are needed for them. There are three times of 1, 2 and 4 s.
///
/// It implements [`embedded_nal_async::Dns`]. It is also a byte pipe ([`embedded_io_async::Read`],
/// [`embedded_io_async::Write`]) for messages of one's own: write one query, framed as over TCP by two bytes
/// with its length, and read its answer framed the same way; numbers, retransmission, other servers and TCP
/// are seen to, and no answer is taken from the cache or kept there. Both share the buffer: who asks for a name meanwhile takes the place of what was written and of an
/// answer that was not read, and the pipe says [`DnsError::NoQuery`] then.
///
/// Every future is cancellation safe: dropping it gives up the question.
pub struct DnsSocket<'d, M: RawMutex = NoopRawMutex> {
    stack: Stack<'d, M>,
    key: SocketKey,
    /// For one question at a time.
    turn: Mutex<M, Turn<'d, M>>,
}

/// What a question needs for itself.
struct Turn<'d, M: RawMutex> {
    /// What is in the buffer as far as the pipe goes.
    pipe: Pipe,
    #[cfg(feature = "socket-tcp")]
    tcp: Option<TcpSocket<'d, M>>,
    #[cfg(not(feature = "socket-tcp"))]
    _none: core::marker::PhantomData<Stack<'d, M>>,
}

/// A question under way, given up when this is dropped.
struct Question<'d, M: RawMutex> {
    stack: Stack<'d, M>,
    key: SocketKey,
}

impl<M: RawMutex> Drop for Question<'_, M> {
    fn drop(&mut self) {
        let _ = self.stack.with(|s| s.engine.dns_cancel(self.key));
    }
}

impl<'d, M: RawMutex> DnsSocket<'d, M> {
    /// A socket on a buffer of one's own, for a question and its answer: 800 bytes or more, 1,520 for the
    /// longest answers that come over UDP, and more yet only for what comes over TCP.
    ///
    /// # Errors
    ///
    /// [`DnsError::NoSlot`] if the stack has no slot left.
    pub fn new(stack: Stack<'d, M>, buffer: impl Into<Bytes<'d>>) -> Result<Self, DnsError> {
        let buffer = buffer.into();
        let key = stack.open(|engine| engine.dns_open(buffer).ok_or(DnsError::NoSlot))??;
        let turn = Turn {
            pipe: Pipe::new(),
            #[cfg(feature = "socket-tcp")]
            tcp: None,
            #[cfg(not(feature = "socket-tcp"))]
            _none: core::marker::PhantomData,
        };
        Ok(Self {
            stack,
            key,
            turn: Mutex::new(turn),
        })
    }

    /// Uses that socket to ask again for what did not fit a datagram. Small buffers do. Without, such
    /// answers are incomplete, and [`DnsAnswer::is_truncated`] says so.
    #[cfg(feature = "socket-tcp")]
    #[must_use]
    pub fn with_tcp(mut self, socket: TcpSocket<'d, M>) -> Self {
        self.turn.get_mut().tcp = Some(socket);
        self
    }

    /// The addresses of a name, as many as `DNS_MAX_RESULT_COUNT`, the best to talk to first (RFC 6724
    /// section 6); of more, the best of them, and where both versions of IP have some and there is room for two, one
    /// of each at least. It is asked for those of each version of IP that the stack itself has an address of, IPv6
    /// before IPv4; one that is good for its link only does not count, but for names under `.local`. An address
    /// in text stands for itself.
    ///
    /// A name of one label is looked for in the configuration's domains first, then by itself; a dot at the
    /// end says that it is whole.
    ///
    /// # Errors
    ///
    /// [`DnsError`] says why there are none.
    pub async fn resolve(
        &self,
        name: &str,
    ) -> Result<Vec<IpAddress, DNS_MAX_RESULT_COUNT>, DnsError> {
        let mut found = Found::new();
        let mut missing = None;
        if let Ok(address) = name.parse() {
            let _ = found.push(address);
        } else {
            for &version in VERSIONS {
                if !self.is_asked_for(name, version)? {
                    continue;
                }
                if let Err(error) = self.resolve_version(name, version, &mut found).await {
                    missing = Some(missing.map_or(error, |other| telling(other, error)));
                }
            }
            self.order(&mut found)?;
        }
        match (found.is_empty(), missing) {
            (true, error) => Err(error.unwrap_or(DnsError::NoData)),
            (false, _) => Ok(best(&found)),
        }
    }

    /// Adds the addresses of a name of one version.
    pub(super) async fn resolve_version(
        &self,
        name: &str,
        version: IpVersion,
        found: &mut Found,
    ) -> Result<(), DnsError> {
        let kind = match version {
            IpVersion::Ipv4 => RecordType::A,
            #[cfg(feature = "proto-ipv6")]
            IpVersion::Ipv6 => RecordType::AAAA,
        };
        let mut turn = self.turn().await;
        let _question = self.question();
        self.find(&mut turn, name, kind).await?;
        let addresses = |s: &mut Shared<'_>| {
            let answer = s.engine.dns_answer(self.key)?;
            let addresses = answer.records().filter_map(address);
            s.engine.best_destinations(addresses, found);
            Some(())
        };
        self.stack.with(addresses)?.ok_or(DnsError::ServerFailure)
    }

    /// Whether addresses of that version are of use for the name.
    pub(super) fn is_asked_for(&self, name: &str, version: IpVersion) -> Result<bool, DnsError> {
        let is_local = is_local(Name::from_text(name)?.as_bytes());
        Ok(self
            .stack
            .with(|s| s.engine.resolves_to(version, is_local))?)
    }

    /// Brings the best first.
    pub(super) fn order(&self, found: &mut Found) -> Result<(), DnsError> {
        Ok(self.stack.with(|s| s.engine.order_destinations(found))?)
    }

    /// Asks for the records of a name. The answer is copied into `buffer`, and read there.
    ///
    /// # Errors
    ///
    /// [`DnsError`]; [`DnsError::BufferTooSmall`] if the answer is longer than `buffer`.
    pub async fn query<'b>(
        &self,
        name: &str,
        kind: RecordType,
        buffer: &'b mut [u8],
    ) -> Result<DnsAnswer<'b>, DnsError> {
        let len = self
            .query_with(name, kind, |answer| {
                let message = answer.message().as_bytes();
                let room = buffer.get_mut(..message.len())?;
                room.copy_from_slice(message);
                Some(message.len())
            })
            .await?
            .ok_or(DnsError::BufferTooSmall)?;
        let message = crate::wire::dns::DnsMessage::parse(buffer.get(..len).unwrap_or_default());
        message
            .map(DnsAnswer::new)
            .map_err(|_| DnsError::ServerFailure)
    }

    /// As [`Self::query`], without a copy: `f` sees the answer where it lies. Calls into the stack from
    /// within `f` fail with `Reentrant`.
    ///
    /// # Errors
    ///
    /// [`DnsError`].
    pub async fn query_with<R>(
        &self,
        name: &str,
        kind: RecordType,
        f: impl FnOnce(DnsAnswer<'_>) -> R,
    ) -> Result<R, DnsError> {
        let mut turn = self.turn().await;
        let _question = self.question();
        self.find(&mut turn, name, kind).await?;
        self.read(f)
    }

    /// Waits for one's turn to ask for a name.
    async fn turn(&self) -> MutexGuard<'_, M, Turn<'d, M>> {
        let mut turn = self.turn.lock().await;
        turn.pipe.give_way();
        turn
    }

    fn question(&self) -> Question<'d, M> {
        Question {
            stack: self.stack,
            key: self.key,
        }
    }

    /// Asks for the records of a name as its user has it, until there are some.
    async fn find(
        &self,
        turn: &mut Turn<'d, M>,
        name: &str,
        kind: RecordType,
    ) -> Result<(), DnsError> {
        let whole = Name::from_text(name)?;
        let mut missing = None;
        // SAC064: names of one label alone are looked for in domains.
        if !name.contains('.') {
            let mut nth = 0;
            while let Some(domain) = self.stack.with(|s| s.engine.search_domain(nth))? {
                nth += 1;
                let mut longer = whole.clone();
                if longer.append(domain.as_name()).is_err() {
                    continue;
                }
                match self.look_up(turn, longer, kind).await {
                    Err(error @ (DnsError::NoSuchName | DnsError::NoData)) => missing = Some(error),
                    other => return other,
                }
            }
        }
        match (self.look_up(turn, whole, kind).await, missing) {
            // That there was the name in a domain says more than that there is none without.
            (Err(DnsError::NoSuchName), Some(error)) => Err(error),
            (result, _) => result,
        }
    }

    fn read<R>(&self, f: impl FnOnce(DnsAnswer<'_>) -> R) -> Result<R, DnsError> {
        self.stack
            .with(|s| s.engine.dns_answer(self.key).map(f))?
            .ok_or(DnsError::ServerFailure)
    }

    /// Asks for a name, and for what it stands for, until there are records.
    async fn look_up(
        &self,
        turn: &mut Turn<'d, M>,
        mut name: Name,
        kind: RecordType,
    ) -> Result<(), DnsError> {
        for _ in 0..=MAX_ALIASES {
            let tcp = turn.has_tcp();
            self.stack
                .with(|s| s.engine.dns_ask(self.key, name.as_bytes(), kind, tcp))??;
            self.settle(turn).await?;
            let found = self.stack.with(|s| {
                let answer = s
                    .engine
                    .dns_answer(self.key)
                    .ok_or(DnsError::ServerFailure)?;
                match answer.outcome() {
                    Outcome::Found => Ok(None),
                    Outcome::Alias(target) => Ok(Some(Name::try_from(target)?)),
                    Outcome::NoData if answer.is_truncated() => Ok(None),
                    Outcome::NoData => Err(DnsError::NoData),
                    Outcome::NoSuchName => Err(DnsError::NoSuchName),
                    Outcome::Loop => Err(DnsError::TooManyAliases),
                }
            })?;
            match found? {
                None => return Ok(()),
                Some(target) => name = target,
            }
        }
        Err(DnsError::TooManyAliases)
    }

    /// Waits until the question is answered, and sees to TCP where it is asked for.
    async fn settle(&self, turn: &mut Turn<'d, M>) -> Result<(), DnsError> {
        loop {
            let mut waiting = Waiting::new(self.stack, self.key);
            let key = self.key;
            let phase =
                poll_fn(|cx| waiting.poll(cx, Places::RECEIVERS, |engine| settled(engine, key)));
            match phase.await? {
                Phase::Done(result) => return result.map_err(DnsError::from),
                _ => self.exchange(turn).await?,
            }
        }
    }

    /// Asks the server over TCP, as long as the question waits for that.
    async fn exchange(&self, turn: &mut Turn<'d, M>) -> Result<(), DnsError> {
        #[cfg(feature = "socket-tcp")]
        if let Some(tcp) = &mut turn.tcp {
            let server = self.stack.with(|s| s.engine.dns_server(self.key))?;
            let server = server.ok_or(DnsError::NoServers)?;
            let mut waiting = Waiting::new(self.stack, self.key);
            let asked = {
                let mut asking = pin!(ask_over_tcp(self.stack, self.key, tcp, server));
                poll_fn(|cx| {
                    if let Poll::Ready(asked) = asking.as_mut().poll(cx) {
                        return Poll::Ready(Some(asked));
                    }
                    // Its time may be up.
                    let over = waiting.poll(cx, Places::RECEIVERS, |engine| {
                        match engine.dns_phase(self.key) {
                            Some(Phase::Tcp(_)) => None,
                            _ => Some(Ok::<_, DnsError>(())),
                        }
                    });
                    over.map(|_| None)
                })
                .await
            };
            if let Some(asked) = asked {
                self.stack.with(|s| match asked {
                    Err(DnsError::BufferTooSmall) => s.engine.dns_tcp_too_long(self.key),
                    asked => s.engine.dns_tcp_done(self.key, asked.unwrap_or(0)),
                })?;
            }
            tcp.abort().await;
            return Ok(());
        }
        let _ = turn;
        self.stack.with(|s| s.engine.dns_tcp_done(self.key, 0))?;
        Ok(())
    }

    /// The name of an address, as its owner has it in DNS.
    async fn name_of(&self, address: IpAddr, result: &mut [u8]) -> Result<usize, DnsError> {
        let name = Name::of_address(address)?;
        let mut turn = self.turn().await;
        let _question = self.question();
        self.look_up(&mut turn, name, RecordType::PTR).await?;
        self.read(|answer| {
            let name = answer.records().find_map(|record| match record.data {
                RecordData::Ptr(name) => Some(name),
                _ => None,
            });
            let mut len = 0;
            for label in name.ok_or(DnsError::NoData)?.labels() {
                if len > 0 {
                    *result.get_mut(len).ok_or(DnsError::BufferTooSmall)? = b'.';
                    len += 1;
                }
                let room = result.get_mut(len..len + label.len());
                room.ok_or(DnsError::BufferTooSmall)?.copy_from_slice(label);
                len += label.len();
            }
            Ok(len)
        })?
    }
}

/// Addresses of a name, of both versions.
pub(super) type Found = Vec<IpAddress, MAX_FOUND>;

/// The versions in the order that they are asked for.
///
/// RFC 8305 section 3: "the AAAA query SHOULD be made first, immediately followed by the A query."
pub(super) const VERSIONS: &[IpVersion] = &[
    #[cfg(feature = "proto-ipv6")]
    IpVersion::Ipv6,
    IpVersion::Ipv4,
];

/// The error that says more, of those of two questions about a name.
pub(super) fn telling(a: DnsError, b: DnsError) -> DnsError {
    match (a, b) {
        (DnsError::NoSuchName, _) | (_, DnsError::NoSuchName) => DnsError::NoSuchName,
        (DnsError::NoData, other) => other,
        (other, _) => other,
    }
}

impl<M: RawMutex> Turn<'_, M> {
    fn has_tcp(&self) -> bool {
        #[cfg(feature = "socket-tcp")]
        return self.tcp.is_some();
        #[cfg(not(feature = "socket-tcp"))]
        false
    }
}

/// The question's phase, once it is up to the handle to go on.
fn settled(engine: &Engine<'_>, key: SocketKey) -> Option<Result<Phase, DnsError>> {
    match engine.dns_phase(key) {
        None => Some(Err(DnsError::NoSlot)),
        Some(phase @ (Phase::Done(_) | Phase::Tcp(_))) => Some(Ok(phase)),
        Some(Phase::Due | Phase::Waiting(_)) => None,
    }
}

/// Asks a server over TCP (RFC 7766). The answer lies in the slot's buffer then, with that length.
#[cfg(feature = "socket-tcp")]
async fn ask_over_tcp<'d, M: RawMutex>(
    stack: Stack<'d, M>,
    key: SocketKey,
    tcp: &mut TcpSocket<'d, M>,
    server: IpEndpoint,
) -> Result<usize, DnsError> {
    use embedded_io_async::{Read, Write};
    // What another question left behind when it was given up.
    tcp.abort().await;
    let failed = |_| DnsError::ServerFailure;
    tcp.connect(server)
        .await
        .map_err(|_| DnsError::ServerFailure)?;
    let mut piece = [0; PIECE];
    let mut at = 0;
    loop {
        // The length and the message in one segment, where that is possible (section 8).
        let start = if at == 0 { 2 } else { 0 };
        let (taken, len) = stack.with(|s| {
            let question = s.engine.dns_question(key).unwrap_or_default();
            let rest = question.get(at..).unwrap_or_default();
            let taken = rest.len().min(PIECE - start);
            piece[start..start + taken].copy_from_slice(&rest[..taken]);
            (taken, question.len())
        })?;
        if at == 0 {
            piece[..2].copy_from_slice(&(len as u16).to_be_bytes());
        }
        tcp.write_all(&piece[..start + taken])
            .await
            .map_err(failed)?;
        at += taken;
        if at >= len {
            break;
        }
    }
    let mut len = [0; 2];
    tcp.read_exact(&mut len)
        .await
        .map_err(|_| DnsError::ServerFailure)?;
    let len = usize::from(u16::from_be_bytes(len));
    let mut at = 0;
    while at < len {
        let count = (len - at).min(PIECE);
        let count = tcp.read(&mut piece[..count]).await.map_err(failed)?;
        if count == 0 {
            return Err(DnsError::ServerFailure);
        }
        if !stack.with(|s| s.engine.dns_tcp_piece(key, at, &piece[..count]))? {
            return Err(DnsError::BufferTooSmall);
        }
        at += count;
    }
    Ok(len)
}

/// The bytes that are copied between TCP's buffers and the slot's at a time.
#[cfg(feature = "socket-tcp")]
const PIECE: usize = 128;

fn address(record: crate::wire::dns::Record<'_>) -> Option<IpAddress> {
    match record.data {
        RecordData::A(address) => Some(IpAddress::Ipv4(address)),
        #[cfg(feature = "proto-ipv6")]
        RecordData::Aaaa(address) => Some(IpAddress::Ipv6(address)),
        _ => None,
    }
}

/// The first of these as far as there is room; in the last place, the first of a version that would have none.
fn best(found: &Found) -> Vec<IpAddress, DNS_MAX_RESULT_COUNT> {
    let mut best: Vec<IpAddress, DNS_MAX_RESULT_COUNT> =
        found.iter().copied().take(DNS_MAX_RESULT_COUNT).collect();
    let is_missing = |address: &&IpAddress| {
        let mut versions = best.iter().map(|best| best.version());
        versions.all(|version| version != address.version())
    };
    let other = found.iter().find(is_missing).copied();
    if let (Some(other), [_, .., last]) = (other, best.as_mut_slice()) {
        *last = other;
    }
    best
}

impl<M: RawMutex> embedded_nal_async::Dns for DnsSocket<'_, M> {
    type Error = DnsError;

    /// The first address of a name; of either version, the best of those that [`DnsSocket::resolve`] finds.
    async fn get_host_by_name(&self, host: &str, addr_type: AddrType) -> Result<IpAddr, DnsError> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return match (address, addr_type) {
                (IpAddr::V4(_), AddrType::IPv6) | (IpAddr::V6(_), AddrType::IPv4) => {
                    Err(DnsError::NoData)
                }
                _ => Ok(address),
            };
        }
        let kind = match addr_type {
            AddrType::IPv4 => RecordType::A,
            AddrType::IPv6 => RecordType::AAAA,
            AddrType::Either => {
                let addresses = self.resolve(host).await?;
                return addresses
                    .first()
                    .map(|&address| address.into())
                    .ok_or(DnsError::NoData);
            }
        };
        let first = self.query_with(host, kind, |answer| {
            answer.records().find_map(|record| match record.data {
                RecordData::A(address) => Some(IpAddr::V4(address)),
                RecordData::Aaaa(address) => Some(IpAddr::V6(address)),
                _ => None,
            })
        });
        first.await?.ok_or(DnsError::NoData)
    }

    /// The name of an address, as text without a dot at its end.
    async fn get_host_by_address(
        &self,
        addr: IpAddr,
        result: &mut [u8],
    ) -> Result<usize, DnsError> {
        self.name_of(addr, result).await
    }
}

impl<M: RawMutex> Drop for DnsSocket<'_, M> {
    fn drop(&mut self) {
        self.stack.drop_handle(self.key);
    }
}
