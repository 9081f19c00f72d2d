//! Appends grouped in time (P5.4): first into rows, then into frames.
//!
//! Accepted text is *pending* until it is stored: at the end of the shortest window among the
//! readers, in one row a message. Stored text is *held* for a class of readers until the end of the
//! class's own window. A class is every reader with the same window and names: each frame is built
//! once for all of them. Held text is kept once per message; a class knows only its position in it.

use super::answers::Answers;
use super::class::{Class, Position};
use super::closing::Closing;
use super::connection::Connection;
use super::outbox::Outbox;
use super::streams::Stream;
use crate::ordered::Map;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{PENDING_BYTES_MAX, READERS_PER_WINDOW_MS, WINDOW_MS_MAX};
use crate::protocol::serial::{Epoch, Place};
use crate::protocol::settings::Settings;
use crate::store::{Streaming, Write};

/// The window that was asked for, and the names.
type Key = (u64, Option<Vec<String>>);

/// Pending text, held text, and when each is due.
#[derive(Debug, Default)]
pub(crate) struct Rollup {
    pub(crate) streams: Map<Place, Stream>,
    pub(super) answers: Answers,
    classes: Map<Key, Class>,
    readers: usize,
    stored_at: Timestamp,
    store_due: Option<Timestamp>,
    pending_bytes: usize,
}

impl Rollup {
    /// Adds a reader that has everything stored.
    pub(crate) fn join(&mut self, connection: &Connection) {
        let key = (connection.window_ms, connection.names.clone());
        let class = self.classes.or_default(key);
        if class.join(&connection.id) {
            self.readers += 1;
        }
    }

    /// Removes a reader.
    pub(crate) fn leave(&mut self, connection: &Connection) {
        let key = (connection.window_ms, connection.names.clone());
        let Some(class) = self.classes.get_mut(&key) else {
            return;
        };
        if class.leave(&connection.id) {
            self.readers -= 1;
        }
        if class.members().next().is_none() {
            self.classes.remove(&key);
            self.release();
        }
    }

    /// The lower bound of all readers' windows (P5.4).
    fn least_window(&self, settings: &Settings) -> u64 {
        let crowd = u64::try_from(self.readers / READERS_PER_WINDOW_MS).unwrap_or(WINDOW_MS_MAX);
        settings.min_rollup_ms().max(crowd).min(WINDOW_MS_MAX)
    }

    /// The shortest window among the readers of pending text. A connection is no reader of its own
    /// appends, nor of a turn that it leads.
    fn storage_window(&self, settings: &Settings) -> Timestamp {
        let reads = |(_, names): &Key, class: &Class| {
            let mut dirty = self.streams.values().filter(|stream| stream.is_dirty);
            dirty.any(|stream| {
                names
                    .as_ref()
                    .is_none_or(|names| names.contains(&stream.name))
                    && class.members().any(|member| stream.is_for(member))
            })
        };
        // By their windows in order, so the first is the shortest.
        let shortest = self.classes.iter().find(|(key, class)| reads(key, class));
        match shortest {
            Some(((asked, _), _)) => window(*asked, self.least_window(settings)),
            None => Timestamp::try_from(settings.unwatched_window_ms()).unwrap_or(0),
        }
    }

    /// Takes text for a streaming message. Returns whether so much is pending that it must be
    /// stored at once.
    pub(crate) fn take(
        &mut self,
        place: Place,
        text: &str,
        units: u64,
        now: Timestamp,
        settings: &Settings,
    ) -> bool {
        let Some(stream) = self.streams.get_mut(&place) else {
            return false;
        };
        stream.pending.push_str(text);
        stream.pending_units += units;
        stream.heard_at = now;
        self.pending_bytes += text.len();
        if !stream.is_dirty {
            stream.is_dirty = true;
            self.schedule(now, settings);
        }
        PENDING_BYTES_MAX <= self.pending_bytes
    }

    /// Recomputes when pending text is stored, after readers or messages were added.
    pub(super) fn schedule(&mut self, now: Timestamp, settings: &Settings) {
        if self.has_pending() {
            let latest = now + Timestamp::try_from(WINDOW_MS_MAX).unwrap_or(0);
            let due = self.stored_at + self.storage_window(settings);
            self.store_due = Some(due.clamp(now, latest));
        }
    }

    /// Whether any accepted text is not stored yet.
    pub(crate) fn has_pending(&self) -> bool {
        self.streams.values().any(|stream| stream.is_dirty)
    }

    /// Whether a reader lacks text of a message that another connection appends to.
    pub(crate) fn is_unsettled(&self, place: Place) -> bool {
        self.streams
            .get(&place)
            .is_some_and(|stream| stream.is_dirty)
            || self
                .classes
                .values()
                .flat_map(Class::crowds)
                .any(|crowd| crowd.position(place).is_some())
    }

    /// Marks a message to be closed with its pending text.
    pub(crate) fn close(&mut self, place: Place, closing: Closing) {
        if let Some(stream) = self.streams.get_mut(&place) {
            stream.closing = Some(closing);
            stream.is_dirty = true;
        }
    }

