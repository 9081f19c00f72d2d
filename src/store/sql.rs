//! The SQLite interface: the few calls that every SQLite offers.

use serde::Serialize;

use super::error::StoreError;

/// The largest integer that JavaScript, and so workerd, carries exactly.
const INTEGER_MAX: i64 = (1 << 53) - 1;

/// A value of a row. Integers stay within ±2^53, workerd's exact range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

impl Value {
    /// A count or a place. A value beyond the range of rows becomes the largest in it.
    pub(super) fn number(number: u64) -> Self {
        Self::Integer(i64::try_from(number).map_or(INTEGER_MAX, |number| number.min(INTEGER_MAX)))
    }

    /// As [`Value::number`], for sizes.
    pub(super) fn size(size: usize) -> Self {
        Self::number(u64::try_from(size).unwrap_or(u64::MAX))
    }

    /// Text of its own.
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::number(number)
    }
}

/// The parameters of the statement of the hot path, in their order.
#[derive(Clone, Copy, Debug)]
pub struct Grown<'a> {
    /// The growing row.
    pub row: u64,
    /// Its new version.
    pub version: u64,
    /// The highest `seq` taken; 0 if none.
    pub seq: u64,
    /// When.
    pub at: i64,
    /// The mark of that version, in ASCII.
    pub mark: &'a str,
    /// The added text.
    pub text: &'a str,
}

/// A database that runs one statement at a time and answers at once.
pub trait Sql {
    /// Runs one statement and returns all its rows.
    ///
    /// # Errors
    /// When the statement fails; its writes are then undone.
    fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, StoreError>;

    /// Runs one statement without rows.
    ///
    /// # Errors
    /// As [`Sql::query`].
    fn run(&self, sql: &'static str, params: &[Value]) -> Result<(), StoreError> {
        self.query(sql, params).map(|_| ())
    }

    /// Runs the statement of the hot path.
    ///
    /// # Errors
    /// As [`Sql::query`].
    fn grow(&self, sql: &'static str, grown: &Grown<'_>) -> Result<(), StoreError> {
        let [row, version, seq] = [grown.row, grown.version, grown.seq].map(Value::number);
        let (at, mark, text) = (grown.at.into(), grown.mark.into(), grown.text.into());
        self.run(sql, &[row, version, seq, at, mark, text])
    }

    /// Rows that were read, since this database was opened.
    fn rows_read(&self) -> u64;

    /// Bytes of the database, without free pages.
    ///
    /// # Errors
    /// When the size is unknown.
    fn bytes(&self) -> Result<u64, StoreError>;

    /// Runs `body` in a transaction: all of its writes stand, or none if it fails.
    ///
    /// # Errors
    /// The error of `body`, or that the transaction could not be made durable.
    fn transaction(
        &self,
        body: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}
