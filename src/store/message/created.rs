//! Messages as entries of the log (P11.4).

use super::columns::{Columns, sized_columns};
use crate::protocol::message::Message;
use crate::protocol::serial::Epoch;
use crate::store::error::StoreError;
use crate::store::row::Row;
use crate::store::sql::{Sql, Value};

/// The first messages after a place, so many at most, without data and headers, and the bytes of
/// their data, at least. Five rows each.
pub(in crate::store) fn created(
    sql: &dyn Sql,
    epoch: Epoch,
    params: &[Value],
) -> Result<Vec<(Message, usize)>, StoreError> {
    const CREATED: &str = concat!(
        "SELECT ",
        sized_columns!(),
        " FROM message WHERE serial>?1 ORDER BY serial LIMIT ?2"
    );
    let message = |mut row: Row| {
        let columns = Columns::parse(&row.text()?)?.brought_up_to_date(sql)?;
        let bytes = columns.bytes_at_least() - columns.header_bytes();
        let mut message = columns.into_message(epoch, None)?;
        message.headers = None;
        Ok((message, bytes))
    };
    Row::all(sql.query(CREATED, params)?).map(message).collect()
}
