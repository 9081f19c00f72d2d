//! What somebody missed who comes back after a place (P3.5).

use std::collections::BTreeMap;

use super::columns::{least_bytes, segments};
use super::row::Row;
use super::schema::SEGMENTS;
use super::sql::{Sql, Value};
use super::{Changed, Missing, StoreError, marks};
use crate::protocol::data::from_unit;
use crate::protocol::limits::{NAMED_MESSAGES, REPLAY_ENTRIES, REPLAY_MESSAGES};
use crate::protocol::serial::Place;

/// How much somebody missed, counted before any of it is read.
pub(super) fn extent(
    sql: &dyn Sql,
    after: Place,
    names: Option<&[String]>,
) -> Result<Option<usize>, StoreError> {
    const ENTRIES: &str = "SELECT count(*), 0 FROM (SELECT 1 FROM change WHERE serial>?1 LIMIT ?2)";
    const TURNS: &str = "SELECT count(*), coalesce(sum(octet_length(body)), 0) FROM turn \
                         WHERE serial IN (SELECT subject FROM change WHERE serial>?1 \
                         AND kind>=10)";
    const MESSAGES: &str = concat!(
        "SELECT count(*), coalesce(sum(bytes), 0) FROM (SELECT ",
        least_bytes!(),
        " AS bytes FROM message WHERE serial>?1 LIMIT ?2)"
    );
    const COUNTED: &str =
        "SELECT count(*), 0 FROM (SELECT 1 FROM message WHERE serial>?1 LIMIT ?2)";
    const NAMED: &str = concat!(
        "SELECT count(*), coalesce(sum(",
        least_bytes!(),
        "), 0) FROM message WHERE serial>?1 AND name IN (SELECT value FROM json_each(?2))"
    );
    let count = |statement, parameter: Option<Value>| {
        let params = [Some(Value::number(after)), parameter];
        let params: Vec<Value> = params.into_iter().flatten().collect();
        let mut row = Row::only(sql.query(statement, &params)?)?;
        Ok::<_, StoreError>((row.size()?, row.size()?))
    };
    let most = |most: usize| Some(Value::size(most + 1));
    if REPLAY_ENTRIES < count(ENTRIES, most(REPLAY_ENTRIES))?.0 {
        return Ok(None);
    }
    let turns = count(TURNS, None)?;
    let messages = match names {
        None => count(MESSAGES, most(REPLAY_MESSAGES))?,
        Some(_) if NAMED_MESSAGES < count(COUNTED, most(NAMED_MESSAGES))?.0 => return Ok(None),
        Some(names) => count(
            NAMED,
            Some(Value::Text(serde_json::json!(names).to_string())),
        )?,
    };
    let are_few = turns.0 <= REPLAY_MESSAGES && messages.0 <= REPLAY_MESSAGES;
    Ok(are_few.then_some(turns.1 + messages.1))
}

/// What changed of older messages after a place. There is no index on versions, which every
/// append changes: the entries of `change` and the few messages that stream are everything.
pub(super) fn changed(
    sql: &dyn Sql,
    after: Place,
    limit: usize,
) -> Result<Vec<Changed>, StoreError> {
    // An entry whose message was trimmed stays until its own place is.
    const CHANGES: &str = "SELECT subject, max(serial), max(kind=2), max(kind=3), \
                           max(kind=4) FROM (SELECT * FROM change WHERE serial>?1 \
                           ORDER BY serial LIMIT ?3) \
                           WHERE subject<=?1 AND kind<10 GROUP BY subject \
                           HAVING EXISTS (SELECT 1 FROM message m WHERE m.serial=subject) \
                           ORDER BY subject LIMIT ?2";
    const GROWN: &str = "SELECT serial, place, 0, 0, 0 FROM (SELECT m.serial AS serial, \
                         max(m.version, coalesce((SELECT s.version FROM segment s \
                         WHERE s.id BETWEEN (m.serial << 20) + 1 AND (m.serial << 20) + 1048575 \
                         ORDER BY s.id DESC LIMIT 1), 0)) AS place \
                         FROM message m WHERE m.status='streaming' AND m.serial<=?1) \
                         WHERE place>?1 ORDER BY serial LIMIT ?2";
    let mut found: BTreeMap<Place, Changed> = BTreeMap::new();
    let (after, most) = (Value::number(after), Value::size(limit));
    let entries = Value::size(REPLAY_ENTRIES);
    for (statement, params) in [
        (CHANGES, &[after.clone(), most.clone(), entries] as &[_]),
        (GROWN, &[after, most]),
    ] {
        let rows = sql.query(statement, params)?;
        for mut row in Row::all(rows) {
            let (subject, place) = (row.number()?, row.number()?);
            let (is_updated, is_deleted) = (row.number()? != 0, row.number()? != 0);
            let is_superseded = row.number()? != 0;
            let change = Changed {
                subject,
                place,
                is_updated,
                is_deleted: is_deleted || is_superseded,
                is_superseded,
            };
            let known = found.entry(subject).or_insert(change);
            known.place = known.place.max(place);
            known.is_updated |= is_updated;
            known.is_deleted |= change.is_deleted;
            known.is_superseded |= is_superseded;
        }
    }
    Ok(found.into_values().take(limit).collect())
}

