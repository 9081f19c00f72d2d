//! Everything that the session reads and writes, over one database.

use std::cell::Cell;
use std::rc::Rc;

use super::schema::Tables;
use super::sql::Sql;
use super::{
    Aged, Beginning, Changed, End, Head, Kept, Kind, Link, Missing, Page, Span, StoreError,
    Streaming, Write, link, page, read, resume, turn, write,
};
use crate::protocol::ids::Timestamp;
use crate::protocol::message::Message;
use crate::protocol::serial::{Epoch, Place};
use crate::protocol::turn::{Cancel, Turn};

/// Bytes that are written, about, before it is looked up anew how many there are.
const BYTES_STEP: u64 = 1024 * 1024;

/// The rows of one session. Each read says how many rows it reads at most; where that names
/// segments, it is those of one message, which its size bounds (`dataBytes`): some 600.
pub struct Store {
    sql: Rc<dyn Sql>,
    /// Which tables there are, once that has been looked up.
    tables: Cell<Option<Tables>>,
    /// Bytes of the database when that was last looked up, and about how many were written since.
    bytes: Cell<Option<(u64, u64)>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").finish_non_exhaustive()
    }
}

impl From<Rc<dyn Sql>> for Store {
    fn from(sql: Rc<dyn Sql>) -> Self {
        Self::new(sql)
    }
}

impl Store {
    /// The store of the session that lives in this database. After everything in the
    /// database was deleted a new one is made.
    pub fn new(sql: Rc<dyn Sql>) -> Self {
        Self {
            sql,
            tables: Cell::new(None),
            bytes: Cell::new(None),
        }
    }

    /// How the session began; `None` if nothing was ever written (P1.2). One row.
    pub fn beginning(&self) -> Result<Option<Beginning>, StoreError> {
        self.read(|sql| read::beginning(sql).map(Some))
    }

