//! Annotations as HTTP pages them (P9.3).

use serde::Serialize;

use crate::protocol::annotation::{Annotation, Annotations, Cursor};
use crate::protocol::data::Data;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::encode;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Serial;
use crate::session::context::Context;
use crate::session::engine::Error;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    annotations: Vec<Shown>,
    has_more: bool,
    /// The `cursor` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    serial: Serial,
    kind: String,
    name: String,
    client: String,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data>,
    at: Timestamp,
}

/// `GET …/messages/{serial}/annotations`: by kind, then by name, client and time.
pub(crate) fn list(cx: &Context<'_>, asked: &Annotations) -> Result<String, Error> {
    let place = Serial::parse(&asked.serial).filter(|serial| serial.epoch == cx.engine.epoch);
    let missing = || {
        let message = format!("unable to read; there is no message {:?}", asked.serial);
        ErrorInfo::new(ErrorCode::NotFound, message)
    };
    let place = place.ok_or_else(missing)?.place;
    cx.engine.existing("read", place)?;
    let found = cx
        .engine
        .store
        .annotations(place, &asked.cursor, asked.limit + 1)?;
    let has_more = asked.limit < found.len();
    let page = found.get(..asked.limit).unwrap_or(&found);
    let last = page.last().filter(|_| has_more);
    let next = last.map(|last| {
        let Annotation {
            kind,
            name,
            client,
            place,
            ..
        } = last.clone();
        encode(&Cursor(kind, name, client, place))
    });
    let annotations = page.iter().cloned().map(|it| Shown {
        serial: cx.engine.epoch.at(it.place),
        kind: it.kind,
        name: it.name,
        client: it.client,
        count: it.count,
        data: it.data,
        at: it.at,
    });
    Ok(encode(&Page {
        annotations: annotations.collect(),
        has_more,
        next,
    }))
}
