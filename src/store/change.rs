//! Entries of the log that are no messages: changes of messages and turns.
//!
//! A row of `change` is one entry:
//!
//! | column | holds |
//! | --- | --- |
//! | `serial` | its place in the log |
//! | `kind` | the change: a number of [`Kind`] |
//! | `subject` | the place of what changed; of a hand-over and of a revocation its own |
//! | `client` | the client; NULL for the session itself |
//! | `at` | when, in ms |

use super::error::StoreError;
use super::row::Row;
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use super::text::newest_segment;
use crate::ordered::Map;
use crate::protocol::approval;
use crate::protocol::call;
use crate::protocol::handover;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{REPLAY_ENTRIES, TRIM_ROWS};
use crate::protocol::serial::Place;
use crate::protocol::turn::Event;

/// A change of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was closed.
    Close,
    /// Fields were replaced.
    Update,
    /// It was deleted.
    Delete,
    /// Another attempt at its turn replaces it.
    Supersede,
    /// Its annotations changed; nothing else of it did.
    Annotate,
}

/// Everything that an entry may say, by its subject. Rows keep the numbers, so a released number
/// keeps its meaning; each feature has ten of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of a message: 1 to 9.
    Message(Change),
    /// Of a turn: 10 to 19.
    Turn(Event),
    /// Of an approval: 20 to 29.
    Approval(approval::Event),
    /// Of grants, beside the approvals that gave them.
    Revoke,
    /// Of a hand-over: 30 to 39.
    Handover(handover::Event),
    /// Of a call: 40 to 49.
    Call(call::Event),
}

impl Kind {
    /// The first and the last number of messages.
    pub(super) const OF_MESSAGES: [i64; 2] = [1, 9];
    /// The first and the last number of turns.
    pub(super) const OF_TURNS: [i64; 2] = [10, 19];
    /// The first and the last number of approvals.
    pub(super) const OF_APPROVALS: [i64; 2] = [20, 29];

    /// The first and the last number of calls.
    pub(super) const OF_CALLS: [i64; 2] = [40, 49];

    /// The first and the last number of hand-overs.
    #[cfg(test)]
    const OF_HANDOVERS: [i64; 2] = [30, 39];

    /// All of them, as rows number them.
    const ALL: [Self; 26] = [
        Self::Message(Change::Close),
        Self::Message(Change::Update),
        Self::Message(Change::Delete),
        Self::Message(Change::Supersede),
        Self::Message(Change::Annotate),
        Self::Turn(Event::Start),
        Self::Turn(Event::Suspend),
        Self::Turn(Event::Resume),
        Self::Turn(Event::Cancel),
        Self::Turn(Event::Queue),
        Self::Turn(Event::Adopt),
        Self::Turn(Event::End),
        Self::Turn(Event::Steer),
        Self::Turn(Event::Usage),
        Self::Approval(approval::Event::Request),
        Self::Approval(approval::Event::Escalate),
        Self::Approval(approval::Event::Decide),
        Self::Approval(approval::Event::Expire),
        Self::Approval(approval::Event::Withdraw),
        Self::Revoke,
        Self::Handover(handover::Event::Take),
        Self::Handover(handover::Event::Return),
        Self::Call(call::Event::Call),
        Self::Call(call::Event::Claim),
        Self::Call(call::Event::Result),
        Self::Call(call::Event::Expire),
    ];

    /// The kind of a row.
    pub(super) fn of(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The type of its frame; the end of a streaming message has a word of its own, since its frame
    /// is one of many.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Message(Change::Close) => "message.close",
            Self::Message(Change::Update) => "message.update",
            Self::Message(Change::Delete | Change::Supersede) => "message.delete",
            Self::Message(Change::Annotate) => "message.summary",
            Self::Turn(event) => event.as_str(),
            Self::Approval(event) => event.as_str(),
            Self::Revoke => "grant.revoke",
            Self::Handover(event) => event.as_str(),
            Self::Call(event) => event.as_str(),
        }
    }

    const fn number(self) -> i64 {
        match self {
            Self::Message(Change::Close) => 1,
            Self::Message(Change::Update) => 2,
            Self::Message(Change::Delete) => 3,
            Self::Message(Change::Supersede) => 4,
            Self::Message(Change::Annotate) => 5,
            Self::Turn(Event::Start) => 10,
            Self::Turn(Event::Suspend) => 11,
            Self::Turn(Event::Resume) => 12,
            Self::Turn(Event::Cancel) => 13,
            Self::Turn(Event::Queue) => 14,
            Self::Turn(Event::Adopt) => 15,
            Self::Turn(Event::End) => 16,
            Self::Turn(Event::Steer) => 17,
            Self::Turn(Event::Usage) => 18,
            Self::Approval(approval::Event::Request) => 20,
            Self::Approval(approval::Event::Escalate) => 21,
            Self::Approval(approval::Event::Decide) => 22,
            Self::Approval(approval::Event::Expire) => 23,
            Self::Approval(approval::Event::Withdraw) => 24,
            Self::Revoke => 25,
            Self::Handover(handover::Event::Take) => 30,
            Self::Handover(handover::Event::Return) => 31,
            Self::Call(call::Event::Call) => 40,
            Self::Call(call::Event::Claim) => 41,
            Self::Call(call::Event::Result) => 42,
            Self::Call(call::Event::Expire) => 43,
        }
    }
}

/// An entry for a close, an update or a deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log.
    pub place: Place,
    /// The change.
    pub what: Change,
    /// The message.
    pub subject: Place,
    /// The client; `None` for the session itself.
    pub client: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Stored for Entry {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        let (kind, client) = (Kind::Message(self.what), self.client.as_deref());
        add(sql, self.place, kind, self.subject, client, self.at)
    }

    fn is_one_statement(&self) -> bool {
        true
    }
}

