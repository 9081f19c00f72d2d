//! Everything of a session as lines of JSON, for an export; and the progress of an import (P11.6).
//!
//! Messages are read as pages of them; each other table is a [`Section`], whose rows become lines
//! in SQL, so that nothing of them is decoded on its way out. Deliveries, followers and the ids of
//! frames stay: they say what this object owes to others, and what it has taken from them.
//!
//! While a session is imported, the table `importing` has one row, and no other is read:
//!
//! | column | holds |
//! | --- | --- |
//! | `id` | 1 |
//! | `source` | the epoch of the session that was exported |
//! | `lines` | the number of lines that are stored |
//! | `held` | the bytes of those that a waking session reads |
//! | `at` | when the last of them came, in ms |
//! | `cursor` | of a fork, the place of the next lines in its source; else NULL |

use super::change::Kind;
use super::error::StoreError;
use super::row::Row;
use super::schema::{Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::{Epoch, Place};

/// A table of which an export has lines, after the messages.
pub struct Section {
    /// The table, if not every session has it.
    rare: Option<Rare>,
    /// The most rows of one step.
    rows: usize,
    /// Its rows with keys beyond `?1`, of what began at `?3` or before, `?2` at most.
    statement: &'static str,
}

impl std::fmt::Debug for Section {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Section").finish_non_exhaustive()
    }
}

/// Rows of one step where each is small, and where it may be some dozen kilobytes.
const SMALL: usize = 500;
const LARGE: usize = 20;

/// A table of records by their place.
macro_rules! records {
    ($rare:expr, $table:literal, $heard:literal) => {
        Section {
            rare: $rare,
            rows: LARGE,
            statement: concat!(
                "SELECT serial, json_object('type', '",
                $table,
                "'",
                $heard,
                ", 'record', json(body)) FROM ",
                $table,
                " WHERE serial>?1 AND serial<=?3 ORDER BY serial LIMIT ?2"
            ),
        }
    };
}

/// The sections in their order. Entries are last: what changes meanwhile has its entry, too.
pub const SECTIONS: [Section; 11] = [
    records!(None, "turn", ", 'heardAt', heard_at"),
    records!(Some(Rare::Approval), "approval", ""),
    records!(Some(Rare::Call), "call", ""),
    records!(Some(Rare::Granted), "granted", ""),
    Section {
        rare: Some(Rare::Handover),
        rows: 1,
        statement: "SELECT id, json_object('type', 'handover', 'heardAt', heard_at, 'record', \
                    json(body)) FROM handover WHERE id>?1 AND 0<=?3 LIMIT ?2",
    },
    Section {
        // All of it in one step: later changes are written over the rows of earlier ones.
        rare: Some(Rare::State),
        rows: 1_000_000,
        statement: "SELECT slot + 1, json_object('type', 'state', 'slot', slot, 'serial', serial, \
                    'prior', prior, 'client', client, 'at', at, 'record', json(body)) FROM state \
                    WHERE slot>=?1 AND 0<=?3 ORDER BY slot LIMIT ?2",
    },
    Section {
        rare: Some(Rare::Usage),
        rows: 1,
        statement: "SELECT id, json_object('type', 'usage', 'record', json(body)) FROM usage \
                    WHERE id>?1 AND 0<=?3 LIMIT ?2",
    },
    Section {
        // There are few, and none has a number.
        rare: Some(Rare::Mark),
        rows: 1_000_000,
        statement: "SELECT 1, json_object('type', 'mark', 'client', client, 'serial', \
                    min(serial, ?3), 'at', at) FROM mark WHERE ?1=0 ORDER BY client LIMIT ?2",
    },
    Section {
        // The key has the message, and the number of the annotation among those of its message.
        rare: Some(Rare::Annotation),
        rows: SMALL,
        statement: "SELECT key, json_object('type', 'annotation', 'message', message, 'kind', \
                    kind, 'name', name, 'client', client, 'serial', serial, 'count', count, 'at', \
                    at, 'data', json(data)) FROM (SELECT *, (message << 20) + row_number() OVER \
                    (PARTITION BY message ORDER BY kind, name, client, serial) AS key FROM \
                    (SELECT * FROM annotation WHERE message>=(?1 >> 20) AND message<=?3 \
                    ORDER BY message, kind, name, client, serial LIMIT (?1 & 1048575) + ?2)) \
                    WHERE key>?1",
    },
    Section {
        rare: Some(Rare::Annotation),
        rows: LARGE,
        statement: "SELECT message, json_object('type', 'sums', 'message', message, 'version', \
                    version, 'rows', rows, 'record', json(body)) FROM summary \
                    WHERE message>?1 AND message<=?3 ORDER BY message LIMIT ?2",
    },
    Section {
        rare: None,
        rows: SMALL,
        statement: "SELECT serial, json_object('type', 'entry', 'serial', serial, 'kind', kind, \
                    'subject', subject, 'client', client, 'at', at) FROM change WHERE serial>?1 \
                    AND subject<=?3 ORDER BY serial LIMIT ?2",
    },
];

