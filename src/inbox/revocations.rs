//! Revocations in memory (P11.5), and all that are to hear of them: the calls to make, and their
//! outcomes.

use super::delivery::Revoking;
use crate::machine::{next_number, wait_ms};
use crate::protocol::capability::Role;
use crate::protocol::frame::encode;
use crate::protocol::ids::{Timestamp, after};
use crate::protocol::limits::{
    REVOCATION_BYTES, REVOCATION_MS, REVOKE_AGAIN_MS, REVOKING_AT_ONCE, REVOKING_LOST_MS,
};
use crate::protocol::revocation::{REVOCATIONS, Revocation};
use crate::store::{InboxStore, StoreError};

/// Numbers of these calls are from here on: no delivery with a row has one.
pub(super) const NUMBERS: u64 = 1 << 62;

/// Revocations in memory, and all that are to hear of them.
#[derive(Debug, Default)]
pub(super) struct Revocations {
    /// Each of another client or session, the oldest first.
    pub(super) list: Vec<Revocation>,
    /// The time up to which all have heard of them.
    pub(super) done: Timestamp,
    /// The calls to make, and when each is due.
    todo: Vec<(Timestamp, Revoking)>,
    /// The calls under way, and when each counts as lost.
    under_way: Vec<(Timestamp, Revoking)>,
    last: u64,
    /// Failed calls in a row.
    failures: u64,
}

impl Revocations {
    /// Reads them, and owes anew what not all have heard of.
    pub(super) fn load(store: &InboxStore, name: &str) -> Result<Self, StoreError> {
        let mut loaded = Self::default();
        let Some((list, done)) = store.revocations()? else {
            return Ok(loaded);
        };
        let unreadable = |_| StoreError("the revocations are unreadable".to_owned());
        (loaded.list, loaded.done) = (serde_json::from_str(&list).map_err(unreadable)?, done);
        for one in loaded.list.clone() {
            if done < one.at {
                loaded.owe(store, name, &one)?;
            }
        }
        Ok(loaded)
    }

    /// Whether a token of this client is revoked, as far as is known here.
    pub(super) fn has(&self, client: &str, issued_at: Timestamp) -> bool {
        let mut list = self.list.iter();
        list.any(|one| one.is_of(client, issued_at))
    }

    /// Takes one in the place of an earlier one of the same client and session, and owes it.
    /// Returns it as it is kept; `None` where there is no room.
    pub(super) fn add(
        &mut self,
        store: &InboxStore,
        name: &str,
        now: Timestamp,
        mut one: Revocation,
    ) -> Result<Option<Revocation>, StoreError> {
        let mut list = self.list.clone();
        // Each has a time of its own, by which Workers ask for those after it.
        one.at = list.last().map_or(now, |last| now.max(last.at + 1));
        list.retain(|it| {
            let is_same = (&it.client, &it.session) == (&one.client, &one.session);
            if is_same {
                one.before = one.before.max(it.before);
            }
            !is_same && now < after(it.at, REVOCATION_MS)
        });
        list.push(one.clone());
        let text = encode(&list);
        if REVOCATION_BYTES < text.len() {
            return Ok(None);
        }
        store.keep_revocations(&text, self.done)?;
        self.list = list;
        self.owe(store, name, &one)?;
        Ok(Some(one))
    }

    /// All that are to hear of one.
    fn owe(&mut self, store: &InboxStore, name: &str, one: &Revocation) -> Result<(), StoreError> {
        let (mut body, at) = (one.clone(), one.at);
        body.at = 0;
        let body = encode(&body);
        if name != REVOCATIONS {
            self.todo.retain(|(_, call)| call.erases);
            for session in store.contacts()? {
                self.tell(at, true, session, &body);
            }
            return Ok(());
        }
        for at in [at, after(at, REVOKE_AGAIN_MS)] {
            match (&one.session, &one.client) {
                (Some(session), _) => self.tell(at, true, session.clone(), &body),
                (None, client) => {
                    let client = client.as_deref().unwrap_or_default();
                    self.tell(at, false, format!("client:{client}"), &body);
                    for role in [Role::User, Role::Agent, Role::Supervisor] {
                        self.tell(at, false, format!("role:{}", role.as_str()), &body);
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn tell(&mut self, at: Timestamp, is_session: bool, name: String, body: &str) {
        let call = Revoking {
            number: 0,
            is_session,
            erases: false,
            name,
            body: body.to_owned(),
        };
        self.todo.push((at, call));
    }

    /// Owes the deletion of a session (P11.10).
    pub(super) fn erase(&mut self, at: Timestamp, session: String) {
        self.tell(at, true, session, "");
        if let Some((_, call)) = self.todo.last_mut() {
            call.erases = true;
        }
    }

    /// Whether the deletion of a session is owed.
    pub(super) fn erases(&self, session: &str) -> bool {
        let mut calls = self.todo.iter().chain(&self.under_way);
        calls.any(|(_, call)| call.erases && call.name == session)
    }

    /// The number of calls that are to be made or under way.
    pub(super) fn waiting(&self) -> usize {
        self.todo.len().saturating_add(self.under_way.len())
    }

    /// Failed calls in a row.
    pub(super) fn failing(&self) -> u64 {
        self.failures
    }

    /// When the next call is due, or one counts as lost; an outcome begins the rest.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let has_room = self.under_way.len() < REVOKING_AT_ONCE;
        let waiting: &[_] = if has_room { &self.todo } else { &[] };
        let all = waiting.iter().chain(&self.under_way);
        all.map(|(at, _)| *at).min()
    }

    /// Begins the calls that are due.
    pub(super) fn start(&mut self, now: Timestamp) -> Vec<Revoking> {
        let mut started = Vec::new();
        let lost = |list: &[(Timestamp, Revoking)]| list.iter().position(|(at, _)| *at <= now);
        while let Some(index) = lost(&self.under_way) {
            let call = self.under_way.swap_remove(index);
            self.todo.push(call);
        }
        while self.under_way.len() < REVOKING_AT_ONCE
            && let Some(index) = lost(&self.todo)
        {
            let (_, mut call) = self.todo.swap_remove(index);
            self.last = next_number(now, self.last);
            call.number = NUMBERS.saturating_add(self.last);
            started.push(call.clone());
            self.under_way.push((after(now, REVOKING_LOST_MS), call));
        }
        started
    }

    /// Takes the outcome of a call, and returns one that was answered well; any other is repeated.
    pub(super) fn end(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        number: u64,
        status: u16,
    ) -> Result<Option<Revoking>, StoreError> {
        let mut calls = self.under_way.iter();
        let Some(index) = calls.position(|(_, call)| call.number == number) else {
            return Ok(None);
        };
        let (_, call) = self.under_way.swap_remove(index);
        if !(200..300).contains(&status) {
            self.failures += 1;
            let wait = wait_ms(number, self.failures, None);
            self.todo.push((after(now, wait), call));
            return Ok(None);
        }
        self.failures = 0;
        let latest = self.list.last().map_or(0, |last| last.at);
        if self.done < latest && self.waiting() == 0 {
            self.done = latest;
            store.keep_revocations(&encode(&self.list), self.done)?;
        }
        Ok(Some(call))
    }
}
