//! Fast Open (RFC 7413) on both sides: which requests become connections at once, and which cookie goes
//! to whom. What a connection does with it is in [`crate::tcp::FastOpen`].

use super::listener::FastOpenLimit;
use crate::engine::config::EcnPolicy;
use crate::engine::received::{Handled, Received};
use crate::engine::sockets::Body;
use crate::engine::tcp::half_open::Request;
use crate::engine::{ConnectError, Engine, SocketKey, TcpState};
use crate::stats::Counted;
use crate::storage::Index;
use crate::tcp::{Connection, FastOpen, HalfOpen, Opening, SegmentPlan, State};
use crate::time::Instant;
use crate::wire::{FastOpenCookie, IpEndpoint, IpListenEndpoint, TcpFlags, TcpHeader, TcpSegment};

// The server.
impl Engine<'_> {
    /// Lets a listener take data with requests, for at most so many connections at a time whose handshake
    /// is not complete.
    pub(crate) fn listener_set_fast_open(&mut self, key: SocketKey, most: u16) {
        if let Some(index) = self.sockets.index(key)
            && let Some(l) = self.sockets.listener_mut(index)
        {
            l.fast_open.most = most;
        }
    }

    /// Makes a connection of a request that brings a good cookie, unless there are too many such.
    pub(in crate::engine) fn open_fast(
        &mut self,
        received: &mut Received<'_>,
        request: &Request<'_>,
        now: Instant,
    ) -> Option<Handled> {
        let Request {
            listener,
            tuple,
            hash,
            ..
        } = *request;
        let cookie = request.syn.options.fast_open?;
        let limit = self.fast_open_limit(listener)?;
        if limit.pending >= limit.most || !self.tcp.fast_open_key.knows(now, tuple, cookie) {
            return None;
        }
        let index = self.slot_for_connection(listener)?;
        let key = self.sockets.key(listener);
        let iss = self.choose_iss(request, now);
        let offer = self.offer_for(listener, tuple, now);
        let mut half_open = HalfOpen::new(now, *tuple, key, iss, request.syn, &offer);
        half_open.ecn &= self.tcp.ecn != EcnPolicy::Off;
        let peer = self.peer(tuple, now);
        let opening = Opening {
            tuple: *tuple,
            iss,
            timestamp_offset: peer.timestamp_offset,
            path_mss: peer.mss(),
            ecn: half_open.ecn,
        };
        let tcp = self.sockets.tcp_mut(index)?;
        tcp.connection
            .accept_fast(now, &half_open, &opening, request.text);
        tcp.fast_open_by = Some(key);
        let plan = tcp.connection.poll_segment(now, opening.path_mss);
        let header = plan.map(|plan| tcp.connection.header(now, &plan));
        if let Some(l) = self.sockets.listener_mut(listener) {
            l.fast_open.pending += 1;
        }
        self.sockets.file(index, hash.bucket());
        self.enqueue_connection(listener, index);
        self.settle_tcp(index);
        let mut header = header?;
        self.grant_fast_open(request, &mut header, now);
        self.stats.count(Counted::FastOpen);
        self.answer_tcp(received, &header);
        Some(Ok(()))
    }

    /// Gives a client the cookie that it asks for, or the current one for one that is old or unknown.
    pub(in crate::engine) fn grant_fast_open(
        &self,
        request: &Request<'_>,
        answer: &mut TcpHeader,
        now: Instant,
    ) {
        let Some(cookie) = request.syn.options.fast_open else {
            return;
        };
        let current = self.tcp.fast_open_key.cookie(now, request.tuple);
        if self.fast_open_limit(request.listener).is_some() && cookie != current {
            answer.options.fast_open = Some(current);
        }
    }

    /// A connection that was opened fast is pending no more once its handshake is complete, or will never
    /// be.
    pub(in crate::engine) fn settle_fast_open(&mut self, index: Index) {
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return;
        };
        let Some(listener) = tcp.fast_open_by else {
            return;
        };
        if tcp.connection.state() == State::SynReceived {
            return;
        }
        tcp.fast_open_by = None;
        if let Some(listener) = self.sockets.index(listener)
            && let Some(l) = self.sockets.listener_mut(listener)
        {
            l.fast_open.pending = l.fast_open.pending.saturating_sub(1);
        }
    }

    /// `None` for a listener that takes no data with requests.
    fn fast_open_limit(&self, listener: Index) -> Option<FastOpenLimit> {
        match self.sockets.body(listener) {
            Body::Listener(l) if l.fast_open.most > 0 => Some(l.fast_open),
            _ => None,
        }
    }
}

