//! Pages of messages, bounded in number and in bytes.

use super::columns::{Columns, sized_columns, whole_data};
use crate::ordered::{Map, sort_by_number};
use crate::protocol::limits::NAMED_MESSAGES;
use crate::protocol::message::Message;
use crate::protocol::serial::{Epoch, Place};
use crate::store::error::StoreError;
use crate::store::row::Row;
use crate::store::sql::{Sql, Value};
use crate::store::store::Store;

/// The messages to read, and their number.
#[derive(Clone, Debug)]
pub struct Span<'a> {
    /// Only places beyond this one.
    pub after: Place,
    /// Only places before this one.
    pub before: Place,
    /// From the newest, or from the oldest.
    pub newest_first: bool,
    /// Only messages of these names.
    pub names: Option<&'a [String]>,
    /// At most this many.
    pub limit: usize,
    /// At most this many bytes of text, though always one message.
    pub bytes: usize,
}

/// Messages in the requested order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether the span holds more than these.
    pub has_more: bool,
}

impl Store {
    /// Messages of a span. Five rows for each within the limit, and the segments of those whose
    /// text is read; with names also twice `NAMED_MESSAGES`.
    pub fn page(&self, epoch: Epoch, span: &Span<'_>) -> Result<Page, StoreError> {
        let mut page = self.read(|sql| page(sql, epoch, span))?;
        self.add_sums(&mut page.messages)?;
        Ok(page)
    }

    /// These messages, in this order, until their text reaches so many bytes, though always one.
    /// Five rows for each, and the segments of those whose text is read.
    pub fn listed(&self, epoch: Epoch, places: &[Place], bytes: usize) -> Result<Page, StoreError> {
        let mut page = self.read(|sql| listed(sql, epoch, places, bytes))?;
        self.add_sums(&mut page.messages)?;
        Ok(page)
    }
}

/// Messages with their text, if that is in their own row and no longer than `?5`.
macro_rules! rows {
    ($which:literal, $order:literal) => {
        concat!(
            "SELECT ",
            sized_columns!(),
            ", CASE WHEN coalesce(octet_length(data), octet_length(json)) <= ?5 \
             THEN coalesce(data, json) END FROM message WHERE ",
            $which,
            " ORDER BY serial ",
            $order,
            " LIMIT ?4"
        )
    };
    ($order:literal) => {
        rows!(
            "serial>?1 AND serial<?2 AND (?3 IS NULL OR name IN (SELECT value FROM json_each(?3)))",
            $order
        )
    };
}

/// Messages of a span. Short texts, all of which fit, come with the first read; a long one is read
/// once it is known to be wanted. A span with more messages than may be scanned for names is said
/// to hold more, though it is not known yet whether any of these matches.
fn page(sql: &dyn Sql, epoch: Epoch, span: &Span<'_>) -> Result<Page, StoreError> {
    let (rows, is_cut) = rows(sql, span)?;
    fitting(sql, epoch, rows, is_cut, Bytes::of(span))
}

/// The existing messages of a list, in its order.
fn listed(sql: &dyn Sql, epoch: Epoch, places: &[Place], bytes: usize) -> Result<Page, StoreError> {
    const LISTED: &str = rows!("serial IN (SELECT value FROM json_each(?1))", "DESC");
    if places.is_empty() {
        return Ok(Page::default());
    }
    let params = [
        Value::Text(serde_json::json!(places).to_string()),
        // Parameters of a span only.
        Value::Null,
        Value::Null,
        Value::size(places.len()),
        Value::size(bytes / places.len()),
    ];
    let mut found = read(sql, LISTED, &params)?;
    let order = places.iter().zip(0..);
    let order: Map<Place, u64> = order.map(|(place, index)| (*place, index)).collect();
    let placed = |row: &Found| order.get(&row.columns.serial).copied().unwrap_or(0);
    sort_by_number(&mut found, placed);
    fitting(sql, epoch, found, false, Bytes::new(places.len(), bytes))
}

