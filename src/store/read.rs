//! Reading messages, whole or in part.

use serde::Deserialize;

use super::schema::SEGMENTS;
use super::sqlite::{Row, Sql, Value};
use super::{Beginning, End, Head, Kind, Page, Span, StoreError, Streaming, Tail, marks};
use crate::protocol::data::Data;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::message::{Message, Role, Status};
use crate::protocol::serial::{Epoch, Place};

/// At most this many messages are looked at for those of certain names.
const NAMED_ROWS_MAX: usize = 20_000;

/// All of a message but its text as one text: one value crosses into wasm where sixteen
/// would, each at the price of hundreds of bytes of text (docs/decisions/0002).
macro_rules! columns {
    () => {
        "json_array(serial, version, seq, status, client, connection, id, name, role, parent, \
         headers, created_at, updated_at, deleted_at, json IS NOT NULL)"
    };
}

/// The text of a message, head and segments, or its JSON. One that never streamed has no
/// segments to look for.
macro_rules! whole_data {
    () => {
        "CASE WHEN status IS NULL THEN coalesce(data, json) ELSE \
         coalesce(data || (SELECT group_concat(s.data, '') FROM segment s \
         WHERE s.id BETWEEN (serial << 20) + 1 AND (serial << 20) + 1048575), data, json) END"
    };
}

/// The bytes of a message that vary.
macro_rules! size {
    () => {
        "coalesce(octet_length(headers), 0) + coalesce(octet_length(data), 0) \
         + coalesce(octet_length(json), 0) + CASE WHEN status IS NULL THEN 0 ELSE \
         coalesce((SELECT sum(octet_length(s.data)) FROM segment s \
         WHERE s.id BETWEEN (serial << 20) + 1 AND (serial << 20) + 1048575), 0) END"
    };
}

/// What `columns!` gives.
#[derive(Deserialize)]
struct Columns {
    serial: Place,
    version: Place,
    seq: Option<u64>,
    status: Option<Status>,
    client: String,
    connection: Option<ConnectionId>,
    id: Option<String>,
    name: String,
    role: Role,
    parent: Option<Place>,
    headers: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    deleted_at: Option<Timestamp>,
    is_json: u8,
}

/// The newest segment of a message, which is ahead of its own row while it streams.
struct Newest {
    segment: u64,
    version: Place,
    seq: u64,
    updated_at: Timestamp,
}

/// The ids of all segments of a message, first and last.
pub(super) fn segments(place: Place) -> [Value; 2] {
    let base = place.saturating_mul(SEGMENTS);
    [Value::number(base + 1), Value::number(base + SEGMENTS - 1)]
}

impl Newest {
    fn of(sql: &impl Sql, place: Place) -> Result<Option<Self>, StoreError> {
        const NEWEST: &str = "SELECT id, version, seq, updated_at FROM segment \
                              WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
        let Some(mut row) = Row::first(sql.query(NEWEST, &segments(place))?) else {
            return Ok(None);
        };
        Ok(Some(Self {
            segment: row.number()? % SEGMENTS,
            version: row.number()?,
            seq: row.number_or_zero()?,
            updated_at: row.integer()?,
        }))
    }
}

impl Columns {
    fn parse(text: &str) -> Result<Self, StoreError> {
        serde_json::from_str(text).map_err(|_| StoreError::unreadable("message"))
    }

    /// Lays what the newest segment knows over what the message's own row says.
    fn brought_up_to_date(mut self, sql: &impl Sql) -> Result<Self, StoreError> {
        if self.status == Some(Status::Streaming) {
            self.overlay(Newest::of(sql, self.serial)?.as_ref());
        }
        Ok(self)
    }

    fn overlay(&mut self, newest: Option<&Newest>) {
        let Some(newest) = newest else { return };
        self.version = self.version.max(newest.version);
        self.updated_at = self.updated_at.max(newest.updated_at);
        if newest.seq != 0 {
            self.seq = Some(self.seq.map_or(newest.seq, |seq| seq.max(newest.seq)));
        }
    }

    fn into_head(self) -> Head {
        Head {
            place: self.serial,
            version: self.version,
            seq: self.seq.unwrap_or(0),
            status: self.status,
            client: self.client,
            connection: self.connection,
            name: self.name,
            is_deleted: self.deleted_at.is_some(),
            updated_at: self.updated_at,
        }
    }

