//! Deliveries: calls that a session owes, until they are taken or given up (P10.4).
//!
//! A row of `delivery` is one delivery to one target. It is not part of the log and outlives it:
//! hooks hear of the deletion of a session that is already gone. The table is made with its first
//! row, since few sessions have deliveries. It has no index: its bounds keep it short, and a waking
//! session reads all of it.
//!
//! | column | holds |
//! | --- | --- |
//! | `number` | its number, which gives the order |
//! | `kind` | how it goes out: a number of [`DeliveryKind`] |
//! | `target` | its address |
//! | `attempts` | attempts whose outcome is known |
//! | `created_at` | the time of its cause, in ms |
//! | `due_at` | the time of the next attempt, in ms |
//! | `dead_at` | the time when it was given up, in ms, else NULL |
//! | `reason` | the reason for that, or for the failure of the last attempt, else NULL |
//! | `id` | its id for the receiver, the same at each attempt of a round |
//! | `body` | the text to send |
//! | `subject` | the place of the input or turn that waits to be taken, else NULL |
//! | `rounds` | how often it began anew, since it was accepted and not taken |

use super::error::StoreError;
use super::row::Row;
use super::schema::{Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;

/// How a delivery goes out. The numbers are kept in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryKind {
    /// A signed webhook to a hook (P10.4).
    Hook = 0,
    /// News for an inbox of the deployment (P15).
    Inbox = 1,
    /// A call that wakes an agent (P10.3).
    Wake = 2,
    /// The words of an agent, for the inbox of a client (P10.2).
    Notice = 3,
    /// A notice that an inbox owes a device (P10.2).
    Device = 4,
    /// Objects in the bucket of files that are to go: those named, or all of a prefix (P11.7).
    File = 5,
    /// The next lines of a fork, from its source (P11.6). It has no row: the fork has one.
    Page = 6,
    /// A contact of a client, for its inbox (P11.5). It has no row.
    Contact = 7,
}

/// The needs of a kind of delivery, by which a queue treats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Whether deliveries to one target go out one after the other; else each by itself.
    pub order: bool,
    /// Whether an answer of 2xx settles it; else it waits to be taken, in another way, and its
    /// owner says when it may go out.
    pub answer: bool,
    /// Whether it is given up after `giveUpMs`.
    pub end: bool,
}

impl DeliveryKind {
    /// The kinds, by their numbers.
    const ALL: [Self; 6] = [
        Self::Hook,
        Self::Inbox,
        Self::Wake,
        Self::Notice,
        Self::Device,
        Self::File,
    ];

    /// Its word for people (P11.8).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hook => "hook",
            Self::Inbox => "inbox",
            Self::Wake => "wake",
            Self::Notice => "notice",
            Self::Device => "device",
            Self::File => "file",
            Self::Page => "page",
            Self::Contact => "contact",
        }
    }

    /// The needs of this kind.
    pub const fn needs(self) -> Needs {
        match self {
            Self::Hook | Self::Notice | Self::Device | Self::Page => Needs {
                order: true,
                answer: true,
                end: true,
            },
            // An inbox must become right again, and no file may stay behind.
            Self::Inbox | Self::File | Self::Contact => Needs {
                order: true,
                answer: true,
                end: false,
            },
            Self::Wake => Needs {
                order: false,
                answer: false,
                end: true,
            },
        }
    }
}

/// A delivery without its id and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// Its number, which gives the order.
    pub number: u64,
    /// How it goes out.
    pub kind: DeliveryKind,
    /// Its address.
    pub target: String,
    /// Attempts whose outcome is known.
    pub attempts: u64,
    /// The time of its cause.
    pub created_at: Timestamp,
    /// The time of the next attempt.
    pub due_at: Timestamp,
    /// The time when it was given up, if it was.
    pub dead_at: Option<Timestamp>,
    /// The place of the input or turn that waits to be taken, where one does.
    pub subject: Option<Place>,
    /// How often it began anew, since it was accepted and not taken: each round has its own id.
    pub rounds: u64,
}

/// The part of a delivery that is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Its id for the receiver, the same at each attempt.
    pub id: String,
    /// The exact text to send.
    pub body: String,
}

/// A delivery that was given up, or whose last attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The delivery.
    pub owed: Owed,
    /// Its id for the receiver.
    pub id: String,
    /// The reason.
    pub reason: String,
}

/// A change of the rows of deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryWrite {
    /// A new delivery.
    Add {
        /// The delivery.
        owed: Owed,
        /// The reason why it is given up at once, if it is.
        reason: Option<String>,
        /// The part that is sent.
        parcel: Parcel,
    },
    /// Another attempt follows, or a dead letter is sent again.
    Again {
        /// The delivery, as it goes on.
        owed: Owed,
        /// The reason why the last attempt failed, if it did.
        reason: Option<String>,
    },
    /// It is given up.
    Bury {
        /// The delivery, with its attempts so far.
        owed: Owed,
        /// The time.
        at: Timestamp,
        /// The reason.
        reason: String,
    },
    /// All of one kind go, dead letters too.
    ForgetKind(DeliveryKind),
    /// There will be some: the table is made.
    Prepare,
    /// It was accepted, or a dead letter has expired.
    Forget {
        /// The delivery.
        number: u64,
    },
}

