//! How messages are linked to each other (P6.9), read without their text.

use serde::Deserialize;

use super::row::Row;
use super::sql::{Sql, Value};
use super::{Link, StoreError};
use crate::protocol::serial::Place;

/// One value crosses into wasm where five would.
macro_rules! links {
    ($which:literal) => {
        concat!(
            "SELECT json_array(serial, turn, parent, \
             json_extract(headers, '$.\"sessile-edits\"'), deleted_at IS NOT NULL) \
             FROM message WHERE ",
            $which
        )
    };
}

#[derive(Deserialize)]
struct Columns(Place, Option<String>, Option<Place>, Option<String>, u8);

fn read(mut row: Row) -> Result<Link, StoreError> {
    let columns = serde_json::from_str(&row.text()?);
    let columns = columns.map_err(|_| StoreError::unreadable("message"))?;
    let Columns(place, turn, parent, edits, is_deleted) = columns;
    Ok(Link {
        place,
        turn,
        parent,
        edits,
        is_deleted: is_deleted != 0,
    })
}

pub(super) fn link(sql: &dyn Sql, place: Place) -> Result<Option<Link>, StoreError> {
    const LINK: &str = links!("serial=?1");
    let row = Row::first(sql.query(LINK, &[Value::number(place)])?);
    row.map(read).transpose()
}

pub(super) fn links(
    sql: &dyn Sql,
    after: Place,
    before: Place,
    newest_first: bool,
    limit: usize,
) -> Result<Vec<Link>, StoreError> {
    const NEWEST: &str = links!("serial>?1 AND serial<?2 ORDER BY serial DESC LIMIT ?3");
    const OLDEST: &str = links!("serial>?1 AND serial<?2 ORDER BY serial LIMIT ?3");
    let statement = if newest_first { NEWEST } else { OLDEST };
    let [after, before] = [after, before].map(Value::number);
    let rows = sql.query(statement, &[after, before, Value::size(limit)])?;
    Row::all(rows).map(read).collect()
}
