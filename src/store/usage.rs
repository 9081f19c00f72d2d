//! Usage: the session's sums, which outlive its turns (P6.12). Those of a turn are in its row.
//!
//! The table `usage` has one row. Many sessions never report any, so it is made with the first
//! report:
//!
//! | column | holds |
//! | --- | --- |
//! | `id` | 1 |
//! | `body` | a [`Usage`], as JSON |

use super::error::StoreError;
use super::row::Row;
use super::schema::{Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::usage::Usage;

/// The session's sums have grown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageWrite {
    /// All of them.
    pub sums: Usage,
}

impl UsageWrite {
    fn body(&self) -> Result<String, StoreError> {
        serde_json::to_string(&self.sums).map_err(|_| StoreError::unreadable("usage"))
    }
}

impl Stored for UsageWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        const PUT: &str = "INSERT INTO usage(id, body) VALUES(1, ?1) \
                           ON CONFLICT(id) DO UPDATE SET body=excluded.body";
        sql.run(PUT, &[Value::Text(self.body()?)])
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        tables.add(sql, Rare::Usage)
    }
}

impl Store {
    /// The session's sums. One row.
    pub fn usage(&self) -> Result<Usage, StoreError> {
        const SUMS: &str = "SELECT body FROM usage";
        if !self.tables()?.has(Rare::Usage) {
            return Ok(Usage::default());
        }
        match Row::first(self.sql().query(SUMS, &[])?) {
            Some(mut row) => {
                serde_json::from_str(&row.text()?).map_err(|_| StoreError::unreadable("usage"))
            }
            None => Ok(Usage::default()),
        }
    }
}
