//! The text of streaming messages: in the message's own row while it is short, then in segments, of
//! which only the last is ever rewritten (docs/decisions/0002).
//!
//! A row of `segment` is a piece of one text:
//!
//! | column | holds |
//! | --- | --- |
//! | `id` | `serial * 2^20 + n`: the message's serial, and the segment's number from 1 |
//! | `version` | the place of the latest change that is in it |
//! | `seq` | the highest `seq` that its appends have taken; NULL if none |
//! | `start` | the length of the text before it, in UTF-16 code units |
//! | `updated_at` | when it last changed, in ms |
//! | `marks` | how long the text was at which version (`marks.rs`) |
//! | `data` | the piece of text |

mod marks;
mod missing;
mod segments;

pub use missing::Missing;

use super::error::StoreError;
use super::row::Row;
use super::sql::{Grown, Sql, Value};
use super::stored::Stored;
use crate::protocol::data::{Data, units};
use crate::protocol::ids::Timestamp;
use crate::protocol::message::Status;
use crate::protocol::serial::Place;
use marks::mark;
use segments::{SEGMENTS, first_segment, segments};

/// Text and marks of a row grow to this many bytes, then a new segment begins: one page of SQLite,
/// so that a window rewrites one page (docs/decisions/0002).
pub const TAIL_BYTES: usize = 3_600;

/// The ids of all segments of a message in SQL, whose serial is given as SQL.
macro_rules! in_segments {
    ($serial:literal) => {
        concat!(
            "BETWEEN (",
            $serial,
            " << 20) + 1 AND (",
            $serial,
            " << 20) + 1048575"
        )
    };
}

/// Something of a message's newest segment `s` in SQL, whose serial is given as SQL.
macro_rules! newest_segment {
    ($what:literal, $serial:literal) => {
        concat!(
            "(SELECT ",
            $what,
            " FROM segment s WHERE s.id ",
            $crate::store::text::in_segments!($serial),
            " ORDER BY s.id DESC LIMIT 1)"
        )
    };
}

pub(super) use {in_segments, newest_segment};

/// Text added to a streaming message: the write of an append.
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

/// The end of a streaming message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The message.
    pub place: Place,
    /// The place of its end.
    pub version: Place,
    /// The highest `seq` taken.
    pub seq: u64,
    /// Its final status.
    pub status: Status,
    /// Its new headers, as JSON.
    pub headers: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A write of a growing text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextWrite {
    /// More text for a row that has space: the hot path.
    Grow(Growth),
    /// More text in a new segment.
    Segment(Growth),
    /// The end.
    Close(Close),
}

impl Stored for TextWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        match self {
            Self::Grow(growth) => grow(sql, growth),
            Self::Segment(growth) => begin_segment(sql, growth),
            Self::Close(end) => close(sql, end),
        }
    }

    fn is_one_statement(&self) -> bool {
        true
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Grow(growth) | Self::Segment(growth) => growth.text.len(),
            Self::Close(_) => 0,
        }
    }
}

impl TextWrite {
    /// Stores the last growth of a message with its end, if both go to the message's own row: one
    /// row less. Returns whether it did.
    pub(super) fn store_with(&self, next: &Self, sql: &dyn Sql) -> Result<bool, StoreError> {
        match (self, next) {
            (Self::Grow(growth), Self::Close(end))
                if growth.segment == 0 && growth.place == end.place =>
            {
                grow_and_close(sql, growth, end).map(|()| true)
            }
            _ => Ok(false),
        }
    }
}

impl Growth {
    fn mark(&self) -> String {
        mark(self.version.saturating_sub(self.previous), self.units)
    }

    fn segment_id(&self) -> u64 {
        first_segment(self.place).saturating_add(self.segment)
    }

    fn grown<'a>(&'a self, row: u64, mark: &'a str) -> Grown<'a> {
        Grown {
            row,
            version: self.version,
            seq: self.seq,
            at: self.at,
            mark,
            text: &self.text,
        }
    }
}

/// The hot path: one row, and no index of it.
fn grow(sql: &dyn Sql, growth: &Growth) -> Result<(), StoreError> {
    const HEAD: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                        updated_at=?4, marks=marks||?5, data=data||?6 WHERE serial=?1";
    const SEGMENT: &str = "UPDATE segment SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                           updated_at=?4, marks=marks||?5, data=data||?6 WHERE id=?1";
    let mark = growth.mark();
    if growth.segment == 0 {
        sql.grow(HEAD, &growth.grown(growth.place, &mark))
    } else {
        sql.grow(SEGMENT, &growth.grown(growth.segment_id(), &mark))
    }
}

/// A new segment.
fn begin_segment(sql: &dyn Sql, growth: &Growth) -> Result<(), StoreError> {
    const SEGMENT: &str = "INSERT INTO segment(id, version, seq, start, updated_at, marks, data) \
                           VALUES(?1, ?2, nullif(?3, 0), ?4, ?5, ?6, ?7)";
    let versions = growth.version.saturating_sub(growth.place);
    let params = [
        Value::number(growth.segment_id()),
        Value::number(growth.version),
        Value::number(growth.seq),
        Value::number(growth.start),
        growth.at.into(),
        Value::Text(mark(versions, growth.start + growth.units)),
        growth.text.as_str().into(),
    ];
    sql.run(SEGMENT, &params)
}

