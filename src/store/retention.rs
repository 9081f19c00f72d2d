//! Retention: the oldest messages, and the deletion of everything up to a place (P11.2).

use super::error::StoreError;
use super::row::Row;
use super::schema::Rare;
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use super::text::newest_segment;
use super::{asking, change, log, message, meta, turn};
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;

/// One of the oldest messages, for retention (P11.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aged {
    /// Its place.
    pub place: Place,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether it must stay: it streams, or an open turn has it, answers it or reads it.
    pub is_held: bool,
    /// Rows of its text and of its annotations, beside its own.
    pub rows: usize,
}

/// Deletes messages, and the log's records up to the last of them: final turns, settled approvals
/// and entries, `TRIM_ROWS` of each at most. Further rows are deleted by a later step, and are
/// never read meanwhile: nobody resumes from before the floor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trim {
    /// The place after which the log now begins.
    pub up_to: Place,
    /// The messages.
    pub gone: Vec<Place>,
    /// When.
    pub at: Timestamp,
}

impl Stored for Trim {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        let written_at = log::end(sql)?.written_at;
        let gone = Value::Text(serde_json::json!(self.gone).to_string());
        meta::raise_floor(sql, self.up_to, written_at, self.at)?;
        message::trim(sql, &gone)?;
        turn::trim(sql, self.up_to)?;
        for askings in asking::ALL {
            askings.trim(sql, self.up_to)?;
        }
        change::trim(sql, self.up_to)
    }
}

/// Whether retention must keep a message: it streams, is of an open turn, or is the input of one or
/// an instruction to it (P11.2).
macro_rules! is_held {
    () => {
        "(status IS 'streaming' OR turn IS NOT NULL AND turn IN \
         (SELECT id FROM turn WHERE open=1) OR serial IN \
         (SELECT input FROM turn WHERE open=1 AND input IS NOT NULL) OR serial IN \
         (SELECT value FROM turn, json_each(turn.body, '$.inputs') WHERE open=1))"
    };
}

/// The oldest messages, with the rows of something else of theirs.
macro_rules! aged {
    ($rows:literal) => {
        concat!(
            "SELECT serial, created_at, ",
            is_held!(),
            ", CASE WHEN status IS NULL THEN 0 ELSE coalesce(",
            newest_segment!("s.id - (serial << 20)", "serial"),
            ", 0) END + ",
            $rows,
            " FROM message ORDER BY serial LIMIT ?1"
        )
    };
}

impl Store {
    /// The oldest messages, and whether retention may remove them. Three rows each, and two for
    /// each open turn.
    pub fn aged(&self, limit: usize) -> Result<Vec<Aged>, StoreError> {
        const AGED: &str = aged!("0");
        const ANNOTATED: &str =
            aged!("coalesce((SELECT rows + 1 FROM summary WHERE summary.message=serial), 0)");
        let aged = |mut row: Row| {
            Ok(Aged {
                place: row.number()?,
                created_at: row.integer()?,
                is_held: row.number()? != 0,
                rows: row.size()?,
            })
        };
        let has_sums = self.tables()?.has(Rare::Annotation);
        let statement = if has_sums { ANNOTATED } else { AGED };
        self.read(|sql| {
            let rows = Row::all(sql.query(statement, &[Value::size(limit)])?);
            rows.map(aged).collect()
        })
    }
}
