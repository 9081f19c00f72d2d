//! Streaming messages, as a waking session needs them.

use super::columns::{Columns, Head, columns};
use crate::store::error::StoreError;
use crate::store::row::Row;
use crate::store::sql::Sql;
use crate::store::store::Store;
use crate::store::text::{Newest, Tail, measure};

/// A message that still streams.
#[derive(Clone, Debug, PartialEq)]
pub struct Streaming {
    /// The message, with the version, `seq` and time of its tail.
    pub head: Head,
    /// Length of its text in UTF-16 code units.
    pub units: u64,
    /// Length of its text in bytes.
    pub bytes: usize,
    /// The row that its next text goes to.
    pub tail: Tail,
}

impl Store {
    /// All streaming messages, by place. Their rows and their segments.
    pub fn streaming(&self) -> Result<Vec<Streaming>, StoreError> {
        const STREAMING: &str = concat!(
            "SELECT ",
            columns!(),
            ", marks, octet_length(data) FROM message WHERE status='streaming' ORDER BY serial"
        );
        self.read(|sql| {
            let rows = Row::all(sql.query(STREAMING, &[])?);
            rows.map(|row| streaming(sql, row)).collect()
        })
    }
}

fn streaming(sql: &dyn Sql, mut row: Row) -> Result<Streaming, StoreError> {
    let mut columns = Columns::parse(&row.text()?)?;
    let newest = Newest::of(sql, columns.serial)?;
    columns.overlay(newest.as_ref());
    let (marks, bytes) = (row.text()?, row.size()?);
    let measured = measure(sql, columns.serial, newest.as_ref(), marks, bytes)?;
    Ok(Streaming {
        head: columns.into_head(),
        units: measured.units,
        bytes: measured.bytes,
        tail: measured.tail,
    })
}
