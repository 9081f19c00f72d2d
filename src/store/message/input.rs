//! Of a message that is an input: the cancel of its answer (P6.5), the column `cancel` of its row,
//! a [`Cancel`] as JSON; and its trace context (P6.13), among its headers.

use crate::protocol::serial::Place;
use crate::protocol::traceparent;
use crate::protocol::turn::Cancel;
use crate::store::error::StoreError;
use crate::store::row::Row;
use crate::store::sql::{Sql, Value};
use crate::store::store::Store;

/// Stores that a message needs no answer.
pub(super) fn cancel(sql: &dyn Sql, place: Place, cancel: &Cancel) -> Result<(), StoreError> {
    const CANCEL: &str = "UPDATE message SET cancel=?2 WHERE serial=?1";
    let cancel = serde_json::to_string(cancel).map_err(|_| StoreError::unreadable("cancel"))?;
    sql.run(CANCEL, &[Value::number(place), Value::Text(cancel)])
}

impl Store {
    /// The trace context of an input (P6.13). One row.
    pub fn traceparent_of(&self, place: Place) -> Result<Option<String>, StoreError> {
        const TRACE: &str = "SELECT headers ->> '$.traceparent' FROM message WHERE serial=?1";
        self.read(|sql| {
            let row = Row::first(sql.query(TRACE, &[Value::number(place)])?);
            let text = row.map(|mut row| row.maybe_text()).transpose()?.flatten();
            Ok(text.filter(|text| traceparent::read(text).is_some()))
        })
    }

    /// The client that cancelled the answer to a message. One row.
    pub fn cancel_of_input(&self, place: Place) -> Result<Option<Cancel>, StoreError> {
        const CANCEL: &str = "SELECT cancel FROM message WHERE serial=?1";
        self.read(|sql| {
            let row = Row::first(sql.query(CANCEL, &[Value::number(place)])?);
            let text = row.map(|mut row| row.maybe_text()).transpose()?.flatten();
            let cancel = text.map(|text| serde_json::from_str(&text));
            cancel
                .transpose()
                .map_err(|_| StoreError::unreadable("cancel"))
        })
    }
}
