//! Annotations of messages, and their sums (P9.3).
//!
//! A row of `annotation` is one annotation that stands, in the order of its key:
//!
//! | column | holds |
//! | --- | --- |
//! | `message` | the place of the message |
//! | `kind`, `name` | its kind, `TOPIC:METHOD`; its name, empty without |
//! | `client` | the client |
//! | `serial` | its place in the log |
//! | `count` | its count |
//! | `at` | when, in ms |
//! | `data` | content of the application's own, as JSON |
//!
//! A row of `summary` has the sums of one message, so that neither a reader nor the next annotation
//! ever counts:
//!
//! | column | holds |
//! | --- | --- |
//! | `message` | the place of the message |
//! | `version` | the place of the latest annotation or withdrawal |
//! | `rows` | the number of its rows in `annotation` |
//! | `body` | the [`Sums`], as JSON |
//!
//! Few sessions have annotations, so both tables are made with the first.

use super::error::StoreError;
use super::row::Row;
use super::schema::{Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::ordered::Map;
use crate::protocol::annotation::{Annotation, Cursor, Sums, sums_of_row};
use crate::protocol::data::Data;
use crate::protocol::message::Message;
use crate::protocol::serial::Place;

/// The sums of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotated {
    /// The place of its latest annotation or withdrawal; 0 without.
    pub version: Place,
    /// The number of its annotations.
    pub rows: usize,
    /// The sums.
    pub sums: Sums,
}

impl Annotated {
    /// The sums as sent.
    pub fn data(&self) -> Data {
        let sums = json(&self.sums).ok().and_then(Data::from_json);
        sums.unwrap_or_else(|| Data::Text(String::new()))
    }
}

/// Annotations of one client, kind and name, which go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The number of them.
    pub rows: usize,
    /// Their counts together.
    pub count: u64,
}

/// A change of the annotations of a message. Its entry is written beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct AnnotationWrite {
    /// The message.
    pub message: Place,
    /// The client.
    pub client: String,
    /// The client's annotations that go.
    pub gone: Vec<Withdrawn>,
    /// A new one.
    pub added: Option<Annotation>,
    /// The sums from then on.
    pub annotated: Annotated,
}

impl Stored for AnnotationWrite {
    /// Two rows, and those that go.
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        const GO: &str = "DELETE FROM annotation WHERE message=?1 AND kind=?2 AND name=?3 \
                          AND client=?4";
        const ADD: &str = "INSERT INTO annotation(message, kind, name, client, serial, count, at, \
                           data) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        const SUMS: &str = "INSERT INTO summary(message, version, rows, body) \
                            VALUES(?1, ?2, ?3, ?4) ON CONFLICT(message) DO UPDATE SET \
                            version=excluded.version, rows=excluded.rows, body=excluded.body";
        let message = Value::number(self.message);
        for gone in &self.gone {
            let (kind, name) = (gone.kind.as_str().into(), gone.name.as_str().into());
            sql.run(
                GO,
                &[message.clone(), kind, name, self.client.as_str().into()],
            )?;
        }
        if let Some(added) = &self.added {
            let data = added.data.as_ref().map(json).transpose()?;
            let params = [
                message.clone(),
                added.kind.as_str().into(),
                added.name.as_str().into(),
                added.client.as_str().into(),
                Value::number(added.place),
                Value::number(added.count),
                added.at.into(),
                data.as_deref().into(),
            ];
            sql.run(ADD, &params)?;
        }
        let Annotated {
            version,
            rows,
            sums,
        } = &self.annotated;
        let [version, rows] = [Value::number(*version), Value::size(*rows)];
        sql.run(SUMS, &[message, version, rows, Value::Text(json(sums)?)])
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        tables.add(sql, Rare::Annotation)
    }

    fn bytes(&self) -> usize {
        let added = self.added.as_ref().and_then(|added| added.data.as_ref());
        added.map_or(0, Data::bytes)
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| unreadable())
}

fn unreadable() -> StoreError {
    StoreError::unreadable("annotation")
}

/// Deletes all annotations of messages, given as a list in JSON.
pub(super) fn forget(sql: &dyn Sql, places: &Value) -> Result<(), StoreError> {
    const IS_THERE: &str = "SELECT 1 FROM sqlite_master WHERE type='table' AND name='summary'";
    const ALL: &str = "DELETE FROM annotation WHERE message IN (SELECT value FROM json_each(?1))";
    const SUMS: &str = "DELETE FROM summary WHERE message IN (SELECT value FROM json_each(?1))";
    if sql.query(IS_THERE, &[])?.is_empty() {
        return Ok(());
    }
    sql.run(ALL, std::slice::from_ref(places))?;
    sql.run(SUMS, std::slice::from_ref(places))
}

