//! Turns: one row each, which every change of the turn rewrites (P6).

use super::columns::{Columns, columns};
use super::row::Row;
use super::sql::{Sql, Value};
use super::{Head, Kept, StoreError};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::REPLAY_ENTRIES;
use crate::protocol::serial::Place;
use crate::protocol::turn::{Cancel, Event, Turn};

/// What an entry of `change` says of a turn. The numbers are kept in rows; those of messages
/// are below.
pub(super) const FIRST_KIND: i64 = 10;

fn kind(event: Event) -> i64 {
    let number = match event {
        Event::Start => 0,
        Event::Suspend => 1,
        Event::Resume => 2,
        Event::Cancel => 3,
        Event::Queue => 4,
        Event::Adopt => 5,
        Event::End => 6,
        Event::Steer => 7,
    };
    FIRST_KIND + number
}

/// A turn as it now is, and the entry of what happened to it.
pub(super) fn put(
    sql: &dyn Sql,
    kept: &Kept,
    client: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    const CHANGE: &str = "INSERT INTO change(serial, kind, subject, client, at) \
                          VALUES(?1, ?2, ?3, ?4, ?5)";
    put_row(sql, kept)?;
    let turn = &kept.turn;
    let [version, place] = [turn.version, turn.place].map(Value::number);
    let kind = Value::Integer(kind(turn.event));
    sql.run(CHANGE, &[version, kind, place, client.into(), at.into()])
}

macro_rules! put {
    () => {
        "INSERT INTO turn(serial, version, id, agent, input, open, heard_at, body) \
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(serial) DO UPDATE SET \
         version=excluded.version, agent=excluded.agent, heard_at=excluded.heard_at, \
         body=excluded.body"
    };
}

/// A turn of which something changed that is no entry of the log.
pub(super) fn put_row(sql: &dyn Sql, kept: &Kept) -> Result<(), StoreError> {
    // An index is written anew for each of its columns that is named, changed or not: that of
    // open turns is named once, at the end.
    const OPEN: &str = put!();
    const ENDED: &str = concat!(put!(), ", open=excluded.open");
    let turn = &kept.turn;
    let body = serde_json::to_string(turn).map_err(|_| StoreError::unreadable("turn"))?;
    let params = [
        Value::number(turn.place),
        Value::number(turn.version),
        turn.id.as_str().into(),
        turn.agent.as_deref().into(),
        turn.input.into(),
        turn.is_open().then_some(1_i64).into(),
        kept.heard_at.into(),
        Value::Text(body),
    ];
    let put = if turn.is_open() { OPEN } else { ENDED };
    sql.run(put, &params)
}

/// When its leader was last heard.
pub(super) fn heard(sql: &dyn Sql, place: Place, at: Timestamp) -> Result<(), StoreError> {
    const HEARD: &str = "UPDATE turn SET heard_at=?2 WHERE serial=?1";
    sql.run(HEARD, &[Value::number(place), at.into()])
}

/// Somebody wants no answer to a message.
pub(super) fn cancel_input(sql: &dyn Sql, place: Place, cancel: &Cancel) -> Result<(), StoreError> {
    const CANCEL: &str = "UPDATE message SET cancel=?2 WHERE serial=?1";
    let cancel = serde_json::to_string(cancel).map_err(|_| StoreError::unreadable("cancel"))?;
    sql.run(CANCEL, &[Value::number(place), Value::Text(cancel)])
}

pub(super) fn cancel_of_input(sql: &dyn Sql, place: Place) -> Result<Option<Cancel>, StoreError> {
    const CANCEL: &str = "SELECT cancel FROM message WHERE serial=?1";
    let row = Row::first(sql.query(CANCEL, &[Value::number(place)])?);
    let text = row.map(|mut row| row.maybe_text()).transpose()?.flatten();
    let cancel = text.map(|text| serde_json::from_str(&text));
    cancel
        .transpose()
        .map_err(|_| StoreError::unreadable("cancel"))
}

