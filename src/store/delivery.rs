//! Deliveries: what is to leave the session, until it was taken or given up (P10.3, P10.4).
//!
//! A row of `delivery` is one delivery to one target. It is no part of the log, and outlives it:
//! a session that was deleted may still owe somebody the word that it was. Few sessions ever owe
//! anything, so the table is made with the first. It has no index: bounds keep it short, and it
//! is read whole when a session wakes.
//!
//! | column | holds |
//! | --- | --- |
//! | `number` | its number: a later one is greater, and none is given twice |
//! | `kind` | how it goes out: a number of [`DeliveryKind`] |
//! | `target` | where to |
//! | `attempts` | how often it was tried and the outcome is known |
//! | `created_at` | when its cause was, in ms |
//! | `due_at` | when it is to be tried next, in ms |
//! | `dead_at` | when it was given up, in ms, else NULL |
//! | `reason` | why it was, else NULL |
//! | `id` | what its receiver knows it by |
//! | `body` | the exact text that is delivered |

use super::error::StoreError;
use super::row::Row;
use super::schema::Rare;
use super::sql::{Sql, Value};
use super::store::Store;
use crate::protocol::ids::Timestamp;

/// How a delivery goes out. The numbers are kept in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryKind {
    /// A signed webhook to a hook (P10.4).
    Hook = 0,
}

/// What is owed to whom: a delivery without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// Its number: a later one is greater, and none is given twice.
    pub number: u64,
    /// How it goes out.
    pub kind: DeliveryKind,
    /// Where to.
    pub target: String,
    /// How often that was tried and its outcome is known.
    pub attempts: u64,
    /// When its cause was.
    pub created_at: Timestamp,
    /// When it is to be tried next.
    pub due_at: Timestamp,
    /// When it was given up, if it was.
    pub dead_at: Option<Timestamp>,
}

/// What is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// What its receiver knows it by, however often it comes.
    pub id: String,
    /// The exact text of it.
    pub body: String,
}

/// A delivery that was given up, as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The delivery.
    pub owed: Owed,
    /// What its receiver knows it by.
    pub id: String,
    /// Why it was given up.
    pub reason: String,
}

/// A change of the rows of deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryWrite {
    /// One more is owed.
    Add {
        /// The delivery.
        owed: Owed,
        /// Why it is given up at once, if it is.
        reason: Option<String>,
        /// What is delivered.
        parcel: Parcel,
    },
    /// It was not taken, and is to be tried again.
    Again {
        /// The delivery.
        number: u64,
        /// How often it was tried by now.
        attempts: u64,
        /// When to try again.
        due_at: Timestamp,
    },
    /// It is given up.
    Bury {
        /// The delivery.
        number: u64,
        /// How often it was tried.
        attempts: u64,
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// It was taken, or nobody needs to know of it any more.
    Forget {
        /// The delivery.
        number: u64,
    },
}

/// Stores one change. One row.
pub(super) fn write(sql: &dyn Sql, write: &DeliveryWrite) -> Result<(), StoreError> {
    const AGAIN: &str = "UPDATE delivery SET attempts=?2, due_at=?3 WHERE number=?1";
    const BURY: &str = "UPDATE delivery SET attempts=?2, dead_at=?3, reason=?4 WHERE number=?1";
    const FORGET: &str = "DELETE FROM delivery WHERE number=?1";
    match write {
        DeliveryWrite::Add {
            owed,
            reason,
            parcel,
        } => add(sql, owed, reason.as_deref(), parcel),
        DeliveryWrite::Again {
            number,
            attempts,
            due_at,
        } => {
            let [number, attempts] = [*number, *attempts].map(Value::number);
            sql.run(AGAIN, &[number, attempts, (*due_at).into()])
        }
        DeliveryWrite::Bury {
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
        DeliveryWrite::Forget { number } => sql.run(FORGET, &[Value::number(*number)]),
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
            _ => return Err(StoreError::unreadable("delivery")),
        },
        target: row.text()?,
        attempts: row.number()?,
        created_at: row.integer()?,
        due_at: row.integer()?,
        dead_at: row.maybe_integer()?,
    })
}

/// Deletes everything else that there is. It goes by the tables that there are, so that no
/// feature's is forgotten.
pub(super) fn outlive(sql: &dyn Sql) -> Result<(), StoreError> {
    // What the platform and SQLite keep for themselves cannot be dropped.
    const OTHERS: &str = "SELECT name FROM sqlite_master WHERE type='table' AND name<>'delivery' \
                          AND substr(name, 1, 4)<>'_cf_' AND substr(name, 1, 7)<>'sqlite_'";
    for mut row in Row::all(sql.query(OTHERS, &[])?) {
        sql.query(&format!("DROP TABLE \"{}\"", row.text()?), &[])?;
    }
    Ok(())
}

impl Store {
    /// Whether there ever was one, in this life of the session or before. No row.
    pub fn has_deliveries(&self) -> Result<bool, StoreError> {
        Ok(self.tables()?.has(Rare::Delivery))
    }

    /// All deliveries, the oldest first. As many rows as there are.
    pub fn deliveries(&self) -> Result<Vec<Owed>, StoreError> {
        const ALL: &str = "SELECT number, kind, target, attempts, created_at, due_at, dead_at \
                           FROM delivery ORDER BY number";
        if !self.tables()?.has(Rare::Delivery) {
            return Ok(Vec::new());
        }
        let rows = Row::all(self.sql().query(ALL, &[])?);
        rows.map(|mut row| owed(&mut row)).collect()
    }

    /// What is delivered. One row.
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

    /// The deliveries that were given up, the newest first. As many rows as there are deliveries.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, StoreError> {
        const DEAD: &str = "SELECT number, kind, target, attempts, created_at, due_at, dead_at, \
                            id, reason FROM delivery WHERE dead_at IS NOT NULL ORDER BY number DESC";
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
