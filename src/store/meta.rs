//! The beginning of a session, and its settings.
//!
//! The table `meta` has one row: creating a table costs two row writes, and a row for each value
//! would cost more.
//!
//! | column | holds |
//! | --- | --- |
//! | `schema` | the version of the schema that the tables are at (`schema.rs`) |
//! | `epoch` | the epoch of this life's serials |
//! | `created_at` | when it began, in ms |
//! | `floor` | the place up to which messages have been trimmed (P11.2) |
//! | `written_at` | when something was last written that is in no other row, in ms; NULL if never |
//! | `trimmed_at` | when messages were last trimmed, in ms; NULL if never |
//! | `settings` | the [`Settings`], as JSON |
//! | `contacts` | clients that came here (P11.5), a line each; `+` if the inbox knows |

use super::error::StoreError;
use super::row::Row;
use super::schema::{self, Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::{Epoch, Place};
use crate::protocol::settings::Settings;

/// The record of a session's beginning, with its later changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// The epoch of this life's serials.
    pub epoch: Epoch,
    /// When it began.
    pub created_at: Timestamp,
    /// The place up to which messages have been trimmed (P11.2).
    pub floor: Place,
    /// When messages were last trimmed.
    pub trimmed_at: Option<Timestamp>,
    /// Its settings.
    pub settings: Settings,
}

/// A write about the whole session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetaWrite {
    /// The schema, and the beginning of the session.
    Begin(Beginning),
    /// The session's settings.
    Set {
        /// All of them.
        settings: Settings,
        /// When they were changed: activity like any other (P11.2).
        at: Timestamp,
    },
    /// The clients that came here, and whether the inbox of each knows.
    Contacts(String),
    /// The session ends: everything is deleted but its deliveries (P10.4, P11.2).
    End,
}

impl Stored for MetaWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        match self {
            Self::Begin(beginning) => begin(sql, beginning),
            Self::Set { settings, at } => set(sql, settings, *at),
            Self::Contacts(lines) => {
                sql.run("UPDATE meta SET contacts=?1", &[lines.as_str().into()])
            }
            Self::End => Ok(()),
        }
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        match self {
            Self::Begin(_) => tables.begin(sql),
            Self::Set { .. } | Self::Contacts(_) => Ok(()),
            Self::End => tables.leave(sql, Rare::Delivery),
        }
    }

    fn is_one_statement(&self) -> bool {
        matches!(self, Self::Set { .. } | Self::Contacts(_))
    }
}

fn begin(sql: &dyn Sql, beginning: &Beginning) -> Result<(), StoreError> {
    const BEGIN: &str = "INSERT INTO meta(schema, epoch, created_at, floor, settings) \
                         VALUES(?1, ?2, ?3, ?4, ?5)";
    let params = [
        Value::size(schema::VERSION),
        beginning.epoch.as_str().into(),
        beginning.created_at.into(),
        Value::number(beginning.floor),
        json(&beginning.settings)?,
    ];
    sql.run(BEGIN, &params)
}

fn set(sql: &dyn Sql, settings: &Settings, at: Timestamp) -> Result<(), StoreError> {
    const SET: &str = "UPDATE meta SET settings=?1, written_at=?2";
    sql.run(SET, &[json(settings)?, at.into()])
}

/// The log begins after a place from now on. `written_at` is the time of the session's last write,
/// which no other row tells once all messages are gone.
pub(super) fn raise_floor(
    sql: &dyn Sql,
    floor: Place,
    written_at: Timestamp,
    at: Timestamp,
) -> Result<(), StoreError> {
    const RAISE: &str = "UPDATE meta SET floor=max(floor, ?1), written_at=?2, trimmed_at=?3";
    sql.run(RAISE, &[Value::number(floor), written_at.into(), at.into()])
}

impl Store {
    /// The beginning of the session; `None` if nothing was ever written (P1.2). One row.
    pub fn beginning(&self) -> Result<Option<Beginning>, StoreError> {
        const META: &str = "SELECT epoch, created_at, floor, trimmed_at, settings FROM meta";
        let unreadable = || StoreError::unreadable("beginning");
        self.read(|sql| {
            let mut row = Row::only(sql.query(META, &[])?)?;
            Ok(Some(Beginning {
                epoch: Epoch::parse(&row.text()?).ok_or_else(unreadable)?,
                created_at: row.integer()?,
                floor: row.number()?,
                trimmed_at: row.maybe_integer()?,
                settings: serde_json::from_str(&row.text()?).map_err(|_| unreadable())?,
            }))
        })
    }
}

impl Store {
    /// The clients that came here (P11.5). One row.
    pub fn contacts(&self) -> Result<String, StoreError> {
        self.read(|sql| {
            let row = Row::only(sql.query("SELECT contacts FROM meta", &[])?);
            Ok(row?.maybe_text()?.unwrap_or_default())
        })
    }
}

fn json(settings: &Settings) -> Result<Value, StoreError> {
    let json = serde_json::to_string(settings);
    json.map(Value::Text)
        .map_err(|_| StoreError::unreadable("settings"))
}
