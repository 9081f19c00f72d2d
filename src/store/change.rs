//! Messages that are created, changed and deleted.

use super::StoreError;
use super::columns::{segments, tail_version};
use super::marks::mark;
use super::sql::{Sql, Value};
use crate::protocol::data::{Data, units};
use crate::protocol::ids::Timestamp;
use crate::protocol::message::{Message, Status};
use crate::protocol::serial::Place;

pub(super) fn create(sql: &dyn Sql, message: &Message) -> Result<(), StoreError> {
    const CREATE: &str = "INSERT INTO message(serial, version, seq, status, client, connection, \
                          id, name, role, turn, parent, headers, created_at, updated_at, \
                          deleted_at, marks, json, data) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, \
                          ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
    let [json, data] = data_values(message.data.as_ref());
    let is_streaming = message.status == Some(Status::Streaming);
    let marks = is_streaming.then(|| first_mark(message.data.as_ref(), 0));
    let headers = message
        .headers
        .as_ref()
        .map(|headers| serde_json::json!(headers).to_string());
    let params = [
        Value::number(message.serial.place),
        Value::number(message.version.place),
        message.seq.into(),
        message.status.map(Status::as_str).into(),
        message.client.as_str().into(),
        message
            .connection
            .as_ref()
            .map(|connection| connection.as_str())
            .into(),
        message.id.as_deref().into(),
        message.name.as_str().into(),
        message.role.as_str().into(),
        message.turn.as_deref().into(),
        message.parent.map(|parent| parent.place).into(),
        headers.as_deref().into(),
        message.created_at.into(),
        message.updated_at.into(),
        message.deleted_at.into(),
        marks.as_deref().into(),
        json,
        data,
    ];
    sql.run(CREATE, &params)
}

/// `json` and `data` of a row.
fn data_values(data: Option<&Data>) -> [Value; 2] {
    match data {
        Some(Data::Text(text)) => [Value::Null, text.as_str().into()],
        Some(Data::Json(json)) => [json.get().into(), Value::Null],
        None => [Value::Null, Value::Null],
    }
}

/// The mark of a message's own row when it begins, `versions` after the message itself.
fn first_mark(data: Option<&Data>, versions: u64) -> String {
    match data {
        Some(Data::Text(text)) => mark(versions, units(text)),
        Some(Data::Json(_)) | None => mark(versions, 0),
    }
}

/// New fields of a message.
pub(super) struct Updated<'a> {
    pub(super) place: Place,
    pub(super) version: Place,
    pub(super) seq: u64,
    pub(super) headers: Option<&'a str>,
    pub(super) status: Option<Status>,
    pub(super) is_streaming: bool,
    pub(super) at: Timestamp,
}

impl Updated<'_> {
    /// The parameters that both statements begin with.
    fn params(&self) -> [Value; 5] {
        let [place, version, seq] = [self.place, self.version, self.seq].map(Value::number);
        [place, version, seq, self.at.into(), self.headers.into()]
    }
}

/// New data goes to the message's own row, whole. One that streams has its marks begin anew
/// there: what readers had of the old text says nothing about the new one.
pub(super) fn replace(sql: &dyn Sql, change: &Updated<'_>, data: &Data) -> Result<(), StoreError> {
    const REPLACE: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                           updated_at=?4, headers=coalesce(?5, headers), marks=?6, json=?7, \
                           data=?8, status=coalesce(?9, status) WHERE serial=?1";
    let versions = change.version.saturating_sub(change.place);
    let marks = change
        .is_streaming
        .then(|| first_mark(Some(data), versions));
    let [place, version, seq, at, headers] = change.params();
    let [json, data] = data_values(Some(data));
    let (marks, status) = (
        marks.as_deref().into(),
        change.status.map(Status::as_str).into(),
    );
    sql.run(
        REPLACE,
        &[place, version, seq, at, headers, marks, json, data, status],
    )?;
    delete_segments(sql, change.place)
}

/// The text stays, and while it streams its tail marks that it was as long at this version.
pub(super) fn replace_headers(sql: &dyn Sql, change: &Updated<'_>) -> Result<(), StoreError> {
    const HEADERS: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                           updated_at=?4, headers=coalesce(?5, headers), marks=marks||?6 \
                           WHERE serial=?1";
    let tail = if change.is_streaming {
        tail_version(sql, change.place)?
    } else {
        None
    };
    let unchanged = |version| mark(change.version.saturating_sub(version), 0);
    let marks = match tail {
        Some((Some(segment), version)) => {
            mark_segment(sql, segment, change, unchanged(version))?;
            String::new()
        }
        Some((None, version)) => unchanged(version),
        None => String::new(),
    };
    let [place, version, seq, at, headers] = change.params();
    sql.run(
        HEADERS,
        &[place, version, seq, at, headers, Value::Text(marks)],
    )
}

fn mark_segment(
    sql: &dyn Sql,
    segment: u64,
    change: &Updated<'_>,
    marks: String,
) -> Result<(), StoreError> {
    const MARK: &str = "UPDATE segment SET version=?2, updated_at=?3, marks=marks||?4 WHERE id=?1";
    let [id, version] = [segment, change.version].map(Value::number);
    sql.run(MARK, &[id, version, change.at.into(), Value::Text(marks)])
}

/// The tombstone keeps who, when and the id, so that nothing is created twice (P4.2); one
/// that was superseded keeps no id, so that it may be created again (P6.8).
pub(super) fn delete(
    sql: &dyn Sql,
    place: Place,
    version: Place,
    is_superseded: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    const DELETE: &str = "UPDATE message SET version=?2, updated_at=?3, deleted_at=?3, \
                          id=CASE WHEN ?4 THEN NULL ELSE id END, \
                          seq=nullif(max(coalesce(seq, 0), coalesce((SELECT s.seq FROM segment s \
                          WHERE s.id BETWEEN (serial << 20) + 1 AND (serial << 20) + 1048575 \
                          ORDER BY s.id DESC LIMIT 1), 0)), 0), \
                          status=CASE status WHEN 'streaming' THEN 'cancelled' ELSE status END, \
                          marks=NULL, json=NULL, data=NULL WHERE serial=?1";
    sql.run(
        DELETE,
        &[
            Value::number(place),
            Value::number(version),
            at.into(),
            Value::Integer(is_superseded.into()),
        ],
    )?;
    delete_segments(sql, place)
}

fn delete_segments(sql: &dyn Sql, place: Place) -> Result<(), StoreError> {
    const DELETE: &str = "DELETE FROM segment WHERE id BETWEEN ?1 AND ?2";
    sql.run(DELETE, &segments(place))
}
