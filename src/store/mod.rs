//! Rows: what the session reads ([`Store`]) and what it stores ([`Write`]).
//!
//! The only SQL of the project is in this folder. Rows hold places, never serials: the epoch
//! belongs to the session, and comes in where messages go out.

mod change;
mod columns;
mod forget;
mod grow;
mod link;
mod marks;
mod page;
mod read;
mod resume;
mod row;
mod schema;
pub mod sql;
#[expect(clippy::module_inception, reason = "the store itself")]
mod store;
mod turn;
mod write;

pub use store::Store;

use crate::protocol::data::Data;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::message::{Message, Status};
use crate::protocol::serial::{Epoch, Place};
use crate::protocol::settings::Settings;
use crate::protocol::turn::{Cancel, Turn};

/// Text and marks of a row grow to this many bytes, then a new segment begins: one page of
/// SQLite, so that a window rewrites one page (docs/decisions/0002).
pub const TAIL_BYTES: usize = 3_600;

/// The storage failed. The session is dropped and loaded again; nothing is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(pub String);

impl StoreError {
    /// Whether a write failed for want of space, and changed nothing.
    pub fn is_full(&self) -> bool {
        let words = ["SQLITE_FULL", "database or disk is full"];
        words.iter().any(|words| self.0.contains(words))
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "unable to reach the storage; {}", self.0)
    }
}

/// What was written when the session began, and what may change about all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// The epoch of this life's serials.
    pub epoch: Epoch,
    /// When it began.
    pub created_at: Timestamp,
    /// Up to here messages have been trimmed (P11.2).
    pub floor: Place,
    /// When they last were.
    pub trimmed_at: Option<Timestamp>,
    /// Its settings.
    pub settings: Settings,
}

/// One of the oldest messages, as retention looks at it (P11.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aged {
    /// Its place.
    pub place: Place,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether it must stay: it streams, it is of an open turn, or such a turn answers it.
    pub is_held: bool,
    /// Rows that its text takes beside its own.
    pub segments: usize,
}

/// Where the log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// The last place given.
    pub place: Place,
    /// When it was given.
    pub written_at: Timestamp,
}

/// What is known of a message without reading its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Its place.
    pub place: Place,
    /// The place of its latest change.
    pub version: Place,
    /// The highest `seq` taken; 0 if none.
    pub seq: u64,
    /// How far it has come.
    pub status: Option<Status>,
    /// Who created it.
    pub client: String,
    /// Over which connection.
    pub connection: Option<ConnectionId>,
    /// Its event name.
    pub name: String,
    /// The client's own id.
    pub id: Option<String>,
    /// The turn that it belongs to.
    pub turn: Option<String>,
    /// Whether only a tombstone is left.
    pub is_deleted: bool,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The row that a streaming message's next text goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// 0 for the message's own row, else the number of its newest segment.
    pub segment: u64,
    /// Bytes of text and marks in that row.
    pub bytes: usize,
}

/// A message that still streams, as a session that wakes up needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Streaming {
    /// The message, its version, `seq` and time of change those of its tail.
    pub head: Head,
    /// Length of its text in UTF-16 code units.
    pub units: u64,
    /// Length of its text in bytes.
    pub bytes: usize,
    /// Where its next text goes.
    pub tail: Tail,
}

/// Which messages to read, and how many of them.
#[derive(Clone, Debug)]
pub struct Span<'a> {
    /// Only places beyond this one.
    pub after: Place,
    /// Only places before this one.
    pub before: Place,
    /// From the newest on, or from the oldest.
    pub newest_first: bool,
    /// Only messages of these names.
    pub names: Option<&'a [String]>,
    /// At most this many.
    pub limit: usize,
    /// At most this many bytes of text, though always one message.
    pub bytes: usize,
}

/// Messages in the order asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether the span holds more than these.
    pub has_more: bool,
}

/// The links by which a message says its place in the conversation (P6.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The message.
    pub place: Place,
    /// The turn that it belongs to.
    pub turn: Option<String>,
    /// The message that it names as the one that it follows.
    pub parent: Option<Place>,
    /// The message that it is another version of, as its header says.
    pub edits: Option<String>,
    /// Whether only a tombstone is left.
    pub is_deleted: bool,
}

/// What happened to a message after a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The message.
    pub subject: Place,
    /// The latest of its changes.
    pub place: Place,
    /// Whether more than its text and status changed.
    pub is_updated: bool,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// Whether another attempt at its turn takes its place (P6.8).
    pub is_superseded: bool,
}

/// A turn, and when its leader was last heard as far as rows know: that is not written with
/// every sign of life (P6.8).
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The turn.
    pub turn: Turn,
    /// A time at or before its leader was last heard.
    pub heard_at: Timestamp,
}

