//! Pages of messages, bounded in number and in bytes before any text is read.

use super::columns::{columns, into_message, whole_data};
use super::row::Row;
use super::sqlite::{Sql, Value};
use super::{Page, Span, StoreError};
use crate::protocol::serial::{Epoch, Place};

/// At most this many messages are looked at for those of certain names.
const NAMED_ROWS_MAX: usize = 20_000;

/// The bytes of a message that vary.
macro_rules! size {
    () => {
        "coalesce(octet_length(headers), 0) + coalesce(octet_length(data), 0) \
         + coalesce(octet_length(json), 0) + CASE WHEN status IS NULL THEN 0 ELSE \
         coalesce((SELECT sum(octet_length(s.data)) FROM segment s \
         WHERE s.id BETWEEN (serial << 20) + 1 AND (serial << 20) + 1048575), 0) END"
    };
}

/// The first message that no longer fits, found without reading any text and without going
/// further than that message.
const CUT_NEWEST: &str = concat!(
    "SELECT serial FROM (SELECT serial, row_number() OVER w AS n, sum(size) OVER w AS total \
     FROM (SELECT serial, ",
    size!(),
    " AS size FROM message WHERE serial>?1 AND serial<?2 AND (?3 IS NULL OR name IN \
     (SELECT value FROM json_each(?3))) ORDER BY serial DESC LIMIT ?4+1) \
     WINDOW w AS (ORDER BY serial DESC ROWS UNBOUNDED PRECEDING)) \
     WHERE ?4<n OR (1<n AND ?5<total) LIMIT 1"
);
const CUT_OLDEST: &str = concat!(
    "SELECT serial FROM (SELECT serial, row_number() OVER w AS n, sum(size) OVER w AS total \
     FROM (SELECT serial, ",
    size!(),
    " AS size FROM message WHERE serial>?1 AND serial<?2 AND (?3 IS NULL OR name IN \
     (SELECT value FROM json_each(?3))) ORDER BY serial LIMIT ?4+1) \
     WINDOW w AS (ORDER BY serial ROWS UNBOUNDED PRECEDING)) \
     WHERE ?4<n OR (1<n AND ?5<total) LIMIT 1"
);

/// Messages of a span. One that holds more than may be looked at for names has more, though
/// nobody knows yet whether any of that has such a name.
pub(super) fn page(sql: &impl Sql, epoch: Epoch, span: &Span<'_>) -> Result<Page, StoreError> {
    const MESSAGES: &str = concat!(
        "SELECT ",
        columns!(),
        ", ",
        whole_data!(),
        " FROM message WHERE serial>?1 AND serial<?2 AND (?3 IS NULL OR name IN \
         (SELECT value FROM json_each(?3))) ORDER BY serial"
    );
    let names = span.names.map(|names| serde_json::json!(names).to_string());
    let names = Value::from(names.as_deref());
    let mut range = Range {
        after: span.after,
        before: span.before,
        is_cut: false,
    };
    if span.names.is_some() {
        range.cut(span, named_rows_end(sql, span)?);
    }
    let cut = if span.newest_first {
        CUT_NEWEST
    } else {
        CUT_OLDEST
    };
    let (after, before) = (Value::number(range.after), Value::number(range.before));
    let (limit, bytes) = (Value::size(span.limit), Value::size(span.bytes));
    let found = sql.query(cut, &[after, before, names.clone(), limit, bytes])?;
    range.cut(
        span,
        Row::first(found).map(|mut row| row.number()).transpose()?,
    );
    let (after, before) = (Value::number(range.after), Value::number(range.before));
    let rows = Row::all(sql.query(MESSAGES, &[after, before, names])?);
    let messages = rows.map(|row| into_message(sql, epoch, row));
    let mut messages = messages.collect::<Result<Vec<_>, _>>()?;
    if span.newest_first {
        messages.reverse();
    }
    Ok(Page {
        messages,
        has_more: range.is_cut,
    })
}

/// The places between two others.
struct Range {
    after: Place,
    before: Place,
    is_cut: bool,
}

impl Range {
    /// Ends the range before a place that it reaches in the order of the span.
    fn cut(&mut self, span: &Span<'_>, at: Option<Place>) {
        let Some(at) = at else { return };
        self.is_cut = true;
        if span.newest_first {
            self.after = at;
        } else {
            self.before = at;
        }
    }
}

/// The first message that is too far to be looked at for its name.
fn named_rows_end(sql: &impl Sql, span: &Span<'_>) -> Result<Option<Place>, StoreError> {
    const END_NEWEST: &str = "SELECT serial FROM message WHERE serial>?1 AND serial<?2 \
                              ORDER BY serial DESC LIMIT 1 OFFSET ?3";
    const END_OLDEST: &str = "SELECT serial FROM message WHERE serial>?1 AND serial<?2 \
                              ORDER BY serial LIMIT 1 OFFSET ?3";
    let end = if span.newest_first {
        END_NEWEST
    } else {
        END_OLDEST
    };
    let (after, before) = (Value::number(span.after), Value::number(span.before));
    let rows = sql.query(end, &[after, before, Value::size(NAMED_ROWS_MAX)])?;
    Row::first(rows).map(|mut row| row.number()).transpose()
}
