//! Files: a row for each (P11.7). Its bytes are in a bucket, beside the database.
//!
//! Few sessions have any, so the table `file` is made with the first. Ids begin with the time, so
//! they are in the order of the uploads:
//!
//! | column | holds |
//! | --- | --- |
//! | `id` | its id |
//! | `name`, `type` | as it is shown |
//! | `bytes` | its size; while it arrives, the most that it may have |
//! | `client` | the client that uploaded it |
//! | `created_at` | when the upload began, in ms |
//! | `is_whole` | 0 while it arrives, then 1 |
//! | `upload` | the client's own id of the upload, else NULL |

use super::error::StoreError;
use super::row::Row;
use super::schema::{Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::file::File;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::FILES_ARRIVING;

/// A write of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileWrite {
    /// It begins to arrive.
    Begin {
        /// The file.
        file: File,
        /// The client's own id of the upload.
        upload: Option<String>,
    },
    /// It is whole.
    End {
        /// Its id.
        id: String,
        /// Its size.
        bytes: u64,
    },
    /// It goes.
    Forget {
        /// Its id.
        id: String,
    },
}

impl Stored for FileWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        const BEGIN: &str = "INSERT INTO file(id, name, type, bytes, client, created_at, \
                             is_whole, upload) VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)";
        const END: &str = "UPDATE file SET bytes=?2, is_whole=1 WHERE id=?1";
        const FORGET: &str = "DELETE FROM file WHERE id=?1";
        match self {
            Self::Begin { file, upload } => {
                let params = [
                    file.id.as_str().into(),
                    file.name.as_str().into(),
                    file.media.as_str().into(),
                    Value::number(file.bytes),
                    file.client.as_str().into(),
                    file.created_at.into(),
                    upload.as_deref().into(),
                ];
                sql.run(BEGIN, &params)
            }
            Self::End { id, bytes } => sql.run(END, &[id.as_str().into(), Value::number(*bytes)]),
            Self::Forget { id } => sql.run(FORGET, &[id.as_str().into()]),
        }
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        tables.add(sql, Rare::File)
    }
}

/// A file, and whether it is whole.
fn file(row: &mut Row) -> Result<(File, bool), StoreError> {
    let file = File {
        id: row.text()?,
        name: row.text()?,
        media: row.text()?,
        bytes: row.number()?,
        client: row.text()?,
        created_at: row.integer()?,
    };
    Ok((file, row.integer()? != 0))
}

impl Store {
    /// Whether there may be a file. No row.
    pub fn has_files(&self) -> Result<bool, StoreError> {
        Ok(self.tables()?.has(Rare::File))
    }

    /// A file, and whether it is whole. One row.
    pub fn file(&self, id: &str) -> Result<Option<(File, bool)>, StoreError> {
        const ONE: &str = "SELECT id, name, type, bytes, client, created_at, is_whole FROM file \
                           WHERE id=?1";
        self.one_file(ONE, &[id.into()])
    }

    /// The file of an upload with a client's own id. Two rows.
    pub fn uploaded(&self, client: &str, upload: &str) -> Result<Option<(File, bool)>, StoreError> {
        const ONE: &str = "SELECT id, name, type, bytes, client, created_at, is_whole FROM file \
                           WHERE client=?1 AND upload=?2";
        self.one_file(ONE, &[client.into(), upload.into()])
    }

    fn one_file(&self, query: &str, params: &[Value]) -> Result<Option<(File, bool)>, StoreError> {
        if !self.has_files()? {
            return Ok(None);
        }
        let row = Row::first(self.sql().query(query, params)?);
        row.map(|mut row| file(&mut row)).transpose()
    }

    /// The number and the bytes of all files. Reads all rows.
    pub fn file_sums(&self) -> Result<(u64, u64), StoreError> {
        const SUMS: &str = "SELECT count(*), sum(bytes) FROM file";
        if !self.has_files()? {
            return Ok((0, 0));
        }
        let mut row = Row::only(self.sql().query(SUMS, &[])?)?;
        Ok((row.number()?, row.number_or_zero()?))
    }

    /// The files that arrive, oldest first, and when each began; `FILES_ARRIVING` at most. Two rows
    /// for each.
    pub fn arriving(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        const ALL: &str = "SELECT id, created_at FROM file WHERE is_whole=0 ORDER BY id LIMIT ?1";
        self.dated(ALL, FILES_ARRIVING)
    }

    /// The oldest files, and when each was uploaded. A row for each.
    pub fn oldest_files(&self, limit: usize) -> Result<Vec<(String, Timestamp)>, StoreError> {
        const OLDEST: &str = "SELECT id, created_at FROM file ORDER BY id LIMIT ?1";
        self.dated(OLDEST, limit)
    }

    fn dated(&self, query: &str, limit: usize) -> Result<Vec<(String, Timestamp)>, StoreError> {
        if !self.has_files()? {
            return Ok(Vec::new());
        }
        let dated = |mut row: Row| Ok((row.text()?, row.integer()?));
        let rows = self.sql().query(query, &[Value::size(limit)])?;
        Row::all(rows).map(dated).collect()
    }
}
