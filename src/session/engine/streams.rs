//! Messages that stream: what each holds, and the rows that its text goes to.

use super::closing::Closing;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::serial::Place;
use crate::store::{Growth, Streaming, TAIL_BYTES, Tail, Write};

/// About how many bytes a row's mark takes, beside the text that it marks.
const MARK_BYTES: usize = 8;

/// A message that still streams.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) client: String,
    /// The turn that it belongs to.
    pub(crate) turn: Option<String>,
    /// Whose appends are pending or held: they are not sent back to it (P3.7).
    pub(crate) origin: Option<ConnectionId>,
    /// The body that writes it, if one does: the message fails with it (P5.5).
    pub(crate) body: Option<ConnectionId>,
    /// The connection that leads its turn: it needs nobody's hurry (P5.4).
    pub(crate) leader: Option<ConnectionId>,
    pub(crate) version: Place,
    /// The highest `seq` taken, pending ones included (P5.3).
    pub(crate) seq: u64,
    /// Length of the stored text, in UTF-16 code units and in bytes.
    pub(crate) units: u64,
    pub(crate) bytes: usize,
    tail: Tail,
    /// Text that was taken and is not stored yet.
    pub(crate) pending: String,
    pub(crate) pending_units: u64,
    pub(super) is_dirty: bool,
    /// How it ends as soon as what is pending is stored.
    pub(crate) closing: Option<Closing>,
    /// Stored text that some class has not been sent, and where in the text it begins.
    pub(super) held: String,
    pub(super) held_from: usize,
    /// When it was last appended to (P5.1).
    pub(crate) heard_at: Timestamp,
}

impl Stream {
    /// A message as it is created, with the text it begins with.
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

    /// Whether no turn says how long it may be silent (P5.1). A body that has lost its
    /// connection is given up on in any case.
    pub(crate) fn is_alone(&self) -> bool {
        self.turn.is_none() || self.heard_at == Timestamp::MIN
    }

    /// Whether somebody waits for its text: whoever makes it does not.
    pub(super) fn is_for(&self, member: &ConnectionId) -> bool {
        let member = Some(member);
        member != self.origin.as_ref() && member != self.leader.as_ref()
    }

    /// What the message holds, pending text included, in UTF-16 code units.
    pub(crate) fn length(&self) -> u64 {
        self.units + self.pending_units
    }

    /// Its text was replaced as a whole: everything is in the message's own row again.
    pub(crate) fn replace(&mut self, version: Place, units: u64, bytes: usize) {
        self.version = version;
        self.units = units;
        self.bytes = bytes;
        self.tail = Tail {
            segment: 0,
            bytes: bytes + MARK_BYTES,
        };
    }

    /// The rows that its pending text needs, and its end if it is being closed.
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