impl Stored for DeliveryWrite {
    /// One row.
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        const AGAIN: &str = "UPDATE delivery SET attempts=?2, due_at=?3, rounds=?4, target=?5, \
                             reason=?6, created_at=?7, dead_at=NULL WHERE number=?1";
        const BURY: &str = "UPDATE delivery SET attempts=?2, dead_at=?3, reason=?4 WHERE number=?1";
        const FORGET: &str = "DELETE FROM delivery WHERE number=?1";
        const FORGET_KIND: &str = "DELETE FROM delivery WHERE kind=?1";
        match self {
            Self::Add {
                owed,
                reason,
                parcel,
            } => add(sql, owed, reason.as_deref(), parcel),
            Self::Again { owed, reason } => {
                let numbers = [owed.number, owed.attempts, owed.rounds];
                let [number, attempts, rounds] = numbers.map(Value::number);
                let (due_at, target) = (owed.due_at.into(), owed.target.as_str().into());
                let (reason, created_at) = (reason.as_deref().into(), owed.created_at.into());
                sql.run(
                    AGAIN,
                    &[number, attempts, due_at, rounds, target, reason, created_at],
                )
            }
            Self::Bury { owed, at, reason } => {
                let [number, attempts] = [owed.number, owed.attempts].map(Value::number);
                sql.run(
                    BURY,
                    &[number, attempts, (*at).into(), reason.as_str().into()],
                )
            }
            Self::Forget { number } => sql.run(FORGET, &[Value::number(*number)]),
            Self::ForgetKind(kind) => sql.run(FORGET_KIND, &[Value::Integer(*kind as i64)]),
            Self::Prepare => Ok(()),
        }
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        match self {
            Self::Add { .. } | Self::Prepare => tables.add(sql, Rare::Delivery),
            _ => Ok(()),
        }
    }

    fn is_one_statement(&self) -> bool {
        !matches!(self, Self::Add { .. } | Self::Prepare)
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Add { parcel, .. } => parcel.body.len(),
            _ => 0,
        }
    }
}

fn add(
    sql: &dyn Sql,
    owed: &Owed,
    reason: Option<&str>,
    parcel: &Parcel,
) -> Result<(), StoreError> {
    const ADD: &str = "INSERT INTO delivery(number, kind, target, attempts, created_at, due_at, \
                       dead_at, reason, id, body, subject, rounds) \
                       VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let params = [
        Value::number(owed.number),
        Value::Integer(owed.kind as i64),
        owed.target.as_str().into(),
        Value::number(owed.attempts),
        owed.created_at.into(),
        owed.due_at.into(),
        owed.dead_at.into(),
        reason.into(),
        parcel.id.as_str().into(),
        parcel.body.as_str().into(),
        owed.subject.into(),
        Value::number(owed.rounds),
    ];
    sql.run(ADD, &params)
}

fn owed(row: &mut Row) -> Result<Owed, StoreError> {
    Ok(Owed {
        number: row.number()?,
        kind: kind(row.integer()?)?,
        target: row.text()?,
        attempts: row.number()?,
        created_at: row.integer()?,
        due_at: row.integer()?,
        dead_at: row.maybe_integer()?,
        subject: row.maybe_number()?,
        rounds: row.number()?,
    })
}

fn kind(number: i64) -> Result<DeliveryKind, StoreError> {
    let mut kinds = DeliveryKind::ALL.into_iter();
    let found = kinds.find(|kind| *kind as i64 == number);
    found.ok_or_else(|| StoreError::unreadable("delivery"))
}

impl Store {
    /// Whether the table exists. No row.
    pub fn has_deliveries(&self) -> Result<bool, StoreError> {
        Ok(self.tables()?.has(Rare::Delivery))
    }

    /// All deliveries, the oldest first. Reads all rows.
    pub fn deliveries(&self) -> Result<Vec<Owed>, StoreError> {
        const ALL: &str = "SELECT number, kind, target, attempts, created_at, due_at, dead_at, \
                           subject, rounds FROM delivery ORDER BY number";
        if !self.tables()?.has(Rare::Delivery) {
            return Ok(Vec::new());
        }
        let rows = Row::all(self.sql().query(ALL, &[])?);
        rows.map(|mut row| owed(&mut row)).collect()
    }

    /// The part of a delivery that is sent. One row.
    pub fn parcel(&self, number: u64) -> Result<Option<Parcel>, StoreError> {
        const PARCEL: &str = "SELECT id, body FROM delivery WHERE number=?1";
        if !self.tables()?.has(Rare::Delivery) {
            return Ok(None);
        }
        let row = Row::first(self.sql().query(PARCEL, &[Value::number(number)])?);
        let parcel = |mut row: Row| {
            Ok(Parcel {
                id: row.text()?,
                body: row.text()?,
            })
        };
        row.map(parcel).transpose()
    }

    /// Dead letters, the newest first. Reads all rows.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, StoreError> {
        const DEAD: &str = "SELECT number, kind, target, attempts, created_at, due_at, dead_at, \
                            subject, rounds, id, reason FROM delivery \
                            WHERE dead_at IS NOT NULL ORDER BY number DESC";
        self.letters(DEAD)
    }

    /// Pending deliveries whose last attempt failed, the newest first, 100 at most. Reads all rows.
    pub fn failing(&self) -> Result<Vec<DeadLetter>, StoreError> {
        const FAILING: &str = "SELECT number, kind, target, attempts, created_at, due_at, \
                               dead_at, subject, rounds, id, reason FROM delivery \
                               WHERE dead_at IS NULL AND reason IS NOT NULL \
                               ORDER BY number DESC LIMIT 100";
        self.letters(FAILING)
    }

    fn letters(&self, query: &str) -> Result<Vec<DeadLetter>, StoreError> {
        if !self.tables()?.has(Rare::Delivery) {
            return Ok(Vec::new());
        }
        let letter = |mut row: Row| {
            let owed = owed(&mut row)?;
            let id = row.text()?;
            let reason = row.maybe_text()?.unwrap_or_default();
            Ok(DeadLetter { owed, id, reason })
        };
        Row::all(self.sql().query(query, &[])?)
            .map(letter)
            .collect()
    }
}
