//! The trait of every kind of write.

use super::error::StoreError;
use super::schema::Tables;
use super::sql::Sql;

/// A write of one kind.
pub(super) trait Stored {
    /// Writes its rows.
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError>;

    /// Makes the rare tables that it needs, before its step writes anything.
    fn make_tables(&self, _: &dyn Sql, _: &mut Tables) -> Result<(), StoreError> {
        Ok(())
    }

    /// Whether it is a single statement, which needs no transaction: a transaction costs more than
    /// the statement itself (invariant 4).
    fn is_one_statement(&self) -> bool {
        false
    }

    /// Approximate bytes that it adds beyond the fixed columns of a row.
    fn bytes(&self) -> usize {
        0
    }
}
