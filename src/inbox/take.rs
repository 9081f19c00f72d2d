//! An inbox takes the news of a session (P15).

use super::items::life;
use super::{Effect, Inbox};
use crate::machine::Text;
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::frame::join;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::inbox::changed;
use crate::protocol::limits::INBOX_OPEN;
use crate::protocol::news::News;
use crate::protocol::serial::PLACE_MAX;
use crate::store::{InboxStore, InboxWrite, ItemKey, ItemWrite, StoreError};

impl Inbox {
    /// Stores what is new and sends it to the readers that may see it; returns the answer to the
    /// session.
    pub(super) fn take(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        news: News,
        out: &mut Vec<Effect>,
    ) -> Result<(u16, String), StoreError> {
        let taken = || (200, "{}".to_owned());
        let Some(life) = life(&news) else {
            let message = "unable to take the news; its epoch is none";
            let error = ErrorInfo::new(ErrorCode::InvalidFrame, message);
            return Ok((error.status, error.body()));
        };
        // Beyond that it is told no more, while the session goes on.
        if news.place == PLACE_MAX && store.forget_contact(&news.session)? {
            self.soil(store, now)?;
        }
        if !self.items.is_new(&news, life) {
            return Ok(taken());
        }
        let more = self.items.more_open(&news);
        if 0 < more && INBOX_OPEN < self.items.open.saturating_add(more) {
            let message = format!("unable to take the news; {INBOX_OPEN} items wait here");
            let error = ErrorInfo::new(ErrorCode::OverLimit, message);
            return Ok((error.status, error.body()));
        }
        let session = news.session.clone();
        let is_gone = news.about.is_none();
        let is_stored = |key: &ItemKey, body: &str| {
            let stored = store.bodies(&[key]).unwrap_or_default();
            stored.first().is_some_and(|stored| stored == body)
        };
        let owed = self.notices(store, now, &news, life)?;
        let mut writes = self.items.changes(news, life, is_stored);
        let frames: Vec<String> = writes.iter().filter_map(|it| self.frame(it)).collect();
        let excess = self.items.excess();
        let is_begun = !self.items.is_empty();
        writes.extend(excess);
        let write = InboxWrite {
            items: writes,
            owed,
            ..InboxWrite::default()
        };
        store.write(&write, is_begun)?;
        self.items.apply(write.items);
        self.tell(now, &session, &frames, out);
        if is_gone {
            self.soil(store, now)?;
        }
        Ok(taken())
    }

    fn frame(&self, write: &ItemWrite) -> Option<String> {
        let ItemWrite::Put { key, entry, body } = write else {
            return None;
        };
        let serial = self.epoch.at(entry.version);
        let body = body.as_deref();
        Some(changed(key.kind, serial, &key.session, &key.id, body))
    }

    /// Sends frames about a session to the readers that may see it now.
    fn tell(&mut self, now: Timestamp, session: &str, frames: &[String], out: &mut Vec<Effect>) {
        if frames.is_empty() {
            return;
        }
        let connections = self.connections.values().map(|live| &live.connection);
        let (valid, expired): (Vec<_>, Vec<_>) =
            connections.partition(|connection| now < connection.expires_at);
        let readers = valid.into_iter();
        let readers = readers.filter(|it| self.may_see(&it.sight, session));
        let to: Vec<ConnectionId> = readers.map(|connection| connection.id.clone()).collect();
        let expired: Vec<ConnectionId> = expired.into_iter().map(|it| it.id.clone()).collect();
        for id in expired {
            self.shut(&id, close::UNAUTHORIZED, "the token expired", out);
        }
        if !to.is_empty() {
            let text = Text::from(join(frames));
            out.push(Effect::Send { to, text });
        }
    }
}
