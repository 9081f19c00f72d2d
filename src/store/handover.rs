//! The latest hand-over to a person (P8.8): one row, which every change of it rewrites.
//!
//! Few sessions have one, so the table `handover` is made with the first:
//!
//! | column | holds |
//! | --- | --- |
//! | `id` | 1 |
//! | `heard_at` | a time at or before the person was last heard, in ms |
//! | `body` | a [`Handover`], as JSON |

use super::change::{self, Kind};
use super::error::StoreError;
use super::row::Row;
use super::schema::{Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::handover::Handover;
use crate::protocol::ids::Timestamp;

/// A write of a hand-over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandoverWrite {
    /// The hand-over as it now is, and an entry for its latest event.
    Put {
        /// The hand-over.
        handover: Handover,
        /// A time at or before the person was last heard.
        heard_at: Timestamp,
        /// The client that did it; `None` for the session itself.
        client: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// The hand-over, of which something changed that is no entry.
    Row {
        /// The hand-over.
        handover: Handover,
        /// A time at or before the person was last heard.
        heard_at: Timestamp,
    },
    /// When the person was heard.
    Heard {
        /// When.
        at: Timestamp,
    },
}

impl Stored for HandoverWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        const HEARD: &str = "UPDATE handover SET heard_at=?1";
        match self {
            Self::Put {
                handover,
                heard_at,
                client,
                at,
            } => {
                put_row(sql, handover, *heard_at)?;
                let kind = Kind::Handover(handover.event());
                let place = handover.version;
                change::add(sql, place, kind, place, client.as_deref(), *at)
            }
            Self::Row { handover, heard_at } => put_row(sql, handover, *heard_at),
            Self::Heard { at } => sql.run(HEARD, &[(*at).into()]),
        }
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        tables.add(sql, Rare::Handover)
    }

    fn is_one_statement(&self) -> bool {
        // The table is there: the hand-over was put.
        matches!(self, Self::Heard { .. })
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Put { handover, .. } | Self::Row { handover, .. } => {
                serde_json::to_string(handover).map_or(0, |body| body.len())
            }
            Self::Heard { .. } => 0,
        }
    }
}

fn put_row(sql: &dyn Sql, handover: &Handover, heard_at: Timestamp) -> Result<(), StoreError> {
    const PUT: &str = "INSERT INTO handover(id, heard_at, body) VALUES(1, ?1, ?2) \
                       ON CONFLICT(id) DO UPDATE SET heard_at=excluded.heard_at, \
                       body=excluded.body";
    let body = serde_json::to_string(handover).map_err(|_| StoreError::unreadable("handover"))?;
    sql.run(PUT, &[heard_at.into(), Value::Text(body)])
}

impl Store {
    /// The latest hand-over, and a time at or before the person was last heard. One row.
    pub fn handover(&self) -> Result<Option<(Handover, Timestamp)>, StoreError> {
        const LATEST: &str = "SELECT heard_at, body FROM handover";
        if !self.tables()?.has(Rare::Handover) {
            return Ok(None);
        }
        let handover = |mut row: Row| {
            let heard_at = row.integer()?;
            let body = serde_json::from_str(&row.text()?);
            let body = body.map_err(|_| StoreError::unreadable("handover"))?;
            Ok((body, heard_at))
        };
        let row = Row::first(self.sql().query(LATEST, &[])?);
        row.map(handover).transpose()
    }
}