    /// Whether the database has fewer bytes than this. Looked up anew now and then, and each
    /// time while it has not. No row.
    pub fn has_room(&self, most: u64) -> Result<bool, StoreError> {
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

    /// Where the log ends. Four rows, and three for each message that streams.
    pub fn end(&self) -> Result<End, StoreError> {
        self.read(|sql| read::end(sql))
    }

    /// All messages that still stream, by place. Their rows and their segments.
    pub fn streaming(&self) -> Result<Vec<Streaming>, StoreError> {
        self.read(|sql| read::streaming(sql))
    }

    /// One message without its text. Two rows.
    pub fn head(&self, place: Place) -> Result<Option<Head>, StoreError> {
        self.read(|sql| read::head(sql, place))
    }

    /// One message without its data, and the bytes of its own row's: what a change of anything
    /// else is told with, and what it rewrites. Two rows.
    pub fn outline(
        &self,
        epoch: Epoch,
        place: Place,
    ) -> Result<Option<(Message, usize)>, StoreError> {
        self.read(|sql| read::outline(sql, epoch, place))
    }

    /// One message. Two rows and its segments.
    pub fn message(&self, epoch: Epoch, place: Place) -> Result<Option<Message>, StoreError> {
        self.read(|sql| read::message(sql, epoch, place))
    }

    /// Messages of a span. Four rows for each that the limit lets in, and the segments of those
    /// whose text is read; with names also twice `NAMED_MESSAGES`.
    pub fn page(&self, epoch: Epoch, span: &Span<'_>) -> Result<Page, StoreError> {
        self.read(|sql| page::page(sql, epoch, span))
    }

    /// How many bytes there are, at least, of messages that came and turns that changed after a
    /// place; `None` if there are more than a replay may bring (P3.6). Twice `REPLAY_ENTRIES`
    /// rows for entries, as many again for turns, and two for each of `REPLAY_MESSAGES`, or of
    /// `NAMED_MESSAGES` with names.
    pub fn extent(
        &self,
        after: Place,
        names: Option<&[String]>,
    ) -> Result<Option<usize>, StoreError> {
        if !self.tables()?.is_begun {
            return Ok(Some(0));
        }
        resume::extent(&*self.sql, after, names)
    }

    /// These messages, in this order, until their text has so many bytes, though always one. Four
    /// rows for each, and the segments of those whose text is read.
    pub fn listed(&self, epoch: Epoch, places: &[Place], bytes: usize) -> Result<Page, StoreError> {
        self.read(|sql| page::listed(sql, epoch, places, bytes))
    }

    /// How one message is linked to others. One row.
    pub fn link(&self, place: Place) -> Result<Option<Link>, StoreError> {
        self.read(|sql| link::link(sql, place))
    }

    /// The same of the messages between two places. A row each.
    pub fn links(
        &self,
        after: Place,
        before: Place,
        newest_first: bool,
        limit: usize,
    ) -> Result<Vec<Link>, StoreError> {
        self.read(|sql| link::links(sql, after, before, newest_first, limit))
    }

    /// What changed after a place of the messages up to it, one item a message, by message;
    /// at most `limit`, as far as the first `REPLAY_ENTRIES` entries tell. Three rows for each
    /// entry, and two for each message that streams.
    pub fn changed(&self, after: Place, limit: usize) -> Result<Vec<Changed>, StoreError> {
        self.read(|sql| resume::changed(sql, after, limit))
    }

    /// What a reader misses of a text who has everything up to a place. `None` when the
    /// message has no marks for it. Three rows and its segments.
    pub fn missing(&self, place: Place, since: Place) -> Result<Option<Missing>, StoreError> {
        self.read(|sql| resume::missing(sql, place, since))
    }

    /// The place that an id stands for, unless the row is older than `since` (messages' ids
    /// do not age). Two rows.
    pub fn once(
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
        read::frame_id(&*self.sql, client, kind, id, since)
    }

    /// The oldest messages up to a place. A row each.
    pub fn oldest(&self, up_to: Place, limit: usize) -> Result<Vec<Place>, StoreError> {
        self.read(|sql| read::oldest(sql, up_to, limit))
    }

    /// The oldest messages, and whether retention may take them (P11.2). Two rows each, and two
    /// for each open turn.
    pub fn aged(&self, limit: usize) -> Result<Vec<Aged>, StoreError> {
        self.read(|sql| read::aged(sql, limit))
    }

    /// All turns that are open, by place. Two rows each.
    pub fn open_turns(&self) -> Result<Vec<Kept>, StoreError> {
        self.read(|sql| turn::open(sql))
    }

    /// A turn by its id. Two rows.
    pub fn turn(&self, id: &str) -> Result<Option<Turn>, StoreError> {
        self.read(|sql| turn::by_id(sql, id))
    }

    /// A turn by its place. One row.
    pub fn turn_at(&self, place: Place) -> Result<Option<Turn>, StoreError> {
        self.read(|sql| turn::at(sql, place))
    }

    /// The turns that answer a message, the newest 100, the newest first. Two rows each.
    pub fn answering(&self, input: Place) -> Result<Vec<Turn>, StoreError> {
        self.read(|sql| turn::answering(sql, input))
    }

    /// The turns that changed after a place, by their latest change; at most `limit`, as far as
    /// the first `REPLAY_ENTRIES` entries tell. Two rows for each entry.
    pub fn changed_turns(&self, after: Place, limit: usize) -> Result<Vec<Turn>, StoreError> {
        self.read(|sql| turn::changed(sql, after, limit))
    }

    /// Turns by their ids, those that there are. Two rows each.
    pub fn named_turns(&self, ids: &[String]) -> Result<Vec<Turn>, StoreError> {
        self.read(|sql| turn::named(sql, ids))
    }

    /// The newest turns before a place, the newest first. A row each.
    pub fn turns_before(&self, before: Place, limit: usize) -> Result<Vec<Turn>, StoreError> {
        self.read(|sql| turn::before(sql, before, limit))
    }

    /// The oldest messages of a turn that were not deleted, by place. Three rows each.
    pub fn turn_messages(&self, turn: &Turn, limit: usize) -> Result<Vec<Head>, StoreError> {
        self.read(|sql| turn::messages(sql, turn, limit))
    }

    /// The client that wants no answer to a message (P6.5). One row.
    pub fn cancel_of_input(&self, place: Place) -> Result<Option<Cancel>, StoreError> {
        self.read(|sql| turn::cancel_of_input(sql, place))
    }

    /// Stores all of it in one step, in order. What follows reads it.
    pub fn write(&self, writes: &[Write]) -> Result<(), StoreError> {
        let tables = write::run(&*self.sql, writes, self.tables()?)?;
        self.tables.set(Some(tables));
        if let Some((bytes, written)) = self.bytes.get() {
            let added: usize = writes.iter().map(write::bytes).sum();
            let added = u64::try_from(added).unwrap_or(u64::MAX);
            self.bytes.set(Some((bytes, written.saturating_add(added))));
        }
        Ok(())
    }

    fn tables(&self) -> Result<Tables, StoreError> {
        if let Some(tables) = self.tables.get() {
            return Ok(tables);
        }
        let tables = Tables::of(&*self.sql)?;
        self.tables.set(Some(tables));
        Ok(tables)
    }

    /// Reads, unless nothing was ever written: then there is not even a table.
    fn read<T: Default>(
        &self,
        read: impl FnOnce(&dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.tables()?.is_begun {
            read(&*self.sql)
        } else {
            Ok(T::default())
        }
    }
}
