//! The end of a text, for a reader that has the beginning (P3.5).

use super::marks;
use super::segments::{first_segment, segments};
use crate::protocol::data::from_unit;
use crate::protocol::serial::Place;
use crate::store::error::StoreError;
use crate::store::row::Row;
use crate::store::sql::{Sql, Value};
use crate::store::store::Store;

/// The missing end of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Length of the text before it, in UTF-16 code units.
    pub offset: u64,
    /// The text from there on.
    pub text: String,
}

impl Store {
    /// The end that a reader at a place lacks. `None` when the message has no marks for it. Three
    /// rows and its segments.
    pub fn missing(&self, place: Place, since: Place) -> Result<Option<Missing>, StoreError> {
        self.read(|sql| missing(sql, place, since))
    }
}

/// The end that a reader lacks: the rest of the last row that it has a part of, then the rows after
/// that, and no others.
fn missing(sql: &dyn Sql, place: Place, since: Place) -> Result<Option<Missing>, StoreError> {
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
            Some(missing) => (Value::number(first_segment(place)), missing),
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

/// The missing part of the message's own row, if its marks still know the length that a reader at
/// `since` has.
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

/// The length that a reader at `since` has, if these marks know it.
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
