//! One step of the log: rows that are stored together or not at all, then their frames, with
//! nothing in between.

use super::closing::Closing;
use super::connection::Sender;
use super::work::Work;
use crate::protocol::frame::ServerFrame;
use crate::protocol::ids::Timestamp;
use crate::protocol::milestone::Milestone;
use crate::protocol::serial::Place;
use crate::store::{Change, Entry, StoreError, Write};

/// The changes that a frame makes to the log.
#[derive(Debug)]
pub(crate) struct Step {
    at: Timestamp,
    by: Option<String>,
    writes: Vec<Write>,
    /// Whether it counts as activity, from which idle expiry counts (P11.2).
    is_change: bool,
    frames: Vec<(ServerFrame, Option<String>)>,
    /// The place that the current frame's id will stand for (P13.1).
    stands_for: Option<Place>,
    /// Whether the step settles messages that streamed or belonged to an open turn.
    pub(crate) settles: bool,
}

impl Step {
    /// The client that makes it; `None` for the session itself.
    pub(crate) fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    /// Stores something.
    pub(crate) fn write(&mut self, write: impl Into<Write>) {
        self.is_change = true;
        self.writes.push(write.into());
    }

    /// Stores something beside the log that is no activity: a sign of life.
    pub(crate) fn note(&mut self, write: impl Into<Write>) {
        self.writes.push(write.into());
    }

    /// The current frame's id, if it has one, will stand for this place (P13.1).
    pub(crate) fn stands_for(&mut self, place: Place) {
        self.stands_for = Some(place);
    }

    /// Stores the entry of a change of a message.
    pub(crate) fn change(&mut self, place: Place, what: Change, subject: Place) {
        self.write(Entry {
            place,
            what,
            subject,
            client: self.by.clone(),
            at: self.at,
        });
    }

    /// Stores the entry of a change by the session itself, in anyone's step.
    pub(crate) fn change_of_session(&mut self, place: Place, what: Change, subject: Place) {
        let by = self.by.take();
        self.change(place, what, subject);
        self.by = by;
    }

    /// Stores the end of a streaming message.
    pub(crate) fn close(&mut self, place: Place, version: Place, seq: u64, closing: &Closing) {
        for write in closing.writes(place, version, seq, self.at) {
            self.write(write);
        }
    }

    /// Tells everybody.
    pub(crate) fn tell(&mut self, frame: ServerFrame) {
        self.frames.push((frame, None));
    }

    /// Sends to the readers that follow messages of this name (P3.3).
    pub(crate) fn tell_of(&mut self, name: &str, frame: ServerFrame) {
        self.frames.push((frame, Some(name.to_owned())));
    }
}

impl Work<'_> {
    /// A step that the session itself makes.
    pub(crate) fn step(&self) -> Step {
        Step {
            at: self.now,
            by: None,
            writes: Vec::new(),
            is_change: false,
            frames: Vec::new(),
            stands_for: None,
            settles: false,
        }
    }

    /// A step that a client makes.
    pub(crate) fn step_by(&self, sender: &Sender) -> Step {
        Step {
            by: Some(sender.client.clone()),
            ..self.step()
        }
    }

    /// Stores rows that outlive the session: they do not begin it.
    pub(crate) fn write_beside(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        self.write_rows(writes, false)?;
        if self.outbound.is_watched {
            self.reach_by_rows(writes);
        }
        Ok(())
    }

    /// Stores rows: the only place that does.
    pub(crate) fn write_rows(
        &mut self,
        writes: &[Write],
        is_change: bool,
    ) -> Result<(), StoreError> {
        self.store.write(writes)?;
        if is_change {
            self.state.written_at = self.now;
        }
        Ok(())
    }

    /// Stores a step and sends its frames. The session begins with it if it has not (P1.2).
    pub(crate) fn commit(&mut self, step: Step) -> Result<(), StoreError> {
        let id = step.stands_for.and_then(|place| self.take_frame_id(place));
        if step.writes.is_empty() && id.is_none() {
            return Ok(());
        }
        let has_event = self.outbound.has_inboxes && step.writes.iter().any(Write::is_event);
        let mut writes = self.beginning();
        writes.extend(step.writes);
        writes.extend(id);
        self.write_rows(&writes, step.is_change)?;
        let is_watched = self.outbound.is_watched;
        if is_watched {
            if self.state.created_at.is_none() {
                self.reach(Milestone {
                    event: "session.start",
                    client: step.by.clone(),
                    ..Milestone::default()
                });
            }
            self.reach_by_rows(&writes);
        }
        self.state.created_at.get_or_insert(self.now);
        for (frame, name) in step.frames {
            if is_watched {
                self.reach_by_frame(&frame, step.by.as_deref());
            }
            self.broadcast(&frame, name.as_deref());
        }
        self.state.news.is_settled |= step.settles;
        self.state.news.has_event |= has_event;
        Ok(())
    }
}
