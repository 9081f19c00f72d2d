//! Tables, as numbered migrations. The first is made with the session's first write and not
//! before: reading a session that nobody has written to leaves nothing behind (P1.2).

use super::error::StoreError;
use super::row::Row;
use super::sql::{Sql, Value};

/// The tables as a session that begins today has them.
///
/// Text is in `data`, any other JSON in `json`: `data || ?` must never meet a document.
/// What can be long stands last, so that the rest of a row is read without it. Only what
/// streams, messages' ids and their turns are indexed: an index costs a row with every write it
/// covers.
/// A table costs two rows and `meta` has one, so that a short session does not pay for them.
const TABLES: &[&str] = &[
    "CREATE TABLE meta(schema INTEGER, epoch TEXT, created_at INTEGER, floor INTEGER, \
     written_at INTEGER, settings TEXT, trimmed_at INTEGER)",
    "CREATE TABLE message(serial INTEGER PRIMARY KEY, version INTEGER, seq INTEGER, \
     status TEXT, client TEXT, connection TEXT, id TEXT, name TEXT, role TEXT, turn TEXT, \
     parent INTEGER, headers TEXT, cancel TEXT, created_at INTEGER, updated_at INTEGER, \
     deleted_at INTEGER, marks TEXT, json TEXT, data TEXT)",
    "CREATE INDEX message_open ON message(serial) WHERE status='streaming'",
    "CREATE INDEX message_id ON message(client, id) WHERE id IS NOT NULL",
    MESSAGE_TURN,
    "CREATE TABLE segment(id INTEGER PRIMARY KEY, version INTEGER, seq INTEGER, \
     start INTEGER, updated_at INTEGER, marks TEXT, data TEXT)",
    "CREATE TABLE change(serial INTEGER PRIMARY KEY, kind INTEGER, subject INTEGER, \
     client TEXT, at INTEGER)",
    TURN,
    TURN_ID,
    TURN_INPUT,
    TURN_OPEN,
];

/// Messages that a turn wrote, for the agent that takes it over (P6.8): a turn may be open for
/// long.
const MESSAGE_TURN: &str = "CREATE INDEX message_turn ON message(turn) \
                            WHERE turn IS NOT NULL AND deleted_at IS NULL";
const TURN: &str = "CREATE TABLE turn(serial INTEGER PRIMARY KEY, version INTEGER, id TEXT, \
                    agent TEXT, input INTEGER, open INTEGER, heard_at INTEGER, body TEXT)";
const TURN_ID: &str = "CREATE INDEX turn_id ON turn(id)";
const TURN_INPUT: &str = "CREATE INDEX turn_input ON turn(input) WHERE input IS NOT NULL";
const TURN_OPEN: &str = "CREATE INDEX turn_open ON turn(open) WHERE open IS NOT NULL";

/// What brings the tables of version `n` to the next one, `n` counted from 1. One that was
/// ever deployed is never changed, another is added.
const MIGRATIONS: [&[&str]; 2] = [
    &[
        "ALTER TABLE message ADD COLUMN turn TEXT",
        "ALTER TABLE message ADD COLUMN cancel TEXT",
        TURN,
        TURN_ID,
        TURN_INPUT,
        TURN_OPEN,
    ],
    &[
        "ALTER TABLE meta ADD COLUMN trimmed_at INTEGER",
        MESSAGE_TURN,
    ],
];

/// The table of the ids that frames have and messages are not: few sessions have any, so it
/// is made with the first. A migration that changes it must expect that it is not there.
const IDS: [&str; 2] = [
    "CREATE TABLE once(client TEXT, kind INTEGER, id TEXT, serial INTEGER, at INTEGER, \
     PRIMARY KEY(client, kind, id)) WITHOUT ROWID",
    "CREATE INDEX once_at ON once(at)",
];

/// The schema that a session begins with.
pub(super) const VERSION: usize = MIGRATIONS.len() + 1;

/// Which tables there are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tables {
    /// All but that of frames' ids: the session was written to.
    pub(super) is_begun: bool,
    /// That of frames' ids.
    pub(super) has_ids: bool,
    /// That of deliveries, which outlives the others.
    pub(super) has_deliveries: bool,
}

impl Tables {
    /// Looks them up. What an older release wrote is brought to the schema of this one.
    pub(super) fn of(sql: &dyn Sql) -> Result<Self, StoreError> {
        const TABLES: &str = "SELECT name FROM sqlite_master WHERE type='table' \
                              AND name IN ('meta', 'once', 'delivery')";
        let mut tables = Self::default();
        for mut row in Row::all(sql.query(TABLES, &[])?) {
            match row.text()?.as_str() {
                "meta" => tables.is_begun = true,
                "delivery" => tables.has_deliveries = true,
                _ => tables.has_ids = true,
            }
        }
        if tables.is_begun {
            update(sql)?;
        }
        Ok(tables)
    }
}

fn update(sql: &dyn Sql) -> Result<(), StoreError> {
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
        sql.run(REACHED, &[Value::size(VERSION)])
    })
}

/// Makes the tables of a session that begins.
pub(super) fn create(sql: &dyn Sql) -> Result<(), StoreError> {
    run(sql, TABLES)
}

/// Makes the table of frames' ids.
pub(super) fn create_ids(sql: &dyn Sql) -> Result<(), StoreError> {
    run(sql, &IDS)
}

fn migrate(sql: &dyn Sql, from: usize) -> Result<(), StoreError> {
    let mut later = MIGRATIONS.iter().skip(from.saturating_sub(1));
    later.try_for_each(|statements| run(sql, statements))
}

fn run(sql: &dyn Sql, statements: &[&'static str]) -> Result<(), StoreError> {
    let mut statements = statements.iter();
    statements.try_for_each(|statement| sql.run(statement, &[]))
}