/// Adds an entry to the log.
pub(super) fn add(
    sql: &dyn Sql,
    place: Place,
    kind: Kind,
    subject: Place,
    client: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    const ADD: &str = "INSERT INTO change(serial, kind, subject, client, at) \
                       VALUES(?1, ?2, ?3, ?4, ?5)";
    let [place, subject] = [place, subject].map(Value::number);
    let kind = Value::Integer(kind.number());
    sql.run(ADD, &[place, kind, subject, client.into(), at.into()])
}

/// Deletes entries up to a place, `TRIM_ROWS` at most: by their own place, not their subject's,
/// since the last one may be the end of the log.
pub(super) fn trim(sql: &dyn Sql, up_to: Place) -> Result<(), StoreError> {
    const TRIM: &str = "DELETE FROM change WHERE serial IN (SELECT serial FROM change \
                        WHERE serial<=?1 ORDER BY serial LIMIT ?2)";
    sql.run(TRIM, &[Value::number(up_to), Value::size(TRIM_ROWS)])
}

/// The changes of one message after a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The message.
    pub subject: Place,
    /// The latest of its changes.
    pub place: Place,
    /// Whether more than its text and status changed.
    pub is_updated: bool,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// Whether another attempt at its turn replaces it (P6.8).
    pub is_superseded: bool,
    /// Whether its annotations changed.
    pub is_annotated: bool,
}

impl Store {
    /// Changes after a place of the messages up to it, one item a message, in the messages' order;
    /// at most `limit`, from the first `REPLAY_ENTRIES` entries. Three rows for each entry, and two
    /// for each streaming message.
    pub fn changed(&self, after: Place, limit: usize) -> Result<Vec<Changed>, StoreError> {
        self.read(|sql| changed(sql, after, limit))
    }
}

/// Versions have no index, since every append changes one: the entries and the few streaming
/// messages are everything.
fn changed(sql: &dyn Sql, after: Place, limit: usize) -> Result<Vec<Changed>, StoreError> {
    // An entry whose message was trimmed stays until its own place is.
    const CHANGES: &str = "SELECT subject, max(serial), max(kind=?6), max(kind=?7), \
                           max(kind=?8), max(kind=?9) FROM (SELECT * FROM change WHERE serial>?1 \
                           ORDER BY serial LIMIT ?3) \
                           WHERE subject<=?1 AND kind BETWEEN ?4 AND ?5 GROUP BY subject \
                           HAVING EXISTS (SELECT 1 FROM message m WHERE m.serial=subject) \
                           ORDER BY subject LIMIT ?2";
    const GROWN: &str = concat!(
        "SELECT serial, place, 0, 0, 0, 0 FROM (SELECT m.serial AS serial, \
         max(m.version, coalesce(",
        newest_segment!("s.version", "m.serial"),
        ", 0)) AS place FROM message m WHERE m.status='streaming' AND m.serial<=?1) \
         WHERE place>?1 ORDER BY serial LIMIT ?2"
    );
    let mut found: Map<Place, Changed> = Map::new();
    let (after, most) = (Value::number(after), Value::size(limit));
    let [first, last] = Kind::OF_MESSAGES.map(Value::Integer);
    let kinds = [
        Change::Update,
        Change::Delete,
        Change::Supersede,
        Change::Annotate,
    ]
    .map(|change| Value::Integer(Kind::Message(change).number()));
    let mut entries = vec![after.clone(), most.clone(), Value::size(REPLAY_ENTRIES)];
    entries.extend([first, last]);
    entries.extend(kinds);
    for (statement, params) in [(CHANGES, entries), (GROWN, vec![after, most])] {
        let rows = sql.query(statement, &params)?;
        for mut row in Row::all(rows) {
            let (subject, place) = (row.number()?, row.number()?);
            let (is_updated, is_deleted) = (row.number()? != 0, row.number()? != 0);
            let is_superseded = row.number()? != 0;
            let is_annotated = row.number()? != 0;
            let change = Changed {
                subject,
                place,
                is_updated,
                is_deleted: is_deleted || is_superseded,
                is_superseded,
                is_annotated,
            };
            let known = found.or_insert_with(subject, || change);
            known.place = known.place.max(place);
            known.is_updated |= is_updated;
            known.is_deleted |= change.is_deleted;
            known.is_superseded |= is_superseded;
            known.is_annotated |= is_annotated;
        }
    }
    Ok(found.into_values().take(limit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::object::Word;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_of_entry_has_a_number_of_its_own_among_those_of_its_subject() {
        for kind in Kind::ALL {
            let [first, last] = match kind {
                Kind::Message(_) => Kind::OF_MESSAGES,
                Kind::Turn(_) => Kind::OF_TURNS,
                Kind::Approval(_) | Kind::Revoke => Kind::OF_APPROVALS,
                Kind::Handover(_) => Kind::OF_HANDOVERS,
                Kind::Call(_) => Kind::OF_CALLS,
            };
            assert!((first..=last).contains(&kind.number()), "{kind:?}");
        }
        let numbers: BTreeSet<i64> = Kind::ALL.iter().map(|kind| kind.number()).collect();
        assert_eq!(numbers.len(), Kind::ALL.len());
        // Five of messages, and revocation.
        let words = Event::ALL.len()
            + approval::Event::ALL.len()
            + handover::Event::ALL.len()
            + call::Event::ALL.len();
        assert_eq!(numbers.len(), 6 + words, "all are listed");
        assert!(Kind::OF_MESSAGES[1] < Kind::OF_TURNS[0]);
        assert!(Kind::OF_TURNS[1] < Kind::OF_APPROVALS[0]);
    }
}
