//! Classes of readers: readers that get the same frames, and their positions (P5.4).

use super::outbox::Outbox;
use super::streams::Stream;
use crate::ordered::{Map, Set, sort_by_number};
use crate::protocol::frame::ServerFrame;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::HELD_BYTES_MAX;
use crate::protocol::serial::{Epoch, Place};

/// Every reader with the same window and names.
#[derive(Debug, Default)]
pub(super) struct Class {
    crowd: Crowd,
    /// Readers that came while text was held: that text is not theirs, since they began with the
    /// stored state. The next frames reach them with the rest of the class, which they then join.
    late: Vec<Crowd>,
    pub(super) sent_at: Timestamp,
    pub(super) held_bytes: usize,
}

/// Readers that have been sent the same.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    members: Set<ConnectionId>,
    /// The messages with text still to be sent, and the position in each.
    behind: Vec<(Place, Position)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    pub(crate) units: u64,
    pub(crate) bytes: usize,
}

impl Class {
    pub(super) fn crowds(&self) -> impl Iterator<Item = &Crowd> {
        std::iter::once(&self.crowd).chain(&self.late)
    }

    pub(super) fn crowds_mut(&mut self) -> impl Iterator<Item = &mut Crowd> {
        std::iter::once(&mut self.crowd).chain(&mut self.late)
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &ConnectionId> {
        self.crowds().flat_map(|crowd| &crowd.members)
    }

    /// Adds a reader that has everything stored; returns whether it is new.
    pub(crate) fn join(&mut self, id: &ConnectionId) -> bool {
        if !self.is_behind() {
            return self.crowd.members.insert(id.clone());
        }
        // Nobody who came since the last store has missed any text.
        if self.late.last().is_none_or(|late| !late.behind.is_empty()) {
            self.late.push(Crowd::default());
        }
        let late = self.late.last_mut();
        late.is_some_and(|late| late.members.insert(id.clone()))
    }

    /// Removes a reader; returns whether it was there.
    pub(crate) fn leave(&mut self, id: &ConnectionId) -> bool {
        let mut crowds = self.crowds_mut();
        crowds.any(|crowd| crowd.members.remove(id))
    }

    pub(super) fn is_behind(&self) -> bool {
        self.crowds().any(|crowd| !crowd.behind.is_empty())
    }

    /// The time at which held text is due.
    pub(crate) fn due(&self, window: Timestamp) -> Option<Timestamp> {
        if !self.is_behind() {
            None
        } else if HELD_BYTES_MAX <= self.held_bytes {
            Some(Timestamp::MIN)
        } else {
            Some(self.sent_at + window)
        }
    }

    /// One array with the unsent end of every message, in the log's order.
    pub(crate) fn send(
        &mut self,
        streams: &Map<Place, Stream>,
        epoch: Epoch,
        now: Timestamp,
        out: &mut Outbox,
    ) {
        self.crowd.send(streams, epoch, out);
        for mut late in std::mem::take(&mut self.late) {
            late.send(streams, epoch, out);
            self.crowd.members.extend(late.members);
        }
        self.held_bytes = 0;
        self.sent_at = now;
    }
}

impl Crowd {
    /// Text was stored that begins here; returns whether any reader is to be sent it. A
    /// connection's own appends are not sent back to it, so alone it waits for nothing.
    pub(super) fn fall_behind(
        &mut self,
        place: Place,
        before: Position,
        origin: Option<&ConnectionId>,
    ) -> bool {
        let is_owed = self.members.iter().any(|member| Some(member) != origin);
        if is_owed && self.position(place).is_none() {
            self.behind.push((place, before));
        }
        is_owed
    }

    /// The class lacks text of these messages, and of no others.
    pub(super) fn stay_behind(&mut self, is_behind: impl Fn(Place, Position) -> bool) {
        self.behind
            .retain(|(place, position)| is_behind(*place, *position));
    }

    /// The position in a message that is not fully sent.
    pub(crate) fn position(&self, place: Place) -> Option<Position> {
        let mut behind = self.behind.iter();
        let behind = behind.find(|(known, _)| *known == place);
        behind.map(|(_, position)| *position)
    }

    fn send(&mut self, streams: &Map<Place, Stream>, epoch: Epoch, out: &mut Outbox) {
        let mut frames = Vec::new();
        for (place, position) in self.behind.drain(..) {
            let Some(stream) = streams.get(&place) else {
                continue;
            };
            let from = position.bytes.saturating_sub(stream.held_from);
            let frame = ServerFrame::Append {
                serial: epoch.at(place),
                version: epoch.at(stream.version),
                offset: position.units,
                data: stream.held.get(from..).unwrap_or_default().to_owned(),
                status: stream.closing.as_ref().map(|closing| closing.status),
                headers: stream.closing.as_ref().and_then(|it| it.headers.clone()),
            };
            frames.push((stream.version, out.add(&frame), stream.origin.as_ref()));
        }
        sort_by_number(&mut frames, |(version, _, _)| *version);
        for member in &self.members {
            for (_, frame, origin) in &frames {
                if *origin != Some(member) {
                    out.deliver(member, *frame);
                }
            }
        }
    }
}
