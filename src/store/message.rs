//! Messages, with their text while it is short.
//!
//! A row of `message` is one message (P4.1):
//!
//! | column | holds |
//! | --- | --- |
//! | `serial` | its place in the log |
//! | `version` | the place of its latest change, unless its newest segment is ahead |
//! | `seq` | the highest `seq` that its appends have taken; NULL if none |
//! | `status` | how far it has come, a word of P5.1; NULL if it never streamed |
//! | `client`, `connection` | who created it; over which connection, NULL over HTTP |
//! | `id` | the client's own id (P4.2); NULL if it has none, or another may have it |
//! | `name`, `role` | its event name; in whose voice it speaks |
//! | `turn` | the id of the turn that it belongs to |
//! | `parent` | the place of the message that it follows (P6.9) |
//! | `headers` | its headers, as JSON |
//! | `cancel` | the wish that nobody answers it (`message/input.rs`), as JSON |
//! | `created_at`, `updated_at` | when, in ms |
//! | `deleted_at` | when, in ms; NULL while it is not deleted |
//! | `marks` | how long the text of this row was at which version (`text/marks.rs`); NULL without |
//! | `json` | its data, if that is not text |
//! | `data` | its data, if that is text; what does not fit goes on in segments (`text.rs`) |
//!
//! Text is in `data`, any other JSON in `json`: `data || ?` must never meet a document. Long
//! columns are last, so that the rest of a row is read without them. Indexes find messages that
//! stream, have an id, or were written by a turn that another agent may take over (P6.8).

pub(super) mod columns;
mod created;
mod input;
mod link;
mod page;
mod streaming;

pub use columns::Head;
pub(super) use created::created;
pub use link::Link;
pub use page::{Page, Span};
pub use streaming::Streaming;

use super::annotation;
use super::error::StoreError;
use super::row::Row;
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use super::text::{self, newest_segment};
use crate::protocol::data::Data;
use crate::protocol::ids::Timestamp;
use crate::protocol::message::{Message, Status, as_json};
use crate::protocol::serial::{Epoch, Place};
use crate::protocol::turn::{Cancel, Turn};
use columns::{Columns, columns, whole_data};

/// New fields of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFields {
    /// The message.
    pub place: Place,
    /// The place of this change.
    pub version: Place,
    /// Its `seq`, if it has one.
    pub seq: u64,
    /// Its new data.
    pub data: Option<Data>,
    /// Its new headers, as JSON.
    pub headers: Option<String>,
    /// The status that it ends with, if the update closes it.
    pub status: Option<Status>,
    /// Whether it still streams, so that appends go on from the new text.
    pub is_streaming: bool,
    /// When.
    pub at: Timestamp,
}

/// A write of a message as a whole.
#[allow(
    clippy::large_enum_variant,
    reason = "most writes of messages create one, and none is kept"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum MessageWrite {
    /// A new message; `version` equals `serial`, unless it is imported. Its id stands for it from
    /// then on.
    Create(Message),
    /// Fields are replaced. New data goes to the message's own row, whole.
    Update(NewFields),
    /// It is reduced to its tombstone.
    Delete {
        /// The message.
        place: Place,
        /// The place of its deletion.
        version: Place,
        /// Whether another attempt at its turn replaces it, which frees its id (P6.8).
        is_superseded: bool,
        /// When.
        at: Timestamp,
    },
    /// No answer to it is wanted (P6.5).
    CancelInput {
        /// The message.
        place: Place,
        /// The cancel.
        cancel: Cancel,
    },
}

impl Stored for MessageWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        match self {
            Self::Create(message) => create(sql, message),
            Self::Update(update) => match &update.data {
                Some(data) => replace(sql, update, data),
                None => replace_headers(sql, update),
            },
            Self::Delete {
                place,
                version,
                is_superseded,
                at,
            } => delete(sql, *place, *version, *is_superseded, *at),
            Self::CancelInput { place, cancel } => input::cancel(sql, *place, cancel),
        }
    }

    fn is_one_statement(&self) -> bool {
        matches!(self, Self::Create(_) | Self::CancelInput { .. })
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Create(message) => {
                let headers = message.headers.as_ref();
                let headers = headers.map_or(0, |map| map.values().map(String::len).sum());
                headers + message.data.as_ref().map_or(0, Data::bytes)
            }
            Self::Update(update) => update.data.as_ref().map_or(0, Data::bytes),
            Self::Delete { .. } | Self::CancelInput { .. } => 0,
        }
    }
}

