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
const MIGRATIONS: [&[&str]; 1] = [&[
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
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

/// Makes the tables of a session that begins.
pub(super) fn create(sql: &impl Sql) -> Result<(), StoreError> {
    migrate(sql, 0)
}

/// Whether the session was ever written to. One that an older release wrote is brought to
/// the schema of this one first.
pub(super) fn is_present(sql: &impl Sql) -> Result<bool, StoreError> {
    const TABLE: &str = "SELECT count(*) FROM sqlite_master WHERE type='table' AND name='meta'";
    const VERSION: &str = "SELECT value FROM meta WHERE key='schema'";
    if Row::only(sql.query(TABLE, &[])?)?.number()? == 0 {
        return Ok(false);
    }
    let version = Row::only(sql.query(VERSION, &[])?)?.text()?;
    let version: usize = version
        .parse()
        .map_err(|_| StoreError::unreadable("schema"))?;
    if MIGRATIONS.len() < version {
        let reason = format!("its schema {version} is newer than {}", MIGRATIONS.len());
        return Err(StoreError(reason));
    }
    if version < MIGRATIONS.len() {
        sql.transaction(&mut || migrate(sql, version))?;
    }
    Ok(true)
}

fn migrate(sql: &impl Sql, from: usize) -> Result<(), StoreError> {
    const VERSION: &str = "INSERT INTO meta(key, value) VALUES('schema', ?1) \
                           ON CONFLICT DO UPDATE SET value=excluded.value";
    for statement in MIGRATIONS.iter().skip(from).copied().flatten() {
        sql.query(statement, &[])?;
    }
    sql.query(VERSION, &[Value::Text(MIGRATIONS.len().to_string())])?;
    Ok(())
}
