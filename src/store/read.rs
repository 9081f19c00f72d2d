//! Reading: how the session began, where it ends, what streams, and single messages.

use super::columns::{Columns, Newest, columns, into_message, is_held, segments, whole_data};
use super::row::Row;
use super::sql::{Sql, Value};
use super::{Aged, Beginning, End, Head, Kind, StoreError, Streaming, Tail, marks};
use crate::protocol::ids::Timestamp;
use crate::protocol::message::Message;
use crate::protocol::serial::{Epoch, Place};

pub(super) fn beginning(sql: &dyn Sql) -> Result<Beginning, StoreError> {
    const META: &str = "SELECT epoch, created_at, floor, trimmed_at, settings FROM meta";
    let mut row = Row::only(sql.query(META, &[])?)?;
    let unreadable = || StoreError::unreadable("beginning");
    Ok(Beginning {
        epoch: Epoch::parse(&row.text()?).ok_or_else(unreadable)?,
        created_at: row.integer()?,
        floor: row.number()?,
        trimmed_at: row.maybe_integer()?,
        settings: serde_json::from_str(&row.text()?).map_err(|_| unreadable())?,
    })
}

/// The end is never in one place alone: text that still streams is ahead of its message, and
/// what was trimmed is remembered in `meta` only.
pub(super) fn end(sql: &dyn Sql) -> Result<End, StoreError> {
    const END: &str = "SELECT coalesce(max(place), 0), max(at) FROM (\
        SELECT floor AS place, coalesce(written_at, created_at) AS at FROM meta UNION ALL \
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

pub(super) fn streaming(sql: &dyn Sql) -> Result<Vec<Streaming>, StoreError> {
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
    sql: &dyn Sql,
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

pub(super) fn head(sql: &dyn Sql, place: Place) -> Result<Option<Head>, StoreError> {
    const HEAD: &str = concat!("SELECT ", columns!(), " FROM message WHERE serial=?1");
    let Some(mut row) = Row::first(sql.query(HEAD, &[Value::number(place)])?) else {
        return Ok(None);
    };
    let columns = Columns::parse(&row.text()?)?.brought_up_to_date(sql)?;
    Ok(Some(columns.into_head()))
}

pub(super) fn outline(
    sql: &dyn Sql,
    epoch: Epoch,
    place: Place,
) -> Result<Option<(Message, usize)>, StoreError> {
    const OUTLINE: &str = concat!(
        "SELECT ",
        columns!(),
        ", coalesce(octet_length(data), octet_length(json), 0) FROM message WHERE serial=?1"
    );
    let Some(mut row) = Row::first(sql.query(OUTLINE, &[Value::number(place)])?) else {
        return Ok(None);
    };
    let columns = Columns::parse(&row.text()?)?.brought_up_to_date(sql)?;
    Ok(Some((columns.into_message(epoch, None)?, row.size()?)))
}

pub(super) fn message(
    sql: &dyn Sql,
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

/// The message that an id stands for: the newest, since an id may be free again (P4.2).
pub(super) fn message_id(
    sql: &dyn Sql,
    client: &str,
    id: &str,
) -> Result<Option<Place>, StoreError> {
    const MESSAGE: &str = "SELECT serial FROM message WHERE client=?1 AND id=?2 \
                           ORDER BY serial DESC LIMIT 1";
    let row = Row::first(sql.query(MESSAGE, &[client.into(), id.into()])?);
    row.map(|mut row| row.number()).transpose()
}

pub(super) fn frame_id(
    sql: &dyn Sql,
    client: &str,
    kind: Kind,
    id: &str,
    since: Timestamp,
) -> Result<Option<Place>, StoreError> {
    const FRAME: &str = "SELECT serial FROM once WHERE client=?1 AND kind=?2 AND id=?3 \
                         AND ?4<=at";
    let kind = Value::Integer(kind as i64);
    let params = [client.into(), kind, id.into(), Value::Integer(since)];
    let row = Row::first(sql.query(FRAME, &params)?);
    row.map(|mut row| row.number()).transpose()
}

pub(super) fn oldest(sql: &dyn Sql, up_to: Place, limit: usize) -> Result<Vec<Place>, StoreError> {
    const OLDEST: &str = "SELECT serial FROM message WHERE serial<=?1 ORDER BY serial LIMIT ?2";
    let rows = sql.query(OLDEST, &[Value::number(up_to), Value::size(limit)])?;
    Row::all(rows).map(|mut row| row.number()).collect()
}

pub(super) fn aged(sql: &dyn Sql, limit: usize) -> Result<Vec<Aged>, StoreError> {
    const AGED: &str = concat!(
        "SELECT serial, created_at, ",
        is_held!(),
        ", CASE WHEN status IS NULL THEN 0 ELSE coalesce((SELECT s.id - (serial << 20) \
         FROM segment s WHERE s.id BETWEEN (serial << 20) + 1 AND (serial << 20) + 1048575 \
         ORDER BY s.id DESC LIMIT 1), 0) END FROM message ORDER BY serial LIMIT ?1"
    );
    let aged = |mut row: Row| {
        Ok(Aged {
            place: row.number()?,
            created_at: row.integer()?,
            is_held: row.number()? != 0,
            segments: row.size()?,
        })
    };
    Row::all(sql.query(AGED, &[Value::size(limit)])?)
        .map(aged)
        .collect()
}
