//! One step of the log: rows that are stored together or not at all, then the frames that
//! tell of them, with nothing in between.

use super::Session;
use super::outbox::Outbox;
use crate::protocol::frame::ServerFrame;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;
use crate::store::{Change, Store, StoreError, Write};

/// What a frame changes of the log.
#[derive(Debug, Default)]
pub(super) struct Step {
    writes: Vec<Write>,
    told: Vec<(ServerFrame, Option<String>)>,
    /// Whether messages that streamed or belonged to an open turn are settled by it.
    pub(super) settles: bool,
}

impl Step {
    /// Stores something.
    pub(super) fn write(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// Stores the entry of a change of a message.
    pub(super) fn change(
        &mut self,
        place: Place,
        what: Change,
        subject: Place,
        client: Option<&str>,
        at: Timestamp,
    ) {
        self.writes.push(Write::Change {
            place,
            what,
            subject,
            client: client.map(str::to_owned),
            at,
        });
    }

    /// Tells everybody.
    pub(super) fn tell(&mut self, frame: ServerFrame) {
        self.told.push((frame, None));
    }

    /// Tells whoever follows messages of this name (P3.3).
    pub(super) fn tell_of(&mut self, name: &str, frame: ServerFrame) {
        self.told.push((frame, Some(name.to_owned())));
    }
}

impl Session {
    /// Stores a step and tells of it. The session begins with it if it has not (P1.2).
    pub(super) fn commit(
        &mut self,
        store: &Store,
        now: Timestamp,
        step: Step,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        if step.writes.is_empty() {
            return Ok(());
        }
        let mut writes = self.begin(now);
        writes.extend(step.writes);
        store.write(&writes)?;
        self.written_at = now;
        self.created_at.get_or_insert(now);
        for (frame, name) in step.told {
            self.broadcast(out, &frame, name.as_deref());
        }
        if step.settles {
            self.expect_settled(store)?;
        }
        Ok(())
    }
}
