//! What the client hears (RFC 8415, sections 16 and 18.2.9 to 18.2.11).

use super::lease::{Bindings, Information};
use super::select::Candidate;
use super::{Change, Dhcpv6Client, State, Timing};
use crate::rand::Random;
use crate::time::{Duration, Instant};
use crate::wire::dhcpv6::{INFINITY, option};
use crate::wire::{Dhcpv6Message, Dhcpv6MessageKind, Dhcpv6Options, Dhcpv6Status, Duid};

/// A message that answers nothing that was asked, or gives nothing that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unmatched;

impl Dhcpv6Client {
    /// A message came in on the client's port.
    pub(crate) fn on_message(
        &mut self,
        now: Instant,
        message: &Dhcpv6Message<'_>,
        random: &mut Random,
    ) -> Result<Option<Change>, Unmatched> {
        let options = &message.options;
        let server = self.check(message)?;
        self.timeouts.learn(options, message.kind);
        let is_from = |expected: Option<&Duid>| expected.is_some_and(|s| s.as_bytes() == server);
        match (&mut self.state, message.kind) {
            (State::Soliciting(exchange), Dhcpv6MessageKind::Advertise) => {
                exchange.set_longest(Timing::solicit(&self.timeouts));
                self.on_advertise(now, server, options, random)
            }
            // Section 18.2.1: one without a Rapid Commit option is discarded.
            (State::Soliciting(_), Dhcpv6MessageKind::Reply) => {
                match options.first(option::RAPID_COMMIT) {
                    Some(_) if self.config.rapid_commit => {
                        self.on_grant(now, server, options, random)
                    }
                    _ => Err(Unmatched),
                }
            }
            (State::Requesting(_), Dhcpv6MessageKind::Reply)
                if is_from(self.candidate.as_ref().map(|c| &c.server)) =>
            {
                self.on_grant(now, server, options, random)
            }
            (State::Confirming(_), Dhcpv6MessageKind::Reply) => {
                self.on_confirmation(now, options, random)
            }
            (State::Renewing(_), Dhcpv6MessageKind::Reply) if is_from(self.server.as_ref()) => {
                self.on_renewal(now, server, options, random)
            }
            (State::Rebinding(_), Dhcpv6MessageKind::Reply) => {
                self.on_renewal(now, server, options, random)
            }
            // Whatever it says of how it went: "the client considers the [...] event completed".
            (State::Declining(_), Dhcpv6MessageKind::Reply) if is_from(self.server.as_ref()) => {
                self.declined(now, random);
                Ok(None)
            }
            (State::Releasing(_), Dhcpv6MessageKind::Reply) if is_from(self.server.as_ref()) => {
                self.state = State::Stopped;
                Ok(None)
            }
            (State::Informing(exchange), Dhcpv6MessageKind::Reply) => {
                exchange.set_longest(Timing::inform(&self.timeouts));
                self.on_information(now, server, options)
            }
            _ => Err(Unmatched),
        }
    }