    fn into_message(self, epoch: Epoch, data: Option<String>) -> Result<Message, StoreError> {
        let data = match data {
            Some(json) if self.is_json != 0 => Some(
                Data::from_json(json).ok_or_else(|| StoreError::unreadable("message's data"))?,
            ),
            text => text.map(Data::Text),
        };
        let headers = self
            .headers
            .as_deref()
            .map(serde_json::from_str)
            .transpose();
        Ok(Message {
            serial: epoch.at(self.serial),
            version: epoch.at(self.version),
            id: self.id,
            name: self.name,
            client: self.client,
            connection: self.connection,
            role: self.role,
            parent: self.parent.map(|parent| epoch.at(parent)),
            data,
            headers: headers.map_err(|_| StoreError::unreadable("message's headers"))?,
            status: self.status,
            seq: self.seq,
            created_at: self.created_at,
            updated_at: self.updated_at,
            deleted_at: self.deleted_at,
        })
    }
}

/// The id of a message's newest segment, if it has any, and the version that its tail is at.
pub(super) fn tail_version(
    sql: &impl Sql,
    place: Place,
) -> Result<Option<(Option<u64>, Place)>, StoreError> {
    const VERSION: &str = "SELECT version FROM message WHERE serial=?1";
    if let Some(newest) = Newest::of(sql, place)? {
        let id = place
            .saturating_mul(SEGMENTS)
            .saturating_add(newest.segment);
        return Ok(Some((Some(id), newest.version)));
    }
    let row = Row::first(sql.query(VERSION, &[Value::number(place)])?);
    row.map(|mut row| Ok((None, row.number()?))).transpose()
}

pub(super) fn beginning(sql: &impl Sql) -> Result<Beginning, StoreError> {
    const META: &str = "SELECT key, value FROM meta";
    let unreadable = || StoreError::unreadable("beginning");
    let (mut epoch, mut created_at, mut floor, mut settings) = (None, None, None, None);
    for mut row in Row::all(sql.query(META, &[])?) {
        let (key, value) = (row.text()?, row.text()?);
        match key.as_str() {
            "epoch" => epoch = Epoch::parse(&value),
            "created_at" => created_at = value.parse().ok(),
            "floor" => floor = value.parse().ok(),
            "settings" => settings = serde_json::from_str(&value).ok(),
            _ => {}
        }
    }
    Ok(Beginning {
        epoch: epoch.ok_or_else(unreadable)?,
        created_at: created_at.ok_or_else(unreadable)?,
        floor: floor.ok_or_else(unreadable)?,
        settings: settings.ok_or_else(unreadable)?,
    })
}

/// The end is never in one place alone: text that still streams is ahead of its message, and
/// what was trimmed is remembered in `meta` only.
pub(super) fn end(sql: &impl Sql) -> Result<End, StoreError> {
    const END: &str = "SELECT coalesce(max(place), 0), max(at) FROM (\
        SELECT max(CASE key WHEN 'floor' THEN CAST(value AS INTEGER) END) AS place, \
        max(CASE key WHEN 'floor' THEN 0 ELSE CAST(value AS INTEGER) END) AS at \
        FROM meta WHERE key IN ('floor', 'created_at', 'trimmed_at') UNION ALL \
        SELECT * FROM (SELECT max(version, serial), max(updated_at, created_at) FROM message \
        ORDER BY serial DESC LIMIT 1) UNION ALL \
        SELECT * FROM (SELECT serial, at FROM change ORDER BY serial DESC LIMIT 1) UNION ALL \
        SELECT max(version), max(updated_at) FROM message WHERE status='streaming' UNION ALL \
        SELECT max(s.version), max(s.updated_at) FROM message m JOIN segment s ON s.id=\
        (SELECT max(t.id) FROM segment t WHERE t.id BETWEEN (m.serial << 20) + 1 \
        AND (m.serial << 20) + 1048575) WHERE m.status='streaming')";
    let mut row = Row::only(sql.query(END, &[])?)?;
    Ok(End {
        place: row.number()?,
        written_at: row.integer()?,
    })
}

