//! A message as its rows have it: its own, and the newest of its segments.

use serde::Deserialize;

use super::row::Row;
use super::schema::SEGMENTS;
use super::sql::{Sql, Value};
use super::{Head, StoreError};
use crate::protocol::data::Data;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::message::{Message, Role, Status};
use crate::protocol::serial::{Epoch, Place};

/// What `columns!` is made of.
macro_rules! fields {
    () => {
        "serial, version, seq, status, client, connection, id, name, role, turn, parent, headers, \
         created_at, updated_at, deleted_at, json IS NOT NULL"
    };
}

/// All of a message but its text as one text: one value crosses into wasm where sixteen
/// would, each at the price of hundreds of bytes of text (docs/decisions/0002).
macro_rules! columns {
    () => {
        concat!("json_array(", $crate::store::columns::fields!(), ")")
    };
}

/// `columns!` with what is known of its size: the bytes of its own row's data, and for one
/// that goes on in segments no more bytes than it has in all, without reading them.
macro_rules! sized_columns {
    () => {
        concat!(
            "json_array(",
            $crate::store::columns::fields!(),
            ", coalesce(octet_length(data), octet_length(json), 0), ",
            $crate::store::columns::segmented_bytes!(),
            ")"
        )
    };
}

/// The bytes, at least, of a text that goes on in segments.
macro_rules! segmented_bytes {
    () => {
        "CASE WHEN status IS NOT NULL THEN (SELECT s.start + octet_length(s.data) FROM segment s \
         WHERE s.id BETWEEN (serial << 20) + 1 AND (serial << 20) + 1048575 \
         ORDER BY s.id DESC LIMIT 1) END"
    };
}

/// The bytes, at least, of a message, without reading them.
macro_rules! least_bytes {
    () => {
        concat!(
            "coalesce(octet_length(headers), 0) + coalesce(",
            $crate::store::columns::segmented_bytes!(),
            ", octet_length(data), octet_length(json), 0)"
        )
    };
}

/// The text of a message, head and segments, or its JSON. One that never streamed has no
/// segments to look for.
macro_rules! whole_data {
    () => {
        "CASE WHEN status IS NULL THEN coalesce(data, json) ELSE \
         coalesce(data || (SELECT group_concat(s.data, '') FROM segment s \
         WHERE s.id BETWEEN (serial << 20) + 1 AND (serial << 20) + 1048575), data, json) END"
    };
}

/// Whether retention must leave a message alone: it streams, or it is of an open turn, be it
/// what the turn answers (P11.2).
macro_rules! is_held {
    () => {
        "(status IS 'streaming' OR turn IS NOT NULL AND turn IN \
         (SELECT id FROM turn WHERE open=1) OR serial IN \
         (SELECT input FROM turn WHERE open=1 AND input IS NOT NULL))"
    };
}

pub(super) use {
    columns, fields, is_held, least_bytes, segmented_bytes, sized_columns, whole_data,
};

/// What `columns!` and `sized_columns!` give.
#[derive(Deserialize)]
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
    #[serde(default)]
    own_bytes: usize,
    #[serde(default)]
    bytes_at_least: Option<usize>,
}

/// The newest segment of a message, which is ahead of its own row while it streams.
pub(super) struct Newest {
    pub(super) segment: u64,
    version: Place,
    seq: u64,
    updated_at: Timestamp,
}

/// The ids of all segments of a message, first and last.
pub(super) fn segments(place: Place) -> [Value; 2] {
    let base = place.saturating_mul(SEGMENTS);
    [Value::number(base + 1), Value::number(base + SEGMENTS - 1)]
}

impl Newest {
    pub(super) fn of(sql: &dyn Sql, place: Place) -> Result<Option<Self>, StoreError> {
        const NEWEST: &str = "SELECT id, version, seq, updated_at FROM segment \
                              WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
        let Some(mut row) = Row::first(sql.query(NEWEST, &segments(place))?) else {
            return Ok(None);
        };
        Ok(Some(Self {
            segment: row.number()? % SEGMENTS,
            version: row.number()?,
            seq: row.number_or_zero()?,
            updated_at: row.integer()?,
        }))
    }
}

impl Columns {
    pub(super) fn parse(text: &str) -> Result<Self, StoreError> {
        serde_json::from_str(text).map_err(|_| StoreError::unreadable("message"))
    }

    /// Whether `text` is not all that it says, as `sized_columns!` tells.
    pub(super) fn has_more_than(&self, text: Option<&str>) -> bool {
        self.bytes_at_least.is_some() || text.map_or(0, str::len) < self.own_bytes
    }

    /// No more bytes than it has, headers included.
    pub(super) fn bytes_at_least(&self) -> usize {
        self.header_bytes() + self.bytes_at_least.unwrap_or(self.own_bytes)
    }

    /// The bytes of its headers.
    pub(super) fn header_bytes(&self) -> usize {
        self.headers.as_ref().map_or(0, String::len)
    }

    /// Lays what the newest segment knows over what the message's own row says.
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
            deleted_at: self.deleted_at,
        })
    }
}

/// The id of a message's newest segment, if it has any, and the version that its tail is at.
pub(super) fn tail_version(
    sql: &dyn Sql,
    place: Place,
) -> Result<Option<(Option<u64>, Place)>, StoreError> {
    const VERSION: &str = "SELECT version FROM message WHERE serial=?1";
    if let Some(newest) = Newest::of(sql, place)? {
        let id = place
            .saturating_mul(SEGMENTS)
            .saturating_add(newest.segment);
        return Ok(Some((Some(id), newest.version)));
    }
    let row = Row::first(sql.query(VERSION, &[Value::number(place)])?);
    row.map(|mut row| Ok((None, row.number()?))).transpose()
}

/// A message from `columns!` and `whole_data!`.
pub(super) fn into_message(
    sql: &dyn Sql,
    epoch: Epoch,
    mut row: Row,
) -> Result<Message, StoreError> {
    let columns = Columns::parse(&row.text()?)?.brought_up_to_date(sql)?;
    columns.into_message(epoch, row.maybe_text()?)
}
