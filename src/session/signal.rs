//! Signals: passed on to whoever is there, and not kept (P4.5).

use super::answer::Reply;
use super::connection::Sender;
use super::outbox::Outbox;
use super::{Error, Session};
use crate::protocol::capability::Operation;
use crate::protocol::decode::Signal;
use crate::protocol::frame::{Outcome, ServerFrame};
use crate::protocol::ids::Timestamp;
use crate::store::{Kind, Store};

impl Session {
    /// Passes a signal on. It has no place in the log, so nothing that waits goes before it.
    pub(super) fn signal(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        signal: Signal,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        sender.must(Operation::Publish, "signal", &self.id)?;
        self.limit_signal(now, sender)?;
        if let Some(id) = &signal.id {
            if self.once(store, now, sender, Kind::Signal, id)?.is_some() {
                self.answer(out, reply, Ok(Outcome::Nothing { duplicate: true }));
                return Ok(());
            }
            self.check_room(store, "signal with an id")?;
            let mut writes = self.begin(now);
            writes.push(self.remember_id(now, sender, Kind::Signal, id, self.end));
            store.write(&writes)?;
            self.created_at.get_or_insert(now);
        }
        let frame = ServerFrame::Signal {
            client: sender.client.clone(),
            connection: sender.connection.clone(),
            name: signal.name,
            data: signal.data,
        };
        let index = out.add(&frame);
        let is_meant =
            |id: &str, client: &str| signal.to.as_ref().is_none_or(|to| to == id || to == client);
        for (id, live) in &self.connections {
            if live.connection.is_reader() && is_meant(id.as_str(), &live.connection.client) {
                out.deliver(id, index);
            }
        }
        self.answer(out, reply, Ok(Outcome::Nothing { duplicate: false }));
        Ok(())
    }
}
