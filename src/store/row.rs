//! Rows as read back: unexpected content is an error, never a panic.

use super::error::StoreError;
use super::sql::Value;

/// A row whose values are taken in order.
pub(super) struct Row(std::vec::IntoIter<Value>);

impl Row {
    /// The rows of an answer.
    pub(super) fn all(rows: Vec<Vec<Value>>) -> impl Iterator<Item = Self> {
        rows.into_iter().map(|row| Self(row.into_iter()))
    }

    /// The first row of an answer, if it has one.
    pub(super) fn first(rows: Vec<Vec<Value>>) -> Option<Self> {
        Self::all(rows).next()
    }

    /// The row of an answer that always has one.
    pub(super) fn only(rows: Vec<Vec<Value>>) -> Result<Self, StoreError> {
        Self::first(rows).ok_or_else(|| StoreError::unreadable("answer"))
    }

    pub(super) fn integer(&mut self) -> Result<i64, StoreError> {
        match self.0.next() {
            Some(Value::Integer(integer)) => Ok(integer),
            _ => Err(StoreError::unreadable("number")),
        }
    }

    pub(super) fn maybe_integer(&mut self) -> Result<Option<i64>, StoreError> {
        match self.0.next() {
            Some(Value::Integer(integer)) => Ok(Some(integer)),
            Some(Value::Null) => Ok(None),
            _ => Err(StoreError::unreadable("number")),
        }
    }

    pub(super) fn number(&mut self) -> Result<u64, StoreError> {
        u64::try_from(self.integer()?).map_err(|_| StoreError::unreadable("number"))
    }

    pub(super) fn maybe_number(&mut self) -> Result<Option<u64>, StoreError> {
        let number = self.maybe_integer()?.map(u64::try_from).transpose();
        number.map_err(|_| StoreError::unreadable("number"))
    }

    pub(super) fn size(&mut self) -> Result<usize, StoreError> {
        usize::try_from(self.integer()?).map_err(|_| StoreError::unreadable("number"))
    }

    /// A number that may be absent: 0.
    pub(super) fn number_or_zero(&mut self) -> Result<u64, StoreError> {
        match self.0.next() {
            Some(Value::Null) => Ok(0),
            Some(Value::Integer(integer)) => {
                u64::try_from(integer).map_err(|_| StoreError::unreadable("number"))
            }
            _ => Err(StoreError::unreadable("number")),
        }
    }

    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        self.maybe_text()?
            .ok_or_else(|| StoreError::unreadable("text"))
    }

    pub(super) fn maybe_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => Err(StoreError::unreadable("text")),
        }
    }
}