/// The end of a text that somebody missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Length of the text before it, in UTF-16 code units.
    pub offset: u64,
    /// The text from there on.
    pub text: String,
}

/// Which type of frame an id belongs to (P13.1). The numbers are kept in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message of a `publish`; kept as long as the message.
    Message = 0,
    /// An `append`.
    Append = 1,
    /// An `update`.
    Update = 2,
    /// A `delete`.
    Delete = 3,
    /// A `signal`.
    Signal = 4,
    /// A `turn.end`.
    EndTurn = 5,
    /// A `turn.suspend`.
    SuspendTurn = 6,
    /// A `turn.resume`.
    ResumeTurn = 7,
    /// A `turn.heartbeat`.
    Heartbeat = 8,
    /// A `turn.adopt`.
    AdoptTurn = 9,
    /// A `turn.steered`.
    Steered = 10,
    /// A `cancel`.
    Cancel = 11,
    /// A `steer`.
    Steer = 12,
}

/// Everything that is ever stored; one variant is one change of rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// The schema, and how the session begins.
    Begin(Beginning),
    /// A message as it is created; `version` equals `serial`. Its id is remembered with it.
    Create(Message),
    /// More text for a row that has space: the hot path.
    Grow(Growth),
    /// More text in a new segment.
    Segment(Growth),
    /// A streaming message is closed.
    Close {
        /// The message.
        place: Place,
        /// The place of its end.
        version: Place,
        /// The highest `seq` taken.
        seq: u64,
        /// What it has become.
        status: Status,
        /// Its new headers, as JSON.
        headers: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// Fields of a message are replaced. New data goes to the message's own row, whole.
    Update {
        /// The message.
        place: Place,
        /// The place of this change.
        version: Place,
        /// Its `seq`, if it has one.
        seq: u64,
        /// Its new data.
        data: Option<Data>,
        /// Its new headers, as JSON.
        headers: Option<String>,
        /// The status that it ends with, if the update closes it.
        status: Option<Status>,
        /// Whether it still streams, so that appends go on from the new text.
        is_streaming: bool,
        /// When.
        at: Timestamp,
    },
    /// A message is deleted but for its tombstone.
    Delete {
        /// The message.
        place: Place,
        /// The place of its deletion.
        version: Place,
        /// Whether another attempt at its turn takes its place, and its id is free again
        /// (P6.8).
        is_superseded: bool,
        /// When.
        at: Timestamp,
    },
    /// An entry for a close, an update or a deletion: who did what to which message.
    Change {
        /// Its place in the log.
        place: Place,
        /// What was done.
        what: Change,
        /// The message.
        subject: Place,
        /// Who did it; `None` for the session itself.
        client: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// The id of a frame that was taken. Ids older than `keep_since` go with it.
    Once {
        /// Who sent it.
        client: String,
        /// The type of frame.
        kind: Kind,
        /// The id.
        id: String,
        /// What came of it.
        place: Place,
        /// When.
        at: Timestamp,
        /// Ids from before are forgotten.
        keep_since: Timestamp,
    },
    /// A turn as it now is, and an entry for what happened to it at its version.
    Turn {
        /// The turn.
        kept: Kept,
        /// Who did it; `None` for the session itself.
        client: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// A turn of which something changed that is no entry.
    TurnRow(Kept),
    /// When a turn's leader was heard.
    Heard {
        /// The turn.
        place: Place,
        /// When.
        at: Timestamp,
    },
    /// Somebody wants no answer to a message (P6.5).
    CancelInput {
        /// The message.
        place: Place,
        /// Who, when and why.
        cancel: Cancel,
    },
    /// The session's settings.
    Settings {
        /// All of them.
        settings: Settings,
        /// When they were changed: a write like any other (P11.2).
        at: Timestamp,
    },
    /// Messages go, and with them what is known of the log up to the last of them (P11.2):
    /// final turns and entries, `TRIM_ROWS` of each at most.
    Trim {
        /// The place that the log now begins after.
        up_to: Place,
        /// The messages.
        gone: Vec<Place>,
        /// When.
        at: Timestamp,
    },
}

/// Text that a streaming message grows by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The message.
    pub place: Place,
    /// 0 for the message's own row, else the segment's number.
    pub segment: u64,
    /// The place of this change.
    pub version: Place,
    /// The version before it.
    pub previous: Place,
    /// The highest `seq` taken; 0 if none.
    pub seq: u64,
    /// Length of the text before it, in UTF-16 code units.
    pub start: u64,
    /// Its own length in UTF-16 code units.
    pub units: u64,
    /// The text.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// What was done to a message. The numbers are kept in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was closed.
    Close = 1,
    /// Fields were replaced.
    Update = 2,
    /// It was deleted.
    Delete = 3,
    /// Another attempt at its turn takes its place.
    Supersede = 4,
}
