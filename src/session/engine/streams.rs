//! Streaming messages: the content of each, and the rows of its text.

use super::closing::Closing;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::serial::Place;
use crate::store::{Growth, Streaming, TAIL_BYTES, Tail, TextWrite, Write};

/// Approximate bytes of a row's mark, beside its text.
const MARK_BYTES: usize = 8;

/// A message that still streams.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) client: String,
    /// The turn that it belongs to.
    pub(crate) turn: Option<String>,
    /// The connection whose appends are pending or held: they are not sent back to it (P3.7).
    pub(crate) origin: Option<ConnectionId>,
    /// The body that writes it, if any: the message fails with it (P5.5).
    pub(crate) body: Option<ConnectionId>,
    /// The connection that leads its turn: it does not shorten the storage window (P5.4).
    pub(crate) leader: Option<ConnectionId>,
    pub(crate) version: Place,
    /// The highest `seq` taken, pending ones included (P5.3).
    pub(crate) seq: u64,
    /// Length of the stored text, in UTF-16 code units and in bytes.
    pub(crate) units: u64,
    pub(crate) bytes: usize,
    tail: Tail,
    /// Accepted text that is not stored yet.
    pub(crate) pending: String,
    pub(crate) pending_units: u64,
    pub(super) is_dirty: bool,
    /// Its end, once pending text is stored.
    pub(crate) closing: Option<Closing>,
    /// Stored text that some class has not been sent, and its position in the whole text.
    pub(super) held: String,
    pub(super) held_from: usize,
    /// When it was last appended to (P5.1).
    pub(crate) heard_at: Timestamp,
}

impl Stream {
    /// A new message, with its first text.
    pub(crate) fn new(streaming: Streaming) -> Self {
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

    /// Whether no turn bounds its silence (P5.1). A body whose connection is lost fails in any
    /// case.
    pub(crate) fn is_alone(&self) -> bool {
        self.turn.is_none() || self.heard_at == Timestamp::MIN
    }

    /// Whether a reader other than its writer waits for its text.
    pub(super) fn is_for(&self, member: &ConnectionId) -> bool {
        let member = Some(member);
        member != self.origin.as_ref() && member != self.leader.as_ref()
    }

    /// Its length, pending text included, in UTF-16 code units.
    pub(crate) fn length(&self) -> u64 {
        self.units + self.pending_units
    }

    /// Its text was replaced: everything is in the message's own row again.
    pub(crate) fn replace(&mut self, version: Place, units: u64, bytes: usize) {
        self.version = version;
        self.units = units;
        self.bytes = bytes;
        self.tail = Tail {
            segment: 0,
            bytes: bytes + MARK_BYTES,
        };
    }

    /// The rows for its pending text, and for its end if it is being closed.
    pub(super) fn store(
        &mut self,
        place: Place,
        version: Place,
        now: Timestamp,
        writes: &mut Vec<Write>,
    ) {
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
                TextWrite::Grow(growth).into()
            } else {
                TextWrite::Segment(growth).into()
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
