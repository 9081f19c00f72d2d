//! Turns: one row each, which every change of the turn rewrites (P6).
//!
//! A row of `turn` is one turn. The turn itself is in `body`; the other columns serve look-ups, and
//! hold values that change without an entry:
//!
//! | column | holds |
//! | --- | --- |
//! | `serial` | its place: where it was begun |
//! | `version` | the place of its latest change |
//! | `id` | its id; that of a turn that is gone may come again |
//! | `agent` | the client that leads or led it |
//! | `input` | the place of the message that it answers |
//! | `open` | 1 while it is not final, then NULL |
//! | `heard_at` | a time at or before its leader was last heard, in ms |
//! | `body` | a [`Turn`], as JSON |

use super::change::{self, Kind};
use super::error::StoreError;
use super::row::Row;
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{INPUT_TURNS, REPLAY_ENTRIES, TRIM_ROWS};
use crate::protocol::serial::Place;
use crate::protocol::turn::Turn;

/// A turn, and when its leader was last heard according to rows: not every sign of life is written
/// (P6.8).
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The turn.
    pub turn: Turn,
    /// A time at or before its leader was last heard.
    pub heard_at: Timestamp,
}

/// The turns that answer a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Their number.
    pub count: usize,
    /// The latest of one client.
    pub own: Option<Place>,
}

/// A write of a turn.
#[derive(Clone, Debug, PartialEq)]
pub enum TurnWrite {
    /// A changed turn, with an entry for the change at its version.
    Put {
        /// The turn.
        kept: Kept,
        /// The client; `None` for the session itself.
        client: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// A turn with a change that is no entry.
    Row(Kept),
    /// When a turn's leader was heard.
    Heard {
        /// The turn.
        place: Place,
        /// When.
        at: Timestamp,
    },
}

impl Stored for TurnWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        match self {
            Self::Put { kept, client, at } => {
                put_row(sql, kept)?;
                let turn = &kept.turn;
                let (kind, client) = (Kind::Turn(turn.event), client.as_deref());
                change::add(sql, turn.version, kind, turn.place, client, *at)
            }
            Self::Row(kept) => put_row(sql, kept),
            Self::Heard { place, at } => heard(sql, *place, *at),
        }
    }

    fn is_one_statement(&self) -> bool {
        matches!(self, Self::Row(_) | Self::Heard { .. })
    }

    fn bytes(&self) -> usize {
        /// More than most turns: their content is bounded, and checked with the next statement.
        const TURN: usize = 4 * 1024;
        match self {
            Self::Put { .. } | Self::Row(_) => TURN,
            Self::Heard { .. } => 0,
        }
    }
}

macro_rules! put {
    () => {
        "INSERT INTO turn(serial, version, id, agent, input, open, heard_at, body) \
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(serial) DO UPDATE SET \
         version=excluded.version, agent=excluded.agent, heard_at=excluded.heard_at, \
         body=excluded.body"
    };
}

fn put_row(sql: &dyn Sql, kept: &Kept) -> Result<(), StoreError> {
    // An index is rewritten for each of its columns that is named, changed or not: the index of
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

fn heard(sql: &dyn Sql, place: Place, at: Timestamp) -> Result<(), StoreError> {
    const HEARD: &str = "UPDATE turn SET heard_at=?2 WHERE serial=?1";
    sql.run(HEARD, &[Value::number(place), at.into()])
}

/// Deletes final turns up to a place, `TRIM_ROWS` at most.
pub(super) fn trim(sql: &dyn Sql, up_to: Place) -> Result<(), StoreError> {
    // Of those that began before it the few that did not end before it were all open there.
    const TRIM: &str = "DELETE FROM turn WHERE serial IN (SELECT serial FROM turn \
                        WHERE serial<=?1 AND version<=?1 AND open IS NULL \
                        ORDER BY serial LIMIT ?2)";
    sql.run(TRIM, &[Value::number(up_to), Value::size(TRIM_ROWS)])
}

impl Store {
    /// All turns that are open, by place. Two rows each.
    pub fn open_turns(&self) -> Result<Vec<Kept>, StoreError> {
        const OPEN: &str = "SELECT heard_at, body FROM turn WHERE open=1 ORDER BY serial";
        self.read(|sql| Row::all(sql.query(OPEN, &[])?).map(kept).collect())
    }

    /// A turn by its id. Two rows.
    pub fn turn(&self, id: &str) -> Result<Option<Turn>, StoreError> {
        const TURN: &str = "SELECT heard_at, body FROM turn WHERE id=?1";
        self.read(|sql| first(sql, TURN, &[id.into()]))
    }

    /// A turn by its place. One row.
    pub fn turn_at(&self, place: Place) -> Result<Option<Turn>, StoreError> {
        const TURN: &str = "SELECT heard_at, body FROM turn WHERE serial=?1";
        self.read(|sql| first(sql, TURN, &[Value::number(place)]))
    }

    /// The turns that answer a message, of which there are `INPUT_TURNS` at most. Two rows each.
    pub fn answers(&self, input: Place, client: &str) -> Result<Answers, StoreError> {
        const ANSWERS: &str = "SELECT count(*), max(CASE WHEN agent=?2 THEN serial END) \
                               FROM (SELECT serial, agent FROM turn WHERE input=?1 LIMIT ?3)";
        let params = [
            Value::number(input),
            client.into(),
            Value::size(INPUT_TURNS),
        ];
        self.read(|sql| {
            let mut row = Row::only(sql.query(ANSWERS, &params)?)?;
            Ok(Answers {
                count: row.size()?,
                own: Some(row.number_or_zero()?).filter(|own| 0 < *own),
            })
        })
    }

    /// The turns that changed after a place, by their latest change; at most `limit`, as far as
    /// the first `REPLAY_ENTRIES` entries tell. Two rows for each entry.
    pub fn changed_turns(&self, after: Place, limit: usize) -> Result<Vec<Turn>, StoreError> {
        const TURNS: &str = "SELECT heard_at, body FROM turn WHERE serial IN (SELECT subject \
                             FROM (SELECT subject, kind FROM change WHERE serial>?1 \
                             ORDER BY serial LIMIT ?5) WHERE kind BETWEEN ?2 AND ?3) \
                             ORDER BY version LIMIT ?4";
        let [first, last] = Kind::OF_TURNS.map(Value::Integer);
        let [most, entries] = [limit, REPLAY_ENTRIES].map(Value::size);
        let params = [Value::number(after), first, last, most, entries];
        self.read(|sql| all(sql, TURNS, &params))
    }

    /// Turns by their ids, those that there are. Two rows each.
    pub fn named_turns(&self, ids: &[String]) -> Result<Vec<Turn>, StoreError> {
        const TURNS: &str = "SELECT heard_at, body FROM turn WHERE id IN \
                             (SELECT value FROM json_each(?1)) ORDER BY serial";
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = Value::Text(serde_json::json!(ids).to_string());
        self.read(|sql| all(sql, TURNS, &[ids]))
    }

    /// The newest turns before a place, the newest first. A row each.
    pub fn turns_before(&self, before: Place, limit: usize) -> Result<Vec<Turn>, StoreError> {
        const TURNS: &str = "SELECT heard_at, body FROM turn WHERE serial<?1 \
                             ORDER BY serial DESC LIMIT ?2";
        self.read(|sql| all(sql, TURNS, &[Value::number(before), Value::size(limit)]))
    }
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