pub(super) fn streaming(sql: &impl Sql) -> Result<Vec<Streaming>, StoreError> {
    const OPEN: &str = concat!(
        "SELECT ",
        columns!(),
        ", marks, octet_length(marks), octet_length(data) FROM message \
         WHERE status='streaming' ORDER BY serial"
    );
    let mut found = Vec::new();
    for mut row in Row::all(sql.query(OPEN, &[])?) {
        let columns = Columns::parse(&row.text()?)?;
        let (marks, mark_bytes, bytes) = (row.text()?, row.size()?, row.size()?);
        let tail = Tail {
            segment: 0,
            bytes: bytes + mark_bytes,
        };
        found.push(streaming_tail(sql, columns, &marks, bytes, tail)?);
    }
    Ok(found)
}

fn streaming_tail(
    sql: &impl Sql,
    mut columns: Columns,
    head_marks: &str,
    head_bytes: usize,
    head_tail: Tail,
) -> Result<Streaming, StoreError> {
    const TAIL: &str = "SELECT marks, octet_length(marks), octet_length(data), \
                        (SELECT sum(octet_length(data)) FROM segment WHERE id BETWEEN ?1 AND ?2) \
                        FROM segment WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
    let newest = Newest::of(sql, columns.serial)?;
    columns.overlay(newest.as_ref());
    let (mut marks, mut bytes, mut tail) = (head_marks.to_owned(), head_bytes, head_tail);
    if let Some(newest) = newest {
        let mut row = Row::only(sql.query(TAIL, &segments(columns.serial))?)?;
        marks = row.text()?;
        tail = Tail {
            segment: newest.segment,
            bytes: row.size()? + row.size()?,
        };
        bytes += row.size()?;
    }
    let units = marks::length(&marks, columns.serial);
    let units = units.ok_or_else(|| StoreError::unreadable("marks"))?;
    Ok(Streaming {
        head: columns.into_head(),
        units,
        bytes,
        tail,
    })
}

pub(super) fn head(sql: &impl Sql, place: Place) -> Result<Option<Head>, StoreError> {
    const HEAD: &str = concat!("SELECT ", columns!(), " FROM message WHERE serial=?1");
    let Some(mut row) = Row::first(sql.query(HEAD, &[Value::number(place)])?) else {
        return Ok(None);
    };
    let columns = Columns::parse(&row.text()?)?.brought_up_to_date(sql)?;
    Ok(Some(columns.into_head()))
}

pub(super) fn message(
    sql: &impl Sql,
    epoch: Epoch,
    place: Place,
) -> Result<Option<Message>, StoreError> {
    const MESSAGE: &str = concat!(
        "SELECT ",
        columns!(),
        ", ",
        whole_data!(),
        " FROM message WHERE serial=?1"
    );
    let row = Row::first(sql.query(MESSAGE, &[Value::number(place)])?);
    row.map(|row| into_message(sql, epoch, row)).transpose()
}

fn into_message(sql: &impl Sql, epoch: Epoch, mut row: Row) -> Result<Message, StoreError> {
    let columns = Columns::parse(&row.text()?)?.brought_up_to_date(sql)?;
    columns.into_message(epoch, row.maybe_text()?)
}

/// The first message that no longer fits, found without reading any text and without going
/// further than that message.
const CUT_NEWEST: &str = concat!(
    "SELECT serial FROM (SELECT serial, row_number() OVER w AS n, sum(size) OVER w AS total \
     FROM (SELECT serial, ",
    size!(),
    " AS size FROM message WHERE serial>?1 AND serial<?2 AND (?3 IS NULL OR name IN \
     (SELECT value FROM json_each(?3))) ORDER BY serial DESC LIMIT ?4+1) \
     WINDOW w AS (ORDER BY serial DESC ROWS UNBOUNDED PRECEDING)) \
     WHERE ?4<n OR (1<n AND ?5<total) LIMIT 1"
);
const CUT_OLDEST: &str = concat!(
    "SELECT serial FROM (SELECT serial, row_number() OVER w AS n, sum(size) OVER w AS total \
     FROM (SELECT serial, ",
    size!(),
    " AS size FROM message WHERE serial>?1 AND serial<?2 AND (?3 IS NULL OR name IN \
     (SELECT value FROM json_each(?3))) ORDER BY serial LIMIT ?4+1) \
     WINDOW w AS (ORDER BY serial ROWS UNBOUNDED PRECEDING)) \
     WHERE ?4<n OR (1<n AND ?5<total) LIMIT 1"
);

