//! Revocation of tokens (P11.5).
//!
//! One object of this class keeps the revocations, which every Worker reads. It tells each to the
//! inbox of the client, those of roles, and the session, twice: a Worker may have admitted such a
//! token until it had read of it. The client's inbox tells every session that the client came to,
//! also those that sleep. No row says who is to be told: until all have heard of a revocation, a
//! waking object tells all of them once more.

use super::attached::REVOKED;
use super::{Effect, Inbox};
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::frame::encode;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::revocation::Revocation;
use crate::store::{InboxStore, StoreError};
use crate::token::LEEWAY_MS;

impl Inbox {
    /// `POST /v1/revocations`: keeps it, and tells of it.
    pub(super) fn revoke(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        ask: Revocation,
    ) -> Result<(u16, String), StoreError> {
        let kept = match ask.asked(now, LEEWAY_MS) {
            Ok(one) => self.revocations.add(store, &self.name, now, one)?,
            Err(error) => return Ok((error.status, error.body())),
        };
        Ok(match kept {
            Some(kept) => (200, encode(&kept)),
            None => {
                let message = "unable to revoke; too many revocations are kept";
                let error = ErrorInfo::new(ErrorCode::OverLimit, message.to_owned());
                (error.status, error.body())
            }
        })
    }

    /// `GET /v1/revocations`: those after a time.
    pub(super) fn list_revocations(&self, after: Timestamp) -> String {
        let list = self.revocations.list.iter();
        let list: Vec<_> = list.filter(|one| after < one.at).cloned().collect();
        format!("{{\"revocations\":{}}}", encode(&list))
    }

    /// Tokens are revoked: the connections that they opened here are closed, and the inbox of the
    /// client tells its sessions.
    pub(super) fn revoked(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        one: Revocation,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let connections = self.connections.values().map(|live| &live.connection);
        let cut = connections.filter(|it| one.is_of(&it.client, it.issued_at));
        let cut: Vec<ConnectionId> = cut.map(|it| it.id.clone()).collect();
        for id in cut {
            self.shut(&id, close::UNAUTHORIZED, REVOKED, out);
        }
        if self.role.is_none() && !self.outlived(one.before) {
            self.revocations.add(store, &self.name, now, one)?;
        }
        Ok(())
    }

    /// A session tells that the client came to it. One where a revoked token may be in use hears
    /// of that.
    pub(super) fn contact(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        contact: Revocation,
    ) -> Result<(), StoreError> {
        let session = contact.session.unwrap_or_default();
        store.note_contact(&session)?;
        if self.is_erasing() {
            return self.erase_again(store, now, session);
        }
        let Some(one) = self.revocations.list.first_mut() else {
            return Ok(());
        };
        if contact.before < one.before {
            one.at = now.max(one.at + 1);
            let mut body = one.clone();
            body.at = 0;
            let text = encode(&self.revocations.list);
            store.keep_revocations(&text, self.revocations.done)?;
            self.revocations.tell(now, true, session, &encode(&body));
        }
        Ok(())
    }
}
