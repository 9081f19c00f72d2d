//! What happens by the clock alone: streams that went silent (P5.1), turns that nobody leads
//! any more (P6.8), retention and idle expiry (P11.2), tokens about to expire (P2.6).
//!
//! The session keeps a lower bound of its next deadline. Whatever moves a deadline later
//! leaves it alone: an alarm that rings early finds nothing to do and names the next time.

use super::Session;
use super::closing::Closing;
use super::connection::Live;
use super::outbox::Outbox;
use crate::protocol::frame::ServerFrame;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::{TRIM_KEPT, TRIM_MESSAGES, TRIM_MS, TRIM_ROWS};
use crate::protocol::serial::Place;
use crate::store::{Aged, Store, StoreError, Write};

/// When to look next.
#[derive(Debug)]
pub(super) struct Expiry {
    /// No deadline is earlier.
    next: Timestamp,
    /// No reminder of a token is earlier.
    reminder: Timestamp,
    /// The oldest message that retention may take, and when it was created.
    oldest: Option<(Place, Timestamp)>,
    /// When retention may take its next step.
    trims_at: Timestamp,
}

impl Default for Expiry {
    fn default() -> Self {
        Self {
            next: Timestamp::MAX,
            reminder: Timestamp::MAX,
            oldest: None,
            trims_at: Timestamp::MIN,
        }
    }
}

/// So many milliseconds after a time.
pub(super) fn after(at: Timestamp, wait_ms: u64) -> Timestamp {
    at.saturating_add(Timestamp::try_from(wait_ms).unwrap_or(Timestamp::MAX))
}

impl Session {
    /// The time of the next alarm: no earlier than needed once it has rung, perhaps too early
    /// before. `None` while there is nothing to wait for.
    pub fn deadline(&self) -> Option<Timestamp> {
        (self.expiry.next < Timestamp::MAX).then_some(self.expiry.next)
    }

    /// Something is to be looked at by then.
    pub(super) fn expect(&mut self, at: Timestamp) {
        self.expiry.next = self.expiry.next.min(at);
    }

    /// A message began to stream.
    pub(super) fn expect_idle_stream(&mut self, now: Timestamp) {
        self.expect(after(now, self.settings.stream_idle_ms()));
    }

    /// Streams were given up on.
    pub(super) fn expect_idle_streams(&mut self) {
        self.expiry.next = self.expiry.next.min(self.next_deadline());
    }

    /// Messages that streamed are settled: retention may take them from now on.
    pub(super) fn expect_settled(&mut self, store: &Store) -> Result<(), StoreError> {
        // With its last open turn a session comes to rest.
        self.expect(self.idle_expiry().unwrap_or(Timestamp::MAX));
        if self.settings.retention_ms.is_some() {
            self.expiry.oldest = self.oldest(store)?;
            self.expiry.next = self.expiry.next.min(self.next_deadline());
        }
        Ok(())
    }

    /// A message was created that does not stream.
    pub(super) fn expect_retention(&mut self, place: Place, now: Timestamp) {
        self.expiry.oldest.get_or_insert((place, now));
        self.expiry.next = self.expiry.next.min(self.next_deadline());
    }

    /// Whoever is behind a connection is to be reminded of its token.
    pub(super) fn expect_reminder(&mut self, live: &Live) {
        self.note_reminder(live.reminder_at());
    }

    pub(super) fn note_reminder(&mut self, at: Option<Timestamp>) {
        self.expiry.reminder = self.expiry.reminder.min(at.unwrap_or(Timestamp::MAX));
    }

    /// Works everything out from what is stored.
    pub(super) fn expect_anew(&mut self, store: &Store) -> Result<(), StoreError> {
        self.expiry.oldest = if self.settings.retention_ms.is_some() {
            self.oldest(store)?
        } else {
            None
        };
        self.expiry.next = self.next_deadline();
        Ok(())
    }

    /// Nothing happens by the clock before this time.
    pub(super) fn expiry_waits(&mut self, until: Timestamp) {
        self.expiry.next = self.expiry.next.max(until);
    }

    /// Messages were last trimmed at this time.
    pub(super) fn trimmed_at(&mut self, at: Timestamp) {
        self.expiry.trims_at = after(at, TRIM_MS);
    }

    /// The oldest message that retention may take.
    fn oldest(&self, store: &Store) -> Result<Option<(Place, Timestamp)>, StoreError> {
        let oldest = |limit| {
            let aged = store.aged(limit)?.into_iter();
            let mut settled = aged.filter(|message| !message.is_held);
            Ok(settled
                .next()
                .map(|message| (message.place, message.created_at)))
        };
        // Most often it is the very first.
        match oldest(1)? {
            None => oldest(TRIM_KEPT + 1),
            found => Ok(found),
        }
    }

    fn next_deadline(&self) -> Timestamp {
        let idle_ms = self.settings.stream_idle_ms();
        let streams = self.rollup.open.values().filter(|open| open.is_alone());
        let streams = streams.map(|open| after(open.heard_at, idle_ms));
        let turns = std::iter::once(self.next_turn_deadline());
        let retention = self.settings.retention_ms.zip(self.expiry.oldest);
        let retention = retention
            .map(|(wait, (_, created_at))| after(created_at, wait).max(self.expiry.trims_at));
        let expiry = self.idle_expiry().into_iter();
        streams
            .chain(turns)
            .chain(retention)
            .chain(expiry)
            .min()
            .unwrap_or(Timestamp::MAX)
    }

