//! The links between messages (P6.9), read without their text.

use crate::protocol::serial::Place;
use crate::store::error::StoreError;
use crate::store::row::Row;
use crate::store::sql::Value;
use crate::store::store::Store;

/// The links that give a message its place in the conversation (P6.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The message.
    pub place: Place,
    /// The turn that it belongs to.
    pub turn: Option<String>,
    /// The message that it names as its predecessor.
    pub parent: Option<Place>,
    /// The message that it is another version of, by its header.
    pub edits: Option<String>,
    /// Whether only a tombstone is left.
    pub is_deleted: bool,
}

/// One value crosses into wasm instead of five.
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

impl Store {
    /// The links of one message. One row.
    pub fn link(&self, place: Place) -> Result<Option<Link>, StoreError> {
        const LINK: &str = links!("serial=?1");
        self.read(|sql| {
            let row = Row::first(sql.query(LINK, &[Value::number(place)])?);
            row.map(read).transpose()
        })
    }

    /// The links of the messages between two places. A row each.
    pub fn links(
        &self,
        after: Place,
        before: Place,
        newest_first: bool,
        limit: usize,
    ) -> Result<Vec<Link>, StoreError> {
        const NEWEST: &str = links!("serial>?1 AND serial<?2 ORDER BY serial DESC LIMIT ?3");
        const OLDEST: &str = links!("serial>?1 AND serial<?2 ORDER BY serial LIMIT ?3");
        let statement = if newest_first { NEWEST } else { OLDEST };
        let [after, before] = [after, before].map(Value::number);
        self.read(|sql| {
            let rows = sql.query(statement, &[after, before, Value::size(limit)])?;
            Row::all(rows).map(read).collect()
        })
    }
}

type Columns = (Place, Option<String>, Option<Place>, Option<String>, u8);

fn read(mut row: Row) -> Result<Link, StoreError> {
    let columns = serde_json::from_str(&row.text()?);
    let columns = columns.map_err(|_| StoreError::unreadable("message"))?;
    let (place, turn, parent, edits, is_deleted): Columns = columns;
    Ok(Link {
        place,
        turn,
        parent,
        edits,
        is_deleted: is_deleted != 0,
    })
}
