//! The rows of an inbox about revoked tokens (P11.5), in two tables made with their first row.
//!
//! A row of `contact` is a session that the client of the inbox came to, numbered in that order.
//! `revocation` has one row: `list` is the revocations as JSON, `done` the time up to which all
//! that are to hear of them have.

use super::error::StoreError;
use super::inbox::InboxStore;
use super::row::Row;
use super::sql::Value;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::CONTACTS;

const REVOCATION: &str = include_str!("inbox/revocation.sql");
const CONTACT: &str = include_str!("inbox/contact.sql");

impl InboxStore {
    /// The revocations, and the time up to which all have heard of them. One row.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn revocations(&self) -> Result<Option<(String, Timestamp)>, StoreError> {
        let mut rows = self.rows("revocation", "SELECT list, done FROM revocation", &[])?;
        let row = rows.next();
        row.map(|mut row| Ok((row.text()?, row.integer()?)))
            .transpose()
    }

    /// Keeps the revocations. One row.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn keep_revocations(&self, list: &str, done: Timestamp) -> Result<(), StoreError> {
        const KEEP: &str = "INSERT OR REPLACE INTO revocation(id, list, done) VALUES(0, ?1, ?2)";
        self.write_with(REVOCATION, &[(KEEP, &[list.into(), done.into()])])
    }

    /// The sessions that the client came to, the latest of them. As many rows.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn contacts(&self) -> Result<Vec<String>, StoreError> {
        const LATEST: &str = "SELECT session FROM contact ORDER BY number DESC LIMIT ?1";
        let rows = self.rows("contact", LATEST, &[Value::size(CONTACTS)])?;
        rows.map(|mut row| row.text()).collect()
    }

    /// Notes a session that the client came to. Two rows if it is new.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn note_contact(&self, session: &str) -> Result<(), StoreError> {
        const NOTE: &str = "INSERT OR IGNORE INTO contact(session) VALUES(?1)";
        self.write_with(CONTACT, &[(NOTE, &[session.into()])])
    }

    /// The rows of a query; none if the table is not there.
    pub(super) fn rows(
        &self,
        table: &str,
        query: &str,
        params: &[Value],
    ) -> Result<impl Iterator<Item = Row> + use<>, StoreError> {
        const THERE: &str = "SELECT 1 FROM sqlite_master WHERE type='table' AND name=?1";
        let is_there = !self.sql.query(THERE, &[table.into()])?.is_empty();
        let rows = match is_there {
            true => self.sql.query(query, params)?,
            false => Default::default(),
        };
        Ok(Row::all(rows))
    }

    /// Runs statements, all or none, on a table that is made first if it is missing.
    pub(super) fn write_with(
        &self,
        table: &'static str,
        statements: &[(&'static str, &[Value])],
    ) -> Result<(), StoreError> {
        self.sql.transaction(&mut || {
            self.sql.run(table.trim_end().trim_end_matches(';'), &[])?;
            let mut all = statements.iter();
            all.try_for_each(|(text, params)| self.sql.run(text, params))
        })
    }
}
