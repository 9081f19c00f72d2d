//! Ids of frames that are kept, and everything that is forgotten in time.

use super::read;
use super::sql::{Sql, Value};
use super::{Kind, StoreError};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::TRIM_ROWS;
use crate::protocol::serial::Place;

/// One that was forgotten may come a second time: it then stands for the new frame.
pub(super) fn once(
    sql: &dyn Sql,
    client: &str,
    kind: Kind,
    id: &str,
    place: Place,
    at: Timestamp,
) -> Result<(), StoreError> {
    const ONCE: &str = "INSERT INTO once(client, kind, id, serial, at) VALUES(?1, ?2, ?3, ?4, ?5) \
                        ON CONFLICT DO UPDATE SET serial=excluded.serial, at=excluded.at";
    let (kind, place) = (Value::Integer(kind as i64), Value::number(place));
    sql.run(ONCE, &[client.into(), kind, id.into(), place, at.into()])
}

/// Forgets a few of the ids that are too old. More go than come, and never so many that the
/// session stops for them.
pub(super) fn forget_ids(sql: &dyn Sql, keep_since: Timestamp) -> Result<(), StoreError> {
    const FORGET: &str = "DELETE FROM once WHERE (client, kind, id) IN (SELECT client, kind, id \
                          FROM once WHERE at<?1 ORDER BY at LIMIT 16)";
    sql.run(FORGET, &[keep_since.into()])
}

/// Entries of `change` go with their own place, not with their message's: the last one may
/// be where the log ends. Rows that are beyond the bounds go with a later step, and tell nobody
/// anything meanwhile: nobody resumes from before the floor.
pub(super) fn trim(
    sql: &dyn Sql,
    up_to: Place,
    gone: &[Place],
    at: Timestamp,
) -> Result<(), StoreError> {
    const META: &str = "UPDATE meta SET floor=max(floor, ?1), written_at=?2, trimmed_at=?3";
    const SEGMENTS: &str = "DELETE FROM segment WHERE id IN (SELECT s.id FROM json_each(?1) m \
                            JOIN segment s ON s.id BETWEEN (m.value << 20) + 1 \
                            AND (m.value << 20) + 1048575)";
    const MESSAGES: &str = "DELETE FROM message WHERE serial IN \
                            (SELECT value FROM json_each(?1))";
    // Of those that began before the floor the few that did not end before it were all open there.
    const TURNS: &str = "DELETE FROM turn WHERE serial IN (SELECT serial FROM turn \
                         WHERE serial<=?1 AND version<=?1 AND open IS NULL \
                         ORDER BY serial LIMIT ?2)";
    const CHANGES: &str = "DELETE FROM change WHERE serial IN (SELECT serial FROM change \
                           WHERE serial<=?1 ORDER BY serial LIMIT ?2)";
    // With everything gone, only this tells when the session was last written to.
    let end = read::end(sql)?;
    let floor = Value::number(up_to);
    sql.run(META, &[floor.clone(), end.written_at.into(), at.into()])?;
    let gone = Value::Text(serde_json::json!(gone).to_string());
    sql.run(SEGMENTS, std::slice::from_ref(&gone))?;
    sql.run(MESSAGES, &[gone])?;
    let most = [floor, Value::size(TRIM_ROWS)];
    sql.run(TURNS, &most)?;
    sql.run(CHANGES, &most)
}
