//! What every kind of write says of itself.

use super::error::StoreError;
use super::schema::Tables;
use super::sql::Sql;

/// A write of one kind.
pub(super) trait Stored {
    /// Writes its rows.
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError>;

    /// Makes the tables that it needs and that may not be there, before anything of its step is
    /// written.
    fn make_tables(&self, _: &dyn Sql, _: &mut Tables) -> Result<(), StoreError> {
        Ok(())
    }

    /// Whether it is a single statement, which needs no transaction: that costs more than the
    /// statement itself (invariant 4).
    fn is_one_statement(&self) -> bool {
        false
    }

    /// About how many bytes it adds beyond the fixed columns of a row.
    fn bytes(&self) -> usize {
        0
    }
}
