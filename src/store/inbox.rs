//! The rows of an inbox (P15): one table, made with its first row.
//!
//! A row of `item` is a session, or something of a session that waits or waited for somebody. There
//! is no index and no other row: an inbox pays one row for each item that changes. The highest
//! `version` is the inbox's serial; a waking inbox reads all but the bodies.
//!
//! | column | holds |
//! | --- | --- |
//! | `session` | the session; empty in the row of the floor |
//! | `kind` | a number of [`ItemKind`] |
//! | `id` | its id in its session; empty for the session itself |
//! | `version` | the inbox's serial of its latest change; of the floor: of the last one forgotten |
//! | `state` | a number of [`ItemState`] |
//! | `at` | the time that orders it: a session's last activity, else when it was asked, in ms |
//! | `epoch` | of a session: the epoch of the life that was told last |
//! | `begun_at` | of a session: when that life began, in ms |
//! | `place` | of a session: the place of that life up to which it was told |
//! | `body` | the item as shown, as JSON; NULL once it is gone |

use std::rc::Rc;

use super::delivery::{DeadLetter, DeliveryWrite, Owed, Parcel};
use super::device::{self, Device, DeviceWrite};
use super::error::StoreError;
use super::row::Row;
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::ids::Timestamp;
use crate::protocol::news::ItemKind;
use crate::protocol::serial::{Epoch, Place};

/// The state of an item. Rows keep the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// It is settled.
    Settled = 0,
    /// It waits for somebody; a session that is there.
    Open = 1,
    /// It left the inbox.
    Gone = 2,
}

/// The identity of an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemKey {
    /// Its session.
    pub session: String,
    /// Its kind.
    pub kind: ItemKind,
    /// Its id; empty for the session itself.
    pub id: String,
}

/// The life of a session that an inbox was told of last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Its epoch.
    pub epoch: Epoch,
    /// When it began.
    pub begun_at: Timestamp,
    /// The place up to which it was told.
    pub place: Place,
}

/// An item without its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The inbox's serial of its latest change.
    pub version: Place,
    /// Its state.
    pub state: ItemState,
    /// The time that orders it.
    pub at: Timestamp,
    /// Of a session: its life.
    pub life: Option<Life>,
}

/// A change of the rows of an inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemWrite {
    /// An item is as follows.
    Put {
        /// Its identity.
        key: ItemKey,
        /// The item.
        entry: Entry,
        /// The item as shown; `None` once it is gone.
        body: Option<String>,
    },
    /// An item is forgotten.
    Forget(ItemKey),
    /// Changes up to a serial may be missing.
    Floor(Place),
}

/// The changes of one input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboxWrite {
    /// Of items.
    pub items: Vec<ItemWrite>,
    /// Of devices.
    pub devices: Vec<DeviceWrite>,
    /// Of what devices are owed.
    pub owed: Vec<DeliveryWrite>,
}

/// The rows of one inbox.
pub struct InboxStore {
    pub(super) sql: Rc<dyn Sql>,
    /// The same database, for the one table that inboxes and sessions both have.
    owed: Store,
}

impl std::fmt::Debug for InboxStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("InboxStore").finish_non_exhaustive()
    }
}

impl From<Rc<dyn Sql>> for InboxStore {
    fn from(sql: Rc<dyn Sql>) -> Self {
        let owed = Store::new(Rc::clone(&sql));
        Self { sql, owed }
    }
}

impl InboxStore {
    /// Everything but the bodies, and the floor. Reads all rows.
    pub fn index(&self) -> Result<(Vec<(ItemKey, Entry)>, Place), StoreError> {
        const ALL: &str = "SELECT session, kind, id, version, state, at, epoch, begun_at, place \
                           FROM item";
        if !self.is_begun()? {
            return Ok((Vec::new(), 0));
        }
        let (mut entries, mut floor) = (Vec::new(), 0);
        for mut row in Row::all(self.sql.query(ALL, &[])?) {
            let (key, entry) = indexed(&mut row)?;
            match key.session.is_empty() {
                true => floor = entry.version,
                false => entries.push((key, entry)),
            }
        }
        Ok((entries, floor))
    }

    /// The bodies of items, in the order of their keys; absent ones are left out. A row each.
    pub fn bodies(&self, keys: &[&ItemKey]) -> Result<Vec<String>, StoreError> {
        const BODIES: &str = "SELECT i.body FROM json_each(?1) k CROSS JOIN item i ON \
                              i.session=k.value->>0 AND i.kind=k.value->>1 AND \
                              i.id=k.value->>2 WHERE i.body IS NOT NULL ORDER BY k.key";
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let keys = keys.iter();
        let keys: Vec<_> = keys
            .map(|key| (&key.session, u8::from(key.kind), &key.id))
            .collect();
        let keys = Value::Text(serde_json::json!(keys).to_string());
        let rows = Row::all(self.sql.query(BODIES, &[keys])?);
        rows.map(|mut row| row.text()).collect()
    }