/// As many of the rows as fit, with their texts.
fn fitting(
    sql: &dyn Sql,
    epoch: Epoch,
    mut rows: Vec<Found>,
    is_cut: bool,
    mut bytes: Bytes,
) -> Result<Page, StoreError> {
    let bounds = bytes;
    let fitting = rows
        .iter()
        .take_while(|row| bytes.has_room(row.columns.bytes_at_least()));
    let fitting = fitting.count();
    let mut has_more = is_cut || fitting < rows.len();
    rows.truncate(fitting);
    let mut long = long_texts(sql, &rows)?;
    let mut bytes = bounds;
    let mut messages = Vec::with_capacity(rows.len());
    for Found { columns, text } in rows {
        let text = long.remove(&columns.serial).or(text);
        if !bytes.has_room(columns.header_bytes() + text.as_ref().map_or(0, String::len)) {
            has_more = true;
            break;
        }
        let columns = columns.brought_up_to_date(sql)?;
        messages.push(columns.into_message(epoch, text)?);
    }
    Ok(Page { messages, has_more })
}

/// The messages and bytes taken for a page.
#[derive(Clone, Copy)]
struct Bytes {
    limit: usize,
    most: usize,
    count: usize,
    taken: usize,
}

impl Bytes {
    fn new(limit: usize, most: usize) -> Self {
        Self {
            limit,
            most,
            count: 0,
            taken: 0,
        }
    }

    fn of(span: &Span<'_>) -> Self {
        Self::new(span.limit, span.bytes)
    }

    /// Takes one more message, if it fits. The first always fits.
    fn has_room(&mut self, bytes: usize) -> bool {
        self.count += 1;
        self.taken += bytes;
        self.count <= self.limit && (self.count == 1 || self.taken <= self.most)
    }
}

/// A message, perhaps without its text.
struct Found {
    columns: Columns,
    text: Option<String>,
}

/// One message more than the span may hold, and whether some were not scanned.
fn rows(sql: &dyn Sql, span: &Span<'_>) -> Result<(Vec<Found>, bool), StoreError> {
    const NEWEST: &str = rows!("DESC");
    const OLDEST: &str = rows!("ASC");
    let names = span.names.map(|names| serde_json::json!(names).to_string());
    let mut range = Range {
        after: span.after,
        before: span.before,
        is_cut: false,
    };
    if span.names.is_some() {
        range.cut(span, named_rows_end(sql, span)?);
    }
    let statement = if span.newest_first { NEWEST } else { OLDEST };
    let short = span.bytes / span.limit.max(1);
    let params = [
        Value::number(range.after),
        Value::number(range.before),
        names.as_deref().into(),
        Value::size(span.limit.saturating_add(1)),
        Value::size(short),
    ];
    Ok((read(sql, statement, &params)?, range.is_cut))
}

fn read(sql: &dyn Sql, statement: &str, params: &[Value]) -> Result<Vec<Found>, StoreError> {
    let rows = Row::all(sql.query(statement, params)?).map(|mut row| {
        let columns = Columns::parse(&row.text()?)?;
        Ok(Found {
            columns,
            text: row.maybe_text()?,
        })
    });
    rows.collect()
}

/// The texts that the first read left out.
fn long_texts(sql: &dyn Sql, rows: &[Found]) -> Result<Map<Place, String>, StoreError> {
    const TEXTS: &str = concat!(
        "SELECT serial, ",
        whole_data!(),
        " FROM message WHERE serial IN (SELECT value FROM json_each(?1))"
    );
    let is_long = |row: &&Found| row.columns.has_more_than(row.text.as_deref());
    let long: Vec<Place> = rows
        .iter()
        .filter(is_long)
        .map(|row| row.columns.serial)
        .collect();
    if long.is_empty() {
        return Ok(Map::new());
    }
    let mut texts = Map::new();
    for mut row in Row::all(sql.query(TEXTS, &[Value::Text(serde_json::json!(long).to_string())])?)
    {
        let place = row.number()?;
        texts.extend(row.maybe_text()?.map(|text| (place, text)));
    }
    Ok(texts)
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

/// The first message too far away to be scanned for its name.
fn named_rows_end(sql: &dyn Sql, span: &Span<'_>) -> Result<Option<Place>, StoreError> {
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
    let rows = sql.query(end, &[after, before, Value::size(NAMED_MESSAGES)])?;
    Row::first(rows).map(|mut row| row.number()).transpose()
}