fn close(sql: &dyn Sql, end: &Close) -> Result<(), StoreError> {
    const CLOSE: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                         updated_at=?4, status=?5, headers=coalesce(?6, headers) \
                         WHERE serial=?1";
    let [place, version, seq] = [end.place, end.version, end.seq].map(Value::number);
    sql.run(
        CLOSE,
        &[
            place,
            version,
            seq,
            end.at.into(),
            end.status.as_str().into(),
            end.headers.as_deref().into(),
        ],
    )
}

fn grow_and_close(sql: &dyn Sql, growth: &Growth, end: &Close) -> Result<(), StoreError> {
    const CLOSE: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                         updated_at=?4, marks=marks||?5, data=data||?6, status=?7, \
                         headers=coalesce(?8, headers) WHERE serial=?1";
    let [place, version, seq] = [end.place, end.version, end.seq].map(Value::number);
    let (marks, text) = (Value::Text(growth.mark()), growth.text.as_str().into());
    let (at, status) = (end.at.into(), end.status.as_str().into());
    let headers = end.headers.as_deref().into();
    sql.run(
        CLOSE,
        &[place, version, seq, at, marks, text, status, headers],
    )
}

/// The mark of a message's own row when its text begins, `versions` after the message's creation.
pub(super) fn first_mark(data: Option<&Data>, versions: u64) -> String {
    match data {
        Some(Data::Text(text)) => mark(versions, units(text)),
        Some(Data::Json(_)) | None => mark(versions, 0),
    }
}

/// A streaming message changed, but not its text: the tail marks the same length at this version.
/// Returns the addition to the marks of the message's own row.
pub(super) fn mark_unchanged(
    sql: &dyn Sql,
    place: Place,
    version: Place,
    at: Timestamp,
) -> Result<String, StoreError> {
    const HEAD: &str = "SELECT version FROM message WHERE serial=?1";
    const MARK: &str = "UPDATE segment SET version=?2, updated_at=?3, marks=marks||?4 WHERE id=?1";
    let unchanged = |before| mark(version.saturating_sub(before), 0);
    if let Some(newest) = Newest::of(sql, place)? {
        let [id, version] = [newest.id, version].map(Value::number);
        let marks = Value::Text(unchanged(newest.version));
        sql.run(MARK, &[id, version, at.into(), marks])?;
        return Ok(String::new());
    }
    let row = Row::first(sql.query(HEAD, &[Value::number(place)])?);
    let head = row.map(|mut row| row.number()).transpose()?;
    Ok(head.map(unchanged).unwrap_or_default())
}

/// Deletes a text, or restarts it in the message's own row.
pub(super) fn delete_segments(sql: &dyn Sql, place: Place) -> Result<(), StoreError> {
    const DELETE: &str = "DELETE FROM segment WHERE id BETWEEN ?1 AND ?2";
    sql.run(DELETE, &segments(place))
}

/// Deletes the texts of these messages, given as a list in JSON.
pub(super) fn delete_all_segments(sql: &dyn Sql, places: &Value) -> Result<(), StoreError> {
    const DELETE: &str = concat!(
        "DELETE FROM segment WHERE id IN (SELECT s.id FROM json_each(?1) m \
         JOIN segment s ON s.id ",
        in_segments!("m.value"),
        ")"
    );
    sql.run(DELETE, std::slice::from_ref(places))
}

/// The newest segment of a message, which is ahead of the message's own row while it streams.
pub(super) struct Newest {
    id: u64,
    pub(super) version: Place,
    pub(super) seq: u64,
    pub(super) updated_at: Timestamp,
}

impl Newest {
    /// One row.
    pub(super) fn of(sql: &dyn Sql, place: Place) -> Result<Option<Self>, StoreError> {
        const NEWEST: &str = "SELECT id, version, seq, updated_at FROM segment \
                              WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
        let Some(mut row) = Row::first(sql.query(NEWEST, &segments(place))?) else {
            return Ok(None);
        };
        Ok(Some(Self {
            id: row.number()?,
            version: row.number()?,
            seq: row.number_or_zero()?,
            updated_at: row.integer()?,
        }))
    }
}

/// The row for a streaming message's next text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// 0 for the message's own row, else the number of its newest segment.
    pub segment: u64,
    /// Bytes of text and marks in that row.
    pub bytes: usize,
}

/// The length of a text, and the row of its next text.
pub(super) struct Measured {
    /// Length in UTF-16 code units.
    pub(super) units: u64,
    /// Length in bytes.
    pub(super) bytes: usize,
    pub(super) tail: Tail,
}

/// The length of a text whose message's own row has these marks and so many bytes. Its segments'
/// rows.
pub(super) fn measure(
    sql: &dyn Sql,
    place: Place,
    newest: Option<&Newest>,
    head_marks: String,
    head_bytes: usize,
) -> Result<Measured, StoreError> {
    const TAIL: &str = "SELECT marks, octet_length(data), \
                        (SELECT sum(octet_length(data)) FROM segment WHERE id BETWEEN ?1 AND ?2) \
                        FROM segment WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
    let (mut marks, mut bytes) = (head_marks, head_bytes);
    let mut tail = Tail {
        segment: 0,
        bytes: head_bytes + marks.len(),
    };
    if let Some(newest) = newest {
        let mut row = Row::only(sql.query(TAIL, &segments(place))?)?;
        marks = row.text()?;
        tail = Tail {
            segment: newest.id % SEGMENTS,
            bytes: row.size()? + marks.len(),
        };
        bytes += row.size()?;
    }
    let units = marks::length(&marks, place).ok_or_else(|| StoreError::unreadable("marks"))?;
    Ok(Measured { units, bytes, tail })
}
