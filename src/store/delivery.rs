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
//! | `reason` | the reason for that, else NULL |
//! | `id` | its id for the receiver, the same at each attempt |
//! | `body` | the exact text to send |

use super::error::StoreError;
use super::row::Row;
use super::schema::{Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::ids::Timestamp;

/// How a delivery goes out. The numbers are kept in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryKind {
    /// A signed webhook to a hook (P10.4).
    Hook = 0,
    /// News for an inbox of the deployment (P15).
    Inbox = 1,
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
}

/// The part of a delivery that is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Its id for the receiver, the same at each attempt.
    pub id: String,
    /// The exact text to send.
    pub body: String,
}

/// A delivery that was given up.
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
    /// An attempt failed and another follows.
    Again {
        /// The delivery.
        number: u64,
        /// Attempts so far.
        attempts: u64,
        /// The time of the next attempt.
        due_at: Timestamp,
    },
    /// It is given up.
    Bury {
        /// The delivery.
        number: u64,
        /// Attempts so far.
        attempts: u64,
        /// The time.
        at: Timestamp,
        /// The reason.
        reason: String,
    },
    /// It was accepted, or a dead letter has expired.
    Forget {
        /// The delivery.
        number: u64,
    },
}

impl Stored for DeliveryWrite {
    /// One row.
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        const AGAIN: &str = "UPDATE delivery SET attempts=?2, due_at=?3 WHERE number=?1";
        const BURY: &str = "UPDATE delivery SET attempts=?2, dead_at=?3, reason=?4 WHERE number=?1";
        const FORGET: &str = "DELETE FROM delivery WHERE number=?1";
        match self {
            Self::Add {
                owed,
                reason,
                parcel,
            } => add(sql, owed, reason.as_deref(), parcel),
            Self::Again {
                number,
                attempts,
                due_at,
            } => {
                let [number, attempts] = [*number, *attempts].map(Value::number);
                sql.run(AGAIN, &[number, attempts, (*due_at).into()])
            }
            Self::Bury {
                number,
                attempts,
                at,
                reason,
            } => {
                let [number, attempts] = [*number, *attempts].map(Value::number);
                sql.run(
                    BURY,
                    &[number, attempts, (*at).into(), reason.as_str().into()],
                )
            }
            Self::Forget { number } => sql.run(FORGET, &[Value::number(*number)]),
        }
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        match self {
            Self::Add { .. } => tables.add(sql, Rare::Delivery),
            Self::Again { .. } | Self::Bury { .. } | Self::Forget { .. } => Ok(()),
        }
    }

    fn is_one_statement(&self) -> bool {
        !matches!(self, Self::Add { .. })
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Add { parcel, .. } => parcel.body.len(),
            Self::Again { .. } | Self::Bury { .. } | Self::Forget { .. } => 0,
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
                       dead_at, reason, id, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
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
    ];
    sql.run(ADD, &params)
}

fn owed(row: &mut Row) -> Result<Owed, StoreError> {
    Ok(Owed {
        number: row.number()?,
        kind: match row.integer()? {
            0 => DeliveryKind::Hook,
            1 => DeliveryKind::Inbox,
            _ => return Err(StoreError::unreadable("delivery")),
        },
        target: row.text()?,
        attempts: row.number()?,
        created_at: row.integer()?,
        due_at: row.integer()?,
        dead_at: row.maybe_integer()?,
    })
}

impl Store {
    /// Whether the table exists. No row.
    pub fn has_deliveries(&self) -> Result<bool, StoreError> {
        Ok(self.tables()?.has(Rare::Delivery))
    }

    /// All deliveries, the oldest first. Reads all rows.
    pub fn deliveries(&self) -> Result<Vec<Owed>, StoreError> {
        const ALL: &str = "SELECT number, kind, target, attempts, created_at, due_at, dead_at \
                           FROM delivery ORDER BY number";
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
                            id, reason FROM delivery WHERE dead_at IS NOT NULL \
                            ORDER BY number DESC";
        if !self.tables()?.has(Rare::Delivery) {
            return Ok(Vec::new());
        }
        let letter = |mut row: Row| {
            let owed = owed(&mut row)?;
            let id = row.text()?;
            let reason = row.maybe_text()?.unwrap_or_default();
            Ok(DeadLetter { owed, id, reason })
        };
        Row::all(self.sql().query(DEAD, &[])?).map(letter).collect()
    }
}
