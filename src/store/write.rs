//! Storing: one match over everything that is ever stored.

use super::change::{Updated, create, delete, replace, replace_headers};
use super::forget::{forget_ids, once, trim};
use super::grow::{Closing, close, grow, grow_and_close, grow_segment, segment};
use super::schema::{self, Tables};
use super::sql::{Sql, Value};
use super::{Beginning, StoreError, Write, turn};
use crate::protocol::data::Data;

/// Stores all of it or nothing, and says which tables there are then. A single statement
/// needs no transaction, which costs more than the statement itself (invariant 4).
pub(super) fn run(sql: &dyn Sql, writes: &[Write], tables: Tables) -> Result<Tables, StoreError> {
    let begins = writes.iter().any(|write| matches!(write, Write::Begin(_)));
    let has_id = writes
        .iter()
        .any(|write| matches!(write, Write::Once { .. }));
    if is_one_statement(writes) {
        all(sql, writes)?;
    } else {
        sql.transaction(&mut || {
            if has_id && !tables.has_ids {
                schema::create_ids(sql)?;
            }
            all(sql, writes)
        })?;
    }
    Ok(Tables {
        is_begun: tables.is_begun || begins,
        has_ids: tables.has_ids || has_id,
    })
}

fn is_one_statement(writes: &[Write]) -> bool {
    matches!(
        writes,
        [] | [Write::Create(_) | Write::Grow(_) | Write::Segment(_) | Write::Close { .. }]
            | [Write::Change { .. } | Write::Settings { .. } | Write::Heard { .. }]
    )
}

fn all(sql: &dyn Sql, writes: &[Write]) -> Result<(), StoreError> {
    let mut rest = writes;
    while let [write, after @ ..] = rest {
        rest = after;
        if let Write::Grow(growth) = write
            && let [next, after @ ..] = after
            && let Some(closing) = Closing::of_short(growth, next)
        {
            grow_and_close(sql, growth, &closing)?;
            rest = after;
        } else {
            one(sql, write)?;
        }
    }
    Ok(())
}

fn one(sql: &dyn Sql, write: &Write) -> Result<(), StoreError> {
    match write {
        Write::Begin(beginning) => begin(sql, beginning),
        Write::Create(message) => create(sql, message),
        Write::Grow(growth) if growth.segment == 0 => grow(sql, growth),
        Write::Grow(growth) => grow_segment(sql, growth),
        Write::Segment(growth) => segment(sql, growth),
        Write::Close { .. } => match Closing::of(write) {
            Some(closing) => close(sql, &closing),
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
            let change = Updated {
                place: *place,
                version: *version,
                seq: *seq,
                headers: headers.as_deref(),
                status: *status,
                is_streaming: *is_streaming,
                at: *at,
            };
            match data {
                Some(data) => replace(sql, &change, data),
                None => replace_headers(sql, &change),
            }
        }
        Write::Delete {
            place,
            version,
            is_superseded,
            at,
        } => delete(sql, *place, *version, *is_superseded, *at),
        Write::Change {
            place,
            what,
            subject,
            client,
            at,
        } => {
            const CHANGE: &str = "INSERT INTO change(serial, kind, subject, client, at) \
                                  VALUES(?1, ?2, ?3, ?4, ?5)";
            let (what, client) = (Value::Integer(*what as i64), client.as_deref().into());
            let [place, subject] = [*place, *subject].map(Value::number);
            sql.run(CHANGE, &[place, what, subject, client, (*at).into()])
        }
        Write::Once {
            client,
            kind,
            id,
            place,
            at,
            keep_since,
        } => {
            once(sql, client, *kind, id, *place, *at)?;
            forget_ids(sql, *keep_since)
        }
        Write::Settings { settings, at } => {
            const SETTINGS: &str = "UPDATE meta SET settings=?1, written_at=?2";
            let settings = serde_json::json!(settings).to_string();
            sql.run(SETTINGS, &[Value::Text(settings), (*at).into()])
        }
        Write::Turn { kept, client, at } => turn::put(sql, kept, client.as_deref(), *at),
        Write::TurnRow(kept) => turn::put_row(sql, kept),
        Write::Heard { place, at } => turn::heard(sql, *place, *at),
        Write::CancelInput { place, cancel } => turn::cancel_input(sql, *place, cancel),
        Write::Trim { up_to, gone, at } => trim(sql, *up_to, gone, *at),
    }
}

fn begin(sql: &dyn Sql, beginning: &Beginning) -> Result<(), StoreError> {
    const BEGIN: &str = "INSERT INTO meta(schema, epoch, created_at, floor, settings) \
                         VALUES(?1, ?2, ?3, ?4, ?5)";
    schema::create(sql)?;
    let params = [
        Value::size(schema::VERSION),
        beginning.epoch.as_str().into(),
        beginning.created_at.into(),
        Value::number(beginning.floor),
        Value::Text(serde_json::json!(beginning.settings).to_string()),
    ];
    sql.run(BEGIN, &params)
}

/// About how many bytes a change adds to the database.
pub(super) fn bytes(write: &Write) -> usize {
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