fn kept(mut row: Row) -> Result<Kept, StoreError> {
    let heard_at = row.integer()?;
    let turn = serde_json::from_str(&row.text()?).map_err(|_| StoreError::unreadable("turn"))?;
    Ok(Kept { turn, heard_at })
}

fn first(sql: &dyn Sql, statement: &str, params: &[Value]) -> Result<Option<Turn>, StoreError> {
    let row = Row::first(sql.query(statement, params)?);
    Ok(row.map(kept).transpose()?.map(|kept| kept.turn))
}

fn all(sql: &dyn Sql, statement: &str, params: &[Value]) -> Result<Vec<Turn>, StoreError> {
    let rows = Row::all(sql.query(statement, params)?);
    rows.map(|row| Ok(kept(row)?.turn)).collect()
}

pub(super) fn open(sql: &dyn Sql) -> Result<Vec<Kept>, StoreError> {
    const OPEN: &str = "SELECT heard_at, body FROM turn WHERE open=1 ORDER BY serial";
    Row::all(sql.query(OPEN, &[])?).map(kept).collect()
}

pub(super) fn by_id(sql: &dyn Sql, id: &str) -> Result<Option<Turn>, StoreError> {
    const TURN: &str = "SELECT heard_at, body FROM turn WHERE id=?1";
    first(sql, TURN, &[id.into()])
}

pub(super) fn at(sql: &dyn Sql, place: Place) -> Result<Option<Turn>, StoreError> {
    const TURN: &str = "SELECT heard_at, body FROM turn WHERE serial=?1";
    first(sql, TURN, &[Value::number(place)])
}

pub(super) fn answering(sql: &dyn Sql, input: Place) -> Result<Vec<Turn>, StoreError> {
    const TURNS: &str = "SELECT heard_at, body FROM turn WHERE input=?1 ORDER BY serial DESC \
                         LIMIT 100";
    all(sql, TURNS, &[Value::number(input)])
}

pub(super) fn changed(sql: &dyn Sql, after: Place, limit: usize) -> Result<Vec<Turn>, StoreError> {
    const TURNS: &str = "SELECT heard_at, body FROM turn WHERE serial IN (SELECT subject \
                         FROM (SELECT subject, kind FROM change WHERE serial>?1 ORDER BY serial \
                         LIMIT ?4) WHERE kind>=?2) ORDER BY version LIMIT ?3";
    let (after, kind) = (Value::number(after), Value::Integer(FIRST_KIND));
    let entries = Value::size(REPLAY_ENTRIES);
    all(sql, TURNS, &[after, kind, Value::size(limit), entries])
}

pub(super) fn named(sql: &dyn Sql, ids: &[String]) -> Result<Vec<Turn>, StoreError> {
    const TURNS: &str = "SELECT heard_at, body FROM turn WHERE id IN \
                         (SELECT value FROM json_each(?1)) ORDER BY serial";
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    all(
        sql,
        TURNS,
        &[Value::Text(serde_json::json!(ids).to_string())],
    )
}

pub(super) fn before(sql: &dyn Sql, before: Place, limit: usize) -> Result<Vec<Turn>, StoreError> {
    const TURNS: &str = "SELECT heard_at, body FROM turn WHERE serial<?1 ORDER BY serial DESC \
                         LIMIT ?2";
    all(sql, TURNS, &[Value::number(before), Value::size(limit)])
}

/// Messages that a turn wrote. Its id may have been that of another turn, which is gone.
pub(super) fn messages(sql: &dyn Sql, turn: &Turn, limit: usize) -> Result<Vec<Head>, StoreError> {
    const MESSAGES: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM message WHERE serial>?1 AND turn=?2 AND deleted_at IS NULL ORDER BY serial \
         LIMIT ?3"
    );
    let (place, id) = (Value::number(turn.place), turn.id.as_str().into());
    let params = [place, id, Value::size(limit)];
    let rows = Row::all(sql.query(MESSAGES, &params)?);
    let heads = rows.map(|mut row| {
        let columns = Columns::parse(&row.text()?)?.brought_up_to_date(sql)?;
        Ok(columns.into_head())
    });
    heads.collect()
}
