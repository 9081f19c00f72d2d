//! Text that grows: in the message's own row while that is short, then in segments, of which
//! only the last is ever rewritten (docs/decisions/0002).

use super::marks::mark;
use super::schema::SEGMENTS;
use super::sql::{Sql, Value};
use super::{Growth, StoreError, Write};
use crate::protocol::ids::Timestamp;
use crate::protocol::message::Status;
use crate::protocol::serial::Place;

/// The hot path: one row, and no index of it.
pub(super) fn grow(sql: &dyn Sql, growth: &Growth) -> Result<(), StoreError> {
    const GROW: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                        updated_at=?4, marks=marks||?5, data=data||?6 WHERE serial=?1";
    sql.grow(GROW, growth.place, growth, &growth_mark(growth))
}

pub(super) fn grow_segment(sql: &dyn Sql, growth: &Growth) -> Result<(), StoreError> {
    const GROW: &str = "UPDATE segment SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                        updated_at=?4, marks=marks||?5, data=data||?6 WHERE id=?1";
    sql.grow(GROW, segment_id(growth), growth, &growth_mark(growth))
}

/// The end of a streaming message.
pub(super) struct Closing<'a> {
    pub(super) place: Place,
    pub(super) version: Place,
    pub(super) seq: u64,
    pub(super) status: Status,
    pub(super) headers: Option<&'a str>,
    pub(super) at: Timestamp,
}

impl<'a> Closing<'a> {
    /// What comes after the last growth of a message, if that is its end and goes to the
    /// same row.
    pub(super) fn of_short(growth: &Growth, next: &'a Write) -> Option<Self> {
        let closing = Self::of(next)?;
        (closing.place == growth.place && growth.segment == 0).then_some(closing)
    }

    /// An end as it is stored.
    pub(super) fn of(write: &'a Write) -> Option<Self> {
        let Write::Close {
            place,
            version,
            seq,
            status,
            headers,
            at,
        } = write
        else {
            return None;
        };
        Some(Self {
            place: *place,
            version: *version,
            seq: *seq,
            status: *status,
            headers: headers.as_deref(),
            at: *at,
        })
    }
}

pub(super) fn close(sql: &dyn Sql, closing: &Closing<'_>) -> Result<(), StoreError> {
    const CLOSE: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                         updated_at=?4, status=?5, headers=coalesce(?6, headers) \
                         WHERE serial=?1";
    let [place, version, seq] = [closing.place, closing.version, closing.seq].map(Value::number);
    sql.run(
        CLOSE,
        &[
            place,
            version,
            seq,
            closing.at.into(),
            closing.status.as_str().into(),
            closing.headers.into(),
        ],
    )
}

pub(super) fn grow_and_close(
    sql: &dyn Sql,
    growth: &Growth,
    closing: &Closing<'_>,
) -> Result<(), StoreError> {
    const CLOSE: &str = "UPDATE message SET version=?2, seq=coalesce(nullif(?3, 0), seq), \
                         updated_at=?4, marks=marks||?5, data=data||?6, status=?7, \
                         headers=coalesce(?8, headers) WHERE serial=?1";
    let [place, version, seq] = [closing.place, closing.version, closing.seq].map(Value::number);
    let (marks, text) = (
        Value::Text(growth_mark(growth)),
        growth.text.as_str().into(),
    );
    let (at, status) = (closing.at.into(), closing.status.as_str().into());
    let headers = closing.headers.into();
    sql.run(
        CLOSE,
        &[place, version, seq, at, marks, text, status, headers],
    )
}

fn growth_mark(growth: &Growth) -> String {
    mark(growth.version.saturating_sub(growth.previous), growth.units)
}

fn segment_id(growth: &Growth) -> u64 {
    let first = growth.place.saturating_mul(SEGMENTS);
    first.saturating_add(growth.segment)
}

pub(super) fn segment(sql: &dyn Sql, growth: &Growth) -> Result<(), StoreError> {
    const SEGMENT: &str = "INSERT INTO segment(id, version, seq, start, updated_at, marks, data) \
                           VALUES(?1, ?2, nullif(?3, 0), ?4, ?5, ?6, ?7)";
    let versions = growth.version.saturating_sub(growth.place);
    let params = [
        Value::number(segment_id(growth)),
        Value::number(growth.version),
        Value::number(growth.seq),
        Value::number(growth.start),
        growth.at.into(),
        Value::Text(mark(versions, growth.start + growth.units)),
        growth.text.as_str().into(),
    ];
    sql.run(SEGMENT, &params)
}