/// Messages of a span. One that holds more than may be looked at for names has more, though
/// nobody knows yet whether any of that has such a name.
pub(super) fn page(sql: &impl Sql, epoch: Epoch, span: &Span<'_>) -> Result<Page, StoreError> {
    const MESSAGES: &str = concat!(
        "SELECT ",
        columns!(),
        ", ",
        whole_data!(),
        " FROM message WHERE serial>?1 AND serial<?2 AND (?3 IS NULL OR name IN \
         (SELECT value FROM json_each(?3))) ORDER BY serial"
    );
    let names = span.names.map(|names| serde_json::json!(names).to_string());
    let names = Value::from(names.as_deref());
    let mut range = Range {
        after: span.after,
        before: span.before,
        is_cut: false,
    };
    if span.names.is_some() {
        range.cut(span, named_rows_end(sql, span)?);
    }
    let cut = if span.newest_first {
        CUT_NEWEST
    } else {
        CUT_OLDEST
    };
    let (after, before) = (Value::number(range.after), Value::number(range.before));
    let (limit, bytes) = (Value::size(span.limit), Value::size(span.bytes));
    let found = sql.query(cut, &[after, before, names.clone(), limit, bytes])?;
    range.cut(
        span,
        Row::first(found).map(|mut row| row.number()).transpose()?,
    );
    let (after, before) = (Value::number(range.after), Value::number(range.before));
    let rows = Row::all(sql.query(MESSAGES, &[after, before, names])?);
    let messages = rows.map(|row| into_message(sql, epoch, row));
    let mut messages = messages.collect::<Result<Vec<_>, _>>()?;
    if span.newest_first {
        messages.reverse();
    }
    Ok(Page {
        messages,
        has_more: range.is_cut,
    })
}

/// The places between two others.
struct Range {
    after: Place,
    before: Place,
    is_cut: bool,
}

impl Range {
    /// Ends the range before a place that it reaches in the order of the span.
    fn cut(&mut self, span: &Span<'_>, at: Option<Place>) {
        let Some(at) = at else { return };
        self.is_cut = true;
        if span.newest_first {
            self.after = at;
        } else {
            self.before = at;
        }
    }
}

/// The first message that is too far to be looked at for its name.
fn named_rows_end(sql: &impl Sql, span: &Span<'_>) -> Result<Option<Place>, StoreError> {
    const END_NEWEST: &str = "SELECT serial FROM message WHERE serial>?1 AND serial<?2 \
                              ORDER BY serial DESC LIMIT 1 OFFSET ?3";
    const END_OLDEST: &str = "SELECT serial FROM message WHERE serial>?1 AND serial<?2 \
                              ORDER BY serial LIMIT 1 OFFSET ?3";
    let end = if span.newest_first {
        END_NEWEST
    } else {
        END_OLDEST
    };
    let (after, before) = (Value::number(span.after), Value::number(span.before));
    let rows = sql.query(end, &[after, before, Value::size(NAMED_ROWS_MAX)])?;
    Row::first(rows).map(|mut row| row.number()).transpose()
}

pub(super) fn once(
    sql: &impl Sql,
    client: &str,
    kind: Kind,
    id: &str,
    since: Timestamp,
) -> Result<Option<Place>, StoreError> {
    const ONCE: &str = "SELECT serial FROM once WHERE client=?1 AND kind=?2 AND id=?3 \
                        AND (kind=0 OR ?4<=at)";
    let kind = Value::Integer(kind as i64);
    let params = [client.into(), kind, id.into(), Value::Integer(since)];
    Row::first(sql.query(ONCE, &params)?)
        .map(|mut row| row.number())
        .transpose()
}

pub(super) fn oldest(sql: &impl Sql, limit: usize) -> Result<Vec<(Place, Timestamp)>, StoreError> {
    const OLDEST: &str = "SELECT serial, created_at FROM message ORDER BY serial LIMIT ?1";
    let rows = sql.query(OLDEST, &[Value::size(limit)])?;
    Row::all(rows)
        .map(|mut row| Ok((row.number()?, row.integer()?)))
        .collect()
}