    /// When the whole session goes; never with an open turn (P11.2).
    fn idle_expiry(&self) -> Option<Timestamp> {
        let is_at_rest = self.created_at.is_some() && self.turns.is_empty();
        let wait = self.settings.idle_expiry_ms.filter(|_| is_at_rest);
        wait.map(|wait| after(self.written_at, wait))
    }

    /// Lets everything happen whose time has come, before an input is looked at: an input
    /// that comes after a deadline finds it passed, however late the alarm.
    pub(super) fn pass_deadlines(
        &mut self,
        store: &Store,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        if self.expiry.reminder <= now {
            self.remind(now, out);
        }
        if self.listens_at <= now {
            self.drop_silent(now, out);
        }
        if now < self.expiry.next {
            return Ok(());
        }
        self.pass_turns(store, now, out)?;
        self.fail_idle_streams(store, now, out)?;
        self.trim(store, now, out)?;
        self.expiry.next = self.next_deadline();
        if self.idle_expiry().is_some_and(|at| at <= now) {
            self.end_life(out);
        }
        Ok(())
    }

    /// P2.6: whoever is awake when its token is about to expire is told, once.
    fn remind(&mut self, now: Timestamp, out: &mut Outbox) {
        let mut next = Timestamp::MAX;
        let mut reminded: Vec<(ConnectionId, Timestamp)> = Vec::new();
        for (id, live) in &mut self.connections {
            match live.reminder_at() {
                Some(at) if at <= now => {
                    live.is_reminded = true;
                    if live.connection.is_reader() && !live.connection.is_expired(now) {
                        reminded.push((id.clone(), live.connection.expires_at));
                    }
                }
                Some(at) => next = next.min(at),
                None => {}
            }
        }
        self.expiry.reminder = next;
        for (id, expires_at) in reminded {
            out.send(&id, &ServerFrame::TokenExpiring { expires_at });
        }
    }

    /// P5.1: a stream outside a turn that nobody appends to has failed. So has one whose
    /// body died with the process that carried it (P5.5).
    fn fail_idle_streams(
        &mut self,
        store: &Store,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let wait = self.settings.stream_idle_ms();
        let open = self.rollup.open.iter();
        let idle = open.filter(|(_, open)| open.is_alone() && after(open.heard_at, wait) <= now);
        let idle: Vec<Place> = idle.map(|(place, _)| *place).collect();
        if idle.is_empty() {
            return Ok(());
        }
        self.settle(store, now, out)?;
        for place in idle {
            if let Some(open) = self.rollup.open.get_mut(&place) {
                // Nobody's own append: everybody is told.
                open.origin = None;
            }
            self.rollup.close(place, Closing::failed());
        }
        self.settle(store, now, out)
    }

    /// P11.2: messages older than `retentionMs` go, but for those that still stream, in bounded
    /// steps and not at once for each.
    fn trim(&mut self, store: &Store, now: Timestamp, out: &mut Outbox) -> Result<(), StoreError> {
        let Some(wait) = self.settings.retention_ms else {
            return Ok(());
        };
        let is_old = |created_at: Timestamp| after(created_at, wait) <= now;
        let oldest = self.expiry.oldest;
        let is_due = oldest.is_some_and(|(_, created_at)| is_old(created_at));
        if !is_due || now < self.expiry.trims_at {
            return Ok(());
        }
        self.settle(store, now, out)?;
        let gone = step(store.aged(TRIM_KEPT + TRIM_MESSAGES)?, is_old);
        if let Some(up_to) = gone.last() {
            self.floor = self.floor.max(*up_to);
            let up_to = self.floor;
            store.write(&[Write::Trim {
                up_to,
                gone,
                at: now,
            }])?;
            self.trimmed_at(now);
            let frame = self.trimmed(store)?;
            self.broadcast(out, &frame, None);
        }
        self.expiry.oldest = self.oldest(store)?;
        Ok(())
    }

    /// What readers are told of everything that retention took so far.
    pub(super) fn trimmed(&self, store: &Store) -> Result<ServerFrame, StoreError> {
        let kept = store.oldest(self.floor, TRIM_KEPT)?.into_iter();
        let keep = kept.map(|place| self.epoch.at(place)).collect();
        Ok(ServerFrame::Trim {
            before: self.epoch.at(self.floor + 1),
            keep,
        })
    }
}

/// The messages of one step of retention, of the oldest that there are: as many as its rows
/// allow, and none beyond more that stay than can be listed.
fn step(aged: Vec<Aged>, is_old: impl Fn(Timestamp) -> bool) -> Vec<Place> {
    let (mut kept, mut rows, mut gone) = (0, 0, Vec::new());
    for message in aged {
        if message.is_held {
            kept += 1;
            continue;
        }
        rows += 1 + message.segments;
        let is_much = TRIM_ROWS < rows && !gone.is_empty();
        let is_full = TRIM_MESSAGES <= gone.len() || TRIM_KEPT < kept;
        if is_much || is_full || !is_old(message.created_at) {
            break;
        }
        gone.push(message.place);
    }
    gone
}
