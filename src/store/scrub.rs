//! Bytes of deleted rows are overwritten in the database of an inbox (P11.10).
//!
//! SQLite leaves what is deleted, or grows beyond its place, in free pages and in the free parts of
//! others, and a Durable Object cannot set `secure_delete`. So zeroes are written until no free
//! page is left and become free, every table is copied into these pages, and then zeroes are
//! written twice more: a page that lists free pages may keep its bytes the first time. Each step
//! needs a commit of its own: pages that become free and are taken again in one transaction keep
//! their bytes.
//!
//! `scrub` has one row while that is planned or under way: `step` is the next step, `at` when it is
//! due. The tables named `scrub_…` hold the zeroes.

use super::error::StoreError;
use super::inbox::InboxStore;
use super::row::Row;
use super::sql::Value;
use crate::protocol::ids::Timestamp;

/// Bytes of zeroes of a step.
const FILL_BYTES: u64 = 256 * 1024;
/// Bytes of a page in every Durable Object.
const PAGE: u64 = 4096;
const TABLE: &str = include_str!("inbox/scrub.sql");

impl InboxStore {
    /// The next step, and when it is due, if one is planned. One row.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn scrub(&self) -> Result<Option<(u64, Timestamp)>, StoreError> {
        let row = self
            .rows("scrub", "SELECT step, at FROM scrub", &[])?
            .next();
        row.map(|mut row| Ok((row.number()?, row.integer()?)))
            .transpose()
    }

    /// Plans the next step. One row.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn plan_scrub(&self, step: u64, at: Timestamp) -> Result<(), StoreError> {
        const PLAN: &str = "INSERT OR REPLACE INTO scrub(id, step, at) VALUES(0, ?1, ?2)";
        self.write_with(TABLE, &[(PLAN, &[Value::number(step), at.into()])])
    }

    /// Copies every table into pages without earlier bytes. Writes all rows.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn copy_tables(&self) -> Result<(), StoreError> {
        let tables = self.tables()?;
        self.sql.transaction(&mut || {
            for (number, (name, text)) in tables.iter().enumerate() {
                let columns = text.split_once('(').map_or("", |(_, columns)| columns);
                self.execute(format!("CREATE TABLE scrub_{number}({columns}"))?;
                self.execute(format!("INSERT INTO scrub_{number} SELECT * FROM {name}"))?;
            }
            // Not before all are copied: a page that one leaves must not take another's rows yet.
            for (number, (name, _)) in tables.iter().enumerate() {
                self.execute(format!("DROP TABLE {name}"))?;
                self.execute(format!("ALTER TABLE scrub_{number} RENAME TO {name}"))?;
            }
            Ok(())
        })
    }

    /// Writes zeroes into free pages, a part at a time. Once none is left, as the pages of a new
    /// table and of its index are then the last ones of the file, all these pages become free, and
    /// it returns that. One row.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn fill(&self) -> Result<bool, StoreError> {
        const LAST: &str = "SELECT count(*) FROM sqlite_master \
                            WHERE tbl_name=?1 AND rootpage BETWEEN ?2-1 AND ?2";
        let mut zeroes = self.tables()?;
        zeroes.retain(|(name, _)| name.starts_with("scrub_"));
        let name = format!("scrub_{}", zeroes.len());
        self.execute(format!("CREATE TABLE {name}(number UNIQUE, zeroes)"))?;
        let pages = self.sql.bytes()? / PAGE;
        let last = self
            .sql
            .query(LAST, &[name.as_str().into(), pages.into()])?;
        if Row::only(last)?.number()? != 2 {
            let zeroes = format!("INSERT INTO {name}(zeroes) VALUES(zeroblob({FILL_BYTES}))");
            return self.execute(zeroes).map(|()| false);
        }
        zeroes.push((name, String::new()));
        let mut names = zeroes.into_iter().map(|(name, _)| name);
        self.sql.transaction(&mut || {
            names.try_for_each(|name| self.execute(format!("DROP TABLE {name}")))
        })?;
        Ok(true)
    }

    /// Ends it.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn end_scrub(&self) -> Result<(), StoreError> {
        self.sql.run("DROP TABLE scrub", &[])
    }

    pub(super) fn execute(&self, statement: String) -> Result<(), StoreError> {
        self.sql.query(&statement, &[]).map(|_| ())
    }

    /// The tables, each with the text that made it, but for those of the platform.
    pub(super) fn tables(&self) -> Result<Vec<(String, String)>, StoreError> {
        const TABLES: &str = "SELECT name, sql FROM sqlite_master WHERE type='table' AND \
                              substr(name, 1, 4)<>'_cf_' AND substr(name, 1, 7)<>'sqlite_'";
        let tables = Row::all(self.sql.query(TABLES, &[])?);
        tables
            .map(|mut row| Ok((row.text()?, row.text()?)))
            .collect()
    }
}
