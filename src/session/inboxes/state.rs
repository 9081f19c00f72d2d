//! Followers in memory: which inboxes are owed something, and when each is told. Nothing here
//! knows the session.

use crate::machine::{TELLINGS_AT_ONCE, first_number};
use crate::ordered::Map;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{ACTIVITY_MS, TELL_AGAIN_MS, TELL_MS};
use crate::protocol::serial::Place;
use crate::session::engine::after;

/// An inbox that is told of the session.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    /// The place up to which it was told.
    pub(crate) told: Place,
    /// Whether it has a row.
    pub(crate) is_kept: bool,
    /// When its client last took part, as far as memory tells.
    pub(crate) active_at: Timestamp,
    /// When its next telling begins, if that is within half a second of its cause.
    soon: Option<Timestamp>,
    /// When its next telling begins after one that failed.
    later: Option<Timestamp>,
    /// When its next telling begins that nobody waits for.
    idle: Option<Timestamp>,
    /// Whether its client had read everything when it was told last: the next message is news.
    has_read_all: bool,
    /// Whether it may have been told of an older read mark than its client has: no row says.
    pub(crate) is_unsure: bool,
    /// Failed tellings in a row.
    pub(crate) attempts: u64,
    under_way: Option<UnderWay>,
    /// When the latest telling began.
    started_at: Timestamp,
}

/// A telling whose outcome is not known.
#[derive(Clone, Copy, Debug)]
struct UnderWay {
    number: u64,
    pub(crate) told: Told,
    /// When it counts as lost.
    until: Timestamp,
}

/// The extent of a telling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// The place up to which it tells.
    pub(crate) place: Place,
    /// The read mark of its client; 0 without one.
    pub(crate) read: Place,
    /// Whether its client has read everything.
    pub(crate) has_read_all: bool,
    /// Whether nothing is left to tell up to the end of the log.
    pub(crate) is_whole: bool,
}

impl Follower {
    fn due_at(&self) -> Option<Timestamp> {
        let times = [self.soon, self.later, self.idle];
        times.into_iter().flatten().min()
    }
}

/// The inboxes that are told of a session.
#[derive(Debug)]
pub(crate) struct Followers {
    pub(crate) by_inbox: Map<String, Follower>,
    /// When the next telling begins, or counts as lost.
    next: Timestamp,
    /// When the next telling begins that is to begin within half a second of its cause. Every input
    /// asks for it, an append too, so it is kept.
    window: Option<Timestamp>,
    last_number: u64,
}

/// Numbers of tellings are from here on: no delivery with a row has one.
pub(crate) const NUMBERS: u64 = 1 << 62;

impl Default for Followers {
    fn default() -> Self {
        Self {
            by_inbox: Map::new(),
            next: Timestamp::MAX,
            window: None,
            last_number: NUMBERS,
        }
    }
}

impl Followers {
    /// Everybody is owed something that others wait for.
    pub(crate) fn owe_all(&mut self, now: Timestamp) {
        for follower in self.by_inbox.values_mut() {
            let soon = after(now, TELL_MS);
            // A failing inbox has waited long enough to be tried again.
            follower.soon = Some(follower.soon.map_or(soon, |at| at.min(soon)));
        }
        self.reckon();
    }

    /// One inbox is owed something.
    pub(crate) fn owe(&mut self, inbox: &str, at: Timestamp) {
        if let Some(follower) = self.by_inbox.get_mut(inbox) {
            follower.soon = Some(follower.soon.map_or(at, |known| known.min(at)));
        }
        self.reckon();
    }

    /// An inbox is told at this time, or with the next change.
    pub(crate) fn put_off(&mut self, inbox: &str, until: Timestamp) {
        if let Some(follower) = self.by_inbox.get_mut(inbox) {
            (follower.soon, follower.idle) = (None, None);
            follower.later = Some(until);
        }
        self.reckon();
    }

    /// Everybody is owed the news that somebody said something: soon, if it is the first thing that
    /// the client has not read, else when nobody waits for it any more (P11.3).
    pub(crate) fn owe_activity(&mut self, now: Timestamp, author: &str) {
        for (inbox, follower) in self.by_inbox.iter_mut() {
            let is_own = inbox.strip_prefix("client:") == Some(author);
            let is_first = follower.has_read_all && !is_own;
            let due_at = [follower.soon, follower.later];
            if due_at.iter().any(Option::is_some) || follower.idle.is_some() && !is_first {
                continue;
            }
            let later = after(follower.started_at, ACTIVITY_MS);
            // A clock that jumped back must not put it off for longer.
            let is_long_ago = later <= now || now < follower.started_at;
            match is_first || is_long_ago {
                true => follower.soon = Some(after(now, TELL_MS)),
                false => follower.idle = Some(later),
            }
        }
        self.reckon();
    }

