//! Storing: one match over everything that is ever stored.

use super::change::{self, Change, Kind};
use super::delivery::{self, DeliveryWrite};
use super::error::StoreError;
use super::frame_id;
use super::meta::{self, Beginning};
use super::schema::{Rare, Tables};
use super::sql::Sql;
use super::store::Store;
use super::text::{self, Closing, Growth};
use super::turn::{self, Kept};
use super::{input, message, retention};
use crate::protocol::data::Data;
use crate::protocol::ids::Timestamp;
use crate::protocol::message::{Message, Status};
use crate::protocol::serial::Place;
use crate::protocol::settings::Settings;
use crate::protocol::turn::Cancel;

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
        kind: frame_id::Kind,
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
    /// Something is owed, or is so no longer (P10.4).
    Delivery(DeliveryWrite),
    /// The session ends: everything goes but what is owed (P11.2).
    Outlive,
}

impl Store {
    /// Stores all of it in one step, in order. What follows reads it.
    pub fn write(&self, writes: &[Write]) -> Result<(), StoreError> {
        let tables = run(self.sql(), writes, self.tables()?)?;
        self.wrote(writes.iter().map(bytes).sum(), tables);
        Ok(())
    }
}

/// Stores all of it or nothing, and says which tables there are then. A single statement
/// needs no transaction, which costs more than the statement itself (invariant 4).
fn run(sql: &dyn Sql, writes: &[Write], tables: Tables) -> Result<Tables, StoreError> {
    let mut after = tables;
    after.is_begun |= writes.iter().any(|write| matches!(write, Write::Begin(_)));
    if is_one_statement(writes) {
        all(sql, writes)?;
        return Ok(after);
    }
    sql.transaction(&mut || {
        let mut rare = writes.iter().filter_map(rare_table);
        rare.try_for_each(|rare| after.add(sql, rare))?;
        all(sql, writes)
    })?;
    if writes.contains(&Write::Outlive) {
        after.leave(Rare::Delivery);
    }
    Ok(after)
}

/// The table that a write needs and that may not be there.
fn rare_table(write: &Write) -> Option<Rare> {
    match write {
        Write::Once { .. } => Some(Rare::Once),
        Write::Delivery(DeliveryWrite::Add { .. }) => Some(Rare::Delivery),
        _ => None,
    }
}

fn is_one_statement(writes: &[Write]) -> bool {
    matches!(
        writes,
        [] | [Write::Create(_) | Write::Grow(_) | Write::Segment(_) | Write::Close { .. }]
            | [Write::Change { .. } | Write::Settings { .. } | Write::Heard { .. }]
            | [Write::Delivery(
                DeliveryWrite::Again { .. }
                    | DeliveryWrite::Bury { .. }
                    | DeliveryWrite::Forget { .. }
            )]
    )
}

fn all(sql: &dyn Sql, writes: &[Write]) -> Result<(), StoreError> {
    let mut rest = writes;
    while let [write, after @ ..] = rest {
        rest = after;
        if let Write::Grow(growth) = write
            && let [next, after @ ..] = after
            && let Some(closing) = of_short(growth, next)
        {
            text::grow_and_close(sql, growth, &closing)?;
            rest = after;
        } else {
            one(sql, write)?;
        }
    }
    Ok(())
}

/// The end of a message that comes after its last growth, if both go to the same row.
fn of_short<'a>(growth: &Growth, next: &'a Write) -> Option<Closing<'a>> {
    let closing = closing(next)?;
    (closing.place == growth.place && growth.segment == 0).then_some(closing)
}

fn closing(write: &Write) -> Option<Closing<'_>> {
    let Write::Close {
        place,
        version,
        seq,
        status,
        headers,
        at,
    } = write
    else {
        return None;
    };
    Some(Closing {
        place: *place,
        version: *version,
        seq: *seq,
        status: *status,
        headers: headers.as_deref(),
        at: *at,
    })
}

fn one(sql: &dyn Sql, write: &Write) -> Result<(), StoreError> {
    match write {
        Write::Begin(beginning) => meta::begin(sql, beginning),
        Write::Create(message) => message::create(sql, message),
        Write::Grow(growth) => text::grow(sql, growth),
        Write::Segment(growth) => text::begin_segment(sql, growth),
        Write::Close { .. } => match closing(write) {
            Some(closing) => text::close(sql, &closing),
            None => Ok(()),
        },
        Write::Update {
            place,
            version,
            seq,
            data,
            headers,
            status,
            is_streaming,
            at,
        } => {
            let change = message::Updated {
                place: *place,
                version: *version,
                seq: *seq,
                headers: headers.as_deref(),
                status: *status,
                is_streaming: *is_streaming,
                at: *at,
            };
            match data {
                Some(data) => message::replace(sql, &change, data),
                None => message::replace_headers(sql, &change),
            }
        }
        Write::Delete {
            place,
            version,
            is_superseded,
            at,
        } => message::delete(sql, *place, *version, *is_superseded, *at),
        Write::Change {
            place,
            what,
            subject,
            client,
            at,
        } => {
            let kind = Kind::Message(*what);
            change::add(sql, *place, kind, *subject, client.as_deref(), *at)
        }
        Write::Once {
            client,
            kind,
            id,
            place,
            at,
            keep_since,
        } => {
            frame_id::keep(sql, client, *kind, id, *place, *at)?;
            frame_id::forget(sql, *keep_since)
        }
        Write::Settings { settings, at } => meta::set(sql, settings, *at),
        Write::Turn { kept, client, at } => turn::put(sql, kept, client.as_deref(), *at),
        Write::TurnRow(kept) => turn::put_row(sql, kept),
        Write::Heard { place, at } => turn::heard(sql, *place, *at),
        Write::CancelInput { place, cancel } => input::cancel(sql, *place, cancel),
        Write::Trim { up_to, gone, at } => retention::trim(sql, *up_to, gone, *at),
        Write::Delivery(write) => delivery::write(sql, write),
        Write::Outlive => delivery::outlive(sql),
    }
}

/// About how many bytes a change adds to the database.
fn bytes(write: &Write) -> usize {
    /// More than the fixed columns of any row, with its indexes.
    const ROW: usize = 256;
    /// More than most turns: what they carry is bounded, and looked at with the next statement.
    const TURN: usize = 4 * 1024;
    ROW + match write {
        Write::Create(message) => {
            let headers = message.headers.as_ref();
            let headers = headers.map_or(0, |map| map.values().map(String::len).sum());
            headers + message.data.as_ref().map_or(0, Data::bytes)
        }
        Write::Grow(growth) | Write::Segment(growth) => growth.text.len(),
        Write::Update { data, .. } => data.as_ref().map_or(0, Data::bytes),
        Write::Turn { .. } | Write::TurnRow(_) => TURN,
        _ => 0,
    }
}
