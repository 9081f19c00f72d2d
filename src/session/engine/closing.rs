//! The end of a message that streams: one entry, with all that changes with it (P4.3, P5.1).

use super::step::Step;
use super::work::Work;
use crate::protocol::frame::ServerFrame;
use crate::protocol::ids::Timestamp;
use crate::protocol::message::{Headers, Status, as_json};
use crate::protocol::serial::Place;
use crate::store::{Change, Head, Write};

/// How a message ends.
#[derive(Clone, Debug)]
pub(crate) struct Closing {
    /// The status that it ends with.
    pub(crate) status: Status,
    /// Its headers from then on, if they change with it.
    pub(crate) headers: Option<Headers>,
    /// The client that closes it; `None` for the session itself.
    pub(crate) client: Option<String>,
}

impl Closing {
    /// The end of what broke off.
    pub(crate) fn failed() -> Self {
        Self {
            status: Status::Failed,
            headers: None,
            client: None,
        }
    }

    /// The changes that it makes to rows. A reader that missed no more than text and a status is
    /// sent no more, so the entry says whether there was more (P3.5).
    pub(super) fn writes(
        &self,
        place: Place,
        version: Place,
        seq: u64,
        at: Timestamp,
    ) -> [Write; 2] {
        let what = match &self.headers {
            None => Change::Close,
            Some(_) => Change::Update,
        };
        let close = Write::Close {
            place,
            version,
            seq,
            status: self.status,
            headers: self.headers.as_ref().map(as_json),
            at,
        };
        let change = Write::Change {
            place: version,
            what,
            subject: place,
            client: self.client.clone(),
            at,
        };
        [close, change]
    }
}

impl Work<'_> {
    /// Leaves nothing of a message but its tombstone. `is_superseded` if another takes its place:
    /// then its id is free again (P6.8).
    pub(crate) fn delete_message(
        &mut self,
        step: &mut Step,
        head: &Head,
        is_superseded: bool,
    ) -> Place {
        let (place, version) = (head.place, self.next_place());
        step.write(Write::Delete {
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

    /// Closes a message that streams, of which nothing is pending.
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
