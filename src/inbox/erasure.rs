//! The erasure of a client, by its own inbox (P11.10).
//!
//! The inbox knows every session that the client came to: each is deleted by a call that is
//! repeated until it is answered, and its row goes then, so that a waking inbox goes on with those
//! that are left. Then the inbox itself is emptied, and its bytes are overwritten.

use super::attached::REVOKED;
use super::{Effect, Inbox};
use crate::machine::{DELIVERIES_AT_ONCE, Queue};
use crate::protocol::erasure::{ERASURE_KEPT_MS, ERASURE_MS};
use crate::protocol::error::close;
use crate::protocol::frame::encode;
use crate::protocol::ids::{ConnectionId, Timestamp, after};
use crate::protocol::limits::REVOKING_AT_ONCE;
use crate::protocol::revocation::{REVOCATIONS, Revocation};
use crate::store::{Erasure, InboxStore, InboxWrite, StoreError};

/// The states of an erasure, as rows have them.
const DELETING: u64 = 0;
const EMPTY: u64 = 1;
const DONE: u64 = 2;

impl Inbox {
    /// `DELETE /v1/clients/{client}` begins an erasure, unless one is under way; both this and
    /// `GET …/erasure` say how far it has come.
    pub(super) fn erase(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        begins: bool,
    ) -> Result<(u16, String), StoreError> {
        if begins && !self.is_erasing() {
            let mut write = InboxWrite::default();
            let devices: Vec<String> = self.devices.keys().cloned().collect();
            for device in devices {
                self.drop_device(&device, &mut write);
            }
            let erasure = Erasure {
                begun_at: now,
                ..Erasure::default()
            };
            store.keep_erasure(&erasure)?;
            store.write(&write, !self.items.is_empty())?;
            self.erasure = Some(erasure);
            self.revoke_own();
        }
        let it = self.erasure.unwrap_or_default();
        let (status, state) = match self.erasure {
            None => (200, "none"),
            Some(_) if it.state < DONE => (202, "erasing"),
            Some(_) => (200, "done"),
        };
        let report = format!(
            "{{\"client\":{},\"state\":\"{state}\",\"sessions\":{},\"deleted\":{},\
             \"failing\":{},\"begunAt\":{},\"endedAt\":{}}}",
            encode(&self.client()),
            store.contact_count()?,
            it.deleted,
            self.revocations.failing(),
            it.begun_at,
            it.ended_at,
        );
        Ok((status, report))
    }

    /// Whether the client is being erased.
    pub(super) fn is_erasing(&self) -> bool {
        self.erasure.is_some_and(|it| it.state < DONE)
    }

    /// Whether tokens of this time were revoked by an erasure that has emptied the inbox.
    pub(super) fn outlived(&self, before: Timestamp) -> bool {
        let emptied = self.erasure.filter(|it| DELETING < it.state);
        emptied.is_some_and(|it| before <= it.begun_at)
    }

    /// The client's tokens are revoked, so that nothing begins again behind the erasure.
    pub(super) fn revoke_own(&mut self) {
        let Some(erasure) = self.erasure.filter(|it| it.state == DELETING) else {
            return;
        };
        let body = encode(&Revocation {
            client: Some(self.client().to_owned()),
            before: erasure.begun_at,
            ..Revocation::default()
        });
        let name = REVOCATIONS.to_owned();
        self.revocations.tell(erasure.begun_at, false, name, &body);
    }

    /// The client came to a session while it is erased: that one goes, too.
    pub(super) fn erase_again(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        session: String,
    ) -> Result<(), StoreError> {
        if let Some(erasure) = &mut self.erasure {
            erasure.state = DELETING;
            store.keep_erasure(erasure)?;
        }
        // Once more, if it is being deleted: the client may have come after that.
        self.revocations.erase(now, session);
        Ok(())
    }

    /// A session was deleted.
    pub(super) fn erased(&mut self, store: &InboxStore, session: &str) -> Result<(), StoreError> {
        let Some(erasure) = &mut self.erasure else {
            return Ok(());
        };
        if !self.revocations.erases(session) {
            erasure.deleted += 1;
            store.forget_contact(session)?;
            store.keep_erasure(erasure)?;
        }
        Ok(())
    }

    /// Goes on with the erasure, after any input.
    pub(super) fn go_on(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let Some(mut erasure) = self.erasure else {
            return Ok(());
        };
        if erasure.state == DONE {
            if after(erasure.ended_at, ERASURE_KEPT_MS) <= now {
                store.forget_erasure()?;
                self.erasure = None;
            }
            return Ok(());
        }
        let waiting = self.revocations.waiting();
        if waiting < REVOKING_AT_ONCE {
            let most = waiting.saturating_add(REVOKING_AT_ONCE);
            for session in store.earliest_contacts(most)? {
                if !self.revocations.erases(&session) {
                    self.revocations.erase(now, session);
                }
            }
        }
        let is_busy = 0 < self.revocations.waiting() || self.scrub.is_some();
        if is_busy || now < after(erasure.begun_at, ERASURE_MS) {
            return Ok(());
        }
        if erasure.state == DELETING {
            self.empty(store, now, out)?;
            erasure.state = EMPTY;
        } else {
            (erasure.state, erasure.ended_at) = (DONE, now);
        }
        self.erasure = Some(erasure);
        store.keep_erasure(&erasure)
    }

    /// Deletes everything here, and closes what is open.
    fn empty(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let open: Vec<ConnectionId> = self.connections.keys().cloned().collect();
        for id in open {
            self.shut(&id, close::UNAUTHORIZED, REVOKED, out);
        }
        store.wipe()?;
        self.items = Default::default();
        self.devices.clear();
        self.revocations = Default::default();
        self.queue = Queue::load(Vec::new(), &self.limits, DELIVERIES_AT_ONCE);
        self.plan_scrub(store, 0, now)
    }

    /// When the erasure goes on by itself: calls and steps that are under way do the rest.
    pub(super) fn erasure_due(&self) -> Option<Timestamp> {
        let erasure = self.erasure?;
        if erasure.state == DONE {
            return Some(after(erasure.ended_at, ERASURE_KEPT_MS));
        }
        let is_busy = 0 < self.revocations.waiting() || self.scrub.is_some();
        (!is_busy).then(|| after(erasure.begun_at, ERASURE_MS))
    }
}
