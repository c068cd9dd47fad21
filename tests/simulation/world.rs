//! What all actors of one simulated world have in common.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::rc::Rc;

use cygnet::{Duration, Instant, IpEndpoint};
use cygnet_link::Control;
use cygnet_tests::{Executor, Host, Spawned};
use embassy_futures::select::{Either, select};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

use crate::conversation::{Conversation, Fate};
use crate::dice::Dice;
use crate::plan::Plan;

/// The hosts, and what their users know of each other.
pub(crate) struct World<'d> {
    pub(crate) plan: Plan,
    pub(crate) executor: Executor<'d>,
    pub(crate) hosts: Vec<Host<'d>>,
    pub(crate) control: Control<'d, NoopRawMutex>,
    /// When it began.
    pub(crate) start: Instant,
    /// By the client's end.
    conversations: RefCell<BTreeMap<IpEndpoint, Rc<Conversation>>>,
    /// Those that serve a connection.
    pub(crate) servers: RefCell<Vec<Spawned<'d, ()>>>,
    /// No client is left.
    pub(crate) is_closing: Cell<bool>,
    /// Datagrams that arrived.
    pub(crate) datagrams: Cell<u64>,
    /// What users asked of the stacks.
    pub(crate) requests: Cell<u64>,
    parts: Cell<u64>,
    trace: Option<File>,
}

impl<'d> World<'d> {
    pub(crate) fn new(
        plan: Plan,
        executor: Executor<'d>,
        hosts: Vec<Host<'d>>,
        control: Control<'d, NoopRawMutex>,
        trace: Option<File>,
    ) -> Self {
        Self {
            plan,
            start: executor.now(),
            executor,
            hosts,
            control,
            conversations: RefCell::default(),
            servers: RefCell::default(),
            is_closing: Cell::new(false),
            datagrams: Cell::new(0),
            requests: Cell::new(0),
            parts: Cell::new(FIRST_PART),
            trace,
        }
    }

    /// The host that serves.
    pub(crate) fn server(&self) -> &Host<'d> {
        &self.hosts[1]
    }

    /// Dice for one more part of the world.
    pub(crate) fn dice(&self) -> Dice {
        let part = self.parts.get();
        self.parts.set(part + 1);
        Dice::new(self.plan.seed, part)
    }

    /// How long it has been going on.
    pub(crate) fn age(&self) -> Duration {
        self.executor.now().since(self.start)
    }

    /// Whether there was enough: a mebibyte arrived, or a minute has passed.
    pub(crate) fn is_enough(&self) -> bool {
        self.delivered() >= ENOUGH_BYTES || self.executor.now() >= self.start + ENOUGH_TIME
    }

    /// Bytes that users have read.
    pub(crate) fn delivered(&self) -> u64 {
        let conversations = self.conversations.borrow();
        conversations.values().map(|c| c.delivered()).sum()
    }

    /// How many conversations there were.
    pub(crate) fn conversations(&self) -> usize {
        self.conversations.borrow().len()
    }

    /// A conversation that `client` is about to begin.
    pub(crate) fn begin(&self, client: IpEndpoint) -> Rc<Conversation> {
        let mut conversations = self.conversations.borrow_mut();
        let fate = Fate {
            link_fails: !self.plan.is_fair(),
            has_cookies: self.plan.meddling.flood,
        };
        let conversation = Rc::new(Conversation::new(conversations.len() as u64, fate));
        let before = conversations.insert(client, conversation.clone());
        assert!(before.is_none(), "{client} begins twice");
        conversation
    }

    /// What a client began.
    pub(crate) fn begun_by(&self, client: IpEndpoint) -> Rc<Conversation> {
        let conversations = self.conversations.borrow();
        let conversation = conversations.get(&client);
        conversation
            .unwrap_or_else(|| panic!("{client} is connected and never asked to be"))
            .clone()
    }

    pub(crate) async fn sleep(&self, span: Duration) {
        self.executor.sleep(span).await;
    }

    /// Waits no longer than that.
    pub(crate) async fn within<T>(
        &self,
        span: Duration,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        match select(future, self.sleep(span)).await {
            Either::First(result) => Some(result),
            Either::Second(()) => None,
        }
    }

    /// One request to a stack; given up after a moment, now and then.
    pub(crate) async fn ask<T>(
        &self,
        dice: &mut Dice,
        request: impl Future<Output = T>,
    ) -> Option<T> {
        self.requests.set(self.requests.get() + 1);
        if !dice.chance(5) {
            return Some(request.await);
        }
        let patience = dice.span(Duration::from_micros(1), Duration::from_millis(200));
        self.within(patience, request).await
    }

    /// Tells the trace, if there is one.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if let Some(mut trace) = self.trace.as_ref() {
            let at = self.age().as_micros();
            let (seconds, micros) = (at / 1_000_000, at % 1_000_000);
            writeln!(trace, "{seconds:>6}.{micros:06} {}", what()).expect("room for a trace");
        }
    }
}

const ENOUGH_BYTES: u64 = 1 << 20;
const ENOUGH_TIME: Duration = Duration::from_secs(60);

/// The first dice that are not somebody else's.
const FIRST_PART: u64 = 100;