impl Store {
    /// The sums of a message. One row.
    pub fn annotated(&self, message: Place) -> Result<Annotated, StoreError> {
        const SUMS: &str = "SELECT version, rows, body FROM summary WHERE message=?1";
        if !self.tables()?.has(Rare::Annotation) {
            return Ok(Annotated::default());
        }
        let row = Row::first(self.sql().query(SUMS, &[Value::number(message)])?);
        let annotated = |mut row: Row| {
            Ok(Annotated {
                version: row.number()?,
                rows: row.size()?,
                sums: sums_of_row(&row.text()?).ok_or_else(unreadable)?,
            })
        };
        row.map_or_else(|| Ok(Annotated::default()), annotated)
    }

    /// The annotations of a client under these names of a kind. A row for each of them.
    pub fn annotations_of(
        &self,
        message: Place,
        kind: &str,
        names: &[String],
        client: &str,
    ) -> Result<Vec<Withdrawn>, StoreError> {
        const OWN: &str = "SELECT name, count(*), sum(count) FROM annotation WHERE message=?1 \
                           AND kind=?2 AND name IN (SELECT value FROM json_each(?3)) \
                           AND client=?4 GROUP BY name";
        if !self.tables()?.has(Rare::Annotation) {
            return Ok(Vec::new());
        }
        let names = Value::Text(serde_json::json!(names).to_string());
        let params = [Value::number(message), kind.into(), names, client.into()];
        let own = |mut row: Row| {
            Ok(Withdrawn {
                kind: kind.to_owned(),
                name: row.text()?,
                rows: row.size()?,
                count: row.number()?,
            })
        };
        Row::all(self.sql().query(OWN, &params)?).map(own).collect()
    }

    /// A page of the annotations of a message, in the order of their key. A row each.
    pub fn annotations(
        &self,
        message: Place,
        after: &Cursor,
        limit: usize,
    ) -> Result<Vec<Annotation>, StoreError> {
        const PAGE: &str = "SELECT kind, name, client, serial, count, at, data FROM annotation \
                            WHERE message=?1 AND (kind, name, client, serial)>(?2, ?3, ?4, ?5) \
                            ORDER BY kind, name, client, serial LIMIT ?6";
        if !self.tables()?.has(Rare::Annotation) {
            return Ok(Vec::new());
        }
        let Cursor(kind, name, client, place) = after;
        let params = [
            Value::number(message),
            kind.as_str().into(),
            name.as_str().into(),
            client.as_str().into(),
            Value::number(*place),
            Value::size(limit),
        ];
        let annotation = |mut row: Row| {
            let (kind, name, client) = (row.text()?, row.text()?, row.text()?);
            let (place, count, at) = (row.number()?, row.number()?, row.integer()?);
            let data = row.maybe_text()?;
            let data = data.map(|data| serde_json::from_str(&data)).transpose();
            Ok(Annotation {
                place,
                kind,
                name,
                client,
                count,
                data: data.map_err(|_| unreadable())?,
                at,
            })
        };
        let rows = self.sql().query(PAGE, &params)?;
        Row::all(rows).map(annotation).collect()
    }

    /// Adds their sums to messages. A row for each that has some.
    pub(super) fn add_sums(&self, messages: &mut [Message]) -> Result<(), StoreError> {
        const SUMS: &str = "SELECT message, body FROM summary WHERE body<>'{}' \
                            AND message IN (SELECT value FROM json_each(?1))";
        if messages.is_empty() || !self.tables()?.has(Rare::Annotation) {
            return Ok(());
        }
        let places: Vec<Place> = messages.iter().map(|it| it.serial.place).collect();
        let places = Value::Text(serde_json::json!(places).to_string());
        let mut sums = Map::new();
        for mut row in Row::all(self.sql().query(SUMS, &[places])?) {
            sums.insert(row.number()?, row.text()?);
        }
        for message in messages {
            let sums = sums.remove(&message.serial.place);
            message.annotations = sums.and_then(Data::from_json).map(Box::new);
        }
        Ok(())
    }
}
