//! Messages that end with another step: deleted, or closed with their turn.

use super::closing::Closing;
use super::step::Step;
use super::work::Work;
use crate::protocol::frame::ServerFrame;
use crate::protocol::serial::Place;
use crate::store::{Change, Head, MessageWrite};

impl Work<'_> {
    /// Reduces a message to its tombstone. `is_superseded` if another one takes its place: then its
    /// id is free again (P6.8).
    pub(crate) fn delete_message(
        &mut self,
        step: &mut Step,
        head: &Head,
        is_superseded: bool,
    ) -> Place {
        let (place, version) = (head.place, self.next_place());
        step.write(MessageWrite::Delete {
            place,
            version,
            is_superseded,
            at: self.now,
        });
        let what = match is_superseded {
            true => Change::Supersede,
            false => Change::Delete,
        };
        step.change(version, what, place);
        let frame = ServerFrame::Delete {
            serial: self.epoch.at(place),
            version: self.epoch.at(version),
            superseded: is_superseded,
        };
        step.tell_of(&head.name, frame);
        step.settles |= self.state.rollup.streams.remove(&place).is_some() || is_superseded;
        version
    }

    /// Closes a streaming message without pending text.
    pub(crate) fn close_stream(&mut self, step: &mut Step, place: Place, closing: &Closing) {
        let Some(stream) = self.state.rollup.streams.remove(&place) else {
            return;
        };
        let version = self.next_place();
        step.close(place, version, stream.seq, closing);
        let frame = ServerFrame::Append {
            serial: self.epoch.at(place),
            version: self.epoch.at(version),
            offset: stream.units,
            data: String::new(),
            status: Some(closing.status),
            headers: None,
        };
        step.tell_of(&stream.name, frame);
        step.settles = true;
    }
}
