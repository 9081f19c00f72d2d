//! Tables, as numbered migrations. The first is made with the session's first write and not
//! before: reading a session that nobody has written to leaves nothing behind (P1.2).

use super::StoreError;
use super::row::Row;
use super::sqlite::{Sql, Value};

/// Segment `n` of a message, counted from 1, has the id `serial * SEGMENTS + n`: it stays
/// below 2^53, and all segments of a message are one range of ids.
pub(super) const SEGMENTS: u64 = 1 << 20;

/// The tables. Version `n` of the schema is what the first `n` of these make; one that was
/// ever deployed is never changed, another is added.
///
/// Text is in `data`, any other JSON in `json`: `data || ?` must never meet a document.
/// What can be long stands last, so that the rest of a row is read without it. Only what
/// streams and ids that age are indexed: an index costs a row with every write it covers.
/// A table costs two rows and `meta` has one, so that a short session does not pay for them.
const MIGRATIONS: [&[&str]; 1] = [&[
    "CREATE TABLE meta(schema INTEGER, epoch TEXT, created_at INTEGER, floor INTEGER, \
     written_at INTEGER, settings TEXT)",
    "CREATE TABLE message(serial INTEGER PRIMARY KEY, version INTEGER, seq INTEGER, \
     status TEXT, client TEXT, connection TEXT, id TEXT, name TEXT, role TEXT, \
     parent INTEGER, headers TEXT, created_at INTEGER, updated_at INTEGER, \
     deleted_at INTEGER, marks TEXT, json TEXT, data TEXT)",
    "CREATE INDEX message_open ON message(serial) WHERE status='streaming'",
    "CREATE TABLE segment(id INTEGER PRIMARY KEY, version INTEGER, seq INTEGER, \
     start INTEGER, updated_at INTEGER, marks TEXT, data TEXT)",
    "CREATE TABLE once(client TEXT, kind INTEGER, id TEXT, serial INTEGER, at INTEGER, \
     PRIMARY KEY(client, kind, id)) WITHOUT ROWID",
    "CREATE INDEX once_aging ON once(at) WHERE kind<>0",
    "CREATE TABLE change(serial INTEGER PRIMARY KEY, kind INTEGER, subject INTEGER, \
     client TEXT, at INTEGER)",
]];

/// The schema that a session begins with.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// Whether the session was ever written to. One that an older release wrote is brought to
/// the schema of this one first.
pub(super) fn is_present(sql: &impl Sql) -> Result<bool, StoreError> {
    const TABLE: &str = "SELECT count(*) FROM sqlite_master WHERE type='table' AND name='meta'";
    if Row::only(sql.query(TABLE, &[])?)?.number()? == 0 {
        return Ok(false);
    }
    update(sql)?;
    Ok(true)
}

fn update(sql: &impl Sql) -> Result<(), StoreError> {
    const FOUND: &str = "SELECT schema FROM meta";
    const REACHED: &str = "UPDATE meta SET schema=?1";
    let found = Row::only(sql.query(FOUND, &[])?)?.size()?;
    if VERSION < found {
        return Err(StoreError(format!(
            "its schema {found} is newer than {VERSION}"
        )));
    }
    if found == VERSION {
        return Ok(());
    }
    sql.transaction(&mut || {
        migrate(sql, found)?;
        sql.query(REACHED, &[Value::size(VERSION)]).map(|_| ())
    })
}

/// Makes the tables of a session that begins.
pub(super) fn create(sql: &impl Sql) -> Result<(), StoreError> {
    migrate(sql, 0)
}

fn migrate(sql: &impl Sql, from: usize) -> Result<(), StoreError> {
    let mut statements = MIGRATIONS.iter().skip(from).copied().flatten();
    statements.try_for_each(|statement| sql.query(statement, &[]).map(|_| ()))
}