    /// Whether a telling may begin, or is lost. Every input asks.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.next <= now || self.has_jumped(now)
    }

    /// Whether the clock jumped back behind the time of a cause.
    fn has_jumped(&self, now: Timestamp) -> bool {
        self.window.is_some_and(|at| after(now, TELL_MS) < at)
    }

    /// When a telling begins that is to begin within half a second of its cause.
    pub(crate) fn window(&self) -> Option<Timestamp> {
        self.window
    }

    /// When a telling begins again that failed.
    pub(crate) fn later(&self) -> Option<Timestamp> {
        if self.is_busy() {
            // An outcome starts the rest.
            return None;
        }
        let waiting = self.by_inbox.values();
        let waiting = waiting.filter(|follower| follower.under_way.is_none());
        waiting.filter_map(|follower| follower.later).min()
    }

    /// When an alarm makes up for what a crash would prevent: soon after the cause, before anything
    /// is under way; else when that counts as lost, or when mere activity is told.
    pub(crate) fn covered_at(&self, now: Timestamp) -> Timestamp {
        let mut followers = self.by_inbox.values();
        let is_soon = followers.any(|it| it.soon.is_some() && it.under_way.is_none());
        match is_soon {
            true => after(now, TELL_AGAIN_MS),
            false => self.next,
        }
    }

    fn is_busy(&self) -> bool {
        let followers = self.by_inbox.values();
        let under_way = followers.filter(|follower| follower.under_way.is_some());
        TELLINGS_AT_ONCE <= under_way.count()
    }

    /// The next inbox to be told now, the longest due first. Lost tellings end here.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<String> {
        for follower in self.by_inbox.values_mut() {
            if follower.under_way.is_some_and(|it| it.until <= now) {
                follower.under_way = None;
                follower.soon = Some(now);
            }
        }
        self.reckon();
        if self.is_busy() {
            return None;
        }
        if self.has_jumped(now) {
            let followers = self.by_inbox.values_mut();
            followers.for_each(|it| it.soon = it.soon.map(|at| at.min(now)));
        }
        let waiting = self.by_inbox.iter();
        let waiting = waiting.filter(|(_, follower)| follower.under_way.is_none());
        let due = waiting.filter_map(|(inbox, follower)| {
            let at = follower.due_at().filter(|at| *at <= now)?;
            Some((at, inbox))
        });
        due.min().map(|(_, inbox)| inbox.clone())
    }

    /// An inbox is being told up to a place; returns the telling's number.
    pub(crate) fn start(
        &mut self,
        inbox: &str,
        now: Timestamp,
        told: Told,
        until: Timestamp,
    ) -> u64 {
        let number = NUMBERS.saturating_add(first_number(now));
        let number = number.max(self.last_number + 1);
        self.last_number = number;
        if let Some(follower) = self.by_inbox.get_mut(inbox) {
            follower.under_way = Some(UnderWay {
                number,
                told,
                until,
            });
            follower.has_read_all = told.has_read_all;
            (follower.soon, follower.later, follower.idle) = (None, None, None);
            follower.started_at = now;
        }
        self.reckon();
        number
    }

    /// A telling ended; returns its inbox and its extent.
    pub(crate) fn end(&mut self, number: u64) -> Option<(String, Told)> {
        let mut followers = self.by_inbox.iter_mut();
        let ended = followers.find_map(|(inbox, follower)| {
            let under_way = follower.under_way.filter(|it| it.number == number)?;
            follower.under_way = None;
            Some((inbox.clone(), under_way.told))
        });
        self.reckon();
        ended
    }

    /// Computes the times of the next steps again.
    pub(crate) fn reckon(&mut self) {
        let is_busy = self.is_busy();
        (self.next, self.window) = (Timestamp::MAX, None);
        for follower in self.by_inbox.values() {
            let at = match &follower.under_way {
                Some(under_way) => Some(under_way.until),
                // An outcome starts the rest.
                None if is_busy => None,
                None => {
                    self.window = self.window.into_iter().chain(follower.soon).min();
                    follower.due_at()
                }
            };
            self.next = self.next.min(at.unwrap_or(Timestamp::MAX));
        }
    }
}