    /// The client's devices. Reads all rows.
    pub fn devices(&self) -> Result<Vec<(String, Device)>, StoreError> {
        device::devices(&*self.sql)
    }

    /// All that devices are owed, the oldest first. Reads all rows.
    pub fn deliveries(&self) -> Result<Vec<Owed>, StoreError> {
        self.owed.deliveries()
    }

    /// The part of a delivery that is sent. One row.
    pub fn parcel(&self, number: u64) -> Result<Option<Parcel>, StoreError> {
        self.owed.parcel(number)
    }

    /// Dead letters, the newest first. Reads all rows.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, StoreError> {
        self.owed.dead_letters()
    }

    /// Pending notices whose last attempt failed, the newest first, 100 at most. Reads all rows.
    pub fn failing(&self) -> Result<Vec<DeadLetter>, StoreError> {
        self.owed.failing()
    }

    /// Stores all of it or nothing. A row each.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn write(&self, write: &InboxWrite, is_begun: bool) -> Result<(), StoreError> {
        const TABLE: &str = include_str!("inbox/item.sql");
        let InboxWrite {
            items,
            devices,
            owed,
        } = write;
        if items.is_empty() && devices.is_empty() && owed.is_empty() {
            return Ok(());
        }
        let mut tables = self.owed.tables()?;
        self.sql.transaction(&mut || {
            if !items.is_empty() && !is_begun && !self.is_begun()? {
                self.sql.run(TABLE.trim_end().trim_end_matches(';'), &[])?;
            }
            items.iter().try_for_each(|write| self.store(write))?;
            devices
                .iter()
                .try_for_each(|write| write.store(&*self.sql))?;
            for write in owed {
                write.make_tables(&*self.sql, &mut tables)?;
                write.store(&*self.sql)?;
            }
            Ok(())
        })?;
        self.owed.wrote(0, tables);
        Ok(())
    }

    fn store(&self, write: &ItemWrite) -> Result<(), StoreError> {
        const PUT: &str = "INSERT OR REPLACE INTO item(session, kind, id, version, state, at, \
                           epoch, begun_at, place, body) \
                           VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        const FORGET: &str = "DELETE FROM item WHERE session=?1 AND kind=?2 AND id=?3";
        const FLOOR: &str = "INSERT OR REPLACE INTO item(session, kind, id, version, state, at) \
                             VALUES('', 0, '', ?1, 0, 0)";
        match write {
            ItemWrite::Put { key, entry, body } => {
                let [session, kind, id] = identity(key);
                let life = entry.life.as_ref();
                let params = [
                    session,
                    kind,
                    id,
                    Value::number(entry.version),
                    Value::Integer(entry.state as i64),
                    entry.at.into(),
                    life.map(|life| life.epoch.as_str()).into(),
                    life.map(|life| life.begun_at).into(),
                    life.map(|life| life.place).into(),
                    body.as_deref().into(),
                ];
                self.sql.run(PUT, &params)
            }
            ItemWrite::Forget(key) => self.sql.run(FORGET, &identity(key)),
            ItemWrite::Floor(floor) => self.sql.run(FLOOR, &[Value::number(*floor)]),
        }
    }

    fn is_begun(&self) -> Result<bool, StoreError> {
        const THERE: &str = "SELECT 1 FROM sqlite_master WHERE type='table' AND name='item'";
        Ok(!self.sql.query(THERE, &[])?.is_empty())
    }
}

fn identity(key: &ItemKey) -> [Value; 3] {
    let kind = i64::from(u8::from(key.kind));
    [
        key.session.as_str().into(),
        kind.into(),
        key.id.as_str().into(),
    ]
}

fn indexed(row: &mut Row) -> Result<(ItemKey, Entry), StoreError> {
    let unreadable = || StoreError::unreadable("item");
    let session = row.text()?;
    let kind = u8::try_from(row.integer()?).map_err(|_| unreadable())?;
    let key = ItemKey {
        session,
        kind: ItemKind::try_from(kind).map_err(|_| unreadable())?,
        id: row.text()?,
    };
    let version = row.number()?;
    let state = match row.integer()? {
        0 => ItemState::Settled,
        1 => ItemState::Open,
        2 => ItemState::Gone,
        _ => return Err(unreadable()),
    };
    let at = row.integer()?;
    let epoch = row.maybe_text()?;
    let (begun_at, place) = (row.maybe_integer()?.unwrap_or(0), row.number_or_zero()?);
    let life = epoch.map(|epoch| {
        Some(Life {
            epoch: Epoch::parse(&epoch)?,
            begun_at,
            place,
        })
    });
    let entry = Entry {
        version,
        state,
        at,
        life: life.flatten(),
    };
    Ok((key, entry))
}
