//! The rows of an inbox about the erasure of its client (P11.10).
//!
//! `erasure` has one row, made with the first erasure, which names nobody: `state` is 0 while
//! sessions are deleted, 1 once the inbox itself is empty, 2 at the end. The sessions that are left
//! are the rows of `contact`.

use super::error::StoreError;
use super::inbox::InboxStore;
use super::sql::Value;
use crate::protocol::ids::Timestamp;

const TABLE: &str = include_str!("inbox/erasure.sql");

/// How far the erasure of a client has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erasure {
    /// 0 while sessions are deleted, 1 once the inbox is empty, 2 at the end.
    pub state: u64,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended; 0 before.
    pub ended_at: Timestamp,
    /// Sessions that were deleted.
    pub deleted: u64,
}

impl InboxStore {
    /// The latest erasure. One row.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn erasure(&self) -> Result<Option<Erasure>, StoreError> {
        const ROW: &str = "SELECT state, begun_at, ended_at, deleted FROM erasure";
        let row = self.rows("erasure", ROW, &[])?.next();
        row.map(|mut row| {
            Ok(Erasure {
                state: row.number()?,
                begun_at: row.integer()?,
                ended_at: row.integer()?,
                deleted: row.number()?,
            })
        })
        .transpose()
    }

    /// Keeps how far an erasure has come. One row.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn keep_erasure(&self, it: &Erasure) -> Result<(), StoreError> {
        const KEEP: &str = "INSERT OR REPLACE INTO \
                            erasure(id, state, begun_at, ended_at, deleted) \
                            VALUES(0, ?1, ?2, ?3, ?4)";
        let [state, deleted] = [it.state, it.deleted].map(Value::number);
        let [begun_at, ended_at] = [it.begun_at, it.ended_at].map(Value::from);
        self.write_with(TABLE, &[(KEEP, &[state, begun_at, ended_at, deleted])])
    }

    /// The sessions that the client came to, so many of the earliest. As many rows.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn earliest_contacts(&self, most: usize) -> Result<Vec<String>, StoreError> {
        const SOME: &str = "SELECT session FROM contact ORDER BY number LIMIT ?1";
        let rows = self.rows("contact", SOME, &[Value::size(most)])?;
        rows.map(|mut row| row.text()).collect()
    }

    /// The number of sessions that the client came to. Reads all rows.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn contact_count(&self) -> Result<u64, StoreError> {
        let row = self.rows("contact", "SELECT count(*) FROM contact", &[])?;
        row.last().map_or(Ok(0), |mut row| row.number())
    }

    /// Forgets that the client came to a session; returns whether that was known. Three rows.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn forget_contact(&self, session: &str) -> Result<bool, StoreError> {
        const KNOWN: &str = "SELECT 1 FROM contact WHERE session=?1";
        const FORGET: &str = "DELETE FROM contact WHERE session=?1";
        let params = [session.into()];
        let is_known = self.rows("contact", KNOWN, &params)?.next().is_some();
        if is_known {
            self.sql.run(FORGET, &params)?;
        }
        Ok(is_known)
    }

    /// Deletes all rows of the inbox but those of its erasure.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn wipe(&self) -> Result<(), StoreError> {
        let tables = self.tables()?;
        let mut names = tables.iter().map(|(name, _)| name);
        self.sql.transaction(&mut || {
            let mut others = names.by_ref().filter(|name| *name != "erasure");
            others.try_for_each(|name| self.execute(format!("DELETE FROM {name}")))
        })
    }

    /// Forgets the latest erasure.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn forget_erasure(&self) -> Result<(), StoreError> {
        self.sql.run("DROP TABLE erasure", &[])
    }
}
