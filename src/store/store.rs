//! The rows of one session, over one database.
//!
//! Each stored kind has a file of its own, which adds its reads to [`Store`]; all writes go
//! through `Store::write` (`write.rs`).

use std::cell::Cell;
use std::rc::Rc;

use super::error::StoreError;
use super::schema::Tables;
use super::sql::Sql;

/// Approximate bytes written before the database's size is looked up again.
const BYTES_STEP: u64 = 1024 * 1024;

/// The rows of one session. Each read states the most rows it reads; segments there are those of
/// one message, whose size bounds them (`dataBytes`): some 600.
pub struct Store {
    sql: Rc<dyn Sql>,
    /// The existing tables, once looked up.
    tables: Cell<Option<Tables>>,
    /// Bytes of the database at the last look-up, and approximate bytes written since.
    bytes: Cell<Option<(u64, u64)>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").finish_non_exhaustive()
    }
}

impl From<Rc<dyn Sql>> for Store {
    fn from(sql: Rc<dyn Sql>) -> Self {
        Self::new(sql)
    }
}

impl Store {
    /// The store of this database's session. After everything in the database was deleted, a new
    /// one is made.
    pub fn new(sql: Rc<dyn Sql>) -> Self {
        Self {
            sql,
            tables: Cell::new(None),
            bytes: Cell::new(None),
        }
    }

    /// Whether the database has fewer bytes than this. Looked up again now and then, and every time
    /// while it has not. No row.
    pub fn has_room(&self, most: u64) -> Result<bool, StoreError> {
        // The look-up is a statement, which the hot path is spared.
        let step = BYTES_STEP.min(most / 16);
        if let Some((bytes, written)) = self.bytes.get()
            && written <= step
            && bytes.saturating_add(written) < most
        {
            return Ok(true);
        }
        let bytes = self.sql.bytes()?;
        self.bytes.set(Some((bytes, 0)));
        Ok(bytes < most)
    }

    /// Rows that were read, since the database was opened.
    pub fn rows_read(&self) -> u64 {
        self.sql.rows_read()
    }

    /// Reads, unless nothing was ever written: then no table exists.
    pub(super) fn read<T: Default>(
        &self,
        read: impl FnOnce(&dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.tables()?.is_begun {
            read(&*self.sql)
        } else {
            Ok(T::default())
        }
    }

    /// The database itself.
    pub(super) fn sql(&self) -> &dyn Sql {
        &*self.sql
    }

    /// The existing tables.
    pub(super) fn tables(&self) -> Result<Tables, StoreError> {
        if let Some(tables) = self.tables.get() {
            return Ok(tables);
        }
        let tables = Tables::of(&*self.sql)?;
        self.tables.set(Some(tables));
        Ok(tables)
    }

    /// Notes approximate bytes written, and the tables that exist since.
    pub(super) fn wrote(&self, added: usize, tables: Tables) {
        self.tables.set(Some(tables));
        if let Some((bytes, written)) = self.bytes.get() {
            let added = u64::try_from(added).unwrap_or(u64::MAX);
            self.bytes.set(Some((bytes, written.saturating_add(added))));
        }
    }
}
