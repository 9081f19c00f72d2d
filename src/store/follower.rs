//! Followers: the inboxes that a session tells of itself (P15).
//!
//! A row of `follower` is one inbox. No row says what an inbox is owed: it is owed whatever changed
//! after the place up to which it was told. Few sessions of a deployment without inboxes have any,
//! so the table is made with its first row.
//!
//! | column | holds |
//! | --- | --- |
//! | `inbox` | the name of the inbox: `client:ID` or `role:NAME` |
//! | `told` | the place up to which it was told; 0 if it was told nothing |
//! | `read` | its client's read mark then (P9.5); 0 without one |

use super::asking;
use super::error::StoreError;
use super::row::Row;
use super::schema::{Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::serial::Place;

/// A change of the rows of followers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowerWrite {
    /// An inbox was told up to a place.
    Told {
        /// The inbox.
        inbox: String,
        /// The place.
        told: Place,
        /// Its client's read mark; 0 without one.
        read: Place,
        /// Whether it has a row already.
        is_kept: bool,
    },
    /// Something changed that has no place: every inbox is owed it.
    Owe,
    /// An inbox follows no more.
    Drop {
        /// The inbox.
        inbox: String,
    },
}

impl Stored for FollowerWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        const TOLD: &str = "INSERT INTO follower(inbox, told, read) VALUES(?1, ?2, ?3) \
                            ON CONFLICT(inbox) DO UPDATE SET told=?2, read=?3";
        const OWE: &str = "UPDATE follower SET told=told-1 WHERE 0<told";
        const DROP: &str = "DELETE FROM follower WHERE inbox=?1";
        match self {
            Self::Told {
                inbox, told, read, ..
            } => {
                let [told, read] = [*told, *read].map(Value::number);
                sql.run(TOLD, &[inbox.as_str().into(), told, read])
            }
            Self::Owe => sql.run(OWE, &[]),
            Self::Drop { inbox } => sql.run(DROP, &[inbox.as_str().into()]),
        }
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        match self {
            Self::Told { .. } => tables.add(sql, Rare::Follower),
            Self::Owe | Self::Drop { .. } => Ok(()),
        }
    }

    fn is_one_statement(&self) -> bool {
        !matches!(self, Self::Told { is_kept: false, .. })
    }
}

impl Store {
    /// Every inbox with a row, the place up to which it was told, and whether its client has
    /// another read mark now. Two rows each.
    pub fn followers(&self) -> Result<Vec<(String, Place, bool)>, StoreError> {
        const ALL: &str = "SELECT inbox, told, 0 FROM follower ORDER BY inbox";
        const MARKED: &str = "SELECT inbox, told, read<>coalesce((SELECT serial FROM mark WHERE \
                              client=substr(inbox, 8) AND inbox GLOB 'client:*'), 0) \
                              FROM follower ORDER BY inbox";
        let tables = self.tables()?;
        if !tables.has(Rare::Follower) {
            return Ok(Vec::new());
        }
        let all = if tables.has(Rare::Mark) { MARKED } else { ALL };
        let follower = |mut row: Row| Ok((row.text()?, row.number()?, row.integer()? != 0));
        Row::all(self.sql().query(all, &[])?)
            .map(follower)
            .collect()
    }

    /// A place that no inbox needs to be told beyond: that of the latest entry of anything but a
    /// message, of the latest deletion, of the latest request, or of the latest message if it is of
    /// no turn. Where many entries came after it, one of them. 68 rows at most.
    pub fn latest_event(&self) -> Result<Place, StoreError> {
        const EVENT: &str = "SELECT coalesce(max(CASE WHEN 10<=kind OR kind=3 THEN serial END), \
                             CASE WHEN count(*)=64 THEN min(serial) END) FROM \
                             (SELECT serial, kind FROM change ORDER BY serial DESC LIMIT 64)";
        const MESSAGE: &str = "SELECT CASE WHEN turn IS NULL THEN serial END FROM message \
                               ORDER BY serial DESC LIMIT 1";
        self.read(|sql| {
            let mut latest = 0;
            for statement in [EVENT, MESSAGE] {
                if let Some(mut row) = Row::first(sql.query(statement, &[])?) {
                    latest = latest.max(row.number_or_zero()?);
                }
            }
            for askings in asking::ALL {
                let newest = askings.newest(sql)?;
                latest = latest.max(newest.map_or(0, |(place, _)| place));
            }
            Ok(latest)
        })
    }
}