/// The wishes that nobody answers some messages, which no message says.
const CANCELS: &str = "SELECT serial, json_object('type', 'cancel', 'message', serial, 'record', \
                       json(cancel)) FROM message WHERE serial>?1 AND serial<=?3 \
                       AND cancel IS NOT NULL ORDER BY serial LIMIT ?2";

impl Store {
    /// The next lines of a section after a key, with their keys, of what began at a place or before
    /// it; none at its end. At most `rows` of the section; of annotations also those of one message
    /// before them, and of entries those of what began later.
    pub fn exported(
        &self,
        section: &Section,
        after: u64,
        end: Place,
    ) -> Result<Vec<(u64, String)>, StoreError> {
        let tables = self.tables()?;
        if section.rare.is_some_and(|rare| !tables.has(rare)) {
            return Ok(Vec::new());
        }
        self.lines(section.statement, after, end, section.rows)
    }

    /// The lines about messages after a place and up to another that nobody shall answer. A row for
    /// each message there.
    pub fn exported_cancels(&self, after: Place, to: Place) -> Result<Vec<String>, StoreError> {
        let lines = self.lines(CANCELS, after, to, SMALL)?;
        Ok(lines.into_iter().map(|(_, line)| line).collect())
    }

    fn lines(
        &self,
        statement: &str,
        after: u64,
        end: Place,
        rows: usize,
    ) -> Result<Vec<(u64, String)>, StoreError> {
        let params = [Value::number(after), Value::size(rows), Value::number(end)];
        self.read(|sql| {
            let line = |mut row: Row| Ok((row.number()?, row.text()?));
            Row::all(sql.query(statement, &params)?).map(line).collect()
        })
    }
}

/// How far an import has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Importing {
    /// The epoch of the session that was exported.
    pub source: Epoch,
    /// Lines that are stored.
    pub lines: u64,
    /// The bytes of those that a waking session reads.
    pub held: u64,
    /// When the last of them came.
    pub at: Timestamp,
    /// Of a fork, the place of the next ones in its source.
    pub cursor: Option<String>,
}

/// A write of an import, beside those of what its lines say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportWrite {
    /// It has come so far; the session is not there for anybody yet.
    Progress(Importing),
    /// An entry of the log, as it was exported.
    Entry {
        /// Its place.
        place: Place,
        /// The number of its event.
        kind: i64,
        /// The place of what changed.
        subject: Place,
        /// The client.
        client: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// It is whole: the session is there.
    Done,
}

impl ImportWrite {
    /// Whether a number is that of an event.
    pub fn is_kind(number: i64) -> bool {
        Kind::of(number).is_some()
    }
}

impl Stored for ImportWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        const PROGRESS: &str = "INSERT OR REPLACE INTO importing(id, source, lines, held, at, \
                                cursor) VALUES(1, ?1, ?2, ?3, ?4, ?5)";
        // An approval brings an entry of its own, which says less.
        const ENTRY: &str = "INSERT OR REPLACE INTO change(serial, kind, subject, client, at) \
                             VALUES(?1, ?2, ?3, ?4, ?5)";
        match self {
            Self::Progress(so_far) => {
                let [lines, held] = [so_far.lines, so_far.held].map(Value::number);
                let source = so_far.source.as_str().into();
                let cursor = so_far.cursor.as_deref().into();
                sql.run(PROGRESS, &[source, lines, held, so_far.at.into(), cursor])
            }
            Self::Entry {
                place,
                kind,
                subject,
                client,
                at,
            } => {
                let [place, subject] = [*place, *subject].map(Value::number);
                let client = client.as_deref().into();
                let kind = Value::Integer(*kind);
                sql.run(ENTRY, &[place, kind, subject, client, (*at).into()])
            }
            Self::Done => Ok(()),
        }
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        match self {
            Self::Progress(_) => tables.add(sql, Rare::Importing),
            Self::Entry { .. } => Ok(()),
            Self::Done => tables.remove(sql, Rare::Importing),
        }
    }
}

impl Store {
    /// How far the import has come, while there is one. One row.
    pub fn importing(&self) -> Result<Option<Importing>, StoreError> {
        const SO_FAR: &str = "SELECT source, lines, held, at, cursor FROM importing";
        if !self.tables()?.has(Rare::Importing) {
            return Ok(None);
        }
        let mut row = Row::only(self.sql().query(SO_FAR, &[])?)?;
        let source = Epoch::parse(&row.text()?);
        Ok(Some(Importing {
            source: source.ok_or_else(|| StoreError::unreadable("import"))?,
            lines: row.number()?,
            held: row.number()?,
            at: row.integer()?,
            cursor: row.maybe_text()?,
        }))
    }
}