fn create(sql: &dyn Sql, message: &Message) -> Result<(), StoreError> {
    const CREATE: &str = "INSERT INTO message(serial, version, seq, status, client, connection, \
                          id, name, role, turn, parent, headers, created_at, updated_at, \
                          deleted_at, marks, json, data) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, \
                          ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
    let [json, data] = data_values(message.data.as_ref());
    let is_streaming = message.status == Some(Status::Streaming);
    let versions = message.version.place.saturating_sub(message.serial.place);
    let marks = is_streaming.then(|| text::first_mark(message.data.as_ref(), versions));
    let headers = message.headers.as_ref().map(as_json);
    let params = [
        Value::number(message.serial.place),
        Value::number(message.version.place),
        message.seq.into(),
        message.status.map(Status::as_str).into(),
        message.client.as_str().into(),
        message
            .connection
            .as_ref()
            .map(|connection| connection.as_str())
            .into(),
        message.id.as_deref().into(),
        message.name.as_str().into(),
        message.role.as_str().into(),
        message.turn.as_deref().into(),
        message.parent.map(|parent| parent.place).into(),
        headers.as_deref().into(),
        message.created_at.into(),
        message.updated_at.into(),
        message.deleted_at.into(),
        marks.as_deref().into(),
        json,
        data,
    ];
    sql.run(CREATE, &params)
}

/// `json` and `data` of a row.
fn data_values(data: Option<&Data>) -> [Value; 2] {
    match data {
        Some(Data::Text(text)) => [Value::Null, text.as_str().into()],
        Some(Data::Json(json)) => [json.get().into(), Value::Null],
        None => [Value::Null, Value::Null],
    }
}

impl NewFields {
    /// The parameters common to both statements.
    fn params(&self) -> [Value; 5] {
        let [place, version, seq] = [self.place, self.version, self.seq].map(Value::number);
        [
            place,
            version,
            seq,
            self.at.into(),
            self.headers.as_deref().into(),
        ]
    }
}

/// New data goes to the message's own row, whole. The marks of a streaming message restart there:
/// what readers had of the old text says nothing about the new one.
fn replace(sql: &dyn Sql, change: &NewFields, data: &Data) -> Result<(), StoreError> {
    const REPLACE: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                           updated_at=?4, headers=coalesce(?5, headers), marks=?6, json=?7, \
                           data=?8, status=coalesce(?9, status) WHERE serial=?1";
    let versions = change.version.saturating_sub(change.place);
    let marks = change
        .is_streaming
        .then(|| text::first_mark(Some(data), versions));
    let [place, version, seq, at, headers] = change.params();
    let [json, data] = data_values(Some(data));
    let (marks, status) = (
        marks.as_deref().into(),
        change.status.map(Status::as_str).into(),
    );
    sql.run(
        REPLACE,
        &[place, version, seq, at, headers, marks, json, data, status],
    )?;
    text::delete_segments(sql, change.place)
}

/// The text stays, and while it streams its tail marks the same length at this version.
fn replace_headers(sql: &dyn Sql, change: &NewFields) -> Result<(), StoreError> {
    const HEADERS: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                           updated_at=?4, headers=coalesce(?5, headers), marks=marks||?6 \
                           WHERE serial=?1";
    let marks = if change.is_streaming {
        text::mark_unchanged(sql, change.place, change.version, change.at)?
    } else {
        String::new()
    };
    let [place, version, seq, at, headers] = change.params();
    sql.run(
        HEADERS,
        &[place, version, seq, at, headers, Value::Text(marks)],
    )
}

/// The tombstone keeps author, time and id, so that nothing is created twice (P4.2); a superseded
/// one keeps no id, so that it may be created again (P6.8).
fn delete(
    sql: &dyn Sql,
    place: Place,
    version: Place,
    is_superseded: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    const DELETE: &str = concat!(
        "UPDATE message SET version=?2, updated_at=?3, deleted_at=?3, \
         id=CASE WHEN ?4 THEN NULL ELSE id END, \
         seq=nullif(max(coalesce(seq, 0), coalesce(",
        newest_segment!("s.seq", "serial"),
        ", 0)), 0), status=CASE status WHEN 'streaming' THEN 'cancelled' ELSE status END, \
         marks=NULL, json=NULL, data=NULL WHERE serial=?1"
    );
    sql.run(
        DELETE,
        &[
            Value::number(place),
            Value::number(version),
            at.into(),
            Value::Integer(is_superseded.into()),
        ],
    )?;
    text::delete_segments(sql, place)?;
    annotation::forget(sql, &Value::Text(format!("[{place}]")))
}

