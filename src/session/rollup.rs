//! Appends grouped in time (P5.4): first into rows, then into frames.
//!
//! Text that was taken is *pending* until it is stored: at the end of the shortest window
//! among the readers, in one row a message. What is stored is *held* for a class of readers
//! until the end of the class's own window. A class is every reader with the same window and
//! names: each frame is built once for all of them. Held text is kept once per message; a
//! class knows only where in it it stands.

use std::collections::BTreeMap;

use super::answer::Answers;
use super::class::{Class, Position};
use super::closing::Closing;
use super::connection::Connection;
use super::outbox::Outbox;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::{PENDING_BYTES_MAX, READERS_PER_WINDOW_MS, WINDOW_MS_MAX};
use crate::protocol::serial::{Epoch, Place};
use crate::protocol::settings::Settings;
use crate::store::{Growth, Streaming, TAIL_BYTES, Tail, Write};

/// About how many bytes a row's mark takes, beside the text that it marks.
const MARK_BYTES: usize = 8;

/// A message that still streams.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) name: String,
    pub(super) client: String,
    /// The turn that it belongs to.
    pub(super) turn: Option<String>,
    /// Whose appends are pending or held: they are not sent back to it (P3.7).
    pub(super) origin: Option<ConnectionId>,
    /// The body that writes it, if one does: the message fails with it (P5.5).
    pub(super) body: Option<ConnectionId>,
    /// The connection that leads its turn: it needs nobody's hurry (P5.4).
    pub(super) leader: Option<ConnectionId>,
    pub(super) version: Place,
    /// The highest `seq` taken, pending ones included (P5.3).
    pub(super) seq: u64,
    /// Length of the stored text, in UTF-16 code units and in bytes.
    pub(super) units: u64,
    pub(super) bytes: usize,
    tail: Tail,
    /// Text that was taken and is not stored yet.
    pub(super) pending: String,
    pub(super) pending_units: u64,
    is_dirty: bool,
    /// How it ends as soon as what is pending is stored.
    pub(super) closing: Option<Closing>,
    /// Stored text that some class has not been sent, and where in the text it begins.
    pub(super) held: String,
    pub(super) held_from: usize,
    /// When it was last appended to (P5.1).
    pub(super) heard_at: Timestamp,
}

impl Open {
    /// A message as it is created, with the text it begins with.
    pub(super) fn new(streaming: Streaming) -> Self {
        let head = streaming.head;
        let body = head.connection.as_ref().filter(|id| id.is_body());
        Self {
            body: body.cloned(),
            name: head.name,
            client: head.client,
            turn: head.turn,
            origin: head.connection,
            leader: None,
            version: head.version,
            seq: head.seq,
            units: streaming.units,
            bytes: streaming.bytes,
            tail: streaming.tail,
            pending: String::new(),
            pending_units: 0,
            is_dirty: false,
            closing: None,
            held: String::new(),
            held_from: 0,
            heard_at: head.updated_at,
        }
    }

    /// Whether no turn says how long it may be silent (P5.1). A body that has lost its
    /// connection is given up on in any case.
    pub(super) fn is_alone(&self) -> bool {
        self.turn.is_none() || self.heard_at == Timestamp::MIN
    }

    /// Whether somebody waits for its text: whoever makes it does not.
    fn is_for(&self, member: &ConnectionId) -> bool {
        let member = Some(member);
        member != self.origin.as_ref() && member != self.leader.as_ref()
    }

    /// What the message holds, pending text included, in UTF-16 code units.
    pub(super) fn length(&self) -> u64 {
        self.units + self.pending_units
    }

    /// Its text was replaced as a whole: everything is in the message's own row again.
    pub(super) fn replace(&mut self, version: Place, units: u64, bytes: usize) {
        self.version = version;
        self.units = units;
        self.bytes = bytes;
        self.tail = Tail {
            segment: 0,
            bytes: bytes + MARK_BYTES,
        };
    }

