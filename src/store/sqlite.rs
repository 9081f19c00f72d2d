//! The store on SQLite, through the few calls that every SQLite offers.

use super::StoreError;

/// A value of a row. Integers stay within ±2^53, which is all that workerd carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

/// A database that runs one statement at a time and answers at once.
pub trait Sql {
    /// Runs one statement and gives all its rows.
    ///
    /// # Errors
    /// When the statement fails; what it had written is then undone.
    fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, StoreError>;

    /// Runs `body` so that all of what it writes stands, or, when it fails, nothing.
    ///
    /// # Errors
    /// What `body` failed with, or that the transaction could not be made durable.
    fn transaction(
        &self,
        body: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// The rows of one session.
#[derive(Debug)]
pub struct SqliteStore<S: Sql> {
    sql: S,
}

impl<S: Sql> SqliteStore<S> {
    /// The store of the session that lives in this database.
    pub fn new(sql: S) -> Self {
        Self { sql }
    }

    /// The database below.
    pub fn sql(&self) -> &S {
        &self.sql
    }
}
