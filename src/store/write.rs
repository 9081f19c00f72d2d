//! Storing: one match over everything that is ever stored.

use super::read::segments;
use super::schema::{self, SEGMENTS};
use super::sqlite::{Sql, Value};
use super::{Beginning, Growth, Kind, StoreError, Write, marks::mark, read};
use crate::protocol::data::{Data, units};
use crate::protocol::ids::Timestamp;
use crate::protocol::message::{Message, Status};
use crate::protocol::serial::Place;

/// Stores all of it or nothing. A single statement needs no transaction, which costs more
/// than the statement itself (invariant 4).
pub(super) fn run(sql: &impl Sql, writes: &[Write]) -> Result<(), StoreError> {
    if is_one_statement(writes) {
        return all(sql, writes);
    }
    sql.transaction(&mut || all(sql, writes))
}

fn is_one_statement(writes: &[Write]) -> bool {
    match writes {
        [] => true,
        [Write::Create(message)] => message.id.is_none(),
        [Write::Grow(_) | Write::Segment(_) | Write::Close { .. } | Write::Change { .. }]
        | [Write::Settings(_)] => true,
        _ => false,
    }
}

fn all(sql: &impl Sql, writes: &[Write]) -> Result<(), StoreError> {
    let mut rest = writes;
    while let [write, after @ ..] = rest {
        rest = after;
        match (write, after) {
            (
                Write::Grow(growth),
                [
                    Write::Close {
                        place,
                        version,
                        seq,
                        status,
                        at,
                    },
                    after @ ..,
                ],
            ) if growth.place == *place && growth.segment == 0 => {
                // The last append of a short message and its end are one row.
                let end = [Value::number(*version), status_value(*status), (*at).into()];
                grow_and_close(sql, growth, *seq, end)?;
                rest = after;
            }
            _ => one(sql, write)?,
        }
    }
    Ok(())
}

fn one(sql: &impl Sql, write: &Write) -> Result<(), StoreError> {
    match write {
        Write::Begin(beginning) => begin(sql, beginning),
        Write::Create(message) => create(sql, message),
        Write::Grow(growth) if growth.segment == 0 => grow(sql, growth),
        Write::Grow(growth) => grow_segment(sql, growth),
        Write::Segment(growth) => segment(sql, growth),
        Write::Close {
            place,
            version,
            seq,
            status,
            at,
        } => {
            const CLOSE: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                                 status=?4, updated_at=?5 WHERE serial=?1";
            let [place, version, seq] = [*place, *version, *seq].map(Value::number);
            run_one(
                sql,
                CLOSE,
                &[place, version, seq, status_value(*status), (*at).into()],
            )
        }
        Write::Update {
            place,
            version,
            seq,
            data,
            headers,
            is_streaming,
            at,
        } => {
            let change = Updated {
                place: *place,
                version: *version,
                seq: *seq,
                at: *at,
            };
            match data {
                Some(data) => replace(sql, &change, data, headers.as_deref(), *is_streaming),
                None => replace_headers(sql, &change, headers.as_deref(), *is_streaming),
            }
        }
        Write::Delete { place, version, at } => delete(sql, *place, *version, *at),
        Write::Change {
            place,
            what,
            subject,
            client,
            at,
        } => {
            const CHANGE: &str = "INSERT INTO change(serial, kind, subject, client, at) \
                                  VALUES(?1, ?2, ?3, ?4, ?5)";
            let (what, client) = (Value::Integer(*what as i64), client.as_deref().into());
            let [place, subject] = [*place, *subject].map(Value::number);
            run_one(sql, CHANGE, &[place, what, subject, client, (*at).into()])
        }
        Write::Once {
            client,
            kind,
            id,
            place,
            at,
            keep_since,
        } => {
            once(sql, client, *kind, id, *place, *at)?;
            forget_ids(sql, *keep_since)
        }
        Write::Settings(settings) => {
            const SETTINGS: &str = "UPDATE meta SET value=?1 WHERE key='settings'";
            run_one(
                sql,
                SETTINGS,
                &[Value::Text(serde_json::json!(settings).to_string())],
            )
        }
        Write::Trim { up_to } => trim(sql, *up_to),
    }
}

fn run_one(sql: &impl Sql, statement: &str, params: &[Value]) -> Result<(), StoreError> {
    sql.query(statement, params).map(|_| ())
}

fn status_value(status: Status) -> Value {
    status.as_str().into()
}

fn begin(sql: &impl Sql, beginning: &Beginning) -> Result<(), StoreError> {
    const BEGIN: &str = "INSERT INTO meta(key, value) VALUES('epoch', ?1), ('created_at', ?2), \
                         ('floor', ?3), ('settings', ?4)";
    schema::create(sql)?;
    let params = [
        beginning.epoch.as_str().into(),
        Value::Text(beginning.created_at.to_string()),
        Value::Text(beginning.floor.to_string()),
        Value::Text(serde_json::json!(beginning.settings).to_string()),
    ];
    run_one(sql, BEGIN, &params)
}