    /// Stores all pending text: one entry and one row for each message.
    pub(crate) fn store(&mut self, end: &mut Place, now: Timestamp) -> Vec<Write> {
        // Most often it is one row, and room for more of them is not small.
        let mut writes = Vec::with_capacity(1);
        self.store_due = None;
        self.pending_bytes = 0;
        for (place, stream) in self
            .streams
            .iter_mut()
            .filter(|(_, stream)| stream.is_dirty)
        {
            self.stored_at = now;
            *end += 1;
            let before = Position {
                units: stream.units,
                bytes: stream.bytes,
            };
            if stream.held.is_empty() {
                stream.held_from = stream.bytes;
            }
            stream.store(*place, *end, now, &mut writes);
            let added = stream.bytes - before.bytes;
            for ((_, names), class) in &mut self.classes {
                let follows = names
                    .as_ref()
                    .is_none_or(|names| names.contains(&stream.name));
                if !follows {
                    continue;
                }
                let mut is_held = false;
                for crowd in class.crowds_mut() {
                    is_held |= crowd.fall_behind(*place, before, stream.origin.as_ref());
                }
                class.held_bytes += if is_held { added } else { 0 };
            }
        }
        writes
    }

    /// When the next class is due, or the next store.
    pub(crate) fn due(&self, settings: &Settings) -> Option<Timestamp> {
        let least = self.least_window(settings);
        let classes = self.classes.iter();
        let classes = classes.filter_map(|((asked, _), class)| class.due(window(*asked, least)));
        classes.chain(self.store_due).min()
    }

    /// Whether pending text is due to be stored.
    pub(super) fn is_store_due(&self, now: Timestamp) -> bool {
        // A clock that jumped back must not delay anything by more than a window.
        let latest = now + Timestamp::try_from(WINDOW_MS_MAX).unwrap_or(0);
        self.store_due.is_some_and(|due| due <= now || latest < due)
    }

    /// Sends held text: to every class, or to those whose window has passed.
    pub(crate) fn send(
        &mut self,
        epoch: Epoch,
        now: Timestamp,
        only_due: Option<&Settings>,
        out: &mut Outbox,
    ) {
        let least = only_due.map(|settings| self.least_window(settings));
        for ((asked, _), class) in &mut self.classes {
            let is_due = least.is_none_or(|least| {
                // A clock that jumped back must not hold anything for longer than a window.
                let is_ahead = now < class.sent_at;
                let due = class.due(window(*asked, least));
                due.is_some_and(|due| due <= now || is_ahead)
            });
            if is_due && class.is_behind() {
                class.send(&self.streams, epoch, now, out);
            }
        }
        self.release();
    }

    /// Drops held text that every class has been sent. Closed messages whose end is fully sent are
    /// no longer open.
    fn release(&mut self) {
        for (place, stream) in &mut self.streams {
            let crowds = self.classes.values().flat_map(Class::crowds);
            let positions = crowds.filter_map(|crowd| crowd.position(*place));
            match positions.map(|position| position.bytes).min() {
                None => stream.held = String::new(),
                Some(from) => {
                    let sent = from.saturating_sub(stream.held_from);
                    if let Some(rest) = stream.held.get(sent..) {
                        stream.held = rest.to_owned();
                        stream.held_from = from;
                    }
                }
            }
        }
    }

    /// The streaming messages become those in the rows (P14): nothing is pending any more. Held
    /// text stays, and so does the end of a message that some class has not been sent.
    pub(crate) fn rebuild(&mut self, streaming: Vec<Streaming>) {
        self.store_due = None;
        self.pending_bytes = 0;
        let mut known = std::mem::take(&mut self.streams);
        for streaming in streaming {
            let (place, bytes) = (streaming.head.place, streaming.bytes);
            let mut stream = Stream::new(streaming);
            if let Some(before) = known.remove(&place) {
                let stored = bytes.saturating_sub(before.held_from);
                stream.held = before.held.get(..stored).unwrap_or(&before.held).to_owned();
                stream.held_from = before.held_from;
                stream.origin = before.origin;
                stream.leader = before.leader;
                stream.heard_at = before.heard_at;
            }
            self.streams.insert(place, stream);
        }
        let has_ended = |stream: &Stream| stream.closing.is_some() && !stream.is_dirty;
        known.retain(|_, stream| has_ended(stream));
        self.streams.extend(known);
        for class in self.classes.values_mut() {
            let streams = &self.streams;
            let is_behind = |place: Place, position: Position| {
                let stream = streams.get(&place);
                stream
                    .is_some_and(|stream| stream.closing.is_some() || position.bytes < stream.bytes)
            };
            class
                .crowds_mut()
                .for_each(|crowd| crowd.stay_behind(is_behind));
        }
    }

    /// Closed messages whose end every class has been sent are no longer open. Returns whether
    /// there were any.
    pub(crate) fn retire(&mut self) -> bool {
        let before = self.streams.len();
        self.streams.retain(|_, stream| stream.closing.is_none());
        self.streams.len() < before
    }
}

/// A reader's window, in bounds (P5.4).
pub(super) fn window(asked: u64, least: u64) -> Timestamp {
    Timestamp::try_from(asked.max(least).min(WINDOW_MS_MAX)).unwrap_or(0)
}