// The client.
impl Engine<'_> {
    /// Starts to connect with `data`, which goes with the request if the peer is known to take it; how
    /// much of it there was room for.
    pub(crate) fn tcp_connect_fast(
        &mut self,
        key: SocketKey,
        remote: IpEndpoint,
        local: IpListenEndpoint,
        data: &[u8],
    ) -> Result<usize, ConnectError> {
        self.tcp_connect(key, remote, local)?;
        let (plan, mss) = self.tcp.fast_open_cache.plan(self.now, remote.addr);
        if let Some(index) = self.sockets.index(key)
            && let Some(tcp) = self.sockets.tcp_mut(index)
        {
            tcp.fast_open = plan;
        }
        let written = self.tcp_with(key, |connection| {
            if let Some(mss) = mss {
                connection.send_with_syn(mss);
            }
            connection.write(data)
        });
        Ok(written.unwrap_or(0))
    }

    /// A connection opens as all do, unless something else is said before its request is sent.
    pub(in crate::engine) fn forget_fast_open(&mut self, index: Index) {
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.fast_open = FastOpen::Off;
        }
    }

    /// How a connection was about to be opened that a segment with SYN is for.
    pub(in crate::engine) fn awaits_fast_open(
        &self,
        index: Index,
        segment: &TcpSegment<'_>,
    ) -> FastOpen {
        match self.sockets.body(index) {
            Body::Tcp(tcp)
                if segment.header.flags.contains(TcpFlags::SYN)
                    && tcp.connection.state() == State::SynSent =>
            {
                match tcp.fast_open {
                    FastOpen::Asks | FastOpen::Sends if tcp.connection.repeated_syn() => {
                        FastOpen::Failed
                    }
                    plan => plan,
                }
            }
            _ => FastOpen::Off,
        }
    }

    /// Remembers what the answer to a request says, if it was one.
    pub(in crate::engine) fn learn_fast_open(
        &mut self,
        (index, plan): (Index, FastOpen),
        segment: &TcpSegment<'_>,
        now: Instant,
    ) {
        let Some(tcp) = self.sockets.tcp(index) else {
            return;
        };
        if plan == FastOpen::Off || !tcp.connection.state().is_synchronized() {
            return;
        }
        let server = tcp.connection.tuple.remote.addr;
        let cache = &mut self.tcp.fast_open_cache;
        match plan {
            FastOpen::Failed => cache.on_failure(now, server),
            _ => cache.on_answer(now, server, &segment.header.options),
        }
    }
}

impl TcpState<'_> {
    /// The header of a request of ours with the option in it, if it is to have that.
    #[inline]
    pub(in crate::engine) fn mark_fast_open(
        &self,
        (connection, fast_open): (&Connection<'_>, FastOpen),
        plan: &SegmentPlan,
        now: Instant,
    ) -> Option<TcpHeader> {
        if !Connection::is_request(plan) || plan.repeated {
            return None;
        }
        let cookie = match fast_open {
            FastOpen::Asks => FastOpenCookie::REQUEST,
            FastOpen::Sends => {
                let server = connection.tuple.remote.addr;
                self.fast_open_cache.cookie(server)?
            }
            FastOpen::Off | FastOpen::Failed => return None,
        };
        let mut header = connection.header(now, plan);
        header.options.fast_open = Some(cookie);
        Some(header)
    }
}
