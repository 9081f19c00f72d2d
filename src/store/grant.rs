//! Grants that are in force (P8.6): one row each, deleted with its end.
//!
//! Few sessions have any, so the table `granted` is made with the first. It is short, and a waking
//! session reads all of it:
//!
//! | column | holds |
//! | --- | --- |
//! | `serial` | the place of the approval that it was given with |
//! | `body` | a [`Grant`], as JSON |

use super::change::{self, Kind};
use super::error::StoreError;
use super::row::Row;
use super::schema::{Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::grant::Grant;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;

/// A write of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantWrite {
    /// It was given.
    Give(Grant),
    /// It has ended.
    End {
        /// Its place.
        place: Place,
    },
    /// An entry for the revocation of some.
    Revoke {
        /// The place of the entry.
        place: Place,
        /// The client.
        client: String,
        /// When.
        at: Timestamp,
    },
}

impl Stored for GrantWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        const GIVE: &str = "INSERT INTO granted(serial, body) VALUES(?1, ?2)";
        const END: &str = "DELETE FROM granted WHERE serial=?1";
        match self {
            Self::Give(grant) => {
                let body = serde_json::to_string(grant);
                let body = body.map_err(|_| StoreError::unreadable("grant"))?;
                sql.run(GIVE, &[Value::number(grant.place), Value::Text(body)])
            }
            Self::End { place } => sql.run(END, &[Value::number(*place)]),
            Self::Revoke { place, client, at } => {
                change::add(sql, *place, Kind::Revoke, *place, Some(client), *at)
            }
        }
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        tables.add(sql, Rare::Granted)
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Give(grant) => serde_json::to_string(grant).map_or(0, |body| body.len()),
            Self::End { .. } | Self::Revoke { .. } => 0,
        }
    }
}

impl Store {
    /// All grants that are in force, in the order of their approvals. Reads all rows.
    pub fn grants(&self) -> Result<Vec<Grant>, StoreError> {
        const ALL: &str = "SELECT body FROM granted ORDER BY serial";
        if !self.tables()?.has(Rare::Granted) {
            return Ok(Vec::new());
        }
        let grant = |mut row: Row| {
            serde_json::from_str(&row.text()?).map_err(|_| StoreError::unreadable("grant"))
        };
        Row::all(self.sql().query(ALL, &[])?).map(grant).collect()
    }
}
