//! A message from its row and its newest segment.

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;

use crate::protocol::data::Data;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::message::{Message, Role, Status};
use crate::protocol::serial::{Epoch, Place};
use crate::store::error::StoreError;
use crate::store::row::Row;
use crate::store::sql::Sql;
use crate::store::text::Newest;

/// A message without its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Its place.
    pub place: Place,
    /// The place of its latest change.
    pub version: Place,
    /// The highest `seq` taken; 0 if none.
    pub seq: u64,
    /// Its state of streaming.
    pub status: Option<Status>,
    /// Its author.
    pub client: String,
    /// The author's connection.
    pub connection: Option<ConnectionId>,
    /// Its event name.
    pub name: String,
    /// The client's own id.
    pub id: Option<String>,
    /// The turn that it belongs to.
    pub turn: Option<String>,
    /// Whether only a tombstone is left.
    pub is_deleted: bool,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The columns of `columns!`.
macro_rules! fields {
    () => {
        "serial, version, seq, status, client, connection, id, name, role, turn, parent, headers, \
         created_at, updated_at, deleted_at, json IS NOT NULL"
    };
}

/// All of a message but its text as one text: one value crosses into wasm instead of sixteen, each
/// of which costs as much as hundreds of bytes of text (docs/decisions/0002).
macro_rules! columns {
    () => {
        concat!(
            "json_array(",
            $crate::store::message::columns::fields!(),
            ")"
        )
    };
}

/// `columns!` with the known size: the bytes of its own row's data, and for a message with segments
/// a lower bound of all its bytes, without reading them.
macro_rules! sized_columns {
    () => {
        concat!(
            "json_array(",
            $crate::store::message::columns::fields!(),
            ", coalesce(octet_length(data), octet_length(json), 0), ",
            $crate::store::message::columns::segmented_bytes!(),
            ")"
        )
    };
}

/// The bytes, at least, of a text with segments.
macro_rules! segmented_bytes {
    () => {
        concat!(
            "CASE WHEN status IS NOT NULL THEN ",
            $crate::store::text::newest_segment!("s.start + octet_length(s.data)", "serial"),
            " END"
        )
    };
}

/// The bytes, at least, of a message, without reading them.
macro_rules! least_bytes {
    () => {
        concat!(
            "coalesce(octet_length(headers), 0) + coalesce(",
            $crate::store::message::columns::segmented_bytes!(),
            ", octet_length(data), octet_length(json), 0)"
        )
    };
}

/// The text of a message, head and segments, or its JSON. A message that never streamed has no
/// segments to look for.
macro_rules! whole_data {
    () => {
        concat!(
            "CASE WHEN status IS NULL THEN coalesce(data, json) ELSE \
             coalesce(data || (SELECT group_concat(s.data, '') FROM segment s WHERE s.id ",
            $crate::store::text::in_segments!("serial"),
            "), data, json) END"
        )
    };
}

pub(in crate::store) use {
    columns, fields, least_bytes, segmented_bytes, sized_columns, whole_data,
};

/// The values of `columns!` and `sized_columns!`.
pub(super) struct Columns {
    pub(super) serial: Place,
    version: Place,
    seq: Option<u64>,
    status: Option<Status>,
    client: String,
    connection: Option<ConnectionId>,
    id: Option<String>,
    name: String,
    role: Role,
    turn: Option<String>,
    parent: Option<Place>,
    headers: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    deleted_at: Option<Timestamp>,
    is_json: u8,
    own_bytes: usize,
    bytes_at_least: Option<usize>,
}

