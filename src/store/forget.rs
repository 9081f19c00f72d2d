//! Ids of frames that are kept, and everything that is forgotten in time.

use super::columns::is_held;
use super::read;
use super::schema::SEGMENTS;
use super::sqlite::{Sql, Value};
use super::{Kind, StoreError};
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;

/// One that was forgotten may come a second time: it then stands for the new frame.
pub(super) fn once(
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
    sql.run(ONCE, &[client.into(), kind, id.into(), place, at.into()])
}

/// Forgets a few of the ids that are too old. More go than come, and never so many that the
/// session stops for them.
pub(super) fn forget_ids(sql: &impl Sql, keep_since: Timestamp) -> Result<(), StoreError> {
    const FORGET: &str = "DELETE FROM once WHERE (client, kind, id) IN (SELECT client, kind, id \
                          FROM once WHERE at<?1 ORDER BY at LIMIT 16)";
    sql.run(FORGET, &[keep_since.into()])
}

/// Entries of `change` go with their own place, not with their message's: the last one may
/// be where the log ends.
pub(super) fn trim(sql: &impl Sql, up_to: Place) -> Result<(), StoreError> {
    const META: &str = "UPDATE meta SET floor=max(floor, ?1), written_at=?2";
    const SEGMENTS_UP_TO: &str = concat!(
        "DELETE FROM segment WHERE id<?1 AND (id >> 20) NOT IN \
         (SELECT serial FROM message WHERE serial<=?2 AND ",
        is_held!(),
        ")"
    );
    const MESSAGES: &str = concat!("DELETE FROM message WHERE serial<=?1 AND NOT ", is_held!());
    const TURNS: &str = "DELETE FROM turn WHERE version<=?1 AND open IS NULL";
    const CHANGES: &str = "DELETE FROM change WHERE serial<=?1";
    // With everything gone, only this tells when the session was last written to.
    let end = read::end(sql)?;
    sql.run(META, &[Value::number(up_to), end.written_at.into()])?;
    sql.run(
        SEGMENTS_UP_TO,
        &[
            Value::number((up_to + 1).saturating_mul(SEGMENTS)),
            Value::number(up_to),
        ],
    )?;
    sql.run(MESSAGES, &[Value::number(up_to)])?;
    sql.run(TURNS, &[Value::number(up_to)])?;
    sql.run(CHANGES, &[Value::number(up_to)])
}