/// The end of a text that a reader misses: what the reader lacks of the last row that it has
/// a part of, then the rows after that, and no others.
pub(super) fn missing(
    sql: &dyn Sql,
    place: Place,
    since: Place,
) -> Result<Option<Missing>, StoreError> {
    const BEGUN: &str = "SELECT id FROM segment WHERE id BETWEEN ?1 AND ?2 AND version<=?3 \
                         ORDER BY id DESC LIMIT 1";
    const SEGMENT_MARKS: &str = "SELECT marks FROM segment WHERE id=?1";
    const LATER: &str = "SELECT start, marks, data FROM segment WHERE id>?1 AND id<=?2 \
                         ORDER BY id";
    let [first, last] = segments(place);
    let known = sql.query(BEGUN, &[first, last.clone(), Value::number(since)])?;
    let (after, mut missing) = match Row::first(known).map(|mut row| row.number()).transpose()? {
        Some(id) => {
            let marks = Row::only(sql.query(SEGMENT_MARKS, &[Value::number(id)])?)?.text()?;
            let offset = marks::length(&marks, place).ok_or_else(unreadable)?;
            (
                Value::number(id),
                Missing {
                    offset,
                    text: String::new(),
                },
            )
        }
        None => match missing_of_head(sql, place, since)? {
            Some(missing) => (Value::number(place.saturating_mul(SEGMENTS)), missing),
            None => return Ok(None),
        },
    };
    for mut row in Row::all(sql.query(LATER, &[after, last])?) {
        let (start, marks, text) = (row.number()?, row.text()?, row.text()?);
        let had = known_length(&marks, place, since)?.unwrap_or(start);
        if missing.text.is_empty() {
            missing.offset = had;
        }
        missing
            .text
            .push_str(from_unit(&text, had.saturating_sub(start)));
    }
    Ok(Some(missing))
}

/// What is missing of the message's own row, if its marks still know how much a reader had
/// who has everything up to `since`.
fn missing_of_head(
    sql: &dyn Sql,
    place: Place,
    since: Place,
) -> Result<Option<Missing>, StoreError> {
    const MARKS: &str = "SELECT marks FROM message WHERE serial=?1";
    const DATA: &str = "SELECT data FROM message WHERE serial=?1";
    let marks = Row::first(sql.query(MARKS, &[Value::number(place)])?);
    let Some(marks) = marks.map(|mut row| row.maybe_text()).transpose()?.flatten() else {
        return Ok(None);
    };
    let Some(offset) = known_length(&marks, place, since)? else {
        return Ok(None);
    };
    if marks::length(&marks, place) == Some(offset) {
        return Ok(Some(Missing {
            offset,
            text: String::new(),
        }));
    }
    let text = Row::only(sql.query(DATA, &[Value::number(place)])?)?.text()?;
    Ok(Some(Missing {
        offset,
        text: from_unit(&text, offset).to_owned(),
    }))
}

/// How long the text was for a reader who has everything up to `since`, if these marks know.
fn known_length(marks: &str, place: Place, since: Place) -> Result<Option<u64>, StoreError> {
    let lengths = marks::lengths(marks, place).ok_or_else(unreadable)?;
    let known = lengths
        .iter()
        .take_while(|(version, _)| *version <= since)
        .last();
    Ok(known.map(|(_, length)| *length))
}

fn unreadable() -> StoreError {
    StoreError::unreadable("marks")
}
