//! The session as a whole: its settings and its end (P11.2).

use super::connection::Sender;
use super::outbox::Outbox;
use super::{Error, Session};
use crate::protocol::capability::Operation;
use crate::protocol::deployment::Outbound;
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::store::{Store, Write};

impl Session {
    /// Lays a patch over the settings; the session begins with it if it has not.
    pub(super) fn change_settings(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        patch: &serde_json::Value,
        out: &mut Outbox,
    ) -> Result<String, Error> {
        sender.must(Operation::Admin, "change the settings", &self.id)?;
        let settings = self.settings.patched(patch, &Outbound::default())?;
        self.settle(store, now, out)?;
        let mut writes = self.begin(now);
        writes.push(Write::Settings {
            settings: settings.clone(),
            at: now,
        });
        store.write(&writes)?;
        self.created_at.get_or_insert(now);
        self.written_at = now;
        self.settings = settings;
        self.expect_anew(store)?;
        self.listen();
        Ok(serde_json::json!({ "settings": self.settings }).to_string())
    }

    /// Deletes the session: from here on everything is refused until it is done.
    pub(super) fn erase(&mut self, sender: &Sender, out: &mut Outbox) -> Result<String, Error> {
        sender.must(Operation::Admin, "delete the session", &self.id)?;
        self.end_life(out);
        Ok("{}".to_owned())
    }

    /// Everything goes, and everybody with it.
    pub(super) fn end_life(&mut self, out: &mut Outbox) {
        self.is_gone = true;
        let connections: Vec<ConnectionId> = self.connections.keys().cloned().collect();
        for connection in connections {
            self.shut(out, &connection, close::GONE, "the session was deleted");
        }
        out.is_erased = true;
    }

    /// What everything is answered between the decision and its end.
    pub(super) fn gone(&self) -> ErrorInfo {
        let message = format!("unable to use session {}; it is being deleted", self.id);
        ErrorInfo::new(ErrorCode::Gone, message)
    }
}
