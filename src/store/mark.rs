//! Read marks: a row for each client that has one (P9.5).
//!
//! They are no part of the log. The table `mark` is made with the first:
//!
//! | column | holds |
//! | --- | --- |
//! | `client` | the client |
//! | `serial` | the place of the last entry that it has read |
//! | `at` | when that was stored, in ms |

use super::error::StoreError;
use super::row::Row;
use super::schema::{Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;

/// A write of a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarkWrite {
    /// A client has read so far.
    Put {
        /// The client.
        client: String,
        /// The last entry that it has read.
        place: Place,
        /// When.
        at: Timestamp,
    },
    /// There are too many, and this one is the oldest.
    Forget {
        /// The client.
        client: String,
    },
}

impl Stored for MarkWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        const PUT: &str = "INSERT INTO mark(client, serial, at) VALUES(?1, ?2, ?3) \
                           ON CONFLICT DO UPDATE SET serial=excluded.serial, at=excluded.at";
        const FORGET: &str = "DELETE FROM mark WHERE client=?1";
        match self {
            Self::Put { client, place, at } => {
                let place = Value::number(*place);
                sql.run(PUT, &[client.as_str().into(), place, (*at).into()])
            }
            Self::Forget { client } => sql.run(FORGET, &[client.as_str().into()]),
        }
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        tables.add(sql, Rare::Mark)
    }
}

impl Store {
    /// All marks, and when each was stored. A row each.
    pub fn marks(&self) -> Result<Vec<(String, Place, Timestamp)>, StoreError> {
        const ALL: &str = "SELECT client, serial, at FROM mark";
        if !self.tables()?.has(Rare::Mark) {
            return Ok(Vec::new());
        }
        let mark = |mut row: Row| Ok((row.text()?, row.number()?, row.integer()?));
        Row::all(self.sql().query(ALL, &[])?).map(mark).collect()
    }

    /// The mark of one client; 0 without one. A row.
    pub fn mark(&self, client: &str) -> Result<Place, StoreError> {
        const MARK: &str = "SELECT serial FROM mark WHERE client=?1";
        if !self.tables()?.has(Rare::Mark) {
            return Ok(0);
        }
        let found = Row::first(self.sql().query(MARK, &[client.into()])?);
        found.map_or(Ok(0), |mut row| row.number())
    }

    /// Messages to people after a place that are others' and not deleted: so many at most, among
    /// the newest so many. A row for each that is looked at.
    pub fn unread(
        &self,
        client: &str,
        after: Place,
        (most, scanned): (usize, usize),
    ) -> Result<usize, StoreError> {
        const UNREAD: &str = "SELECT count(*) FROM (SELECT 1 FROM (SELECT client, role, deleted_at \
                              FROM message WHERE serial>?1 ORDER BY serial DESC LIMIT ?4) \
                              WHERE client<>?2 AND role IN ('user', 'assistant') \
                              AND deleted_at IS NULL LIMIT ?3)";
        let [most, scanned] = [most, scanned].map(Value::size);
        let params = [Value::number(after), client.into(), most, scanned];
        self.read(|sql| Row::only(sql.query(UNREAD, &params)?)?.size())
    }
}