    /// The rows that its pending text needs, and its end if it is being closed.
    fn store(&mut self, place: Place, version: Place, now: Timestamp, writes: &mut Vec<Write>) {
        let text = std::mem::take(&mut self.pending);
        let (units, added) = (std::mem::take(&mut self.pending_units), text.len());
        self.held.push_str(&text);
        if !text.is_empty() || self.closing.is_none() {
            let is_full = TAIL_BYTES < self.tail.bytes + added + MARK_BYTES;
            let grows = !is_full || self.tail.bytes == 0;
            if !grows {
                self.tail = Tail {
                    segment: self.tail.segment + 1,
                    bytes: 0,
                };
            }
            self.tail.bytes += added + MARK_BYTES;
            let growth = Growth {
                place,
                segment: self.tail.segment,
                version,
                previous: self.version,
                seq: self.seq,
                start: self.units,
                units,
                text,
                at: now,
            };
            writes.push(if grows {
                Write::Grow(growth)
            } else {
                Write::Segment(growth)
            });
        }
        if let Some(closing) = &self.closing {
            writes.extend(closing.writes(place, version, self.seq, now));
        }
        self.version = version;
        self.units += units;
        self.bytes += added;
        self.is_dirty = false;
    }
}

/// The window that was asked for, and the names.
type Key = (u64, Option<Vec<String>>);

/// What is pending, what is held, and when each is due.
#[derive(Debug, Default)]
pub(super) struct Rollup {
    pub(super) open: BTreeMap<Place, Open>,
    pub(super) answers: Answers,
    classes: BTreeMap<Key, Class>,
    readers: usize,
    stored_at: Timestamp,
    store_due: Option<Timestamp>,
    pending_bytes: usize,
}

impl Rollup {
    /// A reader has everything that is stored.
    pub(super) fn join(&mut self, connection: &Connection) {
        let key = (connection.window_ms, connection.names.clone());
        let class = self.classes.entry(key).or_default();
        if class.join(&connection.id) {
            self.readers += 1;
        }
    }

