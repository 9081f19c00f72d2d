//! The shared state: its tree as it was once, and the changes since (P9.1).
//!
//! A change is one row, whatever the size of the tree. Once the changes are as long as the tree,
//! it is stored anew, and the next changes are written over the rows of those before it: no row
//! is ever deleted for that. Few sessions have a state, so the table `state` is made with the
//! first change:
//!
//! | column | holds |
//! | --- | --- |
//! | `slot` | 0 for the tree; else the number of the change since the tree was stored |
//! | `serial` | the place of the change; of the tree, that of the latest change in it |
//! | `prior` | the place of the change before it; 0 without, and for the tree |
//! | `client` | the client of that change |
//! | `at` | when, in ms |
//! | `body` | the results of its operations, or the tree, as JSON |

use super::error::StoreError;
use super::row::Row;
use super::schema::{Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;

/// A change of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// Its place in the log.
    pub place: Place,
    /// The place of the change before it; 0 without.
    pub prior: Place,
    /// The client.
    pub client: String,
    /// The results of its operations, a list in JSON.
    pub ops: String,
}

/// The tree as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateTree {
    /// The place of the latest change in it.
    pub place: Place,
    /// The client of that change.
    pub client: String,
    /// The tree, as JSON.
    pub tree: String,
}

/// Everything stored of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateRows {
    /// The tree, if it was stored.
    pub tree: Option<StateTree>,
    /// Changes in order: all those since the tree was stored, and some before.
    pub changes: Vec<StateChange>,
}

/// A write of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateWrite {
    /// A change.
    Change {
        /// Its number since the tree was stored, from 1.
        slot: u64,
        /// The change.
        change: StateChange,
        /// When.
        at: Timestamp,
    },
    /// The tree; later changes are numbered from 1.
    Tree {
        /// The number of changes since it was stored before. Rows beyond them are deleted.
        slots: u64,
        /// The tree.
        tree: StateTree,
        /// When.
        at: Timestamp,
    },
}

const PUT: &str = "INSERT INTO state(slot, serial, prior, client, at, body) \
                   VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(slot) DO UPDATE SET \
                   serial=excluded.serial, prior=excluded.prior, client=excluded.client, \
                   at=excluded.at, body=excluded.body";

impl Stored for StateWrite {
    /// One row, and those of an older generation that was longer.
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        const FORGET: &str = "DELETE FROM state WHERE slot>?1";
        match self {
            Self::Change { slot, change, at } => {
                let [slot, place, prior] = [*slot, change.place, change.prior].map(Value::number);
                let (client, ops) = (change.client.as_str().into(), change.ops.as_str().into());
                sql.run(PUT, &[slot, place, prior, client, (*at).into(), ops])
            }
            Self::Tree { slots, tree, at } => {
                let [slot, place, prior] = [0, tree.place, 0].map(Value::number);
                let (client, body) = (tree.client.as_str().into(), tree.tree.as_str().into());
                sql.run(PUT, &[slot, place, prior, client, (*at).into(), body])?;
                sql.run(FORGET, &[Value::number(*slots)])
            }
        }
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        tables.add(sql, Rare::State)
    }

    fn is_one_statement(&self) -> bool {
        // The table is there from the second change on.
        matches!(self, Self::Change { change, .. } if change.prior != 0)
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Change { change, .. } => change.ops.len(),
            Self::Tree { tree, .. } => tree.tree.len(),
        }
    }
}

/// The place and the time of the latest change. A row for each that is stored: some 4 000, if a
/// tree of 1 MiB was changed as often.
pub(super) fn end(sql: &dyn Sql) -> Result<(Place, Timestamp), StoreError> {
    const END: &str = "SELECT coalesce(max(serial), 0), coalesce(max(at), 0) FROM state";
    let mut row = Row::only(sql.query(END, &[])?)?;
    Ok((row.number()?, row.integer()?))
}

impl Store {
    /// The state. A row for the tree, and one for each change that is stored.
    pub fn state(&self) -> Result<StateRows, StoreError> {
        const ALL: &str =
            "SELECT slot, serial, prior, client, body FROM state ORDER BY serial, slot";
        let mut state = StateRows::default();
        if !self.tables()?.has(Rare::State) {
            return Ok(state);
        }
        for mut row in Row::all(self.sql().query(ALL, &[])?) {
            let (slot, place, prior) = (row.number()?, row.number()?, row.number()?);
            let (client, body) = (row.text()?, row.text()?);
            match slot {
                0 => {
                    state.tree = Some(StateTree {
                        place,
                        client,
                        tree: body,
                    });
                }
                _ => state.changes.push(StateChange {
                    place,
                    prior,
                    client,
                    ops: body,
                }),
            }
        }
        Ok(state)
    }
}