/// Deletes messages, given as a list in JSON: their rows, and those of their texts.
pub(super) fn trim(sql: &dyn Sql, places: &Value) -> Result<(), StoreError> {
    const MESSAGES: &str = "DELETE FROM message WHERE serial IN \
                            (SELECT value FROM json_each(?1))";
    text::delete_all_segments(sql, places)?;
    annotation::forget(sql, places)?;
    sql.run(MESSAGES, std::slice::from_ref(places))
}

impl Store {
    /// One message without its text. Two rows.
    pub fn head(&self, place: Place) -> Result<Option<Head>, StoreError> {
        const HEAD: &str = concat!("SELECT ", columns!(), " FROM message WHERE serial=?1");
        self.read(|sql| {
            let row = Row::first(sql.query(HEAD, &[Value::number(place)])?);
            row.map(|row| columns::head(sql, row)).transpose()
        })
    }

    /// One message without its data, and the bytes of its own row's: for the frames of other
    /// changes, and the bytes that those rewrite. Three rows.
    pub fn outline(
        &self,
        epoch: Epoch,
        place: Place,
    ) -> Result<Option<(Message, usize)>, StoreError> {
        const OUTLINE: &str = concat!(
            "SELECT ",
            columns!(),
            ", coalesce(octet_length(data), octet_length(json), 0) FROM message WHERE serial=?1"
        );
        let found = self.read(|sql| {
            let Some(mut row) = Row::first(sql.query(OUTLINE, &[Value::number(place)])?) else {
                return Ok(None);
            };
            let columns = Columns::parse(&row.text()?)?.brought_up_to_date(sql)?;
            Ok(Some((columns.into_message(epoch, None)?, row.size()?)))
        })?;
        let Some((mut message, bytes)) = found else {
            return Ok(None);
        };
        self.add_sums(std::slice::from_mut(&mut message))?;
        Ok(Some((message, bytes)))
    }

    /// One message. Three rows and its segments.
    pub fn message(&self, epoch: Epoch, place: Place) -> Result<Option<Message>, StoreError> {
        const MESSAGE: &str = concat!(
            "SELECT ",
            columns!(),
            ", ",
            whole_data!(),
            " FROM message WHERE serial=?1"
        );
        let mut found = self.read(|sql| {
            let Some(mut row) = Row::first(sql.query(MESSAGE, &[Value::number(place)])?) else {
                return Ok(None);
            };
            let columns = Columns::parse(&row.text()?)?.brought_up_to_date(sql)?;
            columns.into_message(epoch, row.maybe_text()?).map(Some)
        })?;
        if let Some(message) = &mut found {
            self.add_sums(std::slice::from_mut(message))?;
        }
        Ok(found)
    }

    /// The oldest messages of a turn that are not deleted, by place. Another turn, now gone, may
    /// have had the same id. Three rows each.
    pub fn turn_messages(&self, turn: &Turn, limit: usize) -> Result<Vec<Head>, StoreError> {
        const MESSAGES: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM message WHERE serial>?1 AND turn=?2 AND deleted_at IS NULL ORDER BY serial \
             LIMIT ?3"
        );
        self.read(|sql| {
            let (place, id) = (Value::number(turn.place), turn.id.as_str().into());
            let rows = Row::all(sql.query(MESSAGES, &[place, id, Value::size(limit)])?);
            rows.map(|row| columns::head(sql, row)).collect()
        })
    }

    /// The oldest messages up to a place. A row each.
    pub fn oldest(&self, up_to: Place, limit: usize) -> Result<Vec<Place>, StoreError> {
        const OLDEST: &str = "SELECT serial FROM message WHERE serial<=?1 ORDER BY serial LIMIT ?2";
        self.read(|sql| {
            let rows = sql.query(OLDEST, &[Value::number(up_to), Value::size(limit)])?;
            Row::all(rows).map(|mut row| row.number()).collect()
        })
    }
}

/// The latest message that an id stands for, since an id may become free again (P4.2). Two rows.
pub(super) fn of_id(sql: &dyn Sql, client: &str, id: &str) -> Result<Option<Place>, StoreError> {
    const MESSAGE: &str = "SELECT serial FROM message WHERE client=?1 AND id=?2 \
                           ORDER BY serial DESC LIMIT 1";
    let row = Row::first(sql.query(MESSAGE, &[client.into(), id.into()])?);
    row.map(|mut row| row.number()).transpose()
}