fn create(sql: &impl Sql, message: &Message) -> Result<(), StoreError> {
    const CREATE: &str = "INSERT INTO message(serial, version, seq, status, client, connection, \
                          id, name, role, parent, headers, created_at, updated_at, deleted_at, \
                          marks, json, data) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, \
                          ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    let [json, data] = data_values(message.data.as_ref());
    let is_streaming = message.status == Some(Status::Streaming);
    let marks = is_streaming.then(|| first_mark(message.data.as_ref(), 0));
    let headers = message
        .headers
        .as_ref()
        .map(|headers| serde_json::json!(headers).to_string());
    let place = message.serial.place;
    let params = [
        Value::number(place),
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
        message.parent.map(|parent| parent.place).into(),
        headers.as_deref().into(),
        message.created_at.into(),
        message.updated_at.into(),
        message.deleted_at.into(),
        marks.as_deref().into(),
        json,
        data,
    ];
    run_one(sql, CREATE, &params)?;
    match &message.id {
        Some(id) => once(
            sql,
            &message.client,
            Kind::Message,
            id,
            place,
            message.created_at,
        ),
        None => Ok(()),
    }
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

/// The hot path: one row, and no index of it.
fn grow(sql: &impl Sql, growth: &Growth) -> Result<(), StoreError> {
    const GROW: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                        updated_at=?4, marks=marks||?5, data=data||?6 WHERE serial=?1";
    run_one(
        sql,
        GROW,
        &growth_params(Value::number(growth.place), growth),
    )
}

fn grow_segment(sql: &impl Sql, growth: &Growth) -> Result<(), StoreError> {
    const GROW: &str = "UPDATE segment SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                        updated_at=?4, marks=marks||?5, data=data||?6 WHERE id=?1";
    run_one(sql, GROW, &growth_params(segment_id(growth), growth))
}

fn grow_and_close(
    sql: &impl Sql,
    growth: &Growth,
    seq: u64,
    [version, status, at]: [Value; 3],
) -> Result<(), StoreError> {
    const CLOSE: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                         updated_at=?4, marks=marks||?5, data=data||?6, status=?7 \
                         WHERE serial=?1";
    let [place, _, _, _, marks, text] = growth_params(Value::number(growth.place), growth);
    run_one(
        sql,
        CLOSE,
        &[place, version, Value::number(seq), at, marks, text, status],
    )
}

fn growth_params(row: Value, growth: &Growth) -> [Value; 6] {
    let versions = growth.version.saturating_sub(growth.previous);
    [
        row,
        Value::number(growth.version),
        Value::number(growth.seq),
        growth.at.into(),
        Value::Text(mark(versions, growth.units)),
        growth.text.as_str().into(),
    ]
}

fn segment_id(growth: &Growth) -> Value {
    Value::number(
        growth
            .place
            .saturating_mul(SEGMENTS)
            .saturating_add(growth.segment),
    )
}

fn segment(sql: &impl Sql, growth: &Growth) -> Result<(), StoreError> {
    const SEGMENT: &str = "INSERT INTO segment(id, version, seq, start, updated_at, marks, data) \
                           VALUES(?1, ?2, nullif(?3, 0), ?4, ?5, ?6, ?7)";
    let versions = growth.version.saturating_sub(growth.place);
    let params = [
        segment_id(growth),
        Value::number(growth.version),
        Value::number(growth.seq),
        Value::number(growth.start),
        growth.at.into(),
        Value::Text(mark(versions, growth.start + growth.units)),
        growth.text.as_str().into(),
    ];
    run_one(sql, SEGMENT, &params)
}

/// A change of a message's fields.
struct Updated {
    place: Place,
    version: Place,
    seq: u64,
    at: Timestamp,
}

/// New data goes to the message's own row, whole. One that streams has its marks begin anew
/// there: what readers had of the old text says nothing about the new one.
fn replace(
    sql: &impl Sql,
    change: &Updated,
    data: &Data,
    headers: Option<&str>,
    is_streaming: bool,
) -> Result<(), StoreError> {
    const REPLACE: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                           updated_at=?4, headers=coalesce(?5, headers), marks=?6, json=?7, \
                           data=?8 WHERE serial=?1";
    let versions = change.version.saturating_sub(change.place);
    let marks = is_streaming.then(|| first_mark(Some(data), versions));
    let [place, version, seq] = [change.place, change.version, change.seq].map(Value::number);
    let [json, data] = data_values(Some(data));
    let (headers, marks) = (headers.into(), marks.as_deref().into());
    run_one(
        sql,
        REPLACE,
        &[
            place,
            version,
            seq,
            change.at.into(),
            headers,
            marks,
            json,
            data,
        ],
    )?;
    delete_segments(sql, change.place)
}

/// The text stays, and while it streams its tail marks that it was as long at this version.
fn replace_headers(
    sql: &impl Sql,
    change: &Updated,
    headers: Option<&str>,
    is_streaming: bool,
) -> Result<(), StoreError> {
    const HEADERS: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                           updated_at=?4, headers=coalesce(?5, headers), marks=marks||?6 \
                           WHERE serial=?1";
    let tail = if is_streaming {
        read::tail_version(sql, change.place)?
    } else {
        None
    };
    let unchanged = |version| mark(change.version.saturating_sub(version), 0);
    let marks = match tail {
        Some((Some(segment), version)) => {
            mark_segment(sql, segment, change, &unchanged(version))?;
            String::new()
        }
        Some((None, version)) => unchanged(version),
        None => String::new(),
    };
    let [place, version, seq] = [change.place, change.version, change.seq].map(Value::number);
    let params = [
        place,
        version,
        seq,
        change.at.into(),
        headers.into(),
        Value::Text(marks),
    ];
    run_one(sql, HEADERS, &params)
}

fn mark_segment(
    sql: &impl Sql,
    segment: u64,
    change: &Updated,
    marks: &str,
) -> Result<(), StoreError> {
    const MARK: &str = "UPDATE segment SET version=?2, updated_at=?3, marks=marks||?4 WHERE id=?1";
    let [id, version] = [segment, change.version].map(Value::number);
    run_one(sql, MARK, &[id, version, change.at.into(), marks.into()])
}

/// The tombstone keeps who, when and the id, so that nothing is created twice (P4.2).
fn delete(sql: &impl Sql, place: Place, version: Place, at: Timestamp) -> Result<(), StoreError> {
    const DELETE: &str = "UPDATE message SET version=?2, updated_at=?3, deleted_at=?3, \
                          seq=nullif(max(coalesce(seq, 0), coalesce((SELECT s.seq FROM segment s \
                          WHERE s.id BETWEEN (serial << 20) + 1 AND (serial << 20) + 1048575 \
                          ORDER BY s.id DESC LIMIT 1), 0)), 0), \
                          status=CASE status WHEN 'streaming' THEN 'cancelled' ELSE status END, \
                          marks=NULL, json=NULL, data=NULL WHERE serial=?1";
    run_one(
        sql,
        DELETE,
        &[Value::number(place), Value::number(version), at.into()],
    )?;
    delete_segments(sql, place)
}

fn delete_segments(sql: &impl Sql, place: Place) -> Result<(), StoreError> {
    const DELETE: &str = "DELETE FROM segment WHERE id BETWEEN ?1 AND ?2";
    run_one(sql, DELETE, &segments(place))
}

/// An id that is free again may come a second time (P4.2): it then stands for the new one.
fn once(
    sql: &impl Sql,
    client: &str,
    kind: Kind,
    id: &str,
    place: Place,
    at: Timestamp,
) -> Result<(), StoreError> {
    const ONCE: &str = "INSERT INTO once(client, kind, id, serial, at) VALUES(?1, ?2, ?3, ?4, ?5) \
                        ON CONFLICT DO UPDATE SET serial=excluded.serial, at=excluded.at";
    let (kind, place) = (Value::Integer(kind as i64), Value::number(place));
    run_one(
        sql,
        ONCE,
        &[client.into(), kind, id.into(), place, at.into()],
    )
}

/// Forgets a few of the ids that are too old. More go than come, and never so many that the
/// session stops for them.
fn forget_ids(sql: &impl Sql, keep_since: Timestamp) -> Result<(), StoreError> {
    const FORGET: &str = "DELETE FROM once WHERE (client, kind, id) IN (SELECT client, kind, id \
                          FROM once WHERE kind<>0 AND at<?1 ORDER BY at LIMIT 16)";
    run_one(sql, FORGET, &[keep_since.into()])
}

/// Entries of `change` go with their own place, not with their message's: the last one may
/// be where the log ends.
fn trim(sql: &impl Sql, up_to: Place) -> Result<(), StoreError> {
    const META: &str = "INSERT INTO meta(key, value) VALUES('floor', ?1), ('trimmed_at', ?2) \
                        ON CONFLICT DO UPDATE SET value=excluded.value";
    const IDS: &str = "DELETE FROM once WHERE (client, kind, id) IN (SELECT client, 0, id \
                       FROM message WHERE serial<=?1 AND id IS NOT NULL) AND serial<=?1 \
                       AND serial NOT IN (SELECT serial FROM message WHERE status='streaming')";
    const SEGMENTS_UP_TO: &str = "DELETE FROM segment WHERE id<?1 AND (id >> 20) NOT IN \
                                  (SELECT serial FROM message WHERE status='streaming')";
    const MESSAGES: &str = "DELETE FROM message WHERE serial<=?1 AND status IS NOT 'streaming'";
    const CHANGES: &str = "DELETE FROM change WHERE serial<=?1";
    // With everything gone, only this tells when the session was last written to.
    let end = read::end(sql)?;
    let floor = read::beginning(sql)?.floor.max(up_to);
    let texts = [floor.to_string(), end.written_at.to_string()];
    run_one(sql, META, &texts.map(Value::Text))?;
    run_one(sql, IDS, &[Value::number(up_to)])?;
    run_one(
        sql,
        SEGMENTS_UP_TO,
        &[Value::number((up_to + 1).saturating_mul(SEGMENTS))],
    )?;
    run_one(sql, MESSAGES, &[Value::number(up_to)])?;
    run_one(sql, CHANGES, &[Value::number(up_to)])
}