    /// Section 16: a message that is not for this client, or does not say who it is from, or answers nothing,
    /// is discarded. Returns who it is from.
    fn check<'a>(&self, message: &Dhcpv6Message<'a>) -> Result<&'a [u8], Unmatched> {
        let exchange = self.state.exchange().ok_or(Unmatched)?;
        let is_answer = exchange.was_sent() && exchange.xid == message.xid;
        let is_for_us = match message.options.first(option::CLIENT_ID) {
            Some(client) => client == self.duid.as_bytes(),
            // Section 16.10: only what answers one that says who asks must say it too.
            None => false,
        };
        if !is_answer || !is_for_us {
            return Err(Unmatched);
        }
        message.options.duid(option::SERVER_ID).ok_or(Unmatched)
    }

    fn on_advertise(
        &mut self,
        now: Instant,
        server: &[u8],
        options: &Dhcpv6Options<'_>,
        random: &mut Random,
    ) -> Result<Option<Change>, Unmatched> {
        let offer = Candidate::from_advertise(now, server, options, self.iaid, &self.config);
        let offer = offer.ok_or(Unmatched)?;
        let is_late = self
            .state
            .exchange()
            .is_some_and(|e| e.takes_first_answer());
        let is_taken = is_late || offer.is_final();
        let known = self.candidate.as_ref();
        if known.is_none_or(|known| offer.is_better_than(known)) {
            self.candidate = Some(offer);
        }
        if is_taken {
            self.request(now, random);
        }
        Ok(None)
    }

    /// The Reply to a Request, or to a Solicit with rapid commit.
    fn on_grant(
        &mut self,
        now: Instant,
        server: &[u8],
        options: &Dhcpv6Options<'_>,
        random: &mut Random,
    ) -> Result<Option<Change>, Unmatched> {
        match options.status() {
            // "the client MUST limit the rate": it asks again as it would without an answer.
            Dhcpv6Status::UnspecFail | Dhcpv6Status::UseMulticast => return Ok(None),
            Dhcpv6Status::Success => {}
            _ => return self.on_refusal(now, random),
        }
        let mut bindings = Bindings::new();
        let verdict = bindings.take(now, options, self.iaid, &self.config);
        let server = Duid::from_bytes(server).ok_or(Unmatched)?;
        if !verdict.granted {
            return self.on_refusal(now, random);
        }
        self.bindings = bindings;
        self.bind(server, options);
        Ok(Some(Change::Leased))
    }

    /// The server does not give what it offered, or knew of before.
    fn on_refusal(
        &mut self,
        now: Instant,
        random: &mut Random,
    ) -> Result<Option<Change>, Unmatched> {
        self.solicit_later(now, random);
        Ok(None)
    }

    fn bind(&mut self, server: Duid, options: &Dhcpv6Options<'_>) {
        self.server = Some(server);
        self.information = Some(Information::from_reply(options));
        self.candidate = None;
        self.state = State::Bound;
    }

    /// Section 18.2.10.1: with a status of NotOnLink the addresses are gone; any other answer, or none, leaves
    /// them.
    fn on_confirmation(
        &mut self,
        now: Instant,
        options: &Dhcpv6Options<'_>,
        random: &mut Random,
    ) -> Result<Option<Change>, Unmatched> {
        match options.status() {
            Dhcpv6Status::NotOnLink => Ok(Some(self.start_over(now, random))),
            Dhcpv6Status::Success => {
                self.state = State::Bound;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// The Reply to a Renew or a Rebind.
    fn on_renewal(
        &mut self,
        now: Instant,
        server: &[u8],
        options: &Dhcpv6Options<'_>,
        random: &mut Random,
    ) -> Result<Option<Change>, Unmatched> {
        let status = options.status();
        if status == Dhcpv6Status::NotOnLink {
            return Ok(Some(self.start_over(now, random)));
        }
        let server = Duid::from_bytes(server).ok_or(Unmatched)?;
        let before = self.bindings.addresses.len() + self.bindings.prefixes.len();
        let verdict = self.bindings.take(now, options, self.iaid, &self.config);
        if self.bindings.is_empty() || verdict.not_on_link {
            return Ok(Some(self.start_over(now, random)));
        }
        if verdict.no_binding || status == Dhcpv6Status::NoBinding {
            // Section 18.2.10.1: "Sends a Request message to the server that responded if any of the IAs in the
            // Reply message contain the NoBinding status code."
            self.candidate = Some(Candidate::of(&self.bindings, server));
            self.request(now, random);
            return Ok(verdict.granted.then_some(Change::Leased));
        }
        if verdict.granted && status == Dhcpv6Status::Success {
            self.bind(server, options);
            return Ok(Some(Change::Leased));
        }
        // There is nothing new; it goes on asking.
        let after = self.bindings.addresses.len() + self.bindings.prefixes.len();
        Ok((after != before).then_some(Change::Leased))
    }

    /// What there was cannot be used here.
    fn start_over(&mut self, now: Instant, random: &mut Random) -> Change {
        self.solicit(now, random);
        self.lose()
    }

    fn on_information(
        &mut self,
        now: Instant,
        server: &[u8],
        options: &Dhcpv6Options<'_>,
    ) -> Result<Option<Change>, Unmatched> {
        if options.status() != Dhcpv6Status::Success {
            return Ok(None);
        }
        let server = Duid::from_bytes(server).ok_or(Unmatched)?;
        self.server = Some(server);
        self.information = Some(Information::from_reply(options));
        self.state = State::Informed(now + self.refresh_time(options));
        Ok(Some(Change::Leased))
    }

    /// Section 21.23: a day if the server does not say, and ten minutes at least.
    fn refresh_time(&self, options: &Dhcpv6Options<'_>) -> Duration {
        let told = match options.u32(option::INFORMATION_REFRESH_TIME) {
            None => Some(IRT_DEFAULT),
            Some(INFINITY) => None,
            Some(seconds) => Some(Duration::from_secs(seconds.into()).max(IRT_MINIMUM)),
        };
        let longest = self.config.longest_lifetime();
        told.into_iter()
            .chain(longest)
            .min()
            .unwrap_or(Duration::MAX)
    }
}

const IRT_DEFAULT: Duration = Duration::from_secs(86_400);
const IRT_MINIMUM: Duration = Duration::from_secs(600);