    /// A reader is gone.
    pub(super) fn leave(&mut self, connection: &Connection) {
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

    /// The window that no reader is below (P5.4).
    fn least_window(&self, settings: &Settings) -> u64 {
        let crowd = u64::try_from(self.readers / READERS_PER_WINDOW_MS).unwrap_or(WINDOW_MS_MAX);
        settings.min_rollup_ms().max(crowd).min(WINDOW_MS_MAX)
    }

    /// The shortest window among those who read what is pending. A connection is no reader
    /// of what it appends itself, nor of a turn that it leads.
    fn storage_window(&self, settings: &Settings) -> Timestamp {
        let reads = |(_, names): &Key, class: &Class| {
            let mut dirty = self.open.values().filter(|open| open.is_dirty);
            dirty.any(|open| {
                names
                    .as_ref()
                    .is_none_or(|names| names.contains(&open.name))
                    && class.members().any(|member| open.is_for(member))
            })
        };
        // By their windows in order, so the first is the shortest.
        let shortest = self.classes.iter().find(|(key, class)| reads(key, class));
        match shortest {
            Some(((asked, _), _)) => window(*asked, self.least_window(settings)),
            None => Timestamp::try_from(settings.unwatched_window_ms()).unwrap_or(0),
        }
    }

    /// Takes text for a message that streams. Returns whether there is so much pending that
    /// it is to be stored at once.
    pub(super) fn take(
        &mut self,
        place: Place,
        text: &str,
        units: u64,
        now: Timestamp,
        settings: &Settings,
    ) -> bool {
        let Some(open) = self.open.get_mut(&place) else {
            return false;
        };
        open.pending.push_str(text);
        open.pending_units += units;
        open.heard_at = now;
        self.pending_bytes += text.len();
        if !open.is_dirty {
            open.is_dirty = true;
            self.schedule(now, settings);
        }
        PENDING_BYTES_MAX <= self.pending_bytes
    }

    /// Works out anew when what is pending is stored, since readers or messages came.
    pub(super) fn schedule(&mut self, now: Timestamp, settings: &Settings) {
        if self.has_pending() {
            let latest = now + Timestamp::try_from(WINDOW_MS_MAX).unwrap_or(0);
            let due = self.stored_at + self.storage_window(settings);
            self.store_due = Some(due.clamp(now, latest));
        }
    }

    /// Whether any text was taken and is not stored yet.
    pub(super) fn has_pending(&self) -> bool {
        self.open.values().any(|open| open.is_dirty)
    }

    /// Whether somebody is owed text of a message that another connection appends to.
    pub(super) fn is_unsettled(&self, place: Place) -> bool {
        self.open.get(&place).is_some_and(|open| open.is_dirty)
            || self
                .classes
                .values()
                .flat_map(Class::crowds)
                .any(|crowd| crowd.position(place).is_some())
    }

    /// A message is to be closed with what is pending.
    pub(super) fn close(&mut self, place: Place, closing: Closing) {
        if let Some(open) = self.open.get_mut(&place) {
            open.closing = Some(closing);
            open.is_dirty = true;
        }
    }

    /// Stores all that is pending: one entry and one row for each message.
    pub(super) fn store(&mut self, end: &mut Place, now: Timestamp) -> Vec<Write> {
        // Most often it is one row, and room for more of them is not small.
        let mut writes = Vec::with_capacity(1);
        self.store_due = None;
        self.pending_bytes = 0;
        for (place, open) in self.open.iter_mut().filter(|(_, open)| open.is_dirty) {
            self.stored_at = now;
            *end += 1;
            let before = Position {
                units: open.units,
                bytes: open.bytes,
            };
            if open.held.is_empty() {
                open.held_from = open.bytes;
            }
            open.store(*place, *end, now, &mut writes);
            let added = open.bytes - before.bytes;
            for ((_, names), class) in &mut self.classes {
                let follows = names
                    .as_ref()
                    .is_none_or(|names| names.contains(&open.name));
                if !follows {
                    continue;
                }
                let mut is_held = false;
                for crowd in class.crowds_mut() {
                    is_held |= crowd.fall_behind(*place, before, open.origin.as_ref());
                }
                class.held_bytes += if is_held { added } else { 0 };
            }
        }
        writes
    }

    /// When the next class is due, or when what is pending is to be stored.
    pub(super) fn due(&self, settings: &Settings) -> Option<Timestamp> {
        let least = self.least_window(settings);
        let classes = self.classes.iter();
        let classes = classes.filter_map(|((asked, _), class)| class.due(window(*asked, least)));
        classes.chain(self.store_due).min()
    }

    /// Whether what is pending is to be stored by now.
    pub(super) fn is_store_due(&self, now: Timestamp) -> bool {
        // A clock that jumped back must not make anything wait longer than a window.
        let latest = now + Timestamp::try_from(WINDOW_MS_MAX).unwrap_or(0);
        self.store_due.is_some_and(|due| due <= now || latest < due)
    }

    /// Sends what is held: to every class, or to those whose window has passed.
    pub(super) fn send(
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
                class.send(&self.open, epoch, now, out);
            }
        }
        self.release();
    }

    /// Drops held text that every class has been sent. Messages that were closed and of
    /// which everybody knows are no longer open.
    fn release(&mut self) {
        for (place, open) in &mut self.open {
            let crowds = self.classes.values().flat_map(Class::crowds);
            let positions = crowds.filter_map(|crowd| crowd.position(*place));
            match positions.map(|position| position.bytes).min() {
                None => open.held = String::new(),
                Some(from) => {
                    let sent = from.saturating_sub(open.held_from);
                    if let Some(rest) = open.held.get(sent..) {
                        open.held = rest.to_owned();
                        open.held_from = from;
                    }
                }
            }
        }
    }

    /// The messages that stream are those that are stored (P14): nothing is pending any more. Text
    /// that was stored and is held stays so, and so does the end of a message that not everybody
    /// was told of.
    pub(super) fn begin_anew(&mut self, streaming: Vec<Streaming>) {
        self.store_due = None;
        self.pending_bytes = 0;
        let mut known = std::mem::take(&mut self.open);
        for streaming in streaming {
            let (place, bytes) = (streaming.head.place, streaming.bytes);
            let mut open = Open::new(streaming);
            if let Some(before) = known.remove(&place) {
                let stored = bytes.saturating_sub(before.held_from);
                open.held = before.held.get(..stored).unwrap_or(&before.held).to_owned();
                open.held_from = before.held_from;
                open.origin = before.origin;
                open.leader = before.leader;
                open.heard_at = before.heard_at;
            }
            self.open.insert(place, open);
        }
        let has_ended = |open: &Open| open.closing.is_some() && !open.is_dirty;
        known.retain(|_, open| has_ended(open));
        self.open.append(&mut known);
        for class in self.classes.values_mut() {
            let open = &self.open;
            let is_behind = |place: Place, position: Position| {
                let open = open.get(&place);
                open.is_some_and(|open| open.closing.is_some() || position.bytes < open.bytes)
            };
            class
                .crowds_mut()
                .for_each(|crowd| crowd.stay_behind(is_behind));
        }
    }

    /// Messages that were closed are open no longer: everybody has been told. Returns whether
    /// there were any.
    pub(super) fn retire(&mut self) -> bool {
        let before = self.open.len();
        self.open.retain(|_, open| open.closing.is_none());
        self.open.len() < before
    }
}

/// The window of readers who asked for one (P5.4).
fn window(asked: u64, least: u64) -> Timestamp {
    Timestamp::try_from(asked.max(least).min(WINDOW_MS_MAX)).unwrap_or(0)
}
