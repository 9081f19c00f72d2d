//! The store on SQLite, through the few calls that every SQLite offers.

use std::cell::Cell;

use serde::Serialize;

use super::schema::Tables;
use super::{
    Aged, Beginning, Changed, End, Growth, Head, Kept, Kind, Link, Log, Missing, Page, Span, Store,
    StoreError, Streaming, Write, link, page, read, resume, turn, write,
};
use crate::protocol::ids::Timestamp;
use crate::protocol::message::Message;
use crate::protocol::serial::{Epoch, Place};
use crate::protocol::turn::{Cancel, Turn};

/// The largest integer that JavaScript, and so workerd, carries exactly.
const INTEGER_MAX: i64 = (1 << 53) - 1;

/// Bytes that are written, about, before it is looked up anew how many there are.
const BYTES_STEP: u64 = 1024 * 1024;

/// A value of a row. Integers stay within ±2^53, which is all that workerd carries.
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
    /// A count or a place. One beyond what rows hold stays the largest that they do.
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

/// A database that runs one statement at a time and answers at once.
pub trait Sql {
    /// Runs one statement and gives all its rows.
    ///
    /// # Errors
    /// When the statement fails; what it had written is then undone.
    fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, StoreError>;

    /// Runs one statement that gives no rows.
    ///
    /// # Errors
    /// As [`Sql::query`].
    fn run(&self, sql: &'static str, params: &[Value]) -> Result<(), StoreError> {
        self.query(sql, params).map(|_| ())
    }

    /// Runs the statement of the hot path: on a row, with the version, the `seq`, the time, the
    /// mark and the text that it grows by, in this order.
    ///
    /// # Errors
    /// As [`Sql::query`].
    fn grow(
        &self,
        sql: &'static str,
        row: u64,
        growth: &Growth,
        mark: &str,
    ) -> Result<(), StoreError> {
        let [row, version, seq] = [row, growth.version, growth.seq].map(Value::number);
        let (at, text) = (growth.at.into(), growth.text.as_str().into());
        self.run(sql, &[row, version, seq, at, mark.into(), text])
    }

    /// Bytes of the database, without those that are free again.
    ///
    /// # Errors
    /// When that cannot be told.
    fn bytes(&self) -> Result<u64, StoreError>;

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
    /// Which tables there are, once that has been looked up.
    tables: Cell<Option<Tables>>,
    /// Bytes of the database when that was last looked up, and about how many were written since.
    bytes: Cell<Option<(u64, u64)>>,
}

impl<S: Sql> SqliteStore<S> {
    /// The store of the session that lives in this database. After everything in the
    /// database was deleted a new one is made.
    pub fn new(sql: S) -> Self {
        Self {
            sql,
            tables: Cell::new(None),
            bytes: Cell::new(None),
        }
    }

    /// The database below.
    pub fn sql(&self) -> &S {
        &self.sql
    }

    fn tables(&self) -> Result<Tables, StoreError> {
        if let Some(tables) = self.tables.get() {
            return Ok(tables);
        }
        let tables = Tables::of(&self.sql)?;
        self.tables.set(Some(tables));
        Ok(tables)
    }

    /// Reads, unless nothing was ever written: then there is not even a table.
    fn read<T: Default>(
        &self,
        read: impl FnOnce(&S) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.tables()?.is_begun {
            read(&self.sql)
        } else {
            Ok(T::default())
        }
    }
}

impl<S: Sql> Log for SqliteStore<S> {
    fn beginning(&self) -> Result<Option<Beginning>, StoreError> {
        self.read(|sql| read::beginning(sql).map(Some))
    }

    fn has_room(&self, most: u64) -> Result<bool, StoreError> {
        // To look it up is a statement, which the hot path is spared.
        let step = BYTES_STEP.min(most / 16);
        if let Some((bytes, written)) = self.bytes.get()
            && written <= step
            && bytes.saturating_add(written) < most
        {
            return Ok(true);
        }
        let bytes = self.sql.bytes()?;
        self.bytes.set(Some((bytes, 0)));
        Ok(bytes < most)
    }

    fn end(&self) -> Result<End, StoreError> {
        self.read(|sql| read::end(sql))
    }

    fn streaming(&self) -> Result<Vec<Streaming>, StoreError> {
        self.read(|sql| read::streaming(sql))
    }

    fn head(&self, place: Place) -> Result<Option<Head>, StoreError> {
        self.read(|sql| read::head(sql, place))
    }