/// Reads the values in their order: a derived reader would also take an object with their names,
/// which is three times as much wasm.
struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Columns;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the columns of a message")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Columns, A::Error> {
        fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(seq: &mut A) -> Result<T, A::Error> {
            let next = seq.next_element()?;
            next.ok_or_else(|| Error::custom("columns are missing"))
        }
        Ok(Columns {
            serial: next(&mut seq)?,
            version: next(&mut seq)?,
            seq: next(&mut seq)?,
            status: next(&mut seq)?,
            client: next(&mut seq)?,
            connection: next(&mut seq)?,
            id: next(&mut seq)?,
            name: next(&mut seq)?,
            role: next(&mut seq)?,
            turn: next(&mut seq)?,
            parent: next(&mut seq)?,
            headers: next(&mut seq)?,
            created_at: next(&mut seq)?,
            updated_at: next(&mut seq)?,
            deleted_at: next(&mut seq)?,
            is_json: next(&mut seq)?,
            own_bytes: seq.next_element()?.unwrap_or_default(),
            bytes_at_least: seq.next_element()?.flatten(),
        })
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_seq(InOrder)
    }
}

impl Columns {
    pub(super) fn parse(text: &str) -> Result<Self, StoreError> {
        serde_json::from_str(text).map_err(|_| StoreError::unreadable("message"))
    }

    /// Whether `text` is incomplete, as `sized_columns!` tells.
    pub(super) fn has_more_than(&self, text: Option<&str>) -> bool {
        self.bytes_at_least.is_some() || text.map_or(0, str::len) < self.own_bytes
    }

    /// A lower bound of its bytes, headers included.
    pub(super) fn bytes_at_least(&self) -> usize {
        self.header_bytes() + self.bytes_at_least.unwrap_or(self.own_bytes)
    }

    /// The bytes of its headers.
    pub(super) fn header_bytes(&self) -> usize {
        self.headers.as_ref().map_or(0, String::len)
    }

    /// Applies the newest segment to the values of the message's own row.
    pub(super) fn brought_up_to_date(mut self, sql: &dyn Sql) -> Result<Self, StoreError> {
        if self.status == Some(Status::Streaming) {
            self.overlay(Newest::of(sql, self.serial)?.as_ref());
        }
        Ok(self)
    }

    pub(super) fn overlay(&mut self, newest: Option<&Newest>) {
        let Some(newest) = newest else { return };
        self.version = self.version.max(newest.version);
        self.updated_at = self.updated_at.max(newest.updated_at);
        if newest.seq != 0 {
            self.seq = Some(self.seq.map_or(newest.seq, |seq| seq.max(newest.seq)));
        }
    }

    pub(super) fn into_head(self) -> Head {
        Head {
            place: self.serial,
            version: self.version,
            seq: self.seq.unwrap_or(0),
            status: self.status,
            client: self.client,
            connection: self.connection,
            name: self.name,
            id: self.id,
            turn: self.turn,
            is_deleted: self.deleted_at.is_some(),
            updated_at: self.updated_at,
        }
    }

    pub(super) fn into_message(
        self,
        epoch: Epoch,
        data: Option<String>,
    ) -> Result<Message, StoreError> {
        let data = match data {
            Some(json) if self.is_json != 0 => Some(
                Data::from_json(json).ok_or_else(|| StoreError::unreadable("message's data"))?,
            ),
            text => text.map(Data::Text),
        };
        let headers = self
            .headers
            .as_deref()
            .map(serde_json::from_str)
            .transpose();
        Ok(Message {
            serial: epoch.at(self.serial),
            version: epoch.at(self.version),
            id: self.id,
            name: self.name,
            client: self.client,
            connection: self.connection,
            role: self.role,
            turn: self.turn,
            parent: self.parent.map(|parent| epoch.at(parent)),
            data,
            headers: headers.map_err(|_| StoreError::unreadable("message's headers"))?,
            status: self.status,
            seq: self.seq,
            created_at: self.created_at,
            updated_at: self.updated_at,
            annotations: None,
            deleted_at: self.deleted_at,
        })
    }
}

/// A message from `columns!`.
pub(super) fn head(sql: &dyn Sql, mut row: Row) -> Result<Head, StoreError> {
    let columns = Columns::parse(&row.text()?)?.brought_up_to_date(sql)?;
    Ok(columns.into_head())
}