    fn outline(&self, epoch: Epoch, place: Place) -> Result<Option<(Message, usize)>, StoreError> {
        self.read(|sql| read::outline(sql, epoch, place))
    }

    fn message(&self, epoch: Epoch, place: Place) -> Result<Option<Message>, StoreError> {
        self.read(|sql| read::message(sql, epoch, place))
    }

    fn page(&self, epoch: Epoch, span: &Span<'_>) -> Result<Page, StoreError> {
        self.read(|sql| page::page(sql, epoch, span))
    }

    fn extent(&self, after: Place, names: Option<&[String]>) -> Result<Option<usize>, StoreError> {
        if !self.tables()?.is_begun {
            return Ok(Some(0));
        }
        resume::extent(&self.sql, after, names)
    }

    fn listed(&self, epoch: Epoch, places: &[Place], bytes: usize) -> Result<Page, StoreError> {
        self.read(|sql| page::listed(sql, epoch, places, bytes))
    }

    fn link(&self, place: Place) -> Result<Option<Link>, StoreError> {
        self.read(|sql| link::link(sql, place))
    }

    fn links(
        &self,
        after: Place,
        before: Place,
        newest_first: bool,
        limit: usize,
    ) -> Result<Vec<Link>, StoreError> {
        self.read(|sql| link::links(sql, after, before, newest_first, limit))
    }

    fn changed(&self, after: Place, limit: usize) -> Result<Vec<Changed>, StoreError> {
        self.read(|sql| resume::changed(sql, after, limit))
    }

    fn missing(&self, place: Place, since: Place) -> Result<Option<Missing>, StoreError> {
        self.read(|sql| resume::missing(sql, place, since))
    }

    fn once(
        &self,
        client: &str,
        kind: Kind,
        id: &str,
        since: Timestamp,
    ) -> Result<Option<Place>, StoreError> {
        if kind == Kind::Message {
            return self.read(|sql| read::message_id(sql, client, id));
        }
        if !self.tables()?.has_ids {
            return Ok(None);
        }
        read::frame_id(&self.sql, client, kind, id, since)
    }

    fn oldest(&self, up_to: Place, limit: usize) -> Result<Vec<Place>, StoreError> {
        self.read(|sql| read::oldest(sql, up_to, limit))
    }

    fn aged(&self, limit: usize) -> Result<Vec<Aged>, StoreError> {
        self.read(|sql| read::aged(sql, limit))
    }

    fn open_turns(&self) -> Result<Vec<Kept>, StoreError> {
        self.read(|sql| turn::open(sql))
    }

    fn turn(&self, id: &str) -> Result<Option<Turn>, StoreError> {
        self.read(|sql| turn::by_id(sql, id))
    }

    fn turn_at(&self, place: Place) -> Result<Option<Turn>, StoreError> {
        self.read(|sql| turn::at(sql, place))
    }

    fn answering(&self, input: Place) -> Result<Vec<Turn>, StoreError> {
        self.read(|sql| turn::answering(sql, input))
    }

    fn changed_turns(&self, after: Place, limit: usize) -> Result<Vec<Turn>, StoreError> {
        self.read(|sql| turn::changed(sql, after, limit))
    }

    fn named_turns(&self, ids: &[String]) -> Result<Vec<Turn>, StoreError> {
        self.read(|sql| turn::named(sql, ids))
    }

    fn turns_before(&self, before: Place, limit: usize) -> Result<Vec<Turn>, StoreError> {
        self.read(|sql| turn::before(sql, before, limit))
    }

    fn turn_messages(&self, turn: &Turn, limit: usize) -> Result<Vec<Head>, StoreError> {
        self.read(|sql| turn::messages(sql, turn, limit))
    }

    fn cancel_of_input(&self, place: Place) -> Result<Option<Cancel>, StoreError> {
        self.read(|sql| turn::cancel_of_input(sql, place))
    }
}

impl<S: Sql> Store for SqliteStore<S> {
    fn write(&self, writes: &[Write]) -> Result<(), StoreError> {
        let tables = write::run(&self.sql, writes, self.tables()?)?;
        self.tables.set(Some(tables));
        if let Some((bytes, written)) = self.bytes.get() {
            let added: usize = writes.iter().map(write::bytes).sum();
            let added = u64::try_from(added).unwrap_or(u64::MAX);
            self.bytes.set(Some((bytes, written.saturating_add(added))));
        }
        Ok(())
    }
}
